//! Arithmetic on embeddings that several embedders share.

/// Scales to unit length; values without length stay zero.
pub(crate) fn normalize(values: &mut [f32]) {
    let norm = values
        .iter()
        .map(|&v| f64::from(v) * f64::from(v))
        .sum::<f64>()
        .sqrt();
    if norm > 0.0 {
        let scale = (1.0 / norm) as f32;
        for value in values {
            *value *= scale;
        }
    }
}
