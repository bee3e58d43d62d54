//! Every kernel of this machine against scalar loops.

use proptest::prelude::*;

use super::{BLOCK, BlockScale, CodeRows, Int8Query, Kernel, LINE, Line, Table, TableRows};

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
            let one = kernel.dot_int8(&rows[..query.values.len() / LINE], &query);
            prop_assert_eq!(one, expected[0], "{}", kernel.name);
        }
    }

    #[test]
    fn block_scans_are_those_of_a_loop(
        (codes, entries) in (1_usize..9).prop_flat_map(|rows| (
            prop::collection::vec(any::<u8>(), rows * 2 * BLOCK),
            prop::collection::vec(0..=Table::MAX_ENTRY, rows * 64),
        )),
    ) {
        let expected: Vec<u16> = (0..BLOCK).map(|vector| {
            (0..codes.len() / BLOCK).map(|byte| {
                let code = usize::from(codes[byte * BLOCK + vector]);
                u16::from(entries[byte * 32 + code % 16]) + u16::from(entries[byte * 32 + 16 + code / 16])
            }).sum()
        }).collect();
        let rows: Vec<CodeRows> = codes
            .as_chunks::<64>().0.iter()
            .map(|pair| CodeRows([pair.as_chunks().0[0], pair.as_chunks().0[1]]))
            .collect();
        let table = Table { rows: entries.as_chunks::<64>().0.iter().map(|four| {
            let [first_low, first_high, second_low, second_high] = *four.as_chunks::<16>().0 else {
                unreachable!("64 entries are four times 16")
            };
            TableRows {
                low: [first_low, first_low, second_low, second_low].concat().try_into().unwrap(),
                high: [first_high, first_high, second_high, second_high].concat().try_into().unwrap(),
            }
        }).collect() };
        for kernel in Kernel::available() {
            let mut sums = [0; BLOCK];
            kernel.scan_block(&rows, &table, &mut sums);
            prop_assert_eq!(sums.as_slice(), expected.as_slice(), "{}", kernel.name);
        }
    }

    #[test]
    fn block_scores_agree_with_a_loop(
        sums in prop::array::uniform32(any::<u16>()),
        factors in prop::array::uniform32(0.0_f32..0.1),
        (base, slope, offset) in (-1.0_f32..1.0, 0.0_f32..0.01, -1.0_f32..1.0),
        threshold in -1.0_f32..1.0,
    ) {
        let scale = BlockScale { factors: &factors, base, slope, offset, threshold };
        for kernel in Kernel::available() {
            let mut out = [0.0; BLOCK];
            let mask = kernel.score_block(&sums, &scale, &mut out);
            for i in 0..BLOCK {
                let expected = base + factors[i] * (slope * f32::from(sums[i]) + offset);
                prop_assert!((out[i] - expected).abs() < 1e-4, "{}", kernel.name);
                prop_assert_eq!(mask >> i & 1 == 1, out[i] > threshold, "{}", kernel.name);
            }
        }
    }
}
