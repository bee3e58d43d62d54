//! The hour where the person is.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use whisperengine_types::Timestamp;

use crate::error::Error;

/// The person's time zone, if they told it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct LocalTime {
    zone: Option<String>,
}

/// No IANA name is longer.
const MAX_NAME: usize = 64;

impl LocalTime {
    pub(crate) fn set(&mut self, name: &str) -> Result<(), Error> {
        if name.len() > MAX_NAME || TimeZone::get(name).is_err() {
            return Err(Error::UnknownTimeZone {
                name: name.chars().take(40).collect(),
            });
        }
        self.zone = Some(name.to_owned());
        Ok(())
    }

    pub(crate) fn is_told(&self) -> bool {
        self.zone.is_some()
    }

    /// The hour of the day, `0..=23`, in the person's zone or else in `fallback`.
    pub(crate) fn hour(&self, fallback: &str, at: Timestamp) -> u8 {
        let name = self.zone.as_deref().unwrap_or(fallback);
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
            return 0;
        };
        let zone = if name == "UTC" {
            TimeZone::UTC
        } else {
            TimeZone::get(name).unwrap_or(TimeZone::UTC)
        };
        zone.to_datetime(instant).hour().unsigned_abs().min(23)
    }

    pub(crate) fn repair(&mut self) {
        if self
            .zone
            .as_deref()
            .is_some_and(|name| name.len() > MAX_NAME || TimeZone::get(name).is_err())
        {
            self.zone = None;
        }
    }
}
