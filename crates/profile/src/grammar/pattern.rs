//! What a rule looks for: a sequence of words, classes of words, gaps and captures.
//!
//! ```text
//! i (live|reside) in <place>          words, alternatives, the value
//! my [new] <d:@animal> <name>         an optional word, a class captured as the detail
//! работа* <work>                      any word that begins so
//! ^ sorry [,] ... <name> $            beginning and end of the sentence, up to four words between
//! ```

use super::GrammarError;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A word, by its number.
    Word(u32),
    /// Any word that begins so.
    Prefix(Box<str>),
    /// One of the words of a class.
    Class(usize),
    /// The first sequence that lets the rest match.
    Any(Vec<Vec<Self>>),
    /// Up to so many words or signs within the sentence.
    Gap(u8),
    /// The beginning of the sentence, or of a clause.
    Begin,
    /// The end of the sentence, or of a clause.
    End,
    /// Words to keep.
    Capture(Role, Capture),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Value,
    Detail,
    Note,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capture {
    /// A noun phrase.
    Thing,
    /// Several noun phrases.
    Things,
    /// A noun phrase without a determiner: a sort of thing, not a single one.
    Bare,
    /// Several of them.
    Bares,
    /// A proper name.
    Name,
    /// A proper name that its capital shows.
    Capital,
    /// Several proper names.
    Names,
    /// A place's name.
    Place,
    /// An occupation: a noun phrase that ends in a word of the class `job`.
    Job,
    /// A number as of a telephone.
    Phone,
    /// A number, in digits or in words.
    Number,
    /// Something kept to the letter.
    Code,
    /// An e-mail address.
    Email,
    /// A date, as written.
    Date,
    /// One word.
    Word,
    /// An English gerund and what follows it.
    Gerund,
    /// All to the end of the clause.
    Rest,
    /// All to the end of the sentence.
    Sentence,
    /// What is said of somebody: a phrase of the class `state` and all to the end of the clause.
    State,
    /// A word of a class.
    Class(usize),
    /// A noun phrase whose last word is of a class.
    Ending(usize),
}

/// What parsing a pattern needs to know of the grammar.
pub(super) trait Words {
    fn words(&mut self, text: &str) -> Vec<u32>;
    fn class(&self, name: &str) -> Option<usize>;
}

pub(super) fn parse(pattern: &str, words: &mut dyn Words) -> Result<Vec<Node>, GrammarError> {
    let mut parser = Parser {
        rest: pattern.trim(),
        words,
    };
    let mut ways = vec![parser.sequence()?];
    while let Some(rest) = parser.rest.strip_prefix('|') {
        parser.rest = rest;
        ways.push(parser.sequence()?);
    }
    let nodes = if ways.len() > 1 {
        vec![Node::Any(ways)]
    } else {
        ways.swap_remove(0)
    };
    if parser.rest.is_empty() {
        Ok(nodes)
    } else {
        Err(GrammarError::new(pattern))
    }
}

struct Parser<'a, 'w> {
    rest: &'a str,
    words: &'w mut dyn Words,
}

impl<'a> Parser<'a, '_> {
    fn sequence(&mut self) -> Result<Vec<Node>, GrammarError> {
        let mut nodes = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let Some(c) = self.rest.chars().next() else {
                return Ok(nodes);
            };
            match c {
                ')' | ']' | '|' => return Ok(nodes),
                '(' => nodes.push(Node::Any(self.group(')')?)),
                '[' => {
                    let mut ways = self.group(']')?;
                    ways.push(Vec::new());
                    nodes.push(Node::Any(ways));
                }
                '<' => {
                    let inside = self.until('>')?;
                    nodes.push(self.capture(inside)?);
                }
                '^' => {
                    self.rest = &self.rest[1..];
                    nodes.push(Node::Begin);
                }
                '$' => {
                    self.rest = &self.rest[1..];
                    nodes.push(Node::End);
                }
                _ => self.word(&mut nodes)?,
            }
        }
    }

    fn group(&mut self, close: char) -> Result<Vec<Vec<Node>>, GrammarError> {
        self.rest = &self.rest[1..];
        let mut ways = vec![self.sequence()?];
        while let Some(rest) = self.rest.strip_prefix('|') {
            self.rest = rest;
            ways.push(self.sequence()?);
        }
        self.rest = self
            .rest
            .strip_prefix(close)
            .ok_or_else(|| GrammarError::new(self.rest))?;
        Ok(ways)
    }

    fn until(&mut self, close: char) -> Result<&'a str, GrammarError> {
        let end = self
            .rest
            .find(close)
            .ok_or_else(|| GrammarError::new(self.rest))?;
        let inside = &self.rest[1..end];
        self.rest = &self.rest[end + 1..];
        Ok(inside)
    }

    fn capture(&self, inside: &str) -> Result<Node, GrammarError> {
        let (role, name) = match inside.split_once(':') {
            Some(("d", name)) => (Role::Detail, name),
            Some(("n", name)) => (Role::Note, name),
            _ => (Role::Value, inside),
        };
        let kind = match name {
            "thing" => Capture::Thing,
            "things" => Capture::Things,
            "bare" => Capture::Bare,
            "bares" => Capture::Bares,
            "state" => Capture::State,
            "name" => Capture::Name,
            "cap" => Capture::Capital,
            "names" => Capture::Names,
            "place" => Capture::Place,
            "job" => Capture::Job,
            "phone" => Capture::Phone,
            "number" => Capture::Number,
            "code" => Capture::Code,
            "email" => Capture::Email,
            "date" => Capture::Date,
            "word" => Capture::Word,
            "ing" => Capture::Gerund,
            "rest" => Capture::Rest,
            "sentence" => Capture::Sentence,
            _ => {
                let bad = || GrammarError::new(inside);
                match name.split_at_checked(1).ok_or_else(bad)? {
                    ("@", name) => Capture::Class(self.words.class(name).ok_or_else(bad)?),
                    ("~", name) => Capture::Ending(self.words.class(name).ok_or_else(bad)?),
                    _ => return Err(bad()),
                }
            }
        };
        Ok(Node::Capture(role, kind))
    }

    fn word(&mut self, nodes: &mut Vec<Node>) -> Result<(), GrammarError> {
        let end = self
            .rest
            .find([' ', '(', ')', '[', ']', '|', '<'])
            .unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        self.rest = &self.rest[end..];
        if text == "..." {
            nodes.push(Node::Gap(4));
        } else if let Some(name) = text.strip_prefix('@') {
            nodes.push(Node::Class(
                self.words.class(name).ok_or_else(|| GrammarError::new(text))?,
            ));
        } else if let Some(stem) = text.strip_suffix('*') {
            nodes.push(Node::Prefix(crate::text::folded(stem).into()));
        } else {
            nodes.extend(self.words.words(text).into_iter().map(Node::Word));
        }
        Ok(())
    }
}
