//! BERT's text clean-up for what is not ASCII: drop controls, set off CJK, strip accents, lower-case.

use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;

/// The characters of `run` after clean-up. Correct for a run that starts and ends at ASCII characters,
/// which neither combine nor reorder.
pub(super) fn clean(run: &str) -> impl Iterator<Item = char> {
    run.chars()
        .filter(|&c| !is_dropped(c))
        .flat_map(|c| {
            let pad = is_cjk(c).then_some(' ');
            pad.into_iter().chain(std::iter::once(c)).chain(pad)
        })
        .nfd()
        .filter(|c| !c.is_mark_nonspacing())
        .flat_map(char::to_lowercase)
}

/// Marks that stand as words of their own.
pub(super) fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_punctuation()
}

/// Controls, format characters and private-use characters vanish without ending a word.
fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0' | char::REPLACEMENT_CHARACTER => true,
        _ => c.is_other(),
    }
}

/// Ideographs, of which each is a word. The gap between `2B81F` and `2B920` is the reference's.
fn is_cjk(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_B73F
        | 0x2_B740..=0x2_B81F | 0x2_B920..=0x2_CEAF | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}
