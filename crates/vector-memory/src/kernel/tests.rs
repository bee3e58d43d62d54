//! Every kernel of this machine against scalar loops.

use proptest::prelude::*;

use super::{
    BLOCK, BlockScale, CODE_GROUP, CoarseScale, Fours, Int8Query, Kernel, LINE, Line, Sixes, Table,
    from_upper_half, padded_lines, prefer_huge_pages, upper_half,
};

fn int8_query(values: Vec<i8>) -> Int8Query {
    let bias = 128 * values.iter().map(|&v| i32::from(v)).sum::<i32>();
    Int8Query { values, bias }
}

fn lines(bytes: &[u8]) -> Vec<Line> {
    bytes.as_chunks::<LINE>().0.iter().copied().map(Line).collect()
}

#[test]
fn the_fastest_kernel_of_the_machine_is_chosen() {
    let names: Vec<_> = Kernel::available().iter().map(|kernel| kernel.name).collect();
    assert_eq!(Some(&Kernel::detect().name), names.last());
    assert_eq!(names.first(), Some(&"portable"));
}

#[test]
fn huge_pages_change_nothing_of_what_is_in_memory() {
    for numbers in [0, 10, 3 << 20] {
        let mut memory: Vec<u32> = Vec::with_capacity(numbers);
        prefer_huge_pages(&memory);
        memory.extend(0..numbers as u32);
        prefer_huge_pages(&memory);
        assert!(memory.iter().copied().eq(0..numbers as u32));
    }
}

proptest! {
    #[test]
    fn f32_dot_products_agree_with_a_loop(pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 0..300)) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let expected: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        for kernel in Kernel::available() {
            let got = f64::from(kernel.dot_f32(&a, &b));
            prop_assert!((got - expected).abs() < 1e-4, "{}: {got} is not {expected}", kernel.name);
        }
    }

    #[test]
    fn int8_dot_products_are_those_of_a_loop(
        (codes, values) in (1_usize..5).prop_flat_map(|lines| (
            prop::collection::vec(any::<u8>(), 16 * lines * LINE),
            prop::collection::vec(any::<i8>(), lines * LINE),
        )),
    ) {
        let expected: Vec<i32> = codes
            .chunks(values.len())
            .map(|row| row.iter().zip(&values).map(|(&c, &v)| (i32::from(c) - 128) * i32::from(v)).sum())
            .collect();
        let (rows, query) = (lines(&codes), int8_query(values));
        for kernel in Kernel::available() {
            let mut out = [0; 16];
            kernel.dots_int8(&rows, &query, &mut out);
            prop_assert_eq!(out.as_slice(), expected.as_slice(), "{}", kernel.name);
        }
    }

    #[test]
    fn dot_products_with_halves_of_codes_are_those_of_a_loop(
        (coarse, fine, values) in (1_usize..4).prop_flat_map(|lines| (
            prop::collection::vec(any::<u8>(), 16 * lines * LINE),
            prop::collection::vec(any::<u8>(), lines * LINE),
            prop::collection::vec(any::<i8>(), 2 * lines * LINE),
        )),
    ) {
        let nibbles = |row: &[u8]| -> i32 {
            row.iter().enumerate().map(|(at, &byte)| {
                let first = at / LINE * 2 * LINE + at % LINE;
                let (low, high) = (i32::from(byte % 16), i32::from(byte / 16));
                low * i32::from(values[first]) + high * i32::from(values[first + LINE])
            }).sum()
        };
        let expected: Vec<i32> = coarse.chunks(fine.len()).map(nibbles).collect();
        let whole = 16 * expected[0] + nibbles(&fine) - 128 * values.iter().map(|&v| i32::from(v)).sum::<i32>();
        let (rows, fine, query) = (lines(&coarse), lines(&fine), int8_query(values.clone()));
        for kernel in Kernel::available() {
            for threshold in expected.iter().map(|&dot| dot as f32 * 0.5 + 1.0) {
                let factors = &std::array::from_fn(|row| if row == 3 { f32::NAN } else { 0.5 });
                let scale = CoarseScale { factors, slope: 1.0, offset: 2.0, threshold };
                let above = |row: usize| row != 3 && (expected[row] + 2) as f32 * 0.5 > threshold;
                let mask = (0..16).fold(0, |mask, row| mask | u16::from(above(row)) << row);
                prop_assert_eq!(kernel.scan_coarse(&rows, &query, &scale), mask, "{}", kernel.name);
            }
            let apart: [&[Line]; 16] = std::array::from_fn(|row| &rows[(15 - row) * fine.len()..][..fine.len()]);
            let mut out = [0; 16];
            kernel.dots_coarse(&apart, &query, &mut out);
            out.reverse();
            prop_assert_eq!(out.as_slice(), expected.as_slice(), "{}", kernel.name);
            let one = kernel.dot_int8(&rows[..fine.len()], &fine, &query);
            prop_assert_eq!(one, whole, "{}", kernel.name);
        }
    }

    #[test]
    fn scans_of_plain_rows_are_those_of_a_loop(
        (dim, codes, low) in (1_usize..200, 0_usize..40).prop_flat_map(|(dim, rows)| (
            Just(dim),
            prop::collection::vec(any::<i8>(), rows * dim),
            prop::collection::vec(any::<u8>(), rows * dim),
        )),
        values in prop::collection::vec(any::<i8>(), 200),
    ) {
        let values = &values[..dim];
        let mut padded = values.to_vec();
        padded.resize(padded_lines(dim) * LINE, 0);
        let query = int8_query(padded);
        let expected: Vec<i32> = codes
            .chunks(dim)
            .map(|row| row.iter().zip(values).map(|(&c, &v)| i32::from(c) * i32::from(v)).sum())
            .collect();
        let floats: Vec<f32> = values.iter().map(|&v| f32::from(v) / 128.0).collect();
        let wide: Vec<f64> = codes.chunks(dim).zip(low.chunks(dim)).map(|(high, low)| {
            let code = |(&high, &low): (&i8, &u8)| f64::from(high) * 256.0 + f64::from(low);
            high.iter().zip(low).map(code).zip(&floats).map(|(code, &v)| code * f64::from(v)).sum()
        }).collect();
        for kernel in Kernel::available() {
            let mut out = vec![0; expected.len()];
            kernel.scan_signed(&codes, dim, &query, &mut out);
            prop_assert_eq!(&out, &expected, "{}", kernel.name);
            let apart: Vec<&[i8]> = codes.chunks(dim).rev().collect();
            if let Some(apart) = apart.first_chunk::<16>() {
                let mut out = [0; 16];
                kernel.dots_signed(apart, &query, &mut out);
                let expected: Vec<i32> = expected.iter().rev().take(16).copied().collect();
                prop_assert_eq!(out.as_slice(), expected.as_slice(), "{}", kernel.name);
            }
            let mut out = vec![0.0; expected.len()];
            kernel.scan_planes(&floats, &codes, &low, &mut out);
            for (&got, &wide) in out.iter().zip(&wide) {
                prop_assert!((f64::from(got) - wide).abs() < 1.0, "{}: {got} is not {wide}", kernel.name);
            }
        }
    }

    #[test]
    fn block_scans_are_those_of_a_loop(
        (codes, fours, sixes) in (1_usize..9).prop_flat_map(|groups| (
            prop::collection::vec(any::<u8>(), groups * CODE_GROUP * BLOCK),
            prop::collection::vec(0..=Table::MAX_OF_FOUR, groups * CODE_GROUP * 32),
            prop::collection::vec(0..=Table::MAX_OF_SIX, groups * 4 * 64),
        )),
    ) {
        let code = |byte: usize, vector: usize| usize::from(codes[byte * BLOCK + vector]);
        let bytes = codes.len() / BLOCK;
        let by_fours: Vec<u16> = (0..BLOCK).map(|vector| (0..bytes).map(|byte| {
            let code = code(byte, vector);
            u16::from(fours[byte * 32 + code % 16]) + u16::from(fours[byte * 32 + 16 + code / 16])
        }).sum()).collect();
        let by_sixes: Vec<u16> = (0..BLOCK).map(|vector| (0..bytes / 3).map(|group| {
            let [a, b, c] = [0, 1, 2].map(|byte| code(group * 3 + byte, vector));
            let rest = a / 64 + b / 64 * 4 + c / 64 * 16;
            let places = [a % 64, 64 + b % 64, 128 + c % 64, 192 + rest];
            places.map(|place| u16::from(sixes[group * 256 + place])).iter().sum::<u16>()
        }).sum()).collect();
        let rows = lines(&codes);
        let fours = fours.as_chunks::<16>().0.as_chunks::<2>().0.iter().copied().map(Fours).collect();
        let sixes = lines(&sixes).as_chunks::<4>().0.iter().copied().map(Sixes).collect();
        let tables = [(Table::Fours(fours), by_fours), (Table::Sixes(sixes), by_sixes)];
        for kernel in Kernel::available() {
            for (table, expected) in &tables {
                let mut sums = [0; BLOCK];
                kernel.scan_block(&rows, table, &rows[1..], &mut sums);
                prop_assert_eq!(sums.as_slice(), expected.as_slice(), "{}", kernel.name);
            }
        }
    }

    #[test]
    fn block_scores_agree_with_a_loop(
        lanes in prop::collection::vec((any::<u16>(), 0.0_f32..0.1), BLOCK),
        (base, slope, offset) in (-1.0_f32..1.0, 0.0_f32..0.01, -1.0_f32..1.0),
        threshold in -1.0_f32..1.0,
    ) {
        let sums = std::array::from_fn(|lane| lanes[lane].0);
        let factors = std::array::from_fn(|lane| upper_half(lanes[lane].1));
        let scale = BlockScale { factors: &factors, base, slope, offset, threshold };
        for kernel in Kernel::available() {
            let mut out = [0.0; BLOCK];
            let mask = kernel.score_block(&sums, &scale, &mut out);
            for i in 0..BLOCK {
                let factor = from_upper_half(factors[i]);
                prop_assert!((factor - lanes[i].1).abs() <= lanes[i].1 / 256.0);
                let expected = base + factor * (slope * f32::from(sums[i]) + offset);
                prop_assert!((out[i] - expected).abs() < 1e-4, "{}", kernel.name);
                prop_assert_eq!(mask >> i & 1 == 1, out[i] > threshold, "{}", kernel.name);
            }
        }
    }
}
