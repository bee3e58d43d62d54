//! Line charts as SVG files.

use std::{error::Error, path::Path};

use plotters::{
    coord::Shift,
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
};

/// One line of a chart.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points, in order.
    pub points: Vec<(f64, f64)>,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly; from zero when nothing is below it.
    Linear,
    /// By powers of ten; every value must be above zero.
    Log,
}

/// What a chart says besides its lines.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// The heading.
    pub title: &'a str,
    /// What runs to the right, with its unit.
    pub x: (&'a str, Scale),
    /// What runs up, with its unit.
    pub y: (&'a str, Scale),
}

/// Draws `series` into the SVG file `path`.
///
/// # Errors
/// When there is no point to draw or the file cannot be written.
pub fn lines(path: &Path, chart: &Chart<'_>, series: &[Series]) -> Result<(), Box<dyn Error>> {
    let points = || series.iter().flat_map(|line| &line.points);
    if points().next().is_none() {
        return Err(format!("{} has no point to draw", chart.title).into());
    }
    let (x, y) = (
        range(points().map(|p| p.0), chart.x.1),
        range(points().map(|p| p.1), chart.y.1),
    );
    let root = SVGBackend::new(path, (860, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    match (chart.x.1, chart.y.1) {
        (Scale::Linear, Scale::Linear) => draw(&root, chart, x, y, series)?,
        (Scale::Log, Scale::Linear) => draw(&root, chart, x.log_scale(), y, series)?,
        (Scale::Linear, Scale::Log) => draw(&root, chart, x, y.log_scale(), series)?,
        (Scale::Log, Scale::Log) => draw(&root, chart, x.log_scale(), y.log_scale(), series)?,
    }
    root.present()?;
    Ok(())
}

fn range(values: impl Iterator<Item = f64>, scale: Scale) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    match scale {
        Scale::Linear => {
            let margin = ((high - low) * 0.05).max(1e-9);
            let bottom = if low >= 0.0 && low < (high - low) {
                0.0
            } else {
                low - margin
            };
            bottom..high + margin
        }
        Scale::Log => low.max(f64::MIN_POSITIVE) / 1.3..high * 1.3,
    }
}

fn draw<X, Y>(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    chart: &Chart<'_>,
    x: X,
    y: Y,
    series: &[Series],
) -> Result<(), Box<dyn Error>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut context = ChartBuilder::on(root)
        .caption(chart.title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(68)
        .build_cartesian_2d(x, y)?;
    context
        .configure_mesh()
        .x_desc(chart.x.0)
        .y_desc(chart.y.0)
        .light_line_style(WHITE)
        .draw()?;
    for (at, line) in series.iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        let path = LineSeries::new(line.points.iter().copied(), color.stroke_width(2));
        context
            .draw_series(path)?
            .label(line.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        context.draw_series(
            line.points
                .iter()
                .map(|&point| Circle::new(point, 3, color.filled())),
        )?;
    }
    context
        .configure_series_labels()
        .border_style(BLACK.mix(0.3))
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}
