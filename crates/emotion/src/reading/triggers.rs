//! Which stretches of the text the reading comes from.

use whisperengine_types::{Emotion, EmotionTrigger, PrimaryEmotion, TriggerSource};

use crate::{Vader, affect::is_pleasant, model::Item, vader::lexicon::LEXICON};

/// Learned features below this many logits are not worth a mention.
const NOTABLE: f32 = 0.5;
/// The largest value of the lexicon, and as many logits: a weight of 1.
const FULL: f32 = 4.0;

/// Appends the triggers of the text last seen by `vader`, in text order; `learned` is what each of its items adds
/// to the strongest label.
pub(super) fn collect<'a>(
    vader: &Vader,
    learned: impl Iterator<Item = (&'a Item, f32)>,
    (primary, strongest): (PrimaryEmotion, Emotion),
    triggers: &mut Vec<EmotionTrigger>,
) {
    let first = triggers.len();
    for contribution in vader.contributions() {
        let word = contribution.word;
        let spoken = if word.is(LEXICON) {
            f32::from(word.tenths) / 10.0
        } else {
            0.0
        };
        let value = contribution.value as f32;
        if spoken == 0.0 || value == 0.0 {
            continue;
        }
        let emotion = word.cue.unwrap_or(match is_pleasant(primary) {
            Some(pleasant) if pleasant == (spoken > 0.0) => primary,
            _ if spoken > 0.0 => PrimaryEmotion::Joy,
            _ => PrimaryEmotion::Sadness,
        });
        let agrees =
            (value > 0.0) == (spoken > 0.0) && !(word.cue.is_some() && vader.is_negated(contribution));
        let weight = (value.abs() / FULL).min(1.0);
        triggers.push(EmotionTrigger {
            span: vader.span(contribution),
            emotion,
            weight: if agrees { weight } else { -weight },
            source: TriggerSource::Lexicon,
        });
    }
    if primary == PrimaryEmotion::Neutral || strongest == Emotion::Neutral {
        return;
    }
    let known = first..triggers.len();
    for (item, logits) in learned {
        let overlaps =
            |trigger: &EmotionTrigger| trigger.span.start < item.end && item.start < trigger.span.end;
        if logits >= NOTABLE && !triggers[known.clone()].iter().any(overlaps) {
            triggers.push(EmotionTrigger {
                span: item.span(),
                emotion: primary,
                weight: (logits / FULL).min(1.0),
                source: TriggerSource::Learned,
            });
        }
    }
    triggers[first..].sort_unstable_by_key(|trigger| (trigger.span.start, trigger.span.end));
}
