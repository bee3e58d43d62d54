//! The binary form, version 1: `WEPF`, the version, the latest time, the entries. Integers are LEB128, signed
//! ones zigzag; texts are their length and UTF-8; an option is a bit of the
//! entry's flags; a slot is its position in `Slot::ALL`, to which new slots are appended.

use whisperengine_types::{Audience, Fact, FactSource, Id, MemoryId, Polarity, Slot, Timestamp, kind::Kind};

use crate::{
    Error, Result,
    ledger::{Entry, Ledger, MAX_BYTES},
};

/// What the form takes beside its entries, at most.
pub(crate) const HEAD: usize = 5 + 10 + 3;

pub(crate) fn encode(ledger: &Ledger) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + ledger.entries.len() * 96);
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    put_signed(&mut out, ledger.latest.as_millis());
    put(&mut out, ledger.entries.len() as u64);
    for entry in &ledger.entries {
        put_entry(&mut out, entry);
    }
    out
}

/// The bytes that an entry takes.
pub(crate) fn size(entry: &Entry) -> usize {
    let mut out = Vec::with_capacity(256);
    put_entry(&mut out, entry);
    out.len()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Ledger> {
    let body = bytes.strip_prefix(MAGIC).ok_or(Error::NotAProfile)?;
    let (&version, _) = body.split_first().ok_or(Error::NotAProfile)?;
    if version != VERSION {
        return Err(Error::UnknownVersion {
            found: version,
            supported: VERSION,
        });
    }
    let mut reader = Reader {
        bytes,
        at: MAGIC.len() + 1,
    };
    let latest = Timestamp::from_millis(reader.signed()?);
    let count = reader.number()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(reader.entry()?);
    }
    if reader.at != bytes.len() || bytes.len() > MAX_BYTES {
        return Err(reader.damaged());
    }
    Ok(Ledger { entries, latest })
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    let fact = &entry.fact;
    let slot = Slot::ALL.iter().position(|slot| *slot == fact.slot).unwrap_or(0);
    let told_by = match fact.told_by {
        FactSource::Model => 1u64,
        FactSource::App => 2,
        _ => 0,
    };
    let flags = u64::from(fact.detail.is_some())
        | u64::from(fact.note.is_some()) << 1
        | u64::from(fact.until.is_some()) << 2
        | u64::from(fact.due.is_some()) << 3
        | u64::from(entry.own_until.is_some()) << 4
        | u64::from(entry.ended_by.is_some()) << 5
        | u64::from(fact.polarity == Polarity::Denied) << 6
        | u64::from(!fact.audience.is_private()) << 7
        | u64::from(entry.silent) << 8
        | told_by << 9;
    out.push(slot as u8);
    put(out, flags);
    put_text(out, &fact.value);
    for text in [&fact.detail, &fact.note].into_iter().flatten() {
        put_text(out, text);
    }
    put_signed(out, entry.said_at.as_millis());
    put_signed(out, fact.since.as_millis());
    for time in [fact.until, fact.due, entry.own_until].into_iter().flatten() {
        put_signed(out, time.as_millis());
    }
    put_text(out, fact.source.as_str());
    if let Some(by) = &entry.ended_by {
        put_text(out, by.as_str());
    }
    put_text(out, &fact.quote);
    put(out, u64::from(fact.span.start));
    put(out, u64::from(fact.span.end));
    out.extend_from_slice(&fact.confidence.to_le_bytes());
    if let Some(group) = fact.audience.group() {
        put_text(out, group.as_str());
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, (number << 1 ^ number >> 63) as u64);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn damaged(&self) -> Error {
        Error::Damaged { at: self.at }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.damaged())?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.damaged())
    }

    fn signed(&mut self) -> Result<i64> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn time(&mut self) -> Result<Timestamp> {
        self.signed().map(Timestamp::from_millis)
    }

    fn text(&mut self) -> Result<&'a str> {
        let len = usize::try_from(self.number()?).map_err(|_| self.damaged())?;
        let taken = self.take(len)?;
        std::str::from_utf8(taken).map_err(|_| self.damaged())
    }

    fn id<K: Kind>(&mut self) -> Result<Id<K>> {
        let text = self.text()?;
        Id::new(text).map_err(|_| self.damaged())
    }

    fn entry(&mut self) -> Result<Entry> {
        let from = self.at;
        let slot = *Slot::ALL
            .get(usize::from(self.byte()?))
            .ok_or_else(|| self.damaged())?;
        let flags = self.number()?;
        let has = |bit: u32| flags >> bit & 1 == 1;
        let value = self.text()?.to_owned();
        let detail = if has(0) {
            Some(self.text()?.to_owned())
        } else {
            None
        };
        let note = if has(1) {
            Some(self.text()?.to_owned())
        } else {
            None
        };
        let said_at = self.time()?;
        let since = self.time()?;
        let until = if has(2) { Some(self.time()?) } else { None };
        let due = if has(3) { Some(self.time()?) } else { None };
        let own_until = if has(4) { Some(self.time()?) } else { None };
        let source: MemoryId = self.id()?;
        let ended_by = if has(5) { Some(self.id()?) } else { None };
        let quote = self.text()?.into();
        let span = self.number()? as u32..self.number()? as u32;
        let confidence = f32::from_le_bytes(self.take(4)?.try_into().map_err(|_| self.damaged())?);
        let audience = if has(7) {
            Audience::Group(self.id()?)
        } else {
            Audience::Private
        };
        let told_by = match flags >> 9 {
            0 => FactSource::Person,
            1 => FactSource::Model,
            2 => FactSource::App,
            _ => return Err(self.damaged()),
        };
        let polarity = if has(6) {
            Polarity::Denied
        } else {
            Polarity::Affirmed
        };
        if !(0.0..=1.0).contains(&confidence) {
            return Err(self.damaged());
        }
        let fact = Fact {
            slot,
            value,
            detail,
            note,
            polarity,
            since,
            until,
            due,
            source,
            quote,
            span,
            confidence,
            told_by,
            audience,
        };
        Ok(Entry {
            fact,
            said_at,
            size: self.at - from,
            own_until,
            ended_by,
            silent: has(8),
            known_only: false,
        })
    }
}

const MAGIC: &[u8] = b"WEPF";
const VERSION: u8 = 1;
