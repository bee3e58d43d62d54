//! What VADER knows of a word: one table for the sentiment lexicon and the words its rules name.

use std::sync::LazyLock;

use whisperengine_types::PrimaryEmotion;

use crate::{affect::CUES, filter::Filter};

/// What is known of one word, and of the token it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Word {
    /// Ten times the lexicon's value; 0 outside the lexicon.
    pub(crate) tenths: i8,
    /// [`LEXICON`] and its siblings.
    pub(crate) flags: u8,
    /// The word itself, where a rule names it.
    pub(crate) name: Name,
    /// The emotion that the word names outright; not part of VADER.
    pub(crate) cue: Option<PrimaryEmotion>,
}

impl Word {
    /// What is known of a word that is in no list.
    pub(crate) const NONE: Self = Self {
        tenths: 0,
        flags: 0,
        name: Name::Other,
        cue: None,
    };

    pub(crate) fn is(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// In the sentiment lexicon.
pub(crate) const LEXICON: u8 = 1;
/// Strengthens the words after it.
pub(crate) const BOOSTER: u8 = 1 << 1;
/// Weakens the words after it.
pub(crate) const DAMPENER: u8 = 1 << 2;
/// Negates the words after it.
pub(crate) const NEGATION: u8 = 1 << 3;
/// Written in capitals; a property of the token, not of the word.
pub(crate) const UPPER: u8 = 1 << 4;
/// Names an emotion outright: has a cue.
pub(crate) const CUE: u8 = 1 << 5;
/// Changes the value of a word near it by its name, alone or with others.
pub(crate) const PIVOT: u8 = 1 << 6;

/// The word as the tokenizer keys it: lower-cased bytes, zero-padded, in two little-endian halves.
pub(crate) type Key = (u64, u64);

/// The most bytes a [`Key`] holds.
pub(crate) const KEY_BYTES: usize = 16;

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        /// The words that rules name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[repr(u8)]
        pub(crate) enum Name {
            #[default]
            Other,
            $($name),*
        }

        const NAMES: &[(Name, &str)] = &[$((Name::$name, $text)),*];
    };
}

names! {
    No "no" Or "or" Nor "nor" But "but" Least "least" At "at" Very "very" Kind "kind" Sort "sort" Of "of"
    Just "just" Enough "enough" Never "never" So "so" This "this" Without "without" Doubt "doubt" The "the"
    Shit "shit" Bomb "bomb" Bad "bad" Ass "ass" Bus "bus" Stop "stop" Yeah "yeah" Right "right" Kiss "kiss"
    Death "death" To "to" Die "die" For "for" Beating "beating" Heart "heart"
}

/// One of these at least is in everything that rules say of names; the others are too frequent to look for.
const PIVOTS: &[Name] = &[
    Name::No,
    Name::Least,
    Name::Kind,
    Name::Sort,
    Name::Enough,
    Name::Never,
    Name::So,
    Name::This,
    Name::Without,
    Name::Shit,
    Name::Bomb,
    Name::Ass,
    Name::Stop,
    Name::Right,
    Name::Death,
    Name::Die,
    Name::Heart,
];

const BOOSTERS: &str = "absolutely amazingly awfully completely considerable considerably decidedly deeply \
    effing enormous enormously entirely especially exceptional exceptionally extreme extremely fabulously \
    flipping flippin frackin fracking fricking frickin frigging friggin fully fuckin fucking fuggin fugging \
    greatly hella highly hugely incredible incredibly intensely major majorly more most particularly purely \
    quite really remarkably so substantially thoroughly total totally tremendous tremendously uber \
    unbelievably unusually utter utterly very";

const DAMPENERS: &str = "almost barely hardly kinda kindof kind-of less little marginal marginally occasional \
    occasionally partly scarce scarcely slight slightly somewhat sorta sortof sort-of";

const NEGATIONS: &str = "aint arent cannot cant couldnt darent didnt doesnt ain't aren't can't couldn't \
    daren't didn't doesn't dont hadnt hasnt havent isnt mightnt mustnt neither don't hadn't hasn't haven't \
    isn't mightn't mustn't neednt needn't never none nope nor not nothing nowhere oughtnt shant shouldnt uhuh \
    wasnt werent oughtn't shan't shouldn't uh-uh wasn't weren't without wont wouldnt won't wouldn't rarely \
    seldom despite";

/// Open addressing over short words, a plain list of the few long ones.
pub(crate) struct Lexicon {
    /// Upper 16 bits: of the hash; lower 16: entry + 1, 0 when free.
    slots: Vec<u32>,
    entries: Vec<(Key, Word)>,
    /// Most words are not in the lexicon: it spares them the search.
    filter: Filter,
    long: Vec<(&'static [u8], Word)>,
}

const SLOT_BITS: u32 = 15;

/// About as many entries as there are.
const ENTRIES: usize = 8_000;

impl Lexicon {
    /// The one lexicon there is.
    pub(crate) fn shared() -> &'static Self {
        static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::build);
        &LEXICON
    }

    /// The word with this key.
    #[inline]
    pub(crate) fn short(&self, key: Key) -> Word {
        let hash = hash(key);
        if !self.filter.may_hold(hash) {
            return Word::default();
        }
        let mut slot = (hash >> (64 - SLOT_BITS)) as usize;
        let tag = tag(hash);
        loop {
            let entry = self.slots[slot & ((1 << SLOT_BITS) - 1)];
            if entry == 0 {
                return Word::default();
            }
            if entry >> 16 == tag {
                let (found, word) = self.entries[(entry & 0xFFFF) as usize - 1];
                if found == key {
                    return word;
                }
            }
            slot += 1;
        }
    }

    /// The short words that consist of letters, digits and apostrophes.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Key, Word)> {
        let is_word = |key: Key| {
            let bytes = bytes(key);
            let mut bytes = bytes.iter().filter(|&&byte| byte != 0);
            bytes.all(|byte| byte.is_ascii_alphanumeric() || *byte == b'\'')
        };
        self.entries.iter().copied().filter(move |entry| is_word(entry.0))
    }

    /// The word of more than [`KEY_BYTES`] bytes, in any ASCII case.
    pub(crate) fn long(&self, token: &[u8]) -> Word {
        let found = self.long.iter().find(|(key, _)| key.eq_ignore_ascii_case(token));
        found.map_or(Word::default(), |&(_, word)| word)
    }

    fn build() -> Self {
        let mut lexicon = Self {
            slots: vec![0; 1 << SLOT_BITS],
            entries: Vec::with_capacity(ENTRIES),
            filter: Filter::for_items(ENTRIES),
            long: Vec::new(),
        };
        for line in include_str!("../../data/vader_lexicon.tsv").lines() {
            let (text, tenths) = line.split_once('\t').expect("vader_lexicon.tsv has two columns");
            let word = lexicon.entry(text);
            word.flags |= LEXICON;
            word.tenths = tenths.parse().expect("vader_lexicon.tsv holds tenths");
        }
        for (list, flag) in [(BOOSTERS, BOOSTER), (DAMPENERS, DAMPENER), (NEGATIONS, NEGATION)] {
            for text in list.split_ascii_whitespace() {
                lexicon.entry(text).flags |= flag;
            }
        }
        for &(name, text) in NAMES {
            let word = lexicon.entry(text);
            word.name = name;
            word.flags |= if PIVOTS.contains(&name) { PIVOT } else { 0 };
        }
        for (emotion, list) in CUES {
            for text in list.split_ascii_whitespace() {
                let word = lexicon.entry(text);
                word.flags |= CUE;
                word.cue = Some(*emotion);
            }
        }
        lexicon
    }

    fn entry(&mut self, text: &'static str) -> &mut Word {
        if text.len() > KEY_BYTES {
            self.long.push((text.as_bytes(), Word::default()));
            return &mut self.long.last_mut().expect("one was just pushed").1;
        }
        let key = key(text.as_bytes());
        let hash = hash(key);
        let mut slot = (hash >> (64 - SLOT_BITS)) as usize;
        loop {
            slot &= (1 << SLOT_BITS) - 1;
            match self.slots[slot] {
                0 => {
                    self.entries.push((key, Word::default()));
                    self.filter.insert(hash);
                    self.slots[slot] = (tag(hash) << 16) | self.entries.len() as u32;
                    return &mut self.entries.last_mut().expect("one was just pushed").1;
                }
                entry if self.entries[(entry & 0xFFFF) as usize - 1].0 == key => {
                    return &mut self.entries[(entry & 0xFFFF) as usize - 1].1;
                }
                _ => slot += 1,
            }
        }
    }
}

/// The key of at most [`KEY_BYTES`] bytes; ASCII letters are lower-cased.
#[inline]
pub(crate) fn key(token: &[u8]) -> Key {
    let mut padded = [0; KEY_BYTES];
    padded[..token.len()].copy_from_slice(token);
    halves(u128::from_le_bytes(padded))
}

/// The bytes of a key, zero-padded.
pub(crate) fn bytes((low, high): Key) -> [u8; KEY_BYTES] {
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// As [`key`] for the first `len` of these bytes, whose letters are lower-case.
#[inline]
pub(crate) fn first_bytes(lower: [u8; KEY_BYTES], len: usize) -> Key {
    let bytes = u128::from_le_bytes(lower) & FIRST[len];
    (bytes as u64, (bytes >> 64) as u64)
}

/// Masks for the first bytes of sixteen.
static FIRST: [u128; KEY_BYTES + 1] = {
    let mut masks = [u128::MAX; KEY_BYTES + 1];
    let mut len = 0;
    while len < KEY_BYTES {
        masks[len] = (1 << (8 * len)) - 1;
        len += 1;
    }
    masks
};

#[inline]
fn halves(bytes: u128) -> Key {
    (lower_case(bytes as u64), lower_case((bytes >> 64) as u64))
}

/// Lower-cases the ASCII letters among eight bytes.
#[inline]
fn lower_case(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low_bits = bytes & (0x7F * EACH);
    let above_z = low_bits + (0x7F - 90) * EACH;
    let from_a = low_bits + (0x80 - 65) * EACH;
    let upper = (from_a ^ above_z) & !bytes & (0x80 * EACH);
    bytes | (upper >> 2)
}

#[inline]
fn hash((low, high): Key) -> u64 {
    let mixed = low.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ high.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

fn tag(hash: u64) -> u32 {
    ((hash >> 20) & 0xFFFF) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_in_any_case() {
        let lexicon = Lexicon::shared();
        let find = |text: &str| match text.len() {
            0..=KEY_BYTES => lexicon.short(key(text.as_bytes())),
            _ => lexicon.long(text.as_bytes()),
        };
        for line in include_str!("../../data/vader_lexicon.tsv").lines() {
            let (text, tenths) = line.split_once('\t').unwrap();
            for text in [text.to_owned(), text.to_ascii_uppercase()] {
                let word = find(&text);
                assert!(word.is(LEXICON), "{text}");
                assert_eq!(word.tenths.to_string(), tenths, "{text}");
            }
        }
        for absent in ["", "the-", "notaword", "kind of", "disadvantageousnesses"] {
            assert_eq!(find(absent), Word::default(), "{absent}");
        }
    }

    #[test]
    fn the_lexicon_is_built_once() {
        assert!(std::ptr::eq(Lexicon::shared(), Lexicon::shared()));
        let (one, other) = (crate::Vader::new(), crate::Vader::new());
        assert!(std::ptr::eq(one.lexicon(), other.lexicon()));
    }

    #[test]
    fn lower_case_touches_ascii_letters_only() {
        for byte in 0..=u8::MAX {
            let expected = u64::from(byte.to_ascii_lowercase()) * 0x0101_0101_0101_0101;
            assert_eq!(
                lower_case(u64::from(byte) * 0x0101_0101_0101_0101),
                expected,
                "{byte:#x}"
            );
        }
    }
}
