//! From f32 weights to the int8 rows of the weights file.

use whisperengine_types::Emotion;

use super::{data::Squares, descent::Weights};
use crate::{
    EmotionModel,
    model::{Buckets, LANES, SHAPES},
};

/// Weights beyond this share of a lane's are clipped, so that the rest are told apart finely.
const KEPT: f64 = 0.9998;

pub(super) fn quantize(buckets: Buckets, squares: &Squares, weights: Weights) -> EmotionModel {
    let Weights { mut rows, bias } = weights;
    let shapes = rows.split_off(buckets.total());
    let scale: [f32; LANES] = std::array::from_fn(|lane| {
        let mut sizes: Vec<f32> = rows.iter().map(|row| row[lane].abs()).collect();
        let kept = ((sizes.len() - 1) as f64 * KEPT) as usize;
        let (_, largest, _) = sizes.select_nth_unstable_by(kept, f32::total_cmp);
        largest.max(1e-6) / 127.0
    });
    let int8 = |row: &[f32; LANES]| {
        std::array::from_fn(|lane| (row[lane] / scale[lane]).round().clamp(-127.0, 127.0) as i8)
    };
    let (hashed, whole) = squares.0.split_at(buckets.total());
    debug_assert_eq!(whole.len(), SHAPES, "shapes follow the hashed rows");
    EmotionModel {
        buckets,
        bias,
        scale,
        thresholds: [0.0; Emotion::COUNT],
        group_thresholds: [0.0; 4],
        shapes,
        shape_squares: whole.to_vec(),
        squares: hashed.to_vec(),
        rows: rows.iter().map(int8).collect(),
    }
}
