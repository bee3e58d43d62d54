//! Plain loops for machines without the instruction sets of the other files.

use super::{BLOCK, BlockScale, CodeRows, Int8Query, Kernel, Line, Table, Width};

pub(super) const KERNEL: Kernel = Kernel {
    name: "portable",
    width: Width::Baseline,
    dot_f32,
    dot_int8,
    dots_int8,
    scan_block,
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

fn dot_int8(row: &[Line], query: &Int8Query) -> i32 {
    let (values, _) = query.values.as_chunks::<64>();
    let mut sum = 0_i32;
    for (line, values) in row.iter().zip(values) {
        for (&code, &value) in line.0.iter().zip(values) {
            sum += i32::from(code) * i32::from(value);
        }
    }
    sum - query.bias
}

fn dots_int8(rows: &[Line], query: &Int8Query, out: &mut [i32; 16]) {
    for (row, out) in rows.chunks_exact(rows.len() / 16).zip(out) {
        *out = dot_int8(row, query);
    }
}

fn scan_block(codes: &[CodeRows], table: &Table, sums: &mut [u16; BLOCK]) {
    *sums = [0; BLOCK];
    for (codes, table) in codes.iter().zip(&table.rows) {
        for (row, bytes) in codes.0.iter().enumerate() {
            for (sum, &byte) in sums.iter_mut().zip(bytes) {
                let (low, high) = (usize::from(byte & 15), usize::from(byte >> 4));
                *sum += u16::from(table.low[row * 32 + low]) + u16::from(table.high[row * 32 + high]);
            }
        }
    }
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
pub(super) fn score_block(sums: &[u16; BLOCK], scale: &BlockScale<'_>, out: &mut [f32; BLOCK]) -> u32 {
    let mut mask = 0;
    for i in 0..BLOCK {
        let dot = scale.slope.mul_add(f32::from(sums[i]), scale.offset);
        out[i] = scale.factors[i].mul_add(dot, scale.base);
        mask |= u32::from(out[i] > scale.threshold) << i;
    }
    mask
}
