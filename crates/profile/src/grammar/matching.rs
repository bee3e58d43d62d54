//! Finds a pattern in a sentence, by backtracking.

use std::ops::Range;

use super::{
    Capture, Grammar, Node, Role,
    value::{Ends, ends},
};
use crate::text::{Kind, Tokens};

/// Where a pattern matched, in tokens.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    pub range: Range<usize>,
    pub captures: Vec<Captured>,
}

/// The tokens that a capture took.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub role: Role,
    pub kind: Capture,
    pub range: Range<usize>,
}

impl Match {
    pub(crate) fn capture(&self, role: Role) -> Option<&Captured> {
        self.captures.iter().find(|captured| captured.role == role)
    }
}

/// The first match of `pattern` in `sentence` that begins at `from` or later.
pub(crate) fn find(
    grammar: &Grammar,
    tokens: &Tokens,
    sentence: &Range<usize>,
    from: usize,
    pattern: &[Node],
) -> Option<Match> {
    let mut matcher = Matcher {
        grammar,
        tokens,
        sentence: sentence.clone(),
        captures: Vec::new(),
        steps: 0,
    };
    for start in from..sentence.end {
        matcher.captures.clear();
        if let Some(end) = matcher.sequence(pattern, start, None) {
            return Some(Match {
                range: start..end.max(start + 1),
                captures: matcher.captures,
            });
        }
        if matcher.steps > MAX_STEPS {
            return None;
        }
    }
    None
}

struct Matcher<'a> {
    grammar: &'a Grammar,
    tokens: &'a Tokens,
    sentence: Range<usize>,
    captures: Vec<Captured>,
    steps: u32,
}

/// What follows a group, so that its alternatives are tried with the rest.
struct Rest<'a> {
    nodes: &'a [Node],
    after: Option<&'a Self>,
}

impl Matcher<'_> {
    fn sequence(&mut self, nodes: &[Node], at: usize, after: Option<&Rest<'_>>) -> Option<usize> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return None;
        }
        let Some((node, rest)) = nodes.split_first() else {
            return match after {
                Some(next) => self.sequence(next.nodes, at, next.after),
                None => Some(at),
            };
        };
        let end = self.sentence.end;
        match node {
            Node::Word(word) => {
                (at < end && self.tokens.all[at].word == *word).then_some(())?;
                self.sequence(rest, at + 1, after)
            }
            Node::Prefix(stem) => {
                let token = self.tokens.all[..end].get(at)?;
                self.tokens.folded(token).starts_with(&**stem).then_some(())?;
                self.sequence(rest, at + 1, after)
            }
            Node::Class(class) => {
                let len = self.grammar.class_at(Some(*class), self.tokens, at, end);
                (len > 0).then_some(())?;
                self.sequence(rest, at + len, after)
            }
            Node::Any(ways) => {
                let rest = Rest { nodes: rest, after };
                let captured = self.captures.len();
                ways.iter().find_map(|way| {
                    self.captures.truncate(captured);
                    self.sequence(way, at, Some(&rest))
                })
            }
            Node::Gap(most) => (0..=usize::from(*most)).find_map(|len| {
                let inside = at + len <= end;
                inside.then(|| self.sequence(rest, at + len, after)).flatten()
            }),
            Node::Begin => {
                let begins = at == self.sentence.start || self.is_break(at - 1);
                begins.then_some(())?;
                self.sequence(rest, at, after)
            }
            Node::End => {
                let ends = at >= end || self.is_break(at);
                ends.then_some(())?;
                self.sequence(rest, at, after)
            }
            Node::Capture(role, kind) => self.capture(*role, *kind, rest, at, after),
        }
    }

    fn is_break(&self, at: usize) -> bool {
        let token = &self.tokens.all[at];
        // The full stop of a title is part of a name.
        let dot = token.kind == Kind::Sign && self.tokens.folded(token) == ".";
        !dot && matches!(token.kind, Kind::Sign | Kind::Stop | Kind::Question)
    }

    fn capture(
        &mut self,
        role: Role,
        kind: Capture,
        rest: &[Node],
        at: usize,
        after: Option<&Rest<'_>>,
    ) -> Option<usize> {
        let Ends {
            start,
            shortest,
            longest,
        } = ends(self.grammar, self.tokens, kind, at, self.sentence.end)?;
        let captured = self.captures.len();
        let open = !rest.is_empty() || after.is_some_and(|after| !after.nodes.is_empty());
        // Without spaces the shortest value that lets the rest match is the right one.
        let lazy = self.grammar.wide && open;
        for step in 0..=longest - shortest {
            let end = if lazy { shortest + step } else { longest - step };
            self.captures.truncate(captured);
            self.captures.push(Captured {
                role,
                kind,
                range: start..end,
            });
            if let Some(done) = self.sequence(rest, end, after) {
                return Some(done);
            }
        }
        self.captures.truncate(captured);
        None
    }
}

/// Bounds the backtracking of one pattern in one sentence.
const MAX_STEPS: u32 = 20_000;
