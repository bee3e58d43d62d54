//! What each output of the multilingual model stands for.

use std::ops::Range;

use whisperengine_types::PrimaryEmotion;

/// The primary emotions, in their order: logits of one choice.
pub const PRIMARY: Range<usize> = 0..PrimaryEmotion::COUNT;
/// Valence, `-1..=1`.
pub const VALENCE: usize = 13;
/// Arousal, `0..=1`.
pub const AROUSAL: usize = 14;
/// Logit of concern or crisis.
pub const CONCERN: usize = 15;
/// Logit of crisis.
pub const CRISIS: usize = 16;
/// The languages of [`LATIN`] and any other: logits of one choice.
pub const LANGUAGE: Range<usize> = 17..17 + LATIN.len() + 1;
/// Which danger, logits of one choice: to oneself, by somebody else, to somebody's health.
pub const SELF: usize = LANGUAGE.end;
/// Danger by somebody else.
pub const ABUSE: usize = SELF + 1;
/// Danger to somebody's health.
pub const MEDICAL: usize = SELF + 2;
/// The choice of the danger.
pub const DANGER: Range<usize> = SELF..SELF + 3;
/// Lanes in use.
pub const USED: usize = DANGER.end;

/// The languages in Latin script that the model tells apart.
pub const LATIN: [&str; 11] = ["en", "de", "es", "fr", "pt", "it", "nl", "pl", "tr", "id", "vi"];
