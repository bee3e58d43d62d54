//! Moving a store into another embedding space.

use std::{ops::ControlFlow, path::Path};

use whisperengine_types::Embedder;

use crate::{
    VectorMemoryConfig,
    error::{Error, Result},
    header::{Header, SPACE_KEY, TARGET_KEY, encode_space, read_space},
    memory::VectorMemory,
    record::{self, Coordinates},
    store::{Bytes, Change, FjallStorage, OwnerKey, Storage, Table},
    text,
};

impl VectorMemory {
    /// Makes every embedding in the store at `path` anew with `embedder`; the store is not open meanwhile.
    /// `progress` is told how many memories are done. Returns their number.
    ///
    /// What was given as an embedding without text stays out of the new space: it gets the zero embedding.
    /// A run that is interrupted leaves a store that refuses to open until a later run finishes it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::Embedding`] when the model fails.
    pub fn reembed(
        path: impl AsRef<Path>,
        embedder: &dyn Embedder,
        config: &VectorMemoryConfig,
        mut progress: impl FnMut(u64),
    ) -> Result<u64> {
        let storage = FjallStorage::open(path.as_ref(), config.store_cache_bytes, config.write_buffer_bytes)?;
        Header::take_up(&storage)?;
        let target = embedder.space();
        if read_space(&storage, TARGET_KEY)?.is_none()
            && read_space(&storage, SPACE_KEY)?.as_ref() == Some(target)
        {
            return Ok(0);
        }
        put(&storage, TARGET_KEY, Some(encode_space(target)))?;
        let mut after: Option<Vec<u8>> = None;
        let mut done = 0;
        let mut speakers = Speakers::default();
        loop {
            let page = next_page(&storage, after.as_deref())?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            done += page.len() as u64;
            let changes = reembedded(&storage, page, &mut speakers, embedder, config)?;
            storage.commit(changes)?;
            progress(done);
        }
        let space = |key: &[u8], value: Option<Vec<u8>>| Change {
            table: Table::Meta,
            key: key.into(),
            value: value.map(Bytes::from),
        };
        storage.commit(vec![
            space(SPACE_KEY, Some(encode_space(target))),
            space(TARGET_KEY, None),
        ])?;
        Ok(done)
    }
}

type Page = Vec<(Vec<u8>, Vec<u8>)>;

fn next_page(storage: &dyn Storage, after: Option<&[u8]>) -> Result<Page> {
    let mut page = Page::new();
    storage.visit(Table::Records, &[], after, &mut |key, value| {
        // The commit mark is no record.
        if key[0] != 0 {
            page.push((key.to_vec(), value.to_vec()));
        }
        Ok(if page.len() < PAGE {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok(page)
}

/// Everyone who spoke in the memories of one owner.
#[derive(Debug, Default)]
struct Speakers {
    owner: Vec<u8>,
    names: Vec<String>,
}

impl Speakers {
    /// The names that the embedder is not to see in a record of `key`'s owner.
    fn of(&mut self, storage: &dyn Storage, key: &[u8]) -> Result<Vec<&str>> {
        let owner = OwnerKey::prefix_of(key);
        if self.owner != owner {
            self.names.clear();
            storage.visit(Table::Records, owner, None, &mut |_, value| {
                let body = record::Body::parse(record::decode_without_rows(value)?)?;
                if let Some(speaker) = body.speaker
                    && self.names.iter().all(|name| name != speaker)
                {
                    self.names.push(speaker.to_owned());
                }
                Ok(ControlFlow::Continue(()))
            })?;
            owner.clone_into(&mut self.owner);
        }
        Ok(self.names.iter().map(String::as_str).collect())
    }
}

fn reembedded(
    storage: &dyn Storage,
    page: Page,
    speakers: &mut Speakers,
    embedder: &dyn Embedder,
    config: &VectorMemoryConfig,
) -> Result<Vec<Change>> {
    let mut changes = Vec::with_capacity(page.len());
    let mut encoder = record::Encoder::default();
    for (key, value) in page {
        let stored = record::decode(&value)?;
        let mut rows = stored.rows;
        let body = record::Body::parse(stored.body)?;
        if !stored.words_are_current {
            text::analyze_rows(body.text, &mut rows, config);
        }
        let parts = if rows.len() > 1 {
            text::chunks(body.text, config)
        } else {
            vec![body.text]
        };
        if parts.len() != rows.len() {
            rows.truncate(1);
        }
        let names = speakers.of(storage, &key)?;
        let texts: Vec<_> = parts
            .iter()
            .take(rows.len())
            .map(|part| text::text_to_embed(part, &names))
            .collect();
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        let embeddings = embedder.embed_batch(&texts)?;
        if embeddings.len() != rows.len() {
            return Err(Error::Corrupt {
                reason: format!(
                    "the embedder made {} embeddings of {} texts",
                    embeddings.len(),
                    rows.len()
                ),
            });
        }
        for (row, embedding) in rows.iter_mut().zip(&embeddings) {
            row.coordinates = Coordinates::round(embedding.values());
        }
        changes.push(Change {
            table: Table::Records,
            key: key.into(),
            value: Some(encoder.encode(stored.body, embedder.space().dim(), &rows).value),
        });
    }
    Ok(changes)
}

fn put(storage: &dyn Storage, key: &[u8], value: Option<Vec<u8>>) -> Result<()> {
    let change = Change {
        table: Table::Meta,
        key: key.into(),
        value: value.map(Bytes::from),
    };
    Ok(storage.commit(vec![change])?)
}

const PAGE: usize = 512;
