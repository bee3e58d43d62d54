//! One owner's memories in memory, as columns: what a search reads, and nothing else.
//!
//! Invariants: `by_id` lists exactly the living records in the order of their ids; a record's rows are
//! `first_row[r]..first_row[r + 1]`; a dead record keeps its columns until the next rebuild but is linked
//! to nothing and found by nothing.

mod admit;
mod codes;
mod lexical;
mod names;
mod nature;
mod postings;
mod scan;
mod session;

use whisperengine_types::{Id, MemoryError, MemoryKind, MemoryRecord, kind::Kind};

pub(crate) use self::{
    admit::{TextTest, check_filter},
    codes::{CoarseQuery, Codes},
    nature::Nature,
    scan::norm,
    session::NONE,
};
use self::{names::Names, postings::Postings, session::SessionLinks};
use crate::{
    kernel::prefetch,
    lexicon::{Lexicon, Vocabulary},
    record::{Body, Reader, Row, corrupt, id_of},
    text::{Days, told_times},
};

/// The columns of one owner's memories.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    by_id: Vec<u32>,
    bodies: Vec<u8>,
    body_end: Vec<usize>,
    alive: Vec<bool>,
    sent_at: Vec<i64>,
    seq: Vec<u64>,
    importance: Vec<f32>,
    trust: Vec<f32>,
    kind: Vec<MemoryKind>,
    pinned: Vec<bool>,
    speaker: Vec<u32>,
    session: Vec<u32>,
    channel: Vec<u32>,
    row_end: Vec<u32>,
    codes: Codes,
    row_record: Vec<u32>,
    living_rows: usize,
    /// Records, dead ones included, that have not exactly one row.
    not_one_row: usize,
    postings: Postings,
    /// The words that the postings hold.
    vocabulary: Vocabulary,
    nature: Vec<Nature>,
    /// Of the records that tell of times, ascending by record.
    told: Vec<(u32, Days)>,
    speakers: Names,
    sessions: Names,
    channels: Names,
    links: SessionLinks,
}

impl Partition {
    /// Living records.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The number of a record, by id.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        let at = self.position(id).ok()?;
        Some(self.by_id[at])
    }

    /// The records' numbers in the order of their ids.
    pub(crate) fn in_id_order(&self) -> &[u32] {
        &self.by_id
    }

    pub(crate) fn dim(&self) -> usize {
        self.codes.dim()
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// How many records there are, dead ones included: the length of every per-record column.
    pub(crate) fn slots(&self) -> usize {
        self.alive.len()
    }

    pub(crate) fn is_alive(&self, record: u32) -> bool {
        self.alive[record as usize]
    }

    pub(crate) fn rows_of(&self, record: u32) -> std::ops::Range<usize> {
        let end_before = record
            .checked_sub(1)
            .map_or(0, |before| self.row_end[before as usize]);
        end_before as usize..self.row_end[record as usize] as usize
    }

    pub(crate) fn record_of_row(&self, row: usize) -> u32 {
        self.row_record[row]
    }

    pub(crate) fn row_count(&self) -> usize {
        self.row_record.len()
    }

    /// Whether each record has one row, so that both have the same numbers.
    pub(crate) fn has_a_row_each(&self) -> bool {
        self.not_one_row == 0
    }

    pub(crate) fn seq(&self, record: u32) -> u64 {
        self.seq[record as usize]
    }

    pub(crate) fn sent_at(&self, record: u32) -> i64 {
        self.sent_at[record as usize]
    }

    pub(crate) fn importance(&self, record: u32) -> f32 {
        self.importance[record as usize]
    }

    pub(crate) fn trust(&self, record: u32) -> f32 {
        self.trust[record as usize]
    }

    pub(crate) fn is_pinned(&self, record: u32) -> bool {
        self.pinned[record as usize]
    }

    /// The number of the record's speaker; [`NONE`] where nobody is named.
    pub(crate) fn speaker(&self, record: u32) -> u32 {
        self.speaker[record as usize]
    }

    /// Everyone who ever spoke here, by number.
    pub(crate) fn speakers(&self) -> &Names {
        &self.speakers
    }

    /// What sort of saying the record is.
    pub(crate) fn nature(&self, record: u32) -> Nature {
        self.nature[record as usize]
    }

    /// The times that the record tells of.
    pub(crate) fn told_by(&self, record: u32) -> &[(u32, Days)] {
        let from = self.told.partition_point(|&(teller, _)| teller < record);
        let to = self.told.partition_point(|&(teller, _)| teller <= record);
        &self.told[from..to]
    }

    /// The records said just before and just after in the same session, [`NONE`] at its ends.
    pub(crate) fn neighbours(&self, record: u32) -> (u32, u32) {
        self.links.neighbours(record)
    }

    /// Records without their embeddings, as they are asked for. What several of them share is copied once.
    pub(crate) fn copies(&self) -> impl FnMut(u32) -> Result<MemoryRecord, MemoryError> {
        let (mut sessions, mut channels) = (Vec::new(), Vec::new());
        move |number| {
            let mut body = Body::parse(self.body(number))?;
            let session = shared(&mut sessions, body.session.take())?;
            let channel = shared(&mut channels, body.channel.take())?;
            Ok(MemoryRecord {
                session,
                channel,
                ..body.to_record()?
            })
        }
    }

    pub(crate) fn text(&self, record: u32) -> &str {
        Body::parse(self.body(record)).map_or("", |body| body.text)
    }

    pub(crate) fn id(&self, record: u32) -> &str {
        Reader::new(self.body(record))
            .text()
            .expect("bodies are parsed before they are taken in")
    }

    /// Takes a record in, in place of one with the same id.
    ///
    /// # Errors
    /// [`MemoryError::Corrupt`] when the body does not parse or the rows have another dimension.
    pub(crate) fn insert(&mut self, bytes: &[u8], rows: &[Row]) -> Result<(), MemoryError> {
        let body = Body::parse(bytes)?;
        let nature = Nature::of(&body, rows)?;
        let dim = rows.first().map_or(self.dim(), |row| row.coordinates.dim());
        if !self.codes.accepts(dim) || rows.iter().any(|row| row.coordinates.dim() != dim) {
            return Err(corrupt("has an embedding of another dimension"));
        }
        let mut at = self.position(body.id);
        if at.is_ok() {
            self.remove(body.id);
            at = self.position(body.id);
        }
        let at = at.expect_err("the id was just removed");
        let record = u32::try_from(self.slots()).expect("an owner has fewer than 2^32 memories");
        self.by_id.insert(at, record);
        self.bodies.extend_from_slice(bytes);
        self.body_end.push(self.bodies.len());
        self.alive.push(true);
        self.sent_at.push(body.sent_at.as_millis());
        self.seq.push(body.seq);
        self.importance.push(body.importance);
        self.trust.push(body.trust);
        self.kind.push(body.kind);
        self.pinned.push(body.pinned);
        self.speaker
            .push(body.speaker.map_or(NONE, |name| self.speakers.number(name)));
        self.channel
            .push(body.channel.map_or(NONE, |name| self.channels.number(name)));
        let session = body.session.map_or(NONE, |name| self.sessions.number(name));
        self.session.push(session);
        self.nature.push(nature);
        let told = told_times(body.text, days(body.sent_at.as_millis()));
        self.told.extend(told.into_iter().map(|days| (record, days)));
        for row in rows {
            let number = self.row_record.len() as u32;
            self.codes.push(&row.coordinates);
            self.row_record.push(record);
            for count in &row.words {
                if self.postings.push(count.word, number) {
                    self.vocabulary.add(count.word);
                }
            }
        }
        self.living_rows += rows.len();
        self.not_one_row += usize::from(rows.len() != 1);
        self.row_end.push(self.row_record.len() as u32);
        let order = |record: u32| (self.sent_at[record as usize], self.seq[record as usize]);
        self.links.insert(record, session, order);
        Ok(())
    }

    /// Forgets a record; nothing happens when there is none.
    pub(crate) fn remove(&mut self, id: &str) {
        let Ok(at) = self.position(id) else { return };
        let record = self.by_id.remove(at);
        self.alive[record as usize] = false;
        self.living_rows -= self.rows_of(record).len();
        self.links.remove(record, self.session[record as usize]);
        if self.slots() - self.len() > self.len() / 4 + DEAD_ALLOWED {
            *self = self.rebuilt();
        }
    }

    /// Makes the words of what was inserted findable; `lexicon` knows them.
    pub(crate) fn number_words(&mut self, lexicon: &Lexicon) {
        self.vocabulary.number(lexicon);
    }

    /// Gives back what was reserved in vain: most partitions are read and not written to.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.by_id.shrink_to_fit();
        self.bodies.shrink_to_fit();
        self.body_end.shrink_to_fit();
        self.alive.shrink_to_fit();
        self.sent_at.shrink_to_fit();
        self.seq.shrink_to_fit();
        self.importance.shrink_to_fit();
        self.trust.shrink_to_fit();
        self.kind.shrink_to_fit();
        self.pinned.shrink_to_fit();
        self.speaker.shrink_to_fit();
        self.session.shrink_to_fit();
        self.channel.shrink_to_fit();
        self.row_end.shrink_to_fit();
        self.codes.shrink_to_fit();
        self.row_record.shrink_to_fit();
        self.postings.shrink_to_fit();
        self.vocabulary.shrink_to_fit();
        self.nature.shrink_to_fit();
        self.told.shrink_to_fit();
        self.links.shrink_to_fit();
    }

    /// Has fetched from memory what a recall will look up here and there. Most owners' memories are not in
    /// the processor's caches when they are asked for; what lies in long rows is fetched in time as it is.
    pub(crate) fn prefetch(&self) {
        if self.slots() > FETCHED_AT_ONCE {
            return;
        }
        self.vocabulary.prefetch();
        self.postings.prefetch_all();
        prefetch(&self.alive);
        prefetch(&self.sent_at);
        prefetch(&self.seq);
        prefetch(&self.importance);
        prefetch(&self.trust);
        prefetch(&self.pinned);
        prefetch(&self.nature);
        prefetch(&self.speaker);
        prefetch(&self.body_end);
        prefetch(&self.row_end);
        self.links.prefetch();
    }

    /// Has a record's body and its rows fetched from memory ahead of their use.
    pub(crate) fn prefetch_record(&self, record: u32) {
        self.rows_of(record).for_each(|row| self.codes.prefetch(row));
        prefetch(self.body(record));
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        let per_record = self.body_end.capacity() * (8 + 1 + 8 + 8 + 4 + 4 + 1 + 1 + 4 + 4 + 4 + 4);
        self.by_id.capacity() * 4
            + self.bodies.capacity()
            + per_record
            + self.row_record.capacity() * 4
            + self.postings.bytes()
            + self.vocabulary.bytes()
            + self.nature.capacity() * size_of::<Nature>()
            + self.told.capacity() * size_of::<(u32, Days)>()
            + self.codes.bytes()
            + self.speakers.bytes()
            + self.sessions.bytes()
            + self.channels.bytes()
            + self.links.bytes()
            + size_of::<Self>()
    }

    fn body(&self, record: u32) -> &[u8] {
        let record = record as usize;
        let from = record.checked_sub(1).map_or(0, |before| self.body_end[before]);
        &self.bodies[from..self.body_end[record]]
    }

    fn position(&self, id: &str) -> Result<usize, usize> {
        // A store is read in the order of ids, and ids are often made in it.
        if self.by_id.last().is_none_or(|&last| self.id(last) < id) {
            return Err(self.by_id.len());
        }
        self.by_id.binary_search_by(|&record| self.id(record).cmp(id))
    }

    /// The same records without the dead ones.
    fn rebuilt(&mut self) -> Self {
        let mut fresh = Self::default();
        let mut row_number = vec![NONE; self.row_count()];
        for record in 0..self.slots() as u32 {
            if !self.is_alive(record) {
                continue;
            }
            let number = fresh.slots() as u32;
            let from = record as usize;
            fresh.bodies.extend_from_slice(self.body(record));
            fresh.body_end.push(fresh.bodies.len());
            fresh.alive.push(true);
            fresh.sent_at.push(self.sent_at[from]);
            fresh.seq.push(self.seq[from]);
            fresh.importance.push(self.importance[from]);
            fresh.trust.push(self.trust[from]);
            fresh.kind.push(self.kind[from]);
            fresh.pinned.push(self.pinned[from]);
            fresh.nature.push(self.nature[from]);
            let told = self.told_by(record).iter().map(|&(_, days)| (number, days));
            fresh.told.extend(told);
            fresh
                .speaker
                .push(fresh.speakers.take_over(&self.speakers, self.speaker[from]));
            fresh
                .channel
                .push(fresh.channels.take_over(&self.channels, self.channel[from]));
            let session = fresh.sessions.take_over(&self.sessions, self.session[from]);
            fresh.session.push(session);
            fresh.not_one_row += usize::from(self.rows_of(record).len() != 1);
            for row in self.rows_of(record) {
                row_number[row] = fresh.row_record.len() as u32;
                fresh.codes.push_from(&self.codes, row);
                fresh.row_record.push(number);
            }
            fresh.row_end.push(fresh.row_record.len() as u32);
            let order = |record: u32| (fresh.sent_at[record as usize], fresh.seq[record as usize]);
            fresh.links.insert(number, session, order);
        }
        fresh.living_rows = fresh.row_count();
        fresh.postings = self.postings.renumbered(&row_number);
        let remains = |word| !fresh.postings.rows_with(word).is_empty();
        fresh.vocabulary = std::mem::take(&mut self.vocabulary).retain(remains);
        fresh.by_id = (0..fresh.slots() as u32).collect();
        let mut by_id = std::mem::take(&mut fresh.by_id);
        by_id.sort_unstable_by(|&a, &b| fresh.id(a).cmp(fresh.id(b)));
        fresh.by_id = by_id;
        fresh
    }
}

/// A time in days since 1970-01-01.
pub(crate) fn days(millis: i64) -> f64 {
    millis as f64 / 86_400_000.0
}

/// The id that `text` names: one of those `known` where it is there, or a new one among them.
fn shared<K: Kind>(known: &mut Vec<Id<K>>, text: Option<&str>) -> Result<Option<Id<K>>, MemoryError> {
    let Some(text) = text else { return Ok(None) };
    if let Some(id) = known.iter().find(|id| id.as_str() == text) {
        return Ok(Some(id.clone()));
    }
    let id: Id<K> = id_of(text)?;
    known.push(id.clone());
    Ok(Some(id))
}

/// Of so many records or fewer the columns are fetched before they are read.
const FETCHED_AT_ONCE: usize = 256;
/// Dead records that are kept whatever the size, so that small partitions are not rebuilt all the time.
const DEAD_ALLOWED: usize = 64;
