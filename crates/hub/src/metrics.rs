//! Figures of a hub, in the form that Prometheus reads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imagewright_store::builds::{Outcome, Stage};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds of requests, and of what ends within one.
const REQUEST_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Seconds of builds and their stages.
const BUILD_SECONDS: [f64; 10] = [0.25, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 3600.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    status: &'static str,
}

/// The figures of one hub. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Figures>);

struct Figures {
    registry: Registry,
    builds: Family<ResultLabels, Counter>,
    stage_seconds: Family<StageLabels, Histogram>,
    queue: Family<QueueLabels, Gauge>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram>,
    database_up: Gauge,
    database_seconds: Histogram,
}

impl Metrics {
    /// Counts a build that has ended, with its stages.
    pub(crate) fn build_ended(&self, outcome: &Outcome, stages: &[Stage]) {
        let result = match outcome {
            Outcome::Succeeded(_) => "succeeded",
            Outcome::Failed(_) => "failed",
            Outcome::Cancelled => "cancelled",
        };
        self.0.builds.get_or_create(&ResultLabels { result }).inc();
        for stage in stages {
            if let Some(seconds) = stage.seconds {
                let labels = StageLabels { stage: stage.name.clone() };
                self.0.stage_seconds.get_or_create(&labels).observe(seconds);
            }
        }
    }

    /// Counts a request that was answered.
    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.0
            .request_seconds
            .get_or_create(&RouteLabels { method, route: route.clone() })
            .observe(took.as_secs_f64());
        self.0.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    }

    /// How many builds wait and run now.
    pub(crate) fn queue_is(&self, waiting: usize, running: usize) {
        for (status, count) in [("queued", waiting), ("running", running)] {
            let gauge = self.0.queue.get_or_create(&QueueLabels { status });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Whether the database answers now, and how long that took.
    pub(crate) fn database_is(&self, is_up: bool, took: Duration) {
        self.0.database_up.set(i64::from(is_up));
        self.0.database_seconds.observe(took.as_secs_f64());
    }

    /// All figures as text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut written = String::new();
        text::encode(&mut written, &self.0.registry)?;
        Ok(written)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("imagewright");
        let builds = Family::default();
        registry.register("builds", "Builds that have ended, by what came of them", builds.clone());
        let stage_seconds =
            Family::new_with_constructor((|| Histogram::new(BUILD_SECONDS)) as fn() -> Histogram);
        let about = "How long the stages of builds took";
        registry.register("build_stage_seconds", about, stage_seconds.clone());
        let queue = Family::default();
        registry.register("queue_builds", "Builds that wait and run now", queue.clone());
        let requests = Family::default();
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let request_seconds =
            Family::new_with_constructor((|| Histogram::new(REQUEST_SECONDS)) as fn() -> Histogram);
        let about = "How long requests took until their answer began";
        registry.register("http_request_seconds", about, request_seconds.clone());
        let database_up = Gauge::default();
        registry.register("database_up", "Whether the database answers", database_up.clone());
        let database_seconds = Histogram::new(REQUEST_SECONDS);
        let about = "How long the database took to answer a ping";
        registry.register("database_ping_seconds", about, database_seconds.clone());
        Self(Arc::new(Figures {
            registry,
            builds,
            stage_seconds,
            queue,
            requests,
            request_seconds,
            database_up,
            database_seconds,
        }))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn figures_are_told_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        let stage = Stage {
            name: "resolve".to_owned(),
            started_at: Timestamp::UNIX_EPOCH,
            seconds: Some(2.0),
            detail: String::new(),
        };
        metrics.build_ended(&Outcome::Cancelled, &[stage]);
        metrics.answered("GET", "/healthz", 200, Duration::from_millis(3));
        metrics.queue_is(3, 1);
        metrics.database_is(true, Duration::from_millis(1));
        let text = metrics.text().unwrap();
        for line in [
            "imagewright_builds_total{result=\"cancelled\"} 1",
            "imagewright_build_stage_seconds_count{stage=\"resolve\"} 1",
            "imagewright_queue_builds{status=\"queued\"} 3",
            "imagewright_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
            "imagewright_database_up 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }
}
