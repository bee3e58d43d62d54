//! Words that negate the words after them.

use super::features::mix;

/// Hashes of folded words in a table without tombstones.
#[derive(Debug, Clone)]
pub(super) struct Negators {
    slots: [u64; SLOTS],
}

const SLOTS: usize = 512;

/// Folded, by language.
const WORDS: &str = "not no never don't dont can't cant cannot won't wont isn't isnt aren't arent wasn't wasnt weren't \
    didn't didnt doesn't doesnt wouldn't wouldnt shouldn't couldn't couldnt hasn't haven't havent without neither nor \
    nothing ain't aint hardly nobody none \
    nicht kein keine keinen keiner keinem nie niemals ohne nichts nix ned net \
    nunca sin jamas tampoco ni nadie nada \
    pas jamais sans rien aucun aucune ne n'est \
    nao sem nem ninguem \
    non mai senza nessuno niente nemmeno \
    niet geen nooit zonder niets nie niks \
    nigdy bez nic zaden nikt \
    не нет никогда без ничего никто нету нельзя \
    tidak nggak gak ga enggak ngga tak bukan tanpa belum jangan \
    khong chang cha chua dung ko k \
    لا لم ما ليس لن مش مو بدون \
    नहीं नही न मत ना बिना \
    안 못 \
    degil yok hic";

impl Default for Negators {
    fn default() -> Self {
        let mut negators = Self { slots: [0; SLOTS] };
        for word in WORDS.split_ascii_whitespace() {
            let hash = word.chars().fold(0, |hash, c| mix(hash, u64::from(u32::from(c))));
            let mut slot = start(hash);
            while negators.slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            negators.slots[slot] = hash;
        }
        negators
    }
}

impl Negators {
    /// Whether the word with this hash negates.
    #[inline]
    pub(super) fn contain(&self, hash: u64) -> bool {
        let mut slot = start(hash);
        loop {
            match self.slots[slot] {
                0 => return false,
                found if found == hash => return true,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }
}

#[inline]
fn start(hash: u64) -> usize {
    (hash >> 40) as usize % SLOTS
}
