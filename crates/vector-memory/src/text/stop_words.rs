//! Words that say nothing about what a text is about.

use std::sync::LazyLock;

/// Whether `word`, in lower case, is too common to search for.
pub(super) fn is_stop_word(word: &str) -> bool {
    let Some(first) = word.bytes().next().filter(|_| word.len() <= LONGEST) else {
        return false;
    };
    let words = &STOP_WORDS[word.len()];
    words.firsts & first_letter(first) != 0 && words.packed.binary_search(&packed(word)).is_ok()
}

/// Sorts the words, so that no message has to wait for it.
pub(super) fn prepare() {
    LazyLock::force(&STOP_WORDS);
}

/// The words of one length.
struct OfLength {
    /// The letters that they begin with.
    firsts: u32,
    /// Each as one number, which is compared faster than text is hashed; ascending.
    packed: Vec<u128>,
}

/// By length.
static STOP_WORDS: LazyLock<[OfLength; LONGEST + 1]> = LazyLock::new(|| {
    let of_length = |length| {
        let words = || LIST.split_whitespace().filter(move |word| word.len() == length);
        let mut packed: Vec<u128> = words().map(packed).collect();
        packed.sort_unstable();
        OfLength {
            firsts: words().fold(0, |firsts, word| firsts | first_letter(word.as_bytes()[0])),
            packed,
        }
    };
    std::array::from_fn(of_length)
});

/// A word of at most [`LONGEST`] bytes as a number.
fn packed(word: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes[..word.len()].copy_from_slice(word.as_bytes());
    u128::from_be_bytes(bytes)
}

/// A bit that words of the same first letter share.
fn first_letter(byte: u8) -> u32 {
    1 << (byte & 31)
}

const LONGEST: usize = 10;

const LIST: &str = "
a about after again all also am an and any are aren't as at
be because been before being both but by
can can't could couldn't
did didn't do does doesn't doing don't during
each either ever every
for from further
get gets getting got
had hadn't has hasn't have haven't having he he'd he'll her here hers herself he's him himself his how
i i'd if i'll i'm in into is isn't it it'd it'll its itself it's i've
just
let's like lot lots
may me might more most much must my myself
no nor not now
of off oh ok okay on once one only or other our ours ourselves out over own
really
same shall she she'd she'll she's should shouldn't so some still such
than that that's the their theirs them themselves then there there's these they they'd they'll they're
they've this those through to too
under until up us
very
was wasn't we we'd we'll were we're weren't we've what what's when where which while who whom whose why
will with won't would wouldn't
yeah yes you you'd you'll your you're yours yourself you've
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_words_of_the_list_are_stop_words() {
        let mut count = 0;
        for word in LIST.split_whitespace() {
            assert!(is_stop_word(word), "{word}");
            count += 1;
        }
        assert_eq!(
            STOP_WORDS.iter().map(|words| words.packed.len()).sum::<usize>(),
            count
        );
        for word in ["", "dog", "themselve", "themselvesx", "y\u{e9}s", "thr\u{f6}ugh"] {
            assert!(!is_stop_word(word), "{word}");
        }
    }
}
