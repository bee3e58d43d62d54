//! Keys: all of an owner's memories lie side by side, and no owner's key is a prefix of another's.

use std::sync::Arc;

use whisperengine_types::{MemoryId, MemoryOwner};

use super::Bytes;

/// The bytes that every key of an owner begins with.
///
/// Ids hold no control characters ([`Id::new`](whisperengine_types::Id::new) refuses them), so a zero
/// byte ends each part and no text, however chosen, can reach into another owner's range. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OwnerKey(Arc<[u8]>);

impl OwnerKey {
    pub(crate) fn new(owner: &MemoryOwner) -> Self {
        let (tag, bot, name) = match owner {
            MemoryOwner::Person { bot, user } => (PERSON, bot.as_str(), user.as_str()),
            MemoryOwner::Shared { bot, space } => (SHARED, bot.as_str(), space.as_str()),
        };
        let mut bytes = Vec::with_capacity(3 + bot.len() + name.len());
        bytes.push(tag);
        bytes.extend_from_slice(bot.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        Self(bytes.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key of one memory.
    pub(crate) fn memory(&self, id: &MemoryId) -> Bytes {
        [&self.0, id.as_str().as_bytes()].concat().into()
    }

    /// What a key of the records table has in common with all keys of its owner.
    pub(crate) fn prefix_of(key: &[u8]) -> &[u8] {
        let mut zeros = key.iter().enumerate().filter(|&(_, &byte)| byte == 0);
        zeros.nth(1).map_or(key, |(at, _)| &key[..=at])
    }

    /// The owner and the memory id that a key of the records table names; `None` if it is no such key.
    pub(crate) fn parse(key: &[u8]) -> Option<(MemoryOwner, &str)> {
        let (&tag, rest) = key.split_first()?;
        let mut parts = rest.splitn(3, |&byte| byte == 0);
        let mut part = || std::str::from_utf8(parts.next()?).ok();
        let (bot, name, id) = (part()?, part()?, part()?);
        let owner = match tag {
            PERSON => MemoryOwner::person(bot.parse().ok()?, name.parse().ok()?),
            SHARED => MemoryOwner::shared(bot.parse().ok()?, name.parse().ok()?),
            _ => return None,
        };
        Some((owner, id))
    }
}

const PERSON: u8 = 1;
const SHARED: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn person(bot: &str, user: &str) -> MemoryOwner {
        MemoryOwner::person(bot.parse().unwrap(), user.parse().unwrap())
    }

    #[test]
    fn no_owners_key_begins_another_owners_key() {
        let owners = [
            person("a", "b"),
            person("a", "bc"),
            person("ab", "c"),
            person("a/@b", "c"),
            person("a", "b/@c"),
            person("a", "\u{a0}b"),
            MemoryOwner::shared("a".parse().unwrap(), "b".parse().unwrap()),
        ];
        for (i, a) in owners.iter().enumerate() {
            for (j, b) in owners.iter().enumerate() {
                let prefix = OwnerKey::new(b).bytes().starts_with(OwnerKey::new(a).bytes());
                assert_eq!(prefix, i == j, "{a} begins {b}");
            }
        }
    }

    #[test]
    fn a_key_names_its_owner_and_id() {
        let owner = person("bot", "user");
        let id = "m\u{fc}".parse().unwrap();
        let key = OwnerKey::new(&owner).memory(&id);
        assert_eq!(OwnerKey::prefix_of(&key), OwnerKey::new(&owner).bytes());
        assert_eq!(OwnerKey::parse(&key), Some((owner, "m\u{fc}")));
        assert_eq!(OwnerKey::parse(b"\x07x\0y\0z"), None);
        assert_eq!(OwnerKey::parse(b"\x01x\0y"), None);
    }
}
