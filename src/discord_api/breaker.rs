//! The bot's standing with Discord: how many requests were refused lately, and whether its token still counts.
//!
//! Invariant: once `invalid_requests_max` requests were refused within ten minutes nothing more is sent,
//! interaction answers apart; Discord bans an address at 10 000.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{
    Lane,
    error::{Error, SetupError},
};

/// The window in which Discord counts refused requests.
const WINDOW: Duration = Duration::from_mins(10);
/// The largest limit that can be set: Discord's own figure.
const INVALID_REQUESTS_CEILING: u32 = 10_000;

/// The bot's standing with Discord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiHealth {
    /// Requests answered 401, 403 or 429 (shared limits apart) in the last ten minutes, counted up to the limit.
    pub invalid_in_window: u32,
    /// Until then nothing but interaction answers is sent.
    pub breaker_open_until: Option<Instant>,
    /// Discord refused the bot token; nothing but interaction answers is sent until the latch is cleared.
    pub token_refused: bool,
}

pub(super) struct Breaker {
    invalid_requests_max: usize,
    state: Mutex<State>,
    health: watch::Sender<ApiHealth>,
}

#[derive(Default)]
struct State {
    /// The newest refusals, at most `invalid_requests_max` of them, oldest first.
    refusals: VecDeque<Instant>,
    token_refused: bool,
}

impl Breaker {
    pub(super) fn new(invalid_requests_max: u32) -> Result<Self, SetupError> {
        if invalid_requests_max == 0 {
            return Err(SetupError::Limit);
        }
        let invalid_requests_max = invalid_requests_max.min(INVALID_REQUESTS_CEILING) as usize;
        Ok(Self { invalid_requests_max, state: Mutex::default(), health: watch::Sender::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call may go out.
    pub(super) fn check(&self, lane: Lane, now: Instant) -> Result<(), Error> {
        if lane == Lane::Interaction {
            return Ok(());
        }
        let mut state = self.state();
        if state.token_refused {
            return Err(Error::TokenRefused);
        }
        match self.open_until(&mut state, now) {
            Some(until) => Err(Error::BreakerOpen { retry_after: until.duration_since(now) }),
            None => Ok(()),
        }
    }

    /// Counts an answer that Discord holds against the bot.
    pub(super) fn refused(&self, token: bool, now: Instant) {
        let mut state = self.state();
        if state.refusals.len() >= self.invalid_requests_max {
            state.refusals.pop_front();
        }
        state.refusals.push_back(now);
        state.token_refused |= token;
        self.tell(&mut state, now);
    }

    pub(super) fn clear_token_refused(&self, now: Instant) {
        let mut state = self.state();
        state.token_refused = false;
        self.tell(&mut state, now);
    }

    pub(super) fn health(&self, now: Instant) -> ApiHealth {
        let mut state = self.state();
        self.tell(&mut state, now)
    }

    pub(super) fn watch(&self) -> watch::Receiver<ApiHealth> {
        self.health.subscribe()
    }

    fn open_until(&self, state: &mut State, now: Instant) -> Option<Instant> {
        while state.refusals.front().is_some_and(|oldest| now.duration_since(*oldest) >= WINDOW) {
            state.refusals.pop_front();
        }
        let is_full = state.refusals.len() >= self.invalid_requests_max;
        state.refusals.front().filter(|_| is_full).map(|oldest| *oldest + WINDOW)
    }

    fn tell(&self, state: &mut State, now: Instant) -> ApiHealth {
        let breaker_open_until = self.open_until(state, now);
        let health = ApiHealth {
            invalid_in_window: u32::try_from(state.refusals.len()).unwrap_or(u32::MAX),
            breaker_open_until,
            token_refused: state.token_refused,
        };
        metrics::gauge!("discord_invalid_requests_in_window").set(f64::from(health.invalid_in_window));
        self.health.send_if_modified(|told| {
            let is_new = *told != health;
            *told = health;
            is_new
        });
        health
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_at_the_limit_and_closes_when_the_oldest_leaves_the_window() {
        let breaker = Breaker::new(3).unwrap();
        let start = Instant::now();
        let minutes = |count: u64| start + Duration::from_secs(60 * count);
        breaker.refused(false, minutes(0));
        breaker.refused(false, minutes(1));
        assert_eq!(breaker.check(Lane::Normal, minutes(1)), Ok(()));
        breaker.refused(false, minutes(2));
        let retry_after = Duration::from_mins(8);
        assert_eq!(breaker.check(Lane::Normal, minutes(2)), Err(Error::BreakerOpen { retry_after }));
        assert_eq!(breaker.check(Lane::Interaction, minutes(2)), Ok(()));
        assert_eq!(breaker.health(minutes(2)).breaker_open_until, Some(minutes(10)));
        assert_eq!(breaker.check(Lane::Normal, minutes(10)), Ok(()));
        assert_eq!(breaker.health(minutes(10)).invalid_in_window, 2);
    }

    #[test]
    fn a_refused_token_latches_and_is_told() {
        let breaker = Breaker::new(500).unwrap();
        let told = breaker.watch();
        let now = Instant::now();
        breaker.refused(true, now);
        assert!(told.has_changed().unwrap());
        assert!(told.borrow().token_refused);
        assert_eq!(breaker.check(Lane::Interactive, now), Err(Error::TokenRefused));
        breaker.clear_token_refused(now);
        assert_eq!(breaker.check(Lane::Interactive, now), Ok(()));
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        assert!(Breaker::new(0).is_err());
    }
}
