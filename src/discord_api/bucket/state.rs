//! What is known of one bucket; pure, so that every case can be tested without waiting.

use std::time::Duration;

use tokio::time::Instant;

use super::Window;

/// Added to each reset, because Discord rounds to milliseconds.
const MARGIN: Duration = Duration::from_millis(5);

/// Whether a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes, in this window.
    Now(u64),
    /// Not before this moment, unless an answer says otherwise.
    At(Instant),
    /// Not before a request under way is answered.
    AfterAnswer,
}

#[derive(Default)]
enum Limit {
    /// No answer has described the bucket yet.
    #[default]
    Unknown,
    /// Discord names no limit.
    Free,
    Known {
        limit: u32,
        /// Requests that may still be sent in this window.
        remaining: u32,
        /// `None` until an answer in this window has said so.
        reset_at: Option<Instant>,
    },
}

#[derive(Default)]
pub(super) struct State {
    limit: Limit,
    in_flight: u32,
    /// Counts windows, so that an answer of an earlier one is known as such.
    generation: u64,
    /// The end of a 429.
    blocked_until: Option<Instant>,
    used_at: Option<Instant>,
    has_name: bool,
}

impl State {
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        self.used_at = Some(now);
        if let Some(until) = self.blocked_until {
            if now < until {
                return Admission::At(until);
            }
            self.blocked_until = None;
            self.open_window();
        }
        if let Limit::Known {
            reset_at: Some(reset_at),
            ..
        } = self.limit
            && now >= reset_at
        {
            self.open_window();
        }
        let admission = match &mut self.limit {
            Limit::Free => Admission::Now(self.generation),
            Limit::Known { remaining, .. } if *remaining > 0 => {
                *remaining -= 1;
                Admission::Now(self.generation)
            }
            Limit::Known {
                reset_at: Some(reset_at),
                ..
            } => Admission::At(*reset_at),
            // Nothing is known of this window: one request at a time finds out.
            Limit::Unknown | Limit::Known { .. } if self.in_flight == 0 => {
                Admission::Now(self.generation)
            }
            Limit::Unknown | Limit::Known { .. } => Admission::AfterAnswer,
        };
        if matches!(admission, Admission::Now(_)) {
            self.in_flight += 1;
        }
        admission
    }

    /// A new window: requests still under way may count in it.
    fn open_window(&mut self) {
        self.generation += 1;
        if let Limit::Known {
            limit,
            remaining,
            reset_at,
        } = &mut self.limit
        {
            *remaining = limit.saturating_sub(self.in_flight);
            *reset_at = None;
        }
    }

    /// A request has ended, answered or not.
    pub(super) fn finish(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Takes the headers of an answer to a request admitted in window `generation` of this bucket, if in this one.
    pub(super) fn learn(&mut self, window: Window, generation: Option<u64>, now: Instant) {
        let heard_reset = now + window.reset_after + MARGIN;
        let unanswered = window.remaining.saturating_sub(self.in_flight);
        match &mut self.limit {
            Limit::Known {
                limit,
                remaining,
                reset_at,
            } if *limit == window.limit => {
                let is_late = generation.is_some_and(|generation| generation != self.generation);
                if is_late {
                    return;
                }
                // Requests under way are counted here but perhaps not there, so the smaller figure holds.
                *remaining = (*remaining).min(window.remaining);
                *reset_at = Some(heard_reset);
            }
            _ => {
                self.limit = Limit::Known {
                    limit: window.limit,
                    remaining: unanswered,
                    reset_at: Some(heard_reset),
                };
            }
        }
    }

    /// A successful answer named no limit.
    pub(super) fn learn_free(&mut self) {
        if matches!(self.limit, Limit::Unknown) {
            self.limit = Limit::Free;
        }
    }

    pub(super) fn block(&mut self, until: Instant) {
        self.blocked_until = self.blocked_until.max(Some(until));
    }

    pub(super) fn used(&mut self, now: Instant) {
        self.used_at = Some(now);
    }

    /// Gives the bucket a name; false when it has one.
    pub(super) fn take_name(&mut self) -> bool {
        !std::mem::replace(&mut self.has_name, true)
    }

    pub(super) fn is_unused(&self) -> bool {
        self.in_flight == 0
    }

    /// Nothing under way, no window running, unused for so long.
    pub(super) fn is_idle(&self, now: Instant, idle: Duration) -> bool {
        let window_end = match self.limit {
            Limit::Known { reset_at, .. } => reset_at,
            Limit::Unknown | Limit::Free => None,
        };
        let is_over = [window_end, self.blocked_until]
            .into_iter()
            .flatten()
            .all(|end| end <= now);
        self.is_unused()
            && is_over
            && self
                .used_at
                .is_none_or(|used| now.duration_since(used) >= idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 5;

    fn window(remaining: u32, milliseconds: u64) -> Window {
        Window {
            limit: LIMIT,
            remaining,
            reset_after: Duration::from_millis(milliseconds),
        }
    }

    fn answer(state: &mut State, generation: u64, window: Window, now: Instant) {
        state.finish();
        state.learn(window, Some(generation), now);
    }

    #[test]
    fn an_unknown_bucket_admits_one_at_a_time() {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!(state.admit(now), Admission::Now(0));
        assert_eq!(state.admit(now), Admission::AfterAnswer);
        state.finish();
        assert_eq!(state.admit(now), Admission::Now(0));
    }

    #[test]
    fn a_free_bucket_admits_all_until_it_names_a_limit() {
        let (mut state, now) = (State::default(), Instant::now());
        state.learn_free();
        assert!((0..9).all(|_| state.admit(now) == Admission::Now(0)));
        answer(&mut state, 0, window(0, 100), now);
        assert!(matches!(state.admit(now), Admission::At(_)));
    }

    #[test]
    fn a_window_admits_what_remains_and_then_waits_for_its_reset() {
        let (mut state, now) = (State::default(), Instant::now());
        state.admit(now);
        answer(&mut state, 0, window(4, 400), now);
        assert!((0..4).all(|_| state.admit(now) == Admission::Now(0)));
        let reset = now + Duration::from_millis(400) + MARGIN;
        assert_eq!(state.admit(now), Admission::At(reset));
        // Four still under way may land in the new window, so only one more goes.
        assert_eq!(state.admit(reset), Admission::Now(1));
        assert_eq!(state.admit(reset), Admission::AfterAnswer);
    }

    #[test]
    fn answers_out_of_order_never_add_requests() {
        let (mut state, now) = (State::default(), Instant::now());
        state.admit(now);
        answer(&mut state, 0, window(4, 400), now);
        state.admit(now);
        state.admit(now);
        answer(&mut state, 0, window(2, 390), now);
        answer(&mut state, 0, window(3, 395), now);
        assert!((0..2).all(|_| state.admit(now) == Admission::Now(0)));
        assert!(matches!(state.admit(now), Admission::At(_)));
    }

    #[test]
    fn an_answer_of_the_last_window_says_nothing_about_this_one() {
        let (mut state, now) = (State::default(), Instant::now());
        state.admit(now);
        answer(&mut state, 0, window(4, 400), now);
        state.admit(now);
        let later = now + Duration::from_secs(1);
        assert_eq!(state.admit(later), Admission::Now(1));
        answer(&mut state, 0, window(0, 1), later);
        assert_eq!(state.admit(later), Admission::Now(1));
    }

    #[test]
    fn a_429_blocks_until_it_is_over() {
        let (mut state, now) = (State::default(), Instant::now());
        state.admit(now);
        state.finish();
        let until = now + Duration::from_secs(3);
        state.block(until);
        assert_eq!(state.admit(now), Admission::At(until));
        assert_eq!(state.admit(until), Admission::Now(1));
    }

    #[test]
    fn only_a_quiet_bucket_is_idle() {
        let (mut state, now) = (State::default(), Instant::now());
        state.admit(now);
        assert!(!state.is_idle(now + Duration::from_secs(90), Duration::from_secs(60)));
        answer(&mut state, 0, window(4, 100_000), now);
        assert!(!state.is_idle(now + Duration::from_secs(90), Duration::from_secs(60)));
        assert!(state.is_idle(now + Duration::from_secs(101), Duration::from_secs(60)));
    }
}
