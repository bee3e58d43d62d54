//! Four classes by weight, and inside each class rounds, so that nobody is served twice before
//! everybody who waits was served once.

use std::collections::VecDeque;

use whisperengine_types::Priority;

/// A queue of four classes in deficit round robin with unit cost (Shreedhar and Varghese, 1996).
///
/// Every round gives each class as many credits as its weight; the most urgent class that has both
/// items and credits is served, and when none has, the next round begins. So a class that always has
/// items gets exactly its share, and one that had none goes first when it comes back. A class that was
/// passed over `aging - 1` times in a row is served next, whatever the weights say.
///
/// Inside a class, items go first in first out within a round: [`put`](Self::put) joins the current
/// round, [`put_next_round`](Self::put_next_round) the one after. While somebody waits for the next round,
/// the current one takes in at most as many more items as it had, and [`ROUND_SLACK`](Self::ROUND_SLACK);
/// so a stream of newcomers starves nobody.
///
/// All operations take amortised constant time.
#[derive(Debug, Clone)]
pub struct WeightedQueue<T> {
    lanes: [Lane<T>; 4],
    weights: [u32; 4],
    credits: [u32; 4],
    /// Gets since the class was last served while it had items.
    passed: [u32; 4],
    aging: u32,
    /// Most items that join a round while the next one waits, whatever its length.
    round_limit: usize,
}

#[derive(Debug, Clone)]
struct Lane<T> {
    current: VecDeque<T>,
    next: VecDeque<T>,
    round: u32,
    /// How many more items `current` takes in while `next` has some.
    room: usize,
}

impl<T> WeightedQueue<T> {
    /// How many items may join a round, besides as many as it had, while the next round waits.
    pub const ROUND_SLACK: usize = 64;

    /// An empty queue; `weights` are most urgent first, `aging` is the longest distance between two
    /// services of a class that has items (taken as at least 16, or it would overrule the weights).
    pub fn new(weights: [u32; 4], aging: u32) -> Self {
        Self {
            lanes: std::array::from_fn(|_| Lane {
                current: VecDeque::new(),
                next: VecDeque::new(),
                round: 0,
                room: Self::ROUND_SLACK,
            }),
            weights,
            credits: weights,
            passed: [0; 4],
            aging: aging.max(16),
            round_limit: usize::MAX,
        }
    }

    /// Limits how many items join a round while the next one waits, so that the next one's wait is bounded
    /// where service is slow.
    pub fn limit_round(&mut self, items: usize) {
        self.round_limit = items;
    }

    /// Adds an item at the end of its class's current round, or of the next one if the current is closed.
    #[inline]
    pub fn put(&mut self, class: Priority, item: T) {
        self.lanes[class as usize].join(item);
    }

    /// Adds an item at the end of its class's next round.
    #[inline]
    pub fn put_next_round(&mut self, class: Priority, item: T) {
        self.lanes[class as usize].wait(item, self.round_limit);
    }

    /// Takes the next item and its class.
    #[inline]
    pub fn get(&mut self) -> Option<(Priority, T)> {
        self.get_where(|_| true)
    }

    /// Takes the next item for which `live` holds; the others before it are dropped and cost their
    /// class nothing.
    #[inline]
    pub fn get_where(&mut self, mut live: impl FnMut(&T) -> bool) -> Option<(Priority, T)> {
        loop {
            let class = self.choose()?;
            while let Some(item) = self.lanes[class].pop() {
                if live(&item) {
                    self.charge(class);
                    return Some((Priority::ALL[class], item));
                }
            }
        }
    }

    /// Keeps only the items for which `live` holds.
    pub fn retain(&mut self, mut live: impl FnMut(&T) -> bool) {
        for lane in &mut self.lanes {
            lane.current.retain(&mut live);
            lane.next.retain(&mut live);
        }
    }

    /// The number of the current round of `class`; goes up by one when a round begins, and wraps.
    #[inline]
    pub fn round(&self, class: Priority) -> u32 {
        self.lanes[class as usize].round
    }

    /// Items in `class`.
    pub fn depth(&self, class: Priority) -> usize {
        self.lanes[class as usize].len()
    }

    /// Items in all classes.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(Lane::len).sum()
    }

    /// Whether no class has items.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.len() == 0)
    }

    /// The class to serve: an overdue one, else the most urgent with credits, else that of a new round.
    #[inline]
    fn choose(&mut self) -> Option<usize> {
        let waiting: [bool; 4] = std::array::from_fn(|class| self.lanes[class].len() > 0);
        let first = (0..4).find(|&class| waiting[class])?;
        // All four can fall due together, so each starts early enough to leave room for the others.
        let overdue = (0..4)
            .filter(|&class| waiting[class] && self.passed[class] + 4 >= self.aging)
            .max_by_key(|&class| self.passed[class]);
        if overdue.is_some() {
            return overdue;
        }
        if let Some(class) = (0..4).find(|&class| waiting[class] && self.credits[class] > 0) {
            return Some(class);
        }
        self.credits = self.weights;
        let funded = (0..4).find(|&class| waiting[class] && self.credits[class] > 0);
        Some(funded.unwrap_or(first))
    }

    #[inline]
    fn charge(&mut self, class: usize) {
        self.credits[class] = self.credits[class].saturating_sub(1);
        for (other, passed) in self.passed.iter_mut().enumerate() {
            *passed = if other == class || self.lanes[other].len() == 0 {
                0
            } else {
                *passed + 1
            };
        }
    }
}

impl<T> Lane<T> {
    #[inline]
    fn len(&self) -> usize {
        self.current.len() + self.next.len()
    }

    #[inline]
    fn join(&mut self, item: T) {
        if self.next.is_empty() {
            self.current.push_back(item);
        } else if self.room > 0 {
            self.room -= 1;
            self.current.push_back(item);
        } else {
            self.next.push_back(item);
        }
    }

    #[inline]
    fn wait(&mut self, item: T, limit: usize) {
        if self.next.is_empty() {
            self.room = (self.current.len() + WeightedQueue::<T>::ROUND_SLACK).min(limit);
        }
        self.next.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        if self.current.is_empty() && !self.next.is_empty() {
            std::mem::swap(&mut self.current, &mut self.next);
            self.round = self.round.wrapping_add(1);
        }
        self.current.pop_front()
    }
}
