use serde::{Deserialize, Serialize};
use whisperengine_types::{CommunicationStyle, ResponseLength, SupportLevel, Timestamp};

use super::{Personality, PersonalityDimension};
use crate::{config::PersonalityConfig, lexicon::Cue, text::Utterance};

/// What the person asked for in words; the latest wish of each kind holds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Wishes {
    casual: Option<bool>,
    length: Option<ResponseLength>,
    support: Option<SupportLevel>,
}

impl Wishes {
    pub(super) fn heed(&mut self, utterance: &Utterance<'_>) {
        // "I worked longer today" is no wish: it takes a request or a word for answers beside it.
        let few_words = utterance.words() <= 8;
        let asks = utterance.has(Cue::Preference);
        let wants = |cue| {
            utterance.has(cue)
                && (asks || (few_words && utterance.hits.iter().any(|hit| hit.cue == cue && hit.token < 2)))
        };
        if wants(Cue::AskFormal) {
            self.casual = Some(false);
        } else if wants(Cue::AskCasual) {
            self.casual = Some(true);
        }
        if wants(Cue::AskShort) {
            self.length = Some(ResponseLength::Brief);
        } else if wants(Cue::AskLong) {
            self.length = Some(ResponseLength::Detailed);
        }
        if utterance.has(Cue::AskLessHelp) {
            self.support = Some(SupportLevel::Reserved);
        } else if wants(Cue::AskMoreHelp) {
            self.support = Some(SupportLevel::Proactive);
        }
    }

    pub(super) fn style(
        self,
        profile: &Personality,
        config: &PersonalityConfig,
        now: Timestamp,
    ) -> CommunicationStyle {
        let manner = profile.value(PersonalityDimension::CommunicationStyle);
        let support = profile.value(PersonalityDimension::SupportPreferences);
        let detail = profile.value(PersonalityDimension::ConversationDepth);
        let sure = manner.confidence_at(config, now);
        let inferred_length = match detail.value {
            _ if detail.confidence_at(config, now) < 0.5 => ResponseLength::Medium,
            value if value > 0.7 && profile.means.words > 40.0 => ResponseLength::Detailed,
            _ if profile.means.words < 4.0 => ResponseLength::Brief,
            _ => ResponseLength::Medium,
        };
        let inferred_support = match support.value {
            _ if support.confidence_at(config, now) < 0.5 => SupportLevel::Balanced,
            value if value > 0.5 => SupportLevel::Proactive,
            _ => SupportLevel::Balanced,
        };
        CommunicationStyle {
            casualness: match self.casual {
                Some(true) => manner.value.max(0.6),
                Some(false) => manner.value.min(-0.6),
                None => manner.value * sure,
            },
            length: self.length.unwrap_or(inferred_length),
            support: self.support.unwrap_or(inferred_support),
            explicit: self.casual.is_some() || self.length.is_some() || self.support.is_some(),
            confidence: if self.casual.is_some() { 1.0 } else { sure },
        }
    }
}
