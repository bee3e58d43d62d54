//! The text of an id: where it is short it stands in the value itself.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// Text that is cheap to clone, compare and hash: up to [`SHORT`](Self::SHORT) bytes stand in the value, so
/// that no pointer is followed and no counter shared; more are shared between clones. The length decides
/// the kind, so equal texts are equal values.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Text {
    Short {
        len: u8,
        /// Zero after `len`.
        bytes: [u8; Self::SHORT],
    },
    Long(Arc<str>),
}

impl Text {
    /// As many as the other kind has room for.
    pub(super) const SHORT: usize = 22;

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short { len, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*len)]).expect("they were copied from a text")
            }
            Self::Long(text) => text,
        }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; Self::SHORT];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short {
                    len: text.len() as u8,
                    bytes,
                }
            }
            None => Self::Long(text.into()),
        }
    }
}

impl Hash for Text {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
        // No text holds it, so that what follows is not taken for more of this one.
        state.write_u8(0xff);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of texts is that of their bytes.
impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use proptest::prelude::*;

    use super::*;

    /// Lengths on both sides of the longest short one, characters of several bytes among them.
    fn texts() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "\0", "é", "日", "🙂"]), 0..30)
            .prop_map(|p| p.concat())
    }

    proptest! {
        /// Against `str`.
        #[test]
        fn it_is_the_text(one in texts(), other in texts()) {
            let (a, b) = (Text::from(one.as_str()), Text::from(other.as_str()));
            prop_assert_eq!(a.as_str(), &one);
            prop_assert_eq!(matches!(a, Text::Short { .. }), one.len() <= Text::SHORT);
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
            prop_assert!(a == a.clone() && a == Text::from(one.as_str()));
            let hasher = std::hash::RandomState::new();
            prop_assert_eq!(hasher.hash_one(&a), hasher.hash_one(one.as_str()));
        }
    }

    #[test]
    fn it_is_as_large_as_a_string() {
        assert_eq!(size_of::<Text>(), 24);
        assert_eq!(size_of::<Option<Text>>(), 24);
    }
}
