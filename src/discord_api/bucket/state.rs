//! What is known of one bucket; pure, so that every case can be tested without waiting.

use std::time::Duration;

use tokio::time::Instant;

use super::Window;

/// Added to each reset, because Discord rounds to milliseconds.
const MARGIN: Duration = Duration::from_millis(5);

/// Whether a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes.
    Now,
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
    /// Requests sent and not answered.
    in_flight: u32,
    /// Places given to requests that are not sent yet, urgent ones included.
    reserved: u32,
    urgent_reserved: u32,
    /// Places given beyond what remains: so many patient requests must come back.
    owed: u32,
    /// Counts windows, so that an answer of an earlier one is known as such.
    generation: u64,
    /// The end of a 429.
    blocked_until: Option<Instant>,
    used_at: Option<Instant>,
    has_name: bool,
}

impl State {
    /// Gives a place. An urgent request may take the place of a patient one that is not sent yet.
    pub(super) fn admit(&mut self, is_urgent: bool, now: Instant) -> Admission {
        self.used_at = Some(now);
        if let Some(until) = self.turn_over(now) {
            return Admission::At(until);
        }
        let patient_reserved = self.reserved.saturating_sub(self.urgent_reserved);
        let can_take = is_urgent && patient_reserved > self.owed;
        let others = if is_urgent { self.in_flight + self.urgent_reserved } else { self.in_flight + self.reserved };
        match &mut self.limit {
            Limit::Free => {}
            Limit::Known { remaining, .. } if *remaining > 0 => *remaining -= 1,
            Limit::Known { reset_at: Some(_), .. } if can_take => self.owed += 1,
            Limit::Known { reset_at: Some(reset_at), .. } => return Admission::At(*reset_at),
            // Nothing is known of this window: one request at a time finds out.
            Limit::Known { .. } if others == 0 => self.owed += u32::from(can_take),
            Limit::Unknown if others == 0 => {}
            Limit::Unknown | Limit::Known { .. } => return Admission::AfterAnswer,
        }
        self.reserved += 1;
        self.urgent_reserved += u32::from(is_urgent);
        Admission::Now
    }

    /// Ends what is over; the end of a 429 that is not.
    fn turn_over(&mut self, now: Instant) -> Option<Instant> {
        if let Some(until) = self.blocked_until {
            if now < until {
                return Some(until);
            }
            self.blocked_until = None;
            self.open_window();
        }
        if let Limit::Known { reset_at: Some(reset_at), .. } = self.limit
            && now >= reset_at
        {
            self.open_window();
        }
        None
    }

    /// A new window: requests that are not answered may count in it.
    fn open_window(&mut self) {
        self.generation += 1;
        if let Limit::Known { limit, remaining, reset_at } = &mut self.limit {
            let taken = self.in_flight + self.reserved;
            *remaining = limit.saturating_sub(taken);
            self.owed = taken.saturating_sub(*limit).min(self.reserved);
            *reset_at = None;
        }
    }

    /// Turns a place into a request under way and names its window; `None` when the place is lost.
    pub(super) fn start(&mut self, is_urgent: bool, now: Instant) -> Option<u64> {
        let is_blocked = self.turn_over(now).is_some();
        let patient_reserved = self.leave(is_urgent);
        let must_pay = self.owed > if is_urgent { patient_reserved } else { 0 };
        if must_pay {
            self.owed -= 1;
            return None;
        }
        let others = self.in_flight + if is_urgent { 0 } else { self.urgent_reserved };
        // In a bucket that nothing is known of, a second request at once could be one too many.
        if is_blocked || matches!(self.limit, Limit::Unknown) && others > 0 {
            return None;
        }
        self.owed = self.owed.min(self.reserved);
        self.in_flight += 1;
        Some(self.generation)
    }

    /// A place was not used after all.
    pub(super) fn give_back(&mut self, is_urgent: bool) {
        self.leave(is_urgent);
        if self.owed > 0 {
            self.owed -= 1;
        } else if let Limit::Known { limit, remaining, .. } = &mut self.limit {
            *remaining = (*remaining + 1).min(*limit);
        }
    }

    /// Takes a place away; the patient ones that are left.
    fn leave(&mut self, is_urgent: bool) -> u32 {
        self.reserved = self.reserved.saturating_sub(1);
        self.urgent_reserved = self.urgent_reserved.saturating_sub(u32::from(is_urgent));
        self.reserved.saturating_sub(self.urgent_reserved)
    }

    /// A request has ended, answered or not.
    pub(super) fn finish(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Takes the headers of an answer to a request admitted in window `generation` of this bucket, if in this one.
    pub(super) fn learn(&mut self, window: Window, generation: Option<u64>, now: Instant) {
        let heard_reset = now + window.reset_after + MARGIN;
        match &mut self.limit {
            Limit::Known { limit, remaining, reset_at } if *limit == window.limit => {
                if generation.is_some_and(|generation| generation != self.generation) {
                    return;
                }
                // Requests under way are counted here but perhaps not there, so the smaller figure holds.
                *remaining = (*remaining).min(window.remaining.saturating_sub(self.reserved));
                *reset_at = Some(heard_reset);
            }
            _ => {
                let taken = self.in_flight + self.reserved;
                let remaining = window.remaining.saturating_sub(taken);
                self.owed = taken.saturating_sub(window.remaining).min(self.reserved);
                self.limit = Limit::Known { limit: window.limit, remaining, reset_at: Some(heard_reset) };
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
        self.in_flight == 0 && self.reserved == 0
    }

    /// Nothing under way, no window running, unused for so long.
    pub(super) fn is_idle(&self, now: Instant, idle: Duration) -> bool {
        let window_end = match self.limit {
            Limit::Known { reset_at, .. } => reset_at,
            Limit::Unknown | Limit::Free => None,
        };
        let is_over = [window_end, self.blocked_until].into_iter().flatten().all(|end| end <= now);
        self.is_unused() && is_over && self.used_at.is_none_or(|used| now.duration_since(used) >= idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 5;

    fn window(remaining: u32, milliseconds: u64) -> Window {
        Window { limit: LIMIT, remaining, reset_after: Duration::from_millis(milliseconds) }
    }

    fn answer(state: &mut State, generation: u64, window: Window, now: Instant) {
        state.finish();
        state.learn(window, Some(generation), now);
    }

    /// A request that is sent as soon as it has its place.
    fn send(state: &mut State, now: Instant) -> Option<u64> {
        (state.admit(false, now) == Admission::Now).then(|| state.start(false, now)).flatten()
    }

    #[test]
    fn an_unknown_bucket_admits_one_at_a_time() {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!(send(&mut state, now), Some(0));
        assert_eq!(state.admit(false, now), Admission::AfterAnswer);
        state.finish();
        assert_eq!(send(&mut state, now), Some(0));
    }

    #[test]
    fn a_free_bucket_admits_all_until_it_names_a_limit() {
        let (mut state, now) = (State::default(), Instant::now());
        state.learn_free();
        assert!((0..9).all(|_| send(&mut state, now) == Some(0)));
        answer(&mut state, 0, window(0, 100), now);
        assert!(matches!(state.admit(false, now), Admission::At(_)));
    }

    #[test]
    fn a_window_admits_what_remains_and_then_waits_for_its_reset() {
        let (mut state, now) = (State::default(), Instant::now());
        send(&mut state, now);
        answer(&mut state, 0, window(4, 400), now);
        assert!((0..4).all(|_| send(&mut state, now) == Some(0)));
        let reset = now + Duration::from_millis(400) + MARGIN;
        assert_eq!(state.admit(false, now), Admission::At(reset));
        // Four still under way may land in the new window, so only one more goes.
        assert_eq!(send(&mut state, reset), Some(1));
        assert_eq!(state.admit(false, reset), Admission::AfterAnswer);
    }

    #[test]
    fn answers_out_of_order_never_add_requests() {
        let (mut state, now) = (State::default(), Instant::now());
        send(&mut state, now);
        answer(&mut state, 0, window(4, 400), now);
        send(&mut state, now);
        send(&mut state, now);
        answer(&mut state, 0, window(2, 390), now);
        answer(&mut state, 0, window(3, 395), now);
        assert!((0..2).all(|_| send(&mut state, now) == Some(0)));
        assert!(matches!(state.admit(false, now), Admission::At(_)));
    }

    #[test]
    fn an_answer_of_the_last_window_says_nothing_about_this_one() {
        let (mut state, now) = (State::default(), Instant::now());
        send(&mut state, now);
        answer(&mut state, 0, window(4, 400), now);
        send(&mut state, now);
        let later = now + Duration::from_secs(1);
        assert_eq!(send(&mut state, later), Some(1));
        answer(&mut state, 0, window(0, 1), later);
        assert_eq!(send(&mut state, later), Some(1));
    }

    #[test]
    fn a_429_blocks_until_it_is_over_and_takes_the_places_given() {
        let (mut state, now) = (State::default(), Instant::now());
        state.learn_free();
        assert_eq!(state.admit(false, now), Admission::Now);
        let until = now + Duration::from_secs(3);
        state.block(until);
        assert_eq!(state.start(false, now), None);
        assert_eq!(state.admit(false, now), Admission::At(until));
        assert_eq!(send(&mut state, until), Some(1));
    }

    #[test]
    fn a_person_takes_the_place_of_a_sweep_that_still_waits_for_its_lane() {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!(state.admit(false, now), Admission::Now);
        assert_eq!(state.admit(true, now), Admission::Now);
        assert_eq!(state.start(false, now), None);
        assert_eq!(state.start(true, now), Some(0));
        answer(&mut state, 0, window(1, 400), now);
        assert_eq!(state.admit(false, now), Admission::Now);
        assert_eq!(state.admit(true, now), Admission::Now);
        assert!(matches!(state.admit(true, now), Admission::At(_)));
        assert_eq!(state.start(true, now), Some(0));
        assert_eq!(state.start(false, now), None);
    }

    #[test]
    fn places_kept_into_a_smaller_window_are_not_all_used() {
        let (mut state, now) = (State::default(), Instant::now());
        state.learn_free();
        assert!((0..8).all(|_| state.admit(false, now) == Admission::Now));
        assert_eq!(state.start(false, now), Some(0));
        answer(&mut state, 0, window(4, 400), now);
        let started = (0..7).filter(|_| state.start(false, now).is_some()).count();
        assert_eq!(started, 4);
    }

    #[test]
    fn an_unused_place_goes_back() {
        let (mut state, now) = (State::default(), Instant::now());
        send(&mut state, now);
        answer(&mut state, 0, window(1, 400), now);
        assert_eq!(state.admit(false, now), Admission::Now);
        state.give_back(false);
        assert_eq!(send(&mut state, now), Some(0));
    }

    #[test]
    fn only_a_quiet_bucket_is_idle() {
        let (mut state, now) = (State::default(), Instant::now());
        send(&mut state, now);
        assert!(!state.is_idle(now + Duration::from_secs(90), Duration::from_mins(1)));
        answer(&mut state, 0, window(4, 100_000), now);
        assert!(!state.is_idle(now + Duration::from_secs(90), Duration::from_mins(1)));
        assert!(state.is_idle(now + Duration::from_secs(101), Duration::from_mins(1)));
    }
}
