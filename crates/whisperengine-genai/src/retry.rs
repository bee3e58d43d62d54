//! What a failure means, and when to ask again.

use std::time::Duration;

use genai::webc;
use jiff::{Timestamp, fmt::rfc2822};
use whisperengine_types::ResponderError;

/// A request that failed before its answer began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// How long the provider asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// What is known of the cause, without address, key or what was sent.
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The provider takes no more requests for a while.
    Busy,
    /// The provider does not work at present.
    Broken,
    /// The provider takes no request of ours: key, model or address are wrong.
    Misconfigured,
    /// The provider refuses this request.
    Refused,
}

impl Failure {
    /// What a status says, with the headers of the response.
    pub(crate) fn of_status(status: u16, header: impl Fn(&str) -> Option<String>) -> Self {
        let retry_after = retry_after(header);
        let kind = match status {
            429 | 529 => FailureKind::Busy,
            503 if retry_after.is_some() => FailureKind::Busy,
            408 | 409 | 425 | 500..=599 => FailureKind::Broken,
            400 | 413 | 422 => FailureKind::Refused,
            _ => FailureKind::Misconfigured,
        };
        Self {
            kind,
            retry_after,
            reason: format!("the model's server answered {status}"),
        }
    }

    /// What an error of the client says.
    pub(crate) fn of(error: &genai::Error) -> Self {
        use genai::Error;
        let sent = match error {
            Error::WebStream { error, .. } => error.downcast_ref::<Error>(),
            _ => Some(error),
        };
        if let Some((status, error)) = sent.and_then(|error| Some((error.status()?, error))) {
            let headers = error.headers();
            return Self::of_status(status.as_u16(), |name| {
                let value = headers?.get(name)?;
                value.to_str().ok().map(str::to_owned)
            });
        }
        if let Error::WebStream { error, .. } = error
            && error.is::<webc::StreamTimeout>()
        {
            return Self::slow();
        }
        let reason = match error {
            Error::WebStream { .. } | Error::WebModelCall { .. } | Error::WebAdapterCall { .. } => {
                "the model's server cannot be reached"
            }
            Error::ChatResponse { body, .. } => return Self::of_event(body),
            Error::StreamParse { .. } => "the model's server sent something else than an answer",
            _ => "the request could not be made",
        };
        Self {
            kind: FailureKind::Broken,
            retry_after: None,
            reason: reason.to_owned(),
        }
    }

    /// A model that has not begun to answer in time is slow, not broken.
    pub(crate) fn slow() -> Self {
        Self {
            kind: FailureKind::Busy,
            retry_after: None,
            reason: "the model did not answer in time".to_owned(),
        }
    }

    /// An error that the provider sent in place of an answer, after a status of success.
    fn of_event(body: &impl ToString) -> Self {
        let body = body.to_string();
        let is_busy = ["overloaded", "rate_limit", "rate limit"]
            .iter()
            .any(|word| body.contains(word));
        Self {
            kind: if is_busy {
                FailureKind::Busy
            } else {
                FailureKind::Broken
            },
            retry_after: None,
            reason: "the model's server sent an error in place of an answer".to_owned(),
        }
    }

    /// Whether asking again may help.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.kind, FailureKind::Busy | FailureKind::Broken)
    }
}

impl From<Failure> for ResponderError {
    fn from(failure: Failure) -> Self {
        let Failure {
            kind,
            retry_after,
            reason,
        } = failure;
        match kind {
            FailureKind::Busy => Self::Busy { retry_after },
            FailureKind::Broken | FailureKind::Misconfigured => Self::Unavailable { reason },
            FailureKind::Refused => Self::Refused { reason },
        }
    }
}

/// How long to wait before asking for the `attempt`-th time again, counted from 0.
///
/// What the provider asks for is the least; `jitter` in `0..1` adds up to a quarter, so that many who wait do
/// not come back at once. Without it the wait is between half and all of the backoff.
pub(crate) fn wait(backoff: Duration, attempt: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
    let grown = backoff.saturating_mul(1 << attempt.min(16));
    match retry_after {
        Some(asked) => asked + asked.min(grown).mul_f64(jitter / 4.0),
        None => grown.mul_f64(0.5 + jitter / 2.0),
    }
}

/// A number in `0..1` that differs between turns and attempts: FNV-1a of the turn's id.
pub(crate) fn jitter(turn: &str, attempt: u32) -> f64 {
    let bytes = turn.bytes().chain(attempt.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The last steps of FNV mix the high bits least.
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// `retry-after-ms`, or `Retry-After` as seconds or as a date, which is compared with the response's own.
fn retry_after(header: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let seconds = |value: f64| {
        Duration::try_from_secs_f64(value)
            .ok()
            .map(|wait| wait.min(LONGEST))
    };
    if let Some(millis) = header("retry-after-ms").and_then(|value| number(&value)) {
        return seconds(millis / 1000.0);
    }
    let value = header("retry-after")?;
    if let Some(value) = number(&value) {
        return seconds(value);
    }
    let date = |text: &str| -> Option<Timestamp> {
        let parsed = rfc2822::DateTimeParser::new().parse_timestamp(text.trim());
        parsed.ok()
    };
    let (until, now) = (date(&value)?, date(&header("date")?)?);
    seconds(until.duration_since(now).as_secs_f64().max(0.0))
}

/// No provider is waited for longer than a day, whatever it asks for.
const LONGEST: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn a_status_says_what_to_do() {
        use FailureKind::{Broken, Busy, Misconfigured, Refused};
        let cases: [(u16, Headers, FailureKind, Option<u64>); 11] = [
            (429, &[], Busy, None),
            (429, &[("retry-after", "7")], Busy, Some(7000)),
            (
                429,
                &[("retry-after", "7"), ("retry-after-ms", "250")],
                Busy,
                Some(250),
            ),
            (503, &[("retry-after", "1.5")], Busy, Some(1500)),
            (
                503,
                &[
                    ("retry-after", "Tue, 10 Mar 2026 17:45:09 GMT"),
                    ("date", "Tue, 10 Mar 2026 17:45:00 GMT"),
                ],
                Busy,
                Some(9000),
            ),
            (503, &[("retry-after", "soon")], Broken, None),
            (529, &[("retry-after", "-3")], Busy, None),
            (502, &[], Broken, None),
            (401, &[], Misconfigured, None),
            (404, &[], Misconfigured, None),
            (400, &[], Refused, None),
        ];
        for (status, headers, kind, wait) in cases {
            let failure = Failure::of_status(status, |name| {
                let found = headers.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            let found = failure.retry_after.map(|wait| wait.as_millis() as u64);
            assert_eq!((failure.kind, found), (kind, wait), "{status} {headers:?}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_asked_and_grows(
            attempt in 0_u32..40, asked in prop::option::of(0_u64..100_000), turn in "[a-z0-9]{1,12}",
        ) {
            let backoff = Duration::from_millis(500);
            let asked = asked.map(Duration::from_millis);
            let jitter = jitter(&turn, attempt);
            prop_assert!((0.0..1.0).contains(&jitter));
            let wait = wait(backoff, attempt, asked, jitter);
            let grown = backoff * (1 << attempt.min(16));
            match asked {
                Some(asked) => prop_assert!(wait >= asked && wait <= asked + asked / 4),
                None => prop_assert!(wait >= grown / 2 && wait <= grown),
            }
        }
    }

    #[test]
    fn turns_wait_for_different_times() {
        let jitters: Vec<f64> = (0..1000).map(|n| jitter(&format!("m{n}"), 1)).collect();
        let mean = jitters.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        let low = jitters.iter().filter(|&&jitter| jitter < 0.1).count();
        assert!((60..140).contains(&low), "{low}");
    }
}
