//! AVX2 with FMA (Haswell and Zen onwards).

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi8, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps,
    _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_permute2x128_si256, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_ps, _mm256_storeu_si256, _mm256_unpackhi_epi16,
    _mm256_unpacklo_epi16,
};

use super::{
    BLOCK, BlockScale, CoarseScale, Fours, Int8Query, Kernel, LINE, Line, Width, portable, prefetch_after,
    prefetch_early,
};

/// Runs `work` compiled for this instruction set, as far as it is inlined.
///
/// # Safety
/// The machine has what [`kernel`] detects.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run<T>(work: impl FnOnce() -> T) -> T {
    work()
}

pub(super) fn kernel() -> Option<Kernel> {
    let supported = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    supported.then_some(Kernel {
        name: "avx2",
        width: Width::Avx2,
        // SAFETY: the features were just detected; `Kernel` checks the lengths.
        dot_f32: |a, b| unsafe { dot_f32(a, b) },
        // SAFETY: as above.
        dot_int8: |coarse, fine, query| unsafe { dot_int8(coarse, fine, query) },
        // SAFETY: as above.
        dots_int8: |rows, query, out| unsafe { dots_int8(rows, query, out) },
        // SAFETY: as above.
        scan_coarse: |rows, query, scale| unsafe { scan_coarse(rows, query, scale) },
        // SAFETY: as above.
        scan_signed: |rows, dim, query, out| unsafe { scan_signed(rows, dim, query, out) },
        // SAFETY: as above.
        scan_fours: |codes, table, ahead, sums| unsafe { scan_fours(codes, table, ahead, sums) },
        scan_sixes: None,
        // SAFETY: as above.
        score_block: |sums, scale, out| unsafe { score_block(sums, scale, out) },
    })
}

/// # Safety
/// The machine has AVX2 and FMA, and `b` is as long as `a`.
#[target_feature(enable = "avx2,fma")]
unsafe fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<32>();
    let (b, b_rest) = b.as_chunks::<32>();
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in a.iter().zip(b) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            // SAFETY: each array has 32 elements, and `lane * 8 + 8 <= 32`.
            let (x, y) = unsafe {
                (
                    _mm256_loadu_ps(a.as_ptr().add(lane * 8)),
                    _mm256_loadu_ps(b.as_ptr().add(lane * 8)),
                )
            };
            *sum = _mm256_fmadd_ps(x, y, *sum);
        }
    }
    let [s0, s1, s2, s3] = sums;
    let total = _mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3));
    let mut lanes = [0.0_f32; 8];
    // SAFETY: `lanes` has room for 8 numbers.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), total) };
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// # Safety
/// The machine has AVX2; each of `coarse` and `fine` has half as many lines as `query.values` has times 64.
#[target_feature(enable = "avx2")]
unsafe fn dot_int8(coarse: &[Line], fine: &[Line], query: &Int8Query) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { 16 * nibbles(coarse, query) + nibbles(fine, query) - query.bias }
}

/// # Safety
/// The machine has AVX2; `rows` has 8 times as many lines as `query.values` has times 64.
#[target_feature(enable = "avx2")]
unsafe fn scan_coarse(rows: &[Line], query: &Int8Query, scale: &CoarseScale<'_>) -> u16 {
    let mut dots = [0; 16];
    for (row, dot) in rows.chunks_exact(rows.len() / 16).zip(&mut dots) {
        prefetch_after(row);
        // SAFETY: promised by the caller.
        *dot = unsafe { nibbles(row, query) };
    }
    portable::above(&dots, scale)
}

/// # Safety
/// The machine has AVX2; `row` has half as many lines as `query.values` has times 64.
#[target_feature(enable = "avx2")]
unsafe fn nibbles(row: &[Line], query: &Int8Query) -> i32 {
    let (nibble, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut sum = _mm256_setzero_si256();
    for (line, values) in row.iter().zip(query.values.as_chunks::<{ 2 * LINE }>().0) {
        for at in [0, 32] {
            // SAFETY: the line is 64 bytes, the values are 128, and `at + 32 <= 64`.
            let (codes, first, second) = unsafe {
                (
                    _mm256_loadu_si256(line.0.as_ptr().add(at).cast()),
                    _mm256_loadu_si256(values.as_ptr().add(at).cast()),
                    _mm256_loadu_si256(values.as_ptr().add(LINE + at).cast()),
                )
            };
            let low = _mm256_and_si256(codes, nibble);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
            // Four products of 15 and 128 at most fit 16 bits.
            let pairs = _mm256_add_epi16(
                _mm256_maddubs_epi16(low, first),
                _mm256_maddubs_epi16(high, second),
            );
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
        }
    }
    sum_lanes(sum)
}

/// # Safety
/// The machine has AVX2; `rows` has 16 times as many lines as `query.values` has times 64.
#[target_feature(enable = "avx2")]
unsafe fn dots_int8(rows: &[Line], query: &Int8Query, out: &mut [i32; 16]) {
    let (values, _) = query.values.as_chunks::<LINE>();
    for (row, out) in rows.chunks_exact(rows.len() / 16).zip(out) {
        let mut sums = [_mm256_setzero_si256(); 2];
        for (line, values) in row.iter().zip(values) {
            for at in (0..LINE).step_by(16) {
                // SAFETY: both are 64 bytes, and `at + 16 <= 64`.
                let (codes, values) = unsafe {
                    (
                        _mm_loadu_si128(line.0.as_ptr().add(at).cast()),
                        _mm_loadu_si128(values.as_ptr().add(at).cast()),
                    )
                };
                // Widened first: products of bytes, summed in pairs, overflow 16 bits.
                let products = _mm256_madd_epi16(_mm256_cvtepu8_epi16(codes), _mm256_cvtepi8_epi16(values));
                let sum = &mut sums[(at / 16) & 1];
                *sum = _mm256_add_epi32(*sum, products);
            }
        }
        *out = sum_lanes(_mm256_add_epi32(sums[0], sums[1])) - query.bias;
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn sum_lanes(vector: __m256i) -> i32 {
    let mut lanes = [0_i32; 8];
    // SAFETY: `lanes` has room for 8 numbers.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), vector) };
    lanes.iter().sum()
}

/// # Safety
/// The machine has AVX2: the portable loop, compiled for it.
#[target_feature(enable = "avx2")]
unsafe fn scan_signed(rows: &[i8], dim: usize, query: &Int8Query, out: &mut [i32]) {
    portable::scan_signed(rows, dim, query, out);
}

/// # Safety
/// The machine has AVX2; `table` is as long as `codes`.
#[target_feature(enable = "avx2")]
unsafe fn scan_fours(codes: &[Line], table: &[Fours], ahead: &[Line], sums: &mut [u16; BLOCK]) {
    let mut ahead = ahead.iter();
    let nibble = _mm256_set1_epi8(15);
    let byte = _mm256_set1_epi16(255);
    let zero = _mm256_setzero_si256();
    // Of the first 32 vectors and of the others: those of even lanes, then those of odd ones.
    let mut words = [[zero; 2]; 2];
    // Four bytes of two entries each: the most that a byte holds.
    for (codes, table) in codes.chunks(4).zip(table.chunks(4)) {
        let mut bytes = [zero; 2];
        for (codes, Fours([low, high])) in codes.iter().zip(table) {
            if let Some(ahead) = ahead.next() {
                prefetch_early(std::slice::from_ref(ahead));
            }
            // SAFETY: the entries are 16 each.
            let (low, high) = unsafe {
                (
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(low.as_ptr().cast())),
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(high.as_ptr().cast())),
                )
            };
            for (half, bytes) in bytes.iter_mut().enumerate() {
                // SAFETY: a line has twice 32 bytes.
                let codes = unsafe { _mm256_loadu_si256(codes.0.as_ptr().add(half * 32).cast()) };
                let first = _mm256_shuffle_epi8(low, _mm256_and_si256(codes, nibble));
                let shifted = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
                let second = _mm256_shuffle_epi8(high, shifted);
                *bytes = _mm256_add_epi8(*bytes, _mm256_add_epi8(first, second));
            }
        }
        for ([even, odd], bytes) in words.iter_mut().zip(bytes) {
            *even = _mm256_add_epi16(*even, _mm256_and_si256(bytes, byte));
            *odd = _mm256_add_epi16(*odd, _mm256_srli_epi16::<8>(bytes));
        }
    }
    for ([even, odd], sums) in words.into_iter().zip(sums.as_chunks_mut::<32>().0) {
        let (low, high) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
        let out = sums.as_mut_ptr();
        // SAFETY: `sums` has room for 32 16-bit numbers.
        unsafe {
            _mm256_storeu_si256(out.cast(), _mm256_permute2x128_si256::<0x20>(low, high));
            _mm256_storeu_si256(out.add(16).cast(), _mm256_permute2x128_si256::<0x31>(low, high));
        }
    }
}

/// # Safety
/// The machine has AVX2 and FMA: the portable loop, compiled for them.
#[target_feature(enable = "avx2,fma")]
unsafe fn score_block(sums: &[u16; BLOCK], scale: &BlockScale<'_>, out: &mut [f32; BLOCK]) -> u64 {
    portable::score_block(sums, scale, out)
}
