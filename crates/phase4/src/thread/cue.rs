//! How loudly a message announces a change of subject.

use crate::{
    lexicon::{Cue, Lexicon},
    number::unit,
    text::{Hit, Utterance},
};

/// The announcements in a message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Announced {
    /// A new subject ("by the way").
    pub(super) switch: f32,
    /// An old subject ("back to the trip").
    pub(super) reminder: f32,
    /// A break ("hold on").
    pub(super) interruption: f32,
    /// A sentence opener ("well").
    pub(super) opener: f32,
}

impl Announced {
    /// How surely the message changes the thread by its words alone, `0..=1`.
    pub(super) fn strength(self) -> f32 {
        let strongest = (0.8 * self.switch)
            .max(0.7 * self.reminder)
            .max(0.6 * self.interruption);
        unit(if strongest > 0.0 {
            strongest + 0.2 * self.opener
        } else {
            0.2 * self.opener
        })
    }
}

/// Reads the announcements. A cue counts only where a clause begins: a name that contains "oh", or "now"
/// in the middle of a sentence, announces nothing. Words of time alone never do.
pub(super) fn announced(utterance: &Utterance<'_>) -> Announced {
    let mut announced = Announced::default();
    for hit in &utterance.hits {
        let slot = match hit.cue {
            Cue::Switch => &mut announced.switch,
            Cue::Reminder => &mut announced.reminder,
            Cue::Interruption => &mut announced.interruption,
            Cue::Opener => &mut announced.opener,
            _ => continue,
        };
        if !hit.negated && leads_clause(utterance, hit) {
            *slot = slot.max(hit.weight.min(1.0));
        }
    }
    // An opener leads over only together with something to lead to.
    if utterance.terms.is_empty() {
        announced.opener = 0.0;
    }
    announced
}

/// Whether nothing but openers and short answers stand before the cue in its clause.
fn leads_clause(utterance: &Utterance<'_>, hit: &Hit) -> bool {
    let at = usize::from(hit.token);
    let before = utterance.tokens[..=at]
        .iter()
        .rposition(|token| token.clause_start)
        .unwrap_or(0);
    (before..at).all(|index| {
        utterance.hits.iter().any(|other| {
            let from = usize::from(other.token);
            matches!(other.cue, Cue::Opener | Cue::Continuation | Cue::Switch)
                && (from..from + usize::from(other.len)).contains(&index)
        })
    })
}

/// How surely a text changes the subject by its words alone, `0..=1`; above 0.6 it is strong.
///
/// ```
/// use whisperengine_phase4::{Lexicon, transition_strength};
///
/// let english = Lexicon::english();
/// assert_eq!(transition_strength(&english, "I know John"), 0.0);
/// assert!(transition_strength(&english, "By the way, how is your sister?") > 0.6);
/// ```
pub fn transition_strength(lexicon: &Lexicon, text: &str) -> f32 {
    announced(&Utterance::read(lexicon, text)).strength()
}
