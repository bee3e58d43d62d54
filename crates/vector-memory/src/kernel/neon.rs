//! NEON, which every 64-bit Arm machine has.

use std::arch::aarch64::{
    vaddq_f32, vaddq_s32, vaddq_u8, vaddvq_f32, vaddvq_s32, vandq_u8, vdupq_n_f32, vdupq_n_s32, vdupq_n_u8,
    veorq_u8, vfmaq_f32, vget_high_s8, vget_low_s8, vld1q_f32, vld1q_s8, vld1q_u8, vmull_s8, vpadalq_s16,
    vqtbl1q_u8, vreinterpretq_s8_u8, vshrq_n_u8, vst1q_u8,
};

use super::{BLOCK, Fours, Int8Query, Kernel, Line, Width, portable};

pub(super) fn kernel() -> Option<Kernel> {
    Some(Kernel {
        name: "neon",
        width: Width::Baseline,
        // SAFETY: NEON is part of the architecture; `Kernel` checks the lengths.
        dot_f32: |a, b| unsafe { dot_f32(a, b) },
        dot_int8: portable::dot_int8,
        // SAFETY: as above.
        dots_int8: |rows, query, out| unsafe { dots_int8(rows, query, out) },
        scan_coarse: portable::scan_coarse,
        scan_signed: portable::scan_signed,
        // SAFETY: as above.
        scan_fours: |codes, table, _, sums| unsafe { scan_fours(codes, table, sums) },
        scan_sixes: None,
        score_block: portable::score_block,
    })
}

/// # Safety
/// `b` is as long as `a`.
unsafe fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    // SAFETY: every load takes 4 of an array's 16 numbers.
    let total = unsafe {
        let mut sums = [vdupq_n_f32(0.0); 4];
        for (a, b) in a.iter().zip(b) {
            for (lane, sum) in sums.iter_mut().enumerate() {
                let at = lane * 4;
                *sum = vfmaq_f32(*sum, vld1q_f32(a.as_ptr().add(at)), vld1q_f32(b.as_ptr().add(at)));
            }
        }
        vaddvq_f32(vaddq_f32(
            vaddq_f32(sums[0], sums[1]),
            vaddq_f32(sums[2], sums[3]),
        ))
    };
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    total + rest
}

/// # Safety
/// `row` has as many lines as `query.values` has times 64.
unsafe fn dot_row(row: &[Line], query: &Int8Query) -> i32 {
    let (values, _) = query.values.as_chunks::<64>();
    // SAFETY: every load takes 16 of an array's 64 bytes.
    unsafe {
        let offset = vdupq_n_u8(128);
        let mut sums = [vdupq_n_s32(0); 2];
        for (line, values) in row.iter().zip(values) {
            for at in (0..64).step_by(16) {
                // Flipping the top bit takes the offset off.
                let codes = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(line.0.as_ptr().add(at)), offset));
                let values = vld1q_s8(values.as_ptr().add(at));
                sums[0] = vpadalq_s16(sums[0], vmull_s8(vget_low_s8(codes), vget_low_s8(values)));
                sums[1] = vpadalq_s16(sums[1], vmull_s8(vget_high_s8(codes), vget_high_s8(values)));
            }
        }
        vaddvq_s32(vaddq_s32(sums[0], sums[1]))
    }
}

/// # Safety
/// As [`dot_row`], for 16 rows.
unsafe fn dots_int8(rows: &[Line], query: &Int8Query, out: &mut [i32; 16]) {
    for (row, out) in rows.chunks_exact(rows.len() / 16).zip(out) {
        // SAFETY: promised by the caller.
        *out = unsafe { dot_row(row, query) };
    }
}

/// # Safety
/// `table` is as long as `codes`.
unsafe fn scan_fours(codes: &[Line], table: &[Fours], sums: &mut [u16; BLOCK]) {
    *sums = [0; BLOCK];
    // Four bytes of two entries each: the most that a byte holds.
    for (codes, table) in codes.chunks(4).zip(table.chunks(4)) {
        let mut bytes = [0_u8; BLOCK];
        // SAFETY: every load and store takes 16 of an array's 16 or 64 bytes.
        unsafe {
            let nibble = vdupq_n_u8(15);
            for at in (0..BLOCK).step_by(16) {
                let mut sum = vdupq_n_u8(0);
                for (codes, Fours([low, high])) in codes.iter().zip(table) {
                    let codes = vld1q_u8(codes.0.as_ptr().add(at));
                    let first = vqtbl1q_u8(vld1q_u8(low.as_ptr()), vandq_u8(codes, nibble));
                    let second = vqtbl1q_u8(vld1q_u8(high.as_ptr()), vshrq_n_u8::<4>(codes));
                    sum = vaddq_u8(sum, vaddq_u8(first, second));
                }
                vst1q_u8(bytes.as_mut_ptr().add(at), sum);
            }
        }
        for (sum, &byte) in sums.iter_mut().zip(&bytes) {
            *sum += u16::from(byte);
        }
    }
}
