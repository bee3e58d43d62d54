//! The engine's metrics for Prometheus, as text; serving them over HTTP is up to the program.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Collects the metrics of every engine in the process.
#[derive(Clone)]
pub struct Exporter {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl Exporter {
    /// Starts collecting; once in a process.
    ///
    /// # Errors
    /// [`BuildError`] when a recorder is installed already.
    pub fn install() -> Result<Self, BuildError> {
        let stages = Matcher::Full("whisperengine_stage_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(stages, &STAGE_SECONDS)?;
        Ok(Self {
            handle: builder.install_recorder()?,
        })
    }

    /// The metrics in the text format that Prometheus scrapes.
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

const STAGE_SECONDS: [f64; 12] = [
    1e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 1.0,
];
