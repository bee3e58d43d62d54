//! When the bot may speak of its own accord.

use whisperengine_types::Timestamp;

use super::{Engagement, Initiative};
use crate::{
    config::EngagementConfig,
    number::{DAY, HOUR, MINUTE},
    session::Session,
};

impl Initiative {
    /// Whether a suggestion may be woven into a reply: the person is there, so only an explicit refusal and
    /// the hourly cap count.
    pub(super) fn may_weave_in(&self, config: &EngagementConfig, now: Timestamp) -> bool {
        !self.is_refused() && self.sent_within(now, HOUR) < config.hourly_cap as usize
    }

    /// Whether a message of the bot's own may be sent, quiet hours apart.
    fn may_send(&self, config: &EngagementConfig, now: Timestamp) -> bool {
        self.is_allowed()
            && self.unanswered() < config.unanswered_cap
            && self.sent_within(now, HOUR) < config.hourly_cap as usize
            && self.sent_within(now, DAY) < config.daily_cap as usize
            && (config.minimum_gap_minutes == 0
                || self.sent_within(now, MINUTE * config.minimum_gap_minutes) == 0)
    }
}

impl Engagement {
    /// Strength of the silence at `now`, if it is long for this person and the bot may break it.
    pub(crate) fn silence(
        &self,
        config: &EngagementConfig,
        session: &Session,
        now: Timestamp,
    ) -> Option<f32> {
        let last = session.last_message?;
        // The bot's own reply restarts the wait; before it, the turn is the bot's.
        let since = session.last_reply.map_or(last, |reply| reply.max(last));
        if session.owes_reply
            || session.closed
            || !self.initiative.may_send(config, now)
            || self.is_night(config, now)
        {
            return None;
        }
        let minutes = now.since(since).as_secs_f32() / 60.0;
        let usual = 2.0 * self.rhythm.gap_s() / 60.0;
        let threshold = (config.stagnation_minutes as f32).max(usual);
        let strength = (minutes / (2.0 * config.stagnation_minutes as f32).max(2.0 * usual)).min(1.0);
        (minutes >= threshold && strength > config.risk).then_some(strength)
    }

    /// Whether it is night where the person is: the configured hours in their zone; while the zone is not
    /// known also the hours in which they never write.
    fn is_night(&self, config: &EngagementConfig, now: Timestamp) -> bool {
        let hour = self.local_time.hour(&config.time_zone, now);
        let within = |(from, until): (u8, u8)| match from.cmp(&until) {
            std::cmp::Ordering::Less => (from..until).contains(&hour),
            std::cmp::Ordering::Equal => false,
            std::cmp::Ordering::Greater => hour >= from || hour < until,
        };
        let inferred = if self.local_time.is_told() {
            None
        } else {
            self.rhythm.night()
        };
        within((config.quiet_from_hour, config.quiet_until_hour)) || inferred.is_some_and(within)
    }
}
