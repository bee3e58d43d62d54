//! What a store says of itself: its format, its embedding space, how often it was opened.

use whisperengine_types::EmbeddingSpace;

use crate::{
    error::{Error, Result},
    store::{Change, Storage, Table},
};

/// The format this version reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// A store's header.
#[derive(Debug)]
pub(crate) struct Header {
    opened: u64,
}

impl Header {
    /// Reads the header, or writes it into an empty store, and counts the opening.
    pub(crate) fn take_up(storage: &dyn Storage) -> Result<Self> {
        match read_number(storage, FORMAT_KEY)? {
            Some(found) if found != u64::from(FORMAT) => {
                return Err(Error::Format {
                    found: u32::try_from(found).unwrap_or(u32::MAX),
                    supported: FORMAT,
                });
            }
            Some(_) => {}
            None => write(storage, FORMAT_KEY, u64::from(FORMAT).to_le_bytes().to_vec())?,
        }
        let opened = read_number(storage, OPENED_KEY)?.unwrap_or(0) + 1;
        write(storage, OPENED_KEY, opened.to_le_bytes().to_vec())?;
        Ok(Self { opened })
    }

    /// A sequence number above all that earlier openings gave out.
    pub(crate) fn first_seq(&self) -> u64 {
        self.opened << SEQ_BITS
    }

    /// Refuses a store of another space; an empty one takes `given`.
    pub(crate) fn check_space(storage: &dyn Storage, given: &EmbeddingSpace) -> Result<()> {
        if let Some(target) = read_space(storage, TARGET_KEY)? {
            return Err(Error::ReembeddingUnfinished { target });
        }
        match read_space(storage, SPACE_KEY)? {
            Some(stored) if stored == *given => Ok(()),
            Some(stored) => Err(Error::Space {
                stored,
                given: given.clone(),
            }),
            None => write(storage, SPACE_KEY, encode_space(given)),
        }
    }
}

pub(crate) fn read_space(storage: &dyn Storage, key: &[u8]) -> Result<Option<EmbeddingSpace>> {
    let Some(value) = storage.read(Table::Meta, key)? else {
        return Ok(None);
    };
    let space = value.split_first_chunk::<8>().and_then(|(dim, model)| {
        let dim = usize::try_from(u64::from_le_bytes(*dim)).ok()?;
        EmbeddingSpace::new(std::str::from_utf8(model).ok()?, dim).ok()
    });
    space.map(Some).ok_or_else(|| Error::Corrupt {
        reason: "the header names no embedding space".to_owned(),
    })
}

pub(crate) fn encode_space(space: &EmbeddingSpace) -> Vec<u8> {
    [&(space.dim() as u64).to_le_bytes(), space.model().as_bytes()].concat()
}

fn read_number(storage: &dyn Storage, key: &[u8]) -> Result<Option<u64>> {
    let Some(value) = storage.read(Table::Meta, key)? else {
        return Ok(None);
    };
    let number = (*value).try_into().map(u64::from_le_bytes);
    number.map(Some).map_err(|_| Error::Corrupt {
        reason: "the header holds a damaged number".to_owned(),
    })
}

fn write(storage: &dyn Storage, key: &[u8], value: Vec<u8>) -> Result<()> {
    let change = Change {
        table: Table::Meta,
        key: key.into(),
        value: Some(value.into()),
    };
    Ok(storage.commit(vec![change])?)
}

/// The space of the embeddings.
pub(crate) const SPACE_KEY: &[u8] = b"space";
/// The space that an unfinished re-embedding moves to.
pub(crate) const TARGET_KEY: &[u8] = b"target";
const FORMAT_KEY: &[u8] = b"format";
const OPENED_KEY: &[u8] = b"opened";
/// Sequence numbers for each opening.
const SEQ_BITS: u32 = 40;
