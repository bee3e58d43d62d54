//! Which owner is served next: strict priority, softened by age.
//!
//! Each lane is first come, first served; a lane's head rises by one class for each [`aging`] it has
//! waited, so the longest possible wait of the lowest class is bounded whatever the others do.
//!
//! [`aging`]: crate::Config::aging

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

pub(crate) const LANES: usize = 4;

/// A place in a lane. Void once the owner's stamp has moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) slot: u32,
    pub(crate) stamp: u64,
    /// When the oldest operation behind it was handed in.
    pub(crate) since: Instant,
}

#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: [VecDeque<Ticket>; LANES],
    aging: Duration,
}

impl Lanes {
    pub(crate) fn new(aging: Duration) -> Self {
        Self {
            lanes: Default::default(),
            aging,
        }
    }

    pub(crate) fn push_back(&mut self, lane: usize, ticket: Ticket) {
        self.lanes[lane].push_back(ticket);
    }

    pub(crate) fn push_front(&mut self, lane: usize, ticket: Ticket) {
        self.lanes[lane].push_front(ticket);
    }

    /// Takes the ticket to be served at `now`, passing over those that are void.
    pub(crate) fn pop(
        &mut self,
        now: Instant,
        is_valid: impl Fn(&Ticket) -> bool,
    ) -> Option<(usize, Ticket)> {
        let mut best: Option<(i128, Instant, usize)> = None;
        for (lane, tickets) in self.lanes.iter_mut().enumerate() {
            while tickets.front().is_some_and(|ticket| !is_valid(ticket)) {
                tickets.pop_front();
            }
            if let Some(ticket) = tickets.front() {
                let raised = now.saturating_duration_since(ticket.since).as_nanos() / self.aging.as_nanos();
                let class = lane as i128 - raised as i128;
                if best.is_none_or(|(c, since, _)| (class, ticket.since) < (c, since)) {
                    best = Some((class, ticket.since, lane));
                }
            }
        }
        let (_, _, lane) = best?;
        self.lanes[lane].pop_front().map(|ticket| (lane, ticket))
    }
}
