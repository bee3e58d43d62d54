//! AVX-512 with VNNI (Ice Lake and Zen 4 onwards).

use std::arch::x86_64::{
    __m512i, _CMP_GT_OQ, _mm_loadu_si128, _mm256_loadu_si256, _mm512_add_epi8, _mm512_add_epi16,
    _mm512_add_epi32, _mm512_add_ps, _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_castsi512_ps,
    _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_cvtepu16_epi32, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_ps, _mm512_mul_ps,
    _mm512_permutex2var_epi64, _mm512_permutexvar_epi8, _mm512_reduce_add_epi32, _mm512_reduce_add_ps,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setr_epi64, _mm512_setzero_ps,
    _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_slli_epi16, _mm512_slli_epi32,
    _mm512_srli_epi16, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_sub_epi16, _mm512_sub_epi32,
    _mm512_ternarylogic_epi64, _mm512_unpackhi_epi16, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi16, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::{
    BLOCK, BlockScale, CODE_GROUP, CoarseScale, Fours, Int8Query, Kernel, LINE, Line, Sixes, Width, portable,
    prefetch_after, prefetch_early,
};

/// Runs `work` compiled for this instruction set, as far as it is inlined.
///
/// # Safety
/// The machine has what [`kernel`] detects.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2,fma")]
pub(super) unsafe fn run<T>(work: impl FnOnce() -> T) -> T {
    work()
}

pub(super) fn kernel() -> Option<Kernel> {
    let supported = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni");
    supported.then_some(Kernel {
        name: "avx512",
        width: Width::Avx512,
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
        scan_sixes: is_x86_feature_detected!("avx512vbmi").then_some(|codes, table, ahead, sums| {
            // SAFETY: as above.
            unsafe { scan_sixes(codes, table, ahead, sums) }
        }),
        // SAFETY: as above.
        score_block: |sums, scale, out| unsafe { score_block(sums, scale, out) },
    })
}

/// # Safety
/// The machine has AVX-512F, and `b` is as long as `a`.
#[target_feature(enable = "avx512f")]
unsafe fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let (a_ptr, b_ptr) = (a.as_ptr(), b.as_ptr());
    let whole = a.len() / 64 * 64;
    let mut sums = [_mm512_setzero_ps(); 4];
    for start in (0..whole).step_by(64) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let at = start + lane * 16;
            // SAFETY: `at + 16 <= whole <= len` of both.
            let (x, y) = unsafe { (_mm512_loadu_ps(a_ptr.add(at)), _mm512_loadu_ps(b_ptr.add(at))) };
            *sum = _mm512_fmadd_ps(x, y, *sum);
        }
    }
    for at in (whole..a.len()).step_by(16) {
        let mask = u16::MAX >> (16 - (a.len() - at).min(16));
        // SAFETY: the mask leaves out what lies beyond the end.
        let (x, y) = unsafe {
            (
                _mm512_maskz_loadu_ps(mask, a_ptr.add(at)),
                _mm512_maskz_loadu_ps(mask, b_ptr.add(at)),
            )
        };
        sums[0] = _mm512_fmadd_ps(x, y, sums[0]);
    }
    let [a, b, c, d] = sums;
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)))
}

/// # Safety
/// The machine has AVX-512F, BW and VNNI; each of `coarse` and `fine` has half as many lines as `query.values` has
/// times 64.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn dot_int8(coarse: &[Line], fine: &[Line], query: &Int8Query) -> i32 {
    let values = query.values.as_ptr();
    let nibble = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_si512(); 4];
    for (at, (coarse, fine)) in coarse.iter().zip(fine).enumerate() {
        // SAFETY: a `Line` is 64 aligned bytes, and the query has 128 values for each pair of them.
        let (first, second, coarse, fine) = unsafe {
            (
                _mm512_loadu_si512(values.add(2 * at * LINE).cast()),
                _mm512_loadu_si512(values.add((2 * at + 1) * LINE).cast()),
                load(coarse),
                load(fine),
            )
        };
        for (sums, codes) in sums.as_chunks_mut::<2>().0.iter_mut().zip([coarse, fine]) {
            let low = _mm512_and_si512(codes, nibble);
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
            sums[0] = _mm512_dpbusd_epi32(sums[0], low, first);
            sums[1] = _mm512_dpbusd_epi32(sums[1], high, second);
        }
    }
    let [a, b, c, d] = sums;
    let coarse = _mm512_slli_epi32::<4>(_mm512_add_epi32(a, b));
    _mm512_reduce_add_epi32(_mm512_add_epi32(coarse, _mm512_add_epi32(c, d))) - query.bias
}

/// # Safety
/// The machine has AVX-512F, BW and VNNI; `rows` has 8 times as many lines as `query.values` has times 64.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn scan_coarse(rows: &[Line], query: &Int8Query, scale: &CoarseScale<'_>) -> u16 {
    let lines = rows.len() / 16;
    let values = query.values.as_ptr();
    let nibble = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_si512(); 16];
    for at in 0..lines {
        // SAFETY: the query has 128 values for each line of a row.
        let (first, second) = unsafe {
            (
                _mm512_loadu_si512(values.add(2 * at * LINE).cast()),
                _mm512_loadu_si512(values.add((2 * at + 1) * LINE).cast()),
            )
        };
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: there are 16 rows of `lines` lines.
            let line = unsafe { rows.get_unchecked(row * lines + at) };
            prefetch_after(std::slice::from_ref(line));
            // SAFETY: a `Line` is 64 aligned bytes.
            let codes = unsafe { load(line) };
            let low = _mm512_and_si512(codes, nibble);
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
            *sum = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(*sum, low, first), high, second);
        }
    }
    let dots = _mm512_cvtepi32_ps(sum_each(&sums));
    let bounds = _mm512_fmadd_ps(dots, _mm512_set1_ps(scale.slope), _mm512_set1_ps(scale.offset));
    // SAFETY: there are 16 factors.
    let bounds = _mm512_mul_ps(bounds, unsafe { _mm512_loadu_ps(scale.factors.as_ptr()) });
    _mm512_cmp_ps_mask::<_CMP_GT_OQ>(bounds, _mm512_set1_ps(scale.threshold))
}

/// # Safety
/// The machine has AVX-512F, BW and VNNI; each of `rows` has half as many lines as `query.values` has times 64.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn dots_coarse(rows: &[&[Line]; 16], query: &Int8Query, out: &mut [i32; 16]) {
    let values = query.values.as_ptr();
    let nibble = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_si512(); 16];
    for at in 0..rows[0].len() {
        // SAFETY: the query has 128 values for each line of a row.
        let (first, second) = unsafe {
            (
                _mm512_loadu_si512(values.add(2 * at * LINE).cast()),
                _mm512_loadu_si512(values.add((2 * at + 1) * LINE).cast()),
            )
        };
        for (row, sum) in rows.iter().zip(&mut sums) {
            // SAFETY: all rows have as many lines, and a `Line` is 64 aligned bytes.
            let codes = unsafe { load(row.get_unchecked(at)) };
            let low = _mm512_and_si512(codes, nibble);
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
            *sum = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(*sum, low, first), high, second);
        }
    }
    // SAFETY: `out` has room for 16 numbers.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum_each(&sums)) };
}

/// # Safety
/// The machine has AVX-512F and VNNI; `rows` has 16 times as many lines as `query.values` has times 64.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dots_int8(rows: &[Line], query: &Int8Query, out: &mut [i32; 16]) {
    let lines = rows.len() / 16;
    let values = query.values.as_ptr();
    let mut sums = [_mm512_setzero_si512(); 16];
    for at in 0..lines {
        // SAFETY: the query has 64 values for each line of a row.
        let values = unsafe { _mm512_loadu_si512(values.add(at * LINE).cast()) };
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: there are 16 rows of `lines` lines.
            let codes = unsafe { load(rows.get_unchecked(row * lines + at)) };
            *sum = _mm512_dpbusd_epi32(*sum, codes, values);
        }
    }
    let totals = _mm512_sub_epi32(sum_each(&sums), _mm512_set1_epi32(query.bias));
    // SAFETY: `out` has room for 16 numbers.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), totals) };
}

/// # Safety
/// The machine has AVX-512F, BW and VNNI; `rows` has `dim` codes for each of `out`, and the query is padded
/// to whole lines.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn scan_signed(rows: &[i8], dim: usize, query: &Int8Query, out: &mut [i32]) {
    let values = query.values.as_ptr();
    let (flip, bias) = (_mm512_set1_epi8(i8::MIN), _mm512_set1_epi32(query.bias));
    // What lies beyond a row's end counts for nothing: the query has zeros there.
    let last = u64::MAX >> ((LINE - dim % LINE) % LINE);
    let lines = dim.div_ceil(LINE);
    let (groups, rest) = out.as_chunks_mut::<16>();
    let whole = groups.len() * 16;
    for (group, out) in groups.iter_mut().enumerate() {
        let mut sums = [_mm512_setzero_si512(); 16];
        for line in 0..lines {
            let mask = if line + 1 == lines { last } else { u64::MAX };
            // SAFETY: the query has 64 values for each line.
            let values = unsafe { _mm512_loadu_si512(values.add(line * LINE).cast()) };
            for (row, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the row is among those that `out` has room for, and the mask ends with it.
                let codes = unsafe {
                    let at = rows.as_ptr().add((group * 16 + row) * dim + line * LINE);
                    prefetch_after(std::slice::from_ref(&*at));
                    _mm512_maskz_loadu_epi8(mask, at)
                };
                *sum = _mm512_dpbusd_epi32(*sum, _mm512_xor_si512(codes, flip), values);
            }
        }
        let totals = _mm512_sub_epi32(sum_each(&sums), bias);
        // SAFETY: `out` has room for 16 numbers.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), totals) };
    }
    portable::scan_signed(&rows[whole * dim..], dim, query, rest);
}

/// # Safety
/// The machine has AVX-512F, BW and VNNI; the rows are equally long, and the query is padded to whole lines.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn dots_signed(rows: &[&[i8]; 16], query: &Int8Query, out: &mut [i32; 16]) {
    let dim = rows[0].len();
    let values = query.values.as_ptr();
    let flip = _mm512_set1_epi8(i8::MIN);
    // What lies beyond a row's end counts for nothing: the query has zeros there.
    let last = u64::MAX >> ((LINE - dim % LINE) % LINE);
    let lines = dim.div_ceil(LINE);
    let mut sums = [_mm512_setzero_si512(); 16];
    for line in 0..lines {
        let mask = if line + 1 == lines { last } else { u64::MAX };
        // SAFETY: the query has 64 values for each line.
        let values = unsafe { _mm512_loadu_si512(values.add(line * LINE).cast()) };
        for (row, sum) in rows.iter().zip(&mut sums) {
            // SAFETY: all rows are of one length, and the mask ends with it.
            let codes = unsafe { _mm512_maskz_loadu_epi8(mask, row.as_ptr().add(line * LINE)) };
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_xor_si512(codes, flip), values);
        }
    }
    let totals = _mm512_sub_epi32(sum_each(&sums), _mm512_set1_epi32(query.bias));
    // SAFETY: `out` has room for 16 numbers.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), totals) };
}

/// The sum of the lanes of each of 16 vectors, in order: neighbours are interleaved and added, four times.
#[target_feature(enable = "avx512f")]
#[inline]
fn sum_each(vectors: &[__m512i; 16]) -> __m512i {
    let mut quarters = [_mm512_setzero_si512(); 4];
    for (quarter, four) in quarters.iter_mut().zip(vectors.as_chunks::<4>().0) {
        let pair = |a, b| _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (ab, cd) = (pair(four[0], four[1]), pair(four[2], four[3]));
        *quarter = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    }
    let fold = |a, b| {
        _mm512_add_epi32(
            _mm512_shuffle_i32x4::<0x88>(a, b),
            _mm512_shuffle_i32x4::<0xDD>(a, b),
        )
    };
    let [a, b, c, d] = quarters;
    fold(fold(a, b), fold(c, d))
}

/// # Safety
/// The machine has AVX-512F and BW; `table` is as long as `codes`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn scan_fours(codes: &[Line], table: &[Fours], ahead: &[Line], sums: &mut [u16; BLOCK]) {
    let mut ahead = ahead.iter();
    let nibble = _mm512_set1_epi8(15);
    let mut words = Words::new();
    // Four bytes of two entries each: the most that a byte holds.
    for (codes, table) in codes.chunks(4).zip(table.chunks(4)) {
        let mut bytes = _mm512_setzero_si512();
        for (codes, Fours([low, high])) in codes.iter().zip(table) {
            if let Some(ahead) = ahead.next() {
                prefetch_early(std::slice::from_ref(ahead));
            }
            // SAFETY: the line is 64 bytes, and the entries are 16 each.
            let (codes, low, high) = unsafe {
                (
                    load(codes),
                    _mm512_broadcast_i32x4(_mm_loadu_si128(low.as_ptr().cast())),
                    _mm512_broadcast_i32x4(_mm_loadu_si128(high.as_ptr().cast())),
                )
            };
            let first = _mm512_shuffle_epi8(low, _mm512_and_si512(codes, nibble));
            let second = _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble));
            bytes = _mm512_add_epi8(bytes, _mm512_add_epi8(first, second));
        }
        words.add(bytes);
    }
    words.store(sums);
}

/// Six bits to a look-up: what lies above them in an index counts for nothing.
///
/// # Safety
/// The machine has AVX-512F, BW and VBMI; `codes` has three lines for each of `table`.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn scan_sixes(codes: &[Line], table: &[Sixes], ahead: &[Line], sums: &mut [u16; BLOCK]) {
    let mut ahead = ahead.as_chunks::<CODE_GROUP>().0.iter();
    let (two, four) = (_mm512_set1_epi8(3), _mm512_set1_epi8(15));
    let mut words = Words::new();
    for (codes, Sixes(entries)) in codes.as_chunks::<CODE_GROUP>().0.iter().zip(table) {
        if let Some(ahead) = ahead.next() {
            prefetch_early(ahead);
        }
        // SAFETY: each is a line.
        let ([a, b, c], [of_a, of_b, of_c, of_rest]) = unsafe {
            (
                [load(&codes[0]), load(&codes[1]), load(&codes[2])],
                [
                    load(&entries[0]),
                    load(&entries[1]),
                    load(&entries[2]),
                    load(&entries[3]),
                ],
            )
        };
        // The two high bits of each, next to one another; a mask's bits choose between the two others.
        let ab = _mm512_ternarylogic_epi64::<0xCA>(two, _mm512_srli_epi16::<6>(a), _mm512_srli_epi16::<4>(b));
        let rest = _mm512_ternarylogic_epi64::<0xCA>(four, ab, _mm512_srli_epi16::<2>(c));
        let first = _mm512_add_epi8(_mm512_permutexvar_epi8(a, of_a), _mm512_permutexvar_epi8(b, of_b));
        let second = _mm512_add_epi8(
            _mm512_permutexvar_epi8(c, of_c),
            _mm512_permutexvar_epi8(rest, of_rest),
        );
        words.add(_mm512_add_epi8(first, second));
    }
    words.store(sums);
}

/// Sums of bytes in 16 bits, those of even and of odd lanes apart.
struct Words {
    /// The even lanes, and 256 times the odd ones, modulo 65,536.
    both: __m512i,
    odd: __m512i,
}

impl Words {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn new() -> Self {
        Self {
            both: _mm512_setzero_si512(),
            odd: _mm512_setzero_si512(),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn add(&mut self, bytes: __m512i) {
        self.both = _mm512_add_epi16(self.both, bytes);
        self.odd = _mm512_add_epi16(self.odd, _mm512_srli_epi16::<8>(bytes));
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn store(self, sums: &mut [u16; BLOCK]) {
        let even = _mm512_sub_epi16(self.both, _mm512_slli_epi16::<8>(self.odd));
        // Interleaved within quarters, which are then put in order.
        let low = _mm512_unpacklo_epi16(even, self.odd);
        let high = _mm512_unpackhi_epi16(even, self.odd);
        let first = _mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high);
        let second = _mm512_permutex2var_epi64(low, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), high);
        // SAFETY: `sums` has room for 64 16-bit numbers.
        unsafe {
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), first);
            _mm512_storeu_si512(sums.as_mut_ptr().add(32).cast(), second);
        }
    }
}

/// # Safety
/// The machine has AVX-512F.
#[target_feature(enable = "avx512f")]
unsafe fn score_block(sums: &[u16; BLOCK], scale: &BlockScale<'_>, out: &mut [f32; BLOCK]) -> u64 {
    let (slope, offset) = (_mm512_set1_ps(scale.slope), _mm512_set1_ps(scale.offset));
    let (base, threshold) = (_mm512_set1_ps(scale.base), _mm512_set1_ps(scale.threshold));
    let mut mask = 0;
    for at in [0, 16, 32, 48] {
        // SAFETY: each array has 64 elements, and `at + 16 <= 64`.
        let (sums, factors) = unsafe {
            (
                _mm256_loadu_si256(sums.as_ptr().add(at).cast()),
                _mm256_loadu_si256(scale.factors.as_ptr().add(at).cast()),
            )
        };
        let factors = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(factors)));
        let dots = _mm512_fmadd_ps(slope, _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums)), offset);
        let scores = _mm512_fmadd_ps(factors, dots, base);
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr().add(at), scores) };
        mask |= u64::from(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(scores, threshold)) << at;
    }
    mask
}

/// Loads one aligned line.
///
/// # Safety
/// The machine has AVX-512F.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load<T>(line: &T) -> __m512i {
    const { assert!(size_of::<T>() == LINE) };
    // SAFETY: `T` is one line long; the unaligned load is as fast where it is aligned.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(line).cast()) }
}
