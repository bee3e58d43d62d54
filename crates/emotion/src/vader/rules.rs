//! What the words around a lexicon word do to its value. The order of the operations is the reference's,
//! down to the last rounding.

use super::{
    lexicon::{BOOSTER, DAMPENER, LEXICON, NEGATION, Name, PIVOT, UPPER, Word},
    sum::Number,
    token::Token,
};

/// What one booster adds, and a dampener takes away.
const BOOST: f64 = 0.293;
/// What capitals add where not everything is in capitals.
const CAPITALS: f64 = 0.733;
/// What a negation multiplies with.
const NEGATED: f64 = -0.74;
/// What "never so" and "never this" multiply with.
const NEVER_SO: f64 = 1.25;

/// The value of token `i`; a word outside the lexicon and a modifier have none.
///
/// `mixed_case` says that some tokens, not all, are in capitals.
#[inline]
pub(super) fn valence(tokens: &[Token], i: usize, mixed_case: bool) -> Number {
    let word = tokens[i].word;
    if !word.is(LEXICON) || is_modifier(tokens, i) {
        return Number::Int(0);
    }
    if is_alone(tokens, i) {
        let value = f64::from(word.tenths) / 10.0;
        return Number::Float(if word.is(UPPER) && mixed_case {
            value + if value > 0.0 { CAPITALS } else { -CAPITALS }
        } else {
            value
        });
    }
    modified(tokens, i, mixed_case)
}

/// Whether no rule says anything of the words around token `i`, which spares most words most of the rules.
fn is_alone(tokens: &[Token], i: usize) -> bool {
    let window = &tokens[i.saturating_sub(3)..tokens.len().min(i + 3)];
    let flags = window.iter().fold(0, |flags, token| flags | token.word.flags);
    flags & (BOOSTER | DAMPENER | NEGATION | PIVOT) == 0
}

/// A booster, a dampener or the "kind" of "kind of".
fn is_modifier(tokens: &[Token], i: usize) -> bool {
    let word = tokens[i].word;
    word.is(BOOSTER | DAMPENER) || (word.name == Name::Kind && name(tokens, i + 1) == Name::Of)
}

fn modified(tokens: &[Token], i: usize, mixed_case: bool) -> Number {
    let word = tokens[i].word;
    let before = |distance: usize| -> Option<Word> { Some(tokens[i.checked_sub(distance)?].word) };
    let is_before = |distance: usize, expected: Name| before(distance).is_some_and(|w| w.name == expected);
    let base = f64::from(word.tenths) / 10.0;
    let mut valence = base;
    if word.name == Name::No && tokens.get(i + 1).is_some_and(|next| next.word.is(LEXICON)) {
        valence = 0.0;
    }
    let spaced_no = is_before(3, Name::No) && (is_before(1, Name::Or) || is_before(1, Name::Nor));
    if is_before(1, Name::No) || is_before(2, Name::No) || spaced_no {
        valence = base * NEGATED;
    }
    if word.is(UPPER) && mixed_case {
        valence += if valence > 0.0 { CAPITALS } else { -CAPITALS };
    }
    let mut result = Number::Float(valence);
    for distance in 1..=3 {
        let Some(modifier) = before(distance).filter(|modifier| !modifier.is(LEXICON)) else {
            continue;
        };
        let faded = boost(modifier, valence, mixed_case) * [1.0, 0.95, 0.9][distance - 1];
        valence += faded;
        valence = negate(tokens, i, distance, valence);
        result = Number::Float(valence);
        if distance == 3 {
            result = phrase(tokens, i, valence);
        }
    }
    if is_least(tokens, i) {
        result = Number::Float(result.value() * NEGATED);
    }
    result
}

/// What `modifier` adds to a word worth `valence`.
fn boost(modifier: Word, valence: f64, mixed_case: bool) -> f64 {
    if !modifier.is(BOOSTER | DAMPENER) {
        return 0.0;
    }
    let mut boost = if modifier.is(BOOSTER) { BOOST } else { -BOOST };
    if valence < 0.0 {
        boost *= -1.0;
    }
    if modifier.is(UPPER) && mixed_case {
        boost += if valence > 0.0 { CAPITALS } else { -CAPITALS };
    }
    boost
}

/// Applies the negation, if it is one, `distance` tokens before token `i`.
fn negate(tokens: &[Token], i: usize, distance: usize, valence: f64) -> f64 {
    let name = |distance: usize| tokens[i - distance].word.name;
    let so_or_this = |distance: usize| matches!(name(distance), Name::So | Name::This);
    let (never_so, without_doubt) = match distance {
        2 => (
            name(2) == Name::Never && so_or_this(1),
            name(2) == Name::Without && name(1) == Name::Doubt,
        ),
        // The reference's `and` binds before its `or`: a "so" right before the word is enough.
        3 => (
            (name(3) == Name::Never && so_or_this(2)) || so_or_this(1),
            name(3) == Name::Without && (name(2) == Name::Doubt || name(1) == Name::Doubt),
        ),
        _ => (false, false),
    };
    if never_so {
        valence * NEVER_SO
    } else if !without_doubt && tokens[i - distance].word.is(NEGATION) {
        valence * NEGATED
    } else {
        valence
    }
}

/// "least" right before token `i`, without "at" or "very" before it.
fn is_least(tokens: &[Token], i: usize) -> bool {
    i > 0
        && tokens[i - 1].word.name == Name::Least
        && !(i > 1 && matches!(tokens[i - 2].word.name, Name::At | Name::Very))
}

/// Replaces `valence` where token `i` stands in or after a phrase with a value of its own. Only asked
/// where three tokens precede it.
fn phrase(tokens: &[Token], i: usize, valence: f64) -> Number {
    let at = |offset: usize| name(tokens, i + offset - 3);
    let window = [at(0), at(1), at(2), at(3), at(4), at(5)];
    if window == [Name::Other; 6] {
        return Number::Float(valence);
    }
    let [three, two, one, zero, next, after] = window;
    let mut result = Number::Float(valence);
    let before = pair_value(one, zero)
        .or_else(|| triple_value(two, one, zero))
        .or_else(|| pair_value(two, one))
        .or_else(|| triple_value(three, two, one))
        .or_else(|| pair_value(three, two));
    let replaced = triple_value(zero, next, after)
        .or_else(|| pair_value(zero, next))
        .or(before);
    if let Some(value) = replaced {
        result = value;
    }
    for (first, second) in [(three, two), (two, one)] {
        if is_dampening_pair(first, second) {
            result = Number::Float(result.value() - BOOST);
        }
    }
    result
}

fn name(tokens: &[Token], i: usize) -> Name {
    tokens.get(i).map_or(Name::Other, |token| token.word.name)
}

fn pair_value(first: Name, second: Name) -> Option<Number> {
    match (first, second) {
        (Name::The, Name::Shit | Name::Bomb) => Some(Number::Int(3)),
        (Name::Bad, Name::Ass) => Some(Number::Float(1.5)),
        (Name::Bus, Name::Stop) => Some(Number::Float(0.0)),
        (Name::Yeah, Name::Right) => Some(Number::Int(-2)),
        (Name::Beating, Name::Heart) => Some(Number::Float(3.5)),
        _ => None,
    }
}

fn triple_value(first: Name, second: Name, third: Name) -> Option<Number> {
    match (first, second, third) {
        (Name::Kiss, Name::Of, Name::Death) => Some(Number::Float(-1.5)),
        (Name::To, Name::Die, Name::For) => Some(Number::Int(3)),
        _ => None,
    }
}

fn is_dampening_pair(first: Name, second: Name) -> bool {
    matches!(
        (first, second),
        (Name::Just, Name::Enough) | (Name::Kind | Name::Sort, Name::Of)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::lexicon::{Lexicon, key},
        *,
    };

    proptest! {
        #[test]
        fn words_that_stand_alone_have_the_value_that_all_rules_give(
            words in prop::collection::vec(prop::sample::select(vec![
                "good", "bad", "no", "or", "nor", "least", "at", "very", "kind", "sort", "of", "just", "enough", "never",
                "so", "this", "without", "doubt", "the", "shit", "bomb", "ass", "bus", "stop", "yeah", "right", "kiss",
                "death", "to", "die", "for", "beating", "heart", "slightly", "not", "table", "chair", "x", "y", "z",
            ]), 1..9),
            upper in 0..512_usize,
        ) {
            let token = |(at, word): (usize, &&str)| {
                let mut word = Lexicon::shared().short(key(word.as_bytes()));
                word.flags |= if upper >> at & 1 == 1 { UPPER } else { 0 };
                Token { word, start: 0, end: 0 }
            };
            let tokens: Vec<Token> = words.iter().enumerate().map(token).collect();
            for i in (0..tokens.len()).filter(|&i| tokens[i].word.is(LEXICON) && !is_modifier(&tokens, i)) {
                for mixed_case in [false, true] {
                    prop_assert_eq!(valence(&tokens, i, mixed_case), modified(&tokens, i, mixed_case));
                }
            }
        }
    }
}
