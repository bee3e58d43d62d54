//! Primitive values as bytes. The reader trusts nothing: every length is checked before it is used.

use whisperengine_types::MemoryError;

use super::corrupt;

#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn raw_all<T, const N: usize>(&mut self, values: &[T], bytes: impl Fn(&T) -> [u8; N]) {
        let from = self.0.len();
        self.0.resize(from + values.len() * N, 0);
        let (places, _) = self.0[from..].as_chunks_mut::<N>();
        for (place, value) in places.iter_mut().zip(values) {
            *place = bytes(value);
        }
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], MemoryError> {
        let (taken, rest) = self
            .0
            .split_at_checked(len)
            .ok_or_else(|| corrupt("is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MemoryError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| corrupt("is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, MemoryError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn i64(&mut self) -> Result<i64, MemoryError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub(crate) fn f32(&mut self) -> Result<f32, MemoryError> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    pub(crate) fn f64(&mut self) -> Result<f64, MemoryError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, MemoryError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(corrupt("has an endless number"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], MemoryError> {
        let len = usize::try_from(self.varint()?).map_err(|_| corrupt("is cut off"))?;
        self.take(len)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, MemoryError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| corrupt("has text that is not UTF-8"))
    }

    pub(crate) fn end(self) -> Result<(), MemoryError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(corrupt("has bytes to spare"))
        }
    }
}
