//! Saved indexes: originals, and what cannot be derived from them again.
//!
//! Little-endian: the magic, the format version (u32), the kind (u8: 0 flat, 1 ivf), the dimension (u32), the
//! number of slots (u32), a bit for each slot (u64 words) that says whether it is in use, and a row of f32 for
//! each (zeros when it is not). An `ivf` adds the number of lists (u32), their rotated centres (f32), their spreads (f32),
//! the number of directions (u32) along which residuals are coded, these (f32), the two lists of each vector in order of
//! slots (u32), the size it was trained at (u64), the least similarity it knows of (f32), and its plans: the number of bands
//! (u32), each with the similarity up to which it goes (f32) and its number of plans (u32), each an f32, a u32, an f32
//! and a u32. A CRC-32 of all before it ends the file. Codes are made anew when it is loaded.
//!
//! A reader is never trusted: nothing is allocated ahead of the bytes that fill it.

use std::io::{self, ErrorKind, Read, Write};

use ndarray::Array2;
use whisperengine_types::EmbeddingSpace;

use super::{
    AutoIndex, FlatIndex, IndexConfig, IndexKind, IvfIndex, VectorIndex, backend,
    error::{IndexError, Result},
    ivf::{Band, Learnt},
    rows::Rows,
    slot_set::SlotSet,
};

/// What an [`IvfIndex`] is saved as, besides its rows.
#[derive(Debug)]
pub(super) struct IvfState {
    pub(super) centres: Array2<f32>,
    /// How far the vectors of each list were from its centre.
    pub(super) spreads: Vec<f32>,
    /// The directions along which residuals are coded, one a row; none where they are coded as they are.
    pub(super) directions: Array2<f32>,
    /// By present slot, ascending; the same list twice when there is only one.
    pub(super) assigned: Vec<[u32; 2]>,
    pub(super) trained_for: usize,
    pub(super) bands: Vec<Band>,
    pub(super) least: f32,
}

pub(super) fn save_flat(rows: &Rows, out: &mut dyn Write) -> Result<()> {
    let mut sink = Sink::new(out);
    write_rows(&mut sink, FLAT, rows)?;
    Ok(sink.finish()?)
}

pub(super) fn save_ivf(rows: &Rows, state: &IvfState, out: &mut dyn Write) -> Result<()> {
    let mut sink = Sink::new(out);
    write_rows(&mut sink, IVF, rows)?;
    sink.u32(state.centres.nrows() as u32)?;
    sink.floats(&state.centres)?;
    sink.floats(&state.spreads)?;
    sink.u32(state.directions.nrows() as u32)?;
    sink.floats(&state.directions)?;
    for &[first, second] in &state.assigned {
        sink.u32(first)?;
        sink.u32(second)?;
    }
    sink.bytes(&(state.trained_for as u64).to_le_bytes())?;
    sink.bytes(&state.least.to_le_bytes())?;
    sink.u32(state.bands.len() as u32)?;
    for band in &state.bands {
        sink.bytes(&band.up_to.to_le_bytes())?;
        sink.u32(band.plans.len() as u32)?;
        for plan in &band.plans {
            sink.bytes(&plan.gap.to_le_bytes())?;
            sink.u32(plan.candidates)?;
            sink.bytes(&plan.short.to_le_bytes())?;
            sink.u32(plan.lists)?;
        }
    }
    Ok(sink.finish()?)
}

fn write_rows(sink: &mut Sink<'_>, kind: u8, rows: &Rows) -> io::Result<()> {
    sink.bytes(MAGIC)?;
    sink.u32(VERSION)?;
    sink.bytes(&[kind])?;
    sink.u32(rows.dim() as u32)?;
    sink.u32(rows.slots())?;
    for word in 0..rows.slots().div_ceil(64) {
        let slots = word * 64..(word * 64).saturating_add(64);
        let bits = slots
            .enumerate()
            .map(|(bit, slot)| u64::from(rows.contains(slot)) << bit);
        sink.bytes(&bits.sum::<u64>().to_le_bytes())?;
    }
    let mut row = vec![0; rows.dim() * 4];
    for slot in 0..rows.slots() {
        for (bytes, value) in row
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(rows.original_unchecked(slot))
        {
            *bytes = value.to_le_bytes();
        }
        sink.bytes(&row)?;
    }
    Ok(())
}

/// Reads a saved index as the kind that `config` asks for: a partitioned one keeps its lists if that is `ivf`
/// or `auto`, all others are built from the saved vectors.
///
/// # Errors
/// [`IndexError::Corrupt`], [`IndexError::UnsupportedVersion`], [`IndexError::Io`]; as [`super::empty`] for the
/// configuration.
pub fn load(input: &mut dyn Read, config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    config.validate()?;
    let mut source = Source::new(input);
    let (kind, rows) = read_rows(&mut source)?;
    let state = if kind == IVF {
        Some(read_ivf(&mut source, &rows)?)
    } else {
        None
    };
    source.finish()?;
    Ok(match (&config.kind, state) {
        (IndexKind::Flat, _) => Box::new(FlatIndex::from_rows(rows)),
        (IndexKind::Ivf, Some(state)) => Box::new(IvfIndex::from_state(rows, config, state)),
        (IndexKind::Ivf, None) => Box::new(IvfIndex::from_rows(rows, config)),
        (IndexKind::Auto, Some(state)) => Box::new(AutoIndex::from_ivf(
            IvfIndex::from_state(rows, config, state),
            config,
        )),
        (IndexKind::Auto, None) => Box::new(AutoIndex::from_rows(rows, config)),
        (IndexKind::HnswRs, _) => backend::hnsw_rs(rows, config)?,
        (IndexKind::Faiss, _) => backend::faiss(rows, config)?,
    })
}

fn read_rows(source: &mut Source<'_>) -> Result<(u8, Rows)> {
    if source.array::<8>()? != *MAGIC {
        return Err(IndexError::Corrupt {
            reason: "it starts otherwise",
        });
    }
    let version = source.u32()?;
    if version != VERSION {
        return Err(IndexError::UnsupportedVersion {
            found: version,
            supported: VERSION,
        });
    }
    let [kind] = source.array()?;
    if kind != FLAT && kind != IVF {
        return Err(IndexError::Corrupt {
            reason: "its kind is unknown",
        });
    }
    let dim = source.u32()? as usize;
    if !(1..=EmbeddingSpace::MAX_DIM).contains(&dim) {
        return Err(IndexError::Corrupt {
            reason: "its dimension is impossible",
        });
    }
    let slots = source.u32()?;
    let mut used = SlotSet::new();
    for word in 0..slots.div_ceil(64) {
        let bits = u64::from_le_bytes(source.array()?);
        used.extend(
            (0..64)
                .filter(|bit| bits >> bit & 1 == 1)
                .map(|bit| word * 64 + bit),
        );
    }
    let mut rows = Rows::new(dim);
    let mut vector = vec![0.0; dim];
    for slot in 0..slots {
        source.floats(&mut vector)?;
        if used.remove(slot) {
            let checked = rows.insert(slot, &vector);
            checked.map_err(|_| IndexError::Corrupt {
                reason: "a vector is not of unit length",
            })?;
        } else {
            rows.push_absent();
        }
    }
    if !used.is_empty() {
        return Err(IndexError::Corrupt {
            reason: "a slot in use is beyond the last",
        });
    }
    Ok((kind, rows))
}

fn read_ivf(source: &mut Source<'_>, rows: &Rows) -> Result<IvfState> {
    let lists = source.u32()? as usize;
    if lists == 0 {
        return Err(IndexError::Corrupt {
            reason: "it has no list",
        });
    }
    // Means of unit vectors; anything else would upset the arithmetic.
    let centres = read_matrix(source, lists, rows.dim(), "a centre is impossible")?;
    let spreads = read_matrix(source, lists, 1, "a spread is impossible")?;
    let spreads = spreads.into_raw_vec_and_offset().0;
    let directions = source.u32()? as usize;
    if directions > rows.dim() {
        return Err(IndexError::Corrupt {
            reason: "it has more directions than dimensions",
        });
    }
    let directions = read_matrix(source, directions, rows.dim(), "a direction is impossible")?;
    let mut assigned = Vec::new();
    for _ in 0..rows.len() {
        let [first, second] = [source.u32()?, source.u32()?];
        if first as usize >= lists || second as usize >= lists {
            return Err(IndexError::Corrupt {
                reason: "a vector is in no list",
            });
        }
        assigned.push([first, second]);
    }
    let trained_for = u64::from_le_bytes(source.array()?) as usize;
    let least = f32::from_le_bytes(source.array()?);
    let mut bands = Vec::new();
    for _ in 0..source.u32()? {
        let up_to = f32::from_le_bytes(source.array()?);
        let mut plans = Vec::new();
        for _ in 0..source.u32()? {
            plans.push(Learnt {
                gap: f32::from_le_bytes(source.array()?),
                candidates: source.u32()?,
                short: f32::from_le_bytes(source.array()?),
                lists: source.u32()?,
            });
        }
        bands.push(Band { up_to, plans });
    }
    Ok(IvfState {
        centres,
        spreads,
        directions,
        assigned,
        trained_for,
        bands,
        least,
    })
}

/// Rows whose numbers are no greater than those of unit vectors and their means.
fn read_matrix(
    source: &mut Source<'_>,
    count: usize,
    dim: usize,
    impossible: &'static str,
) -> Result<Array2<f32>> {
    let mut numbers = Vec::new();
    let mut row = vec![0.0; dim];
    for _ in 0..count {
        source.floats(&mut row)?;
        if !row.iter().all(|value| value.abs() <= 1.5) {
            return Err(IndexError::Corrupt { reason: impossible });
        }
        numbers.extend_from_slice(&row);
    }
    Ok(Array2::from_shape_vec((count, dim), numbers).expect("so many rows were read"))
}

/// Writes and sums.
struct Sink<'a> {
    out: io::BufWriter<&'a mut dyn Write>,
    sum: crc32fast::Hasher,
}

impl<'a> Sink<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out: io::BufWriter::new(out),
            sum: crc32fast::Hasher::new(),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.out.write_all(bytes)
    }

    fn u32(&mut self, value: u32) -> io::Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    fn floats<'v>(&mut self, values: impl IntoIterator<Item = &'v f32>) -> io::Result<()> {
        values
            .into_iter()
            .try_for_each(|value| self.bytes(&value.to_le_bytes()))
    }

    fn finish(mut self) -> io::Result<()> {
        let sum = self.sum.finalize();
        self.out.write_all(&sum.to_le_bytes())?;
        self.out.flush()
    }
}

/// Reads and sums.
struct Source<'a> {
    input: io::BufReader<&'a mut dyn Read>,
    sum: crc32fast::Hasher,
    row: Vec<u8>,
}

impl<'a> Source<'a> {
    fn new(input: &'a mut dyn Read) -> Self {
        Self {
            input: io::BufReader::new(input),
            sum: crc32fast::Hasher::new(),
            row: Vec::new(),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(truncated)?;
        self.sum.update(&bytes);
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn floats(&mut self, out: &mut [f32]) -> Result<()> {
        self.row.resize(out.len() * 4, 0);
        self.input.read_exact(&mut self.row).map_err(truncated)?;
        self.sum.update(&self.row);
        for (value, bytes) in out.iter_mut().zip(self.row.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        let expected = std::mem::take(&mut self.sum).finalize();
        if self.u32()? != expected {
            return Err(IndexError::Corrupt {
                reason: "its checksum is wrong",
            });
        }
        Ok(())
    }
}

fn truncated(error: io::Error) -> IndexError {
    if error.kind() == ErrorKind::UnexpectedEof {
        IndexError::Corrupt {
            reason: "it ends too early",
        }
    } else {
        IndexError::Io(error)
    }
}

const MAGIC: &[u8; 8] = b"WSPRVIDX";
const VERSION: u32 = 5;
const FLAT: u8 = 0;
const IVF: u8 = 1;
