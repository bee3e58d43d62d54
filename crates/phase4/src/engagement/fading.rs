use serde::{Deserialize, Serialize};
use whisperengine_types::{StagnationKind, StagnationSignal};

/// How often talks of a person showed each sign of dying down in their last message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Fading {
    seen: [u16; KINDS.len()],
}

const KINDS: [StagnationKind; 4] = [
    StagnationKind::TimeGap,
    StagnationKind::ShortResponses,
    StagnationKind::RepetitiveContent,
    StagnationKind::EngagementDecline,
];
/// Talks from which a sign is theirs.
const ENOUGH: u16 = 2;

impl Fading {
    /// A talk ended with these signs.
    pub(super) fn learn(&mut self, signals: &[StagnationSignal]) {
        for signal in signals {
            let seen = &mut self.seen[signal.kind as usize];
            *seen = seen.saturating_add(1);
        }
    }

    /// The signs with which talks of this person usually end, most frequent first.
    pub(super) fn signals(&self) -> Vec<StagnationKind> {
        let mut usual: Vec<_> = KINDS
            .into_iter()
            .filter(|&kind| self.seen[kind as usize] >= ENOUGH)
            .collect();
        usual.sort_by_key(|&kind| (std::cmp::Reverse(self.seen[kind as usize]), kind));
        usual
    }
}
