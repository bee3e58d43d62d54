//! Plain loops for machines without the instruction sets of the other files.

use super::{
    BLOCK, BlockScale, CODE_GROUP, CoarseScale, Fours, Int8Query, Kernel, LINE, Line, Sixes, Width,
    from_upper_half,
};

pub(super) const KERNEL: Kernel = Kernel {
    name: "portable",
    width: Width::Baseline,
    dot_f32,
    dot_int8,
    dots_int8,
    scan_coarse,
    scan_signed,
    scan_fours,
    scan_sixes: None,
    score_block,
};

fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            lanes[i] += a[i] * b[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

pub(super) fn dot_int8(coarse: &[Line], fine: &[Line], query: &Int8Query) -> i32 {
    16 * nibbles(coarse, query) + nibbles(fine, query) - query.bias
}

pub(super) fn scan_coarse(rows: &[Line], query: &Int8Query, scale: &CoarseScale<'_>) -> u16 {
    let mut dots = [0; 16];
    for (row, dot) in rows.chunks_exact(rows.len() / 16).zip(&mut dots) {
        *dot = nibbles(row, query);
    }
    above(&dots, scale)
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
pub(super) fn above(dots: &[i32; 16], scale: &CoarseScale<'_>) -> u16 {
    let mut mask = 0;
    for (row, (&dot, &factor)) in dots.iter().zip(scale.factors).enumerate() {
        let bound = (dot as f32 * scale.slope + scale.offset) * factor;
        mask |= u16::from(bound > scale.threshold) << row;
    }
    mask
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
pub(super) fn nibbles(row: &[Line], query: &Int8Query) -> i32 {
    let mut sum = 0;
    for (line, values) in row.iter().zip(query.values.as_chunks::<{ 2 * LINE }>().0) {
        let (first, second) = values.split_at(LINE);
        for ((&byte, &first), &second) in line.0.iter().zip(first).zip(second) {
            sum += i32::from(byte & 15) * i32::from(first) + i32::from(byte >> 4) * i32::from(second);
        }
    }
    sum
}

fn dots_int8(rows: &[Line], query: &Int8Query, out: &mut [i32; 16]) {
    let (values, _) = query.values.as_chunks::<LINE>();
    for (row, out) in rows.chunks_exact(rows.len() / 16).zip(out) {
        let mut sum = 0;
        for (line, values) in row.iter().zip(values) {
            for (&code, &value) in line.0.iter().zip(values) {
                sum += i32::from(code) * i32::from(value);
            }
        }
        *out = sum - query.bias;
    }
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
pub(super) fn scan_signed(rows: &[i8], dim: usize, query: &Int8Query, out: &mut [i32]) {
    let values = &query.values[..dim];
    for (row, out) in rows.chunks_exact(dim.max(1)).zip(out) {
        *out = row
            .iter()
            .zip(values)
            .map(|(&a, &b)| i32::from(i16::from(a) * i16::from(b)))
            .sum();
    }
}

#[allow(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
pub(super) fn scan_planes(query: &[f32], high: &[i8], low: &[u8], out: &mut [f32]) {
    const LANES: usize = 32;
    let code = |high: i8, low: u8| f32::from(i16::from_le_bytes([low, high.cast_unsigned()]));
    let dim = query.len().max(1);
    let (query, query_rest) = query.as_chunks::<LANES>();
    for ((high, low), out) in high.chunks_exact(dim).zip(low.chunks_exact(dim)).zip(out) {
        let (high, high_rest) = high.as_chunks::<LANES>();
        let (low, low_rest) = low.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for ((query, high), low) in query.iter().zip(high).zip(low) {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum += query[lane] * code(high[lane], low[lane]);
            }
        }
        let rest = query_rest.iter().zip(high_rest).zip(low_rest);
        let rest: f32 = rest.map(|((query, &high), &low)| query * code(high, low)).sum();
        *out = sums.iter().sum::<f32>() + rest;
    }
}

fn scan_fours(codes: &[Line], table: &[Fours], _: &[Line], sums: &mut [u16; BLOCK]) {
    *sums = [0; BLOCK];
    for (codes, Fours([low, high])) in codes.iter().zip(table) {
        for (sum, &code) in sums.iter_mut().zip(&codes.0) {
            *sum += u16::from(low[usize::from(code & 15)]) + u16::from(high[usize::from(code >> 4)]);
        }
    }
}

pub(super) fn scan_sixes(codes: &[Line], table: &[Sixes], _: &[Line], sums: &mut [u16; BLOCK]) {
    *sums = [0; BLOCK];
    for ([a, b, c], Sixes(entries)) in codes.as_chunks::<CODE_GROUP>().0.iter().zip(table) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let (a, b, c) = (a.0[lane], b.0[lane], c.0[lane]);
            let places = [a & 63, b & 63, c & 63, a >> 6 | b >> 6 << 2 | c >> 6 << 4];
            let found = entries.iter().zip(places);
            *sum += found
                .map(|(entries, place)| u16::from(entries.0[usize::from(place)]))
                .sum::<u16>();
        }
    }
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
pub(super) fn score_block(sums: &[u16; BLOCK], scale: &BlockScale<'_>, out: &mut [f32; BLOCK]) -> u64 {
    let mut mask = 0;
    for i in 0..BLOCK {
        let dot = scale.slope.mul_add(f32::from(sums[i]), scale.offset);
        out[i] = from_upper_half(scale.factors[i]).mul_add(dot, scale.base);
        mask |= u64::from(out[i] > scale.threshold) << i;
    }
    mask
}
