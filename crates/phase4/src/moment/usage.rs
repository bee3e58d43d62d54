use std::time::Duration;

use serde::{Deserialize, Serialize};
use whisperengine_types::{OfferedMoment, Timestamp};

use crate::{
    error::Error,
    number::{Byte, DAY, SignedByte, push_bounded, unit},
    text::{fold32, hash64},
};

/// Which moments were offered and brought up, and how that went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    records: Vec<MomentRecord>,
    /// Keys of moments in the latest plans, which feedback may name.
    offered: Vec<u64>,
    /// Memories brought up lately, by hash of their words.
    told: Vec<(u32, Timestamp)>,
    /// A moment was brought up; the next message tells how it was taken.
    awaiting: Option<(u64, SignedByte, Byte)>,
    last_turn: Option<u64>,
}

/// The history of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MomentRecord {
    pub(super) key: u64,
    /// When it was last offered.
    pub last: Timestamp,
    /// How often a reply brought it up.
    pub used: u32,
    /// How well it was received, `0..=1`; 0.5 to begin with.
    pub success: f32,
}

const MAX_RECORDS: usize = 16;
const MAX_OFFERED: usize = 6;
const MAX_TOLD: usize = 12;
/// The same memory is not brought up again for a week, whatever connects it.
const SAME_MEMORY: Duration = DAY.saturating_mul(7);

impl Usage {
    /// Whether enough turns have passed since the last moment.
    pub(super) fn rested(&self, turn: u64, gap_turns: u32) -> bool {
        self.last_turn
            .is_none_or(|last| turn.saturating_sub(last) >= u64::from(gap_turns))
    }

    pub(super) fn is_cool(&self, key: u64, now: Timestamp, cooldown: Duration) -> bool {
        self.record(key).is_none_or(|record| {
            // A clock that went backwards does not end a cooldown.
            now.since(record.last) >= cooldown
        })
    }

    pub(super) fn was_told(&self, quote: &str, now: Timestamp) -> bool {
        let hash = fold32(hash64(quote.as_bytes()));
        self.told
            .iter()
            .any(|&(told, at)| told == hash && now.since(at) < SAME_MEMORY)
    }

    pub(super) fn success(&self, key: u64) -> Option<f32> {
        self.record(key)
            .filter(|record| record.used > 0)
            .map(|record| record.success)
    }

    fn record(&self, key: u64) -> Option<&MomentRecord> {
        self.records.iter().find(|record| record.key == key)
    }

    /// Remembers the moments of a plan; the first one counts as brought up now.
    pub(super) fn offer(&mut self, keys: &[u64], quote: &str, turn: u64, now: Timestamp) {
        for &key in keys {
            self.offered.retain(|&known| known != key);
            push_bounded(&mut self.offered, key, MAX_OFFERED);
        }
        let Some(&first) = keys.first() else { return };
        self.last_turn = Some(turn);
        push_bounded(&mut self.told, (fold32(hash64(quote.as_bytes())), now), MAX_TOLD);
        self.touch(first, now);
    }

    /// As [`offer`](Self::offer), for a plan that is made once more.
    pub(crate) fn offer_again(&mut self, offered: &[OfferedMoment], turn: u64, now: Timestamp) {
        let key = |moment: &OfferedMoment| u64::from_str_radix(moment.id.strip_prefix('m')?, 16).ok();
        let keys: Vec<u64> = offered.iter().filter_map(key).collect();
        if let Some(first) = offered.first() {
            self.offer(&keys, &first.quote, turn, now);
        }
    }

    fn touch(&mut self, key: u64, now: Timestamp) -> &mut MomentRecord {
        if let Some(index) = self.records.iter().position(|record| record.key == key) {
            self.records[index].last = now;
            return &mut self.records[index];
        }
        if self.records.len() == MAX_RECORDS {
            let oldest = self
                .records
                .iter()
                .enumerate()
                .min_by_key(|(_, record)| record.last)
                .map(|(i, _)| i);
            self.records.remove(oldest.unwrap_or(0));
        }
        self.records.push(MomentRecord {
            key,
            last: now,
            used: 0,
            success: 0.5,
        });
        let last = self.records.len() - 1;
        &mut self.records[last]
    }

    /// A reply brought a moment up.
    pub(crate) fn used(&mut self, id: &str, valence: f32, score: f32, at: Timestamp) -> Result<(), Error> {
        let key = self.offered.iter().copied().find(|&key| moment_id(key) == id);
        let key = key.ok_or_else(|| Error::UnknownMoment {
            id: id.chars().take(40).collect(),
        })?;
        let record = self.touch(key, at);
        record.used = record.used.saturating_add(1);
        self.awaiting = Some((key, SignedByte::new(valence), Byte::new(score)));
        Ok(())
    }

    /// The message after a moment tells how it was taken.
    pub(crate) fn judge(&mut self, valence: f32, score: f32) {
        let Some((key, valence_before, score_before)) = self.awaiting.take() else {
            return;
        };
        if let Some(record) = self.records.iter_mut().find(|record| record.key == key) {
            let change = 0.5 * (valence - valence_before.value()) + (score - score_before.value());
            record.success = unit(0.75 * record.success + 0.25 * unit(0.6 + change));
        }
    }

    pub(crate) fn records(&self) -> &[MomentRecord] {
        &self.records
    }

    pub(super) fn repair(&mut self) {
        self.records.truncate(MAX_RECORDS);
        self.offered.truncate(MAX_OFFERED);
        self.told.truncate(MAX_TOLD);
        for record in &mut self.records {
            record.success = unit(record.success);
        }
    }
}

/// The name under which a moment is offered and fed back.
pub(super) fn moment_id(key: u64) -> String {
    format!("m{key:016x}")
}

impl MomentRecord {
    /// The moment's id, as in a plan.
    pub fn id(&self) -> String {
        moment_id(self.key)
    }
}
