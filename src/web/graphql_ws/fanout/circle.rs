//! Those who wait for the same messages, and the messages that not all of them have taken yet. Promises: everybody gets each message once
//! and in order from where they sat down; memory is bounded however slowly somebody reads; one who does not read holds up nobody.
//! Must not know what the messages say.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_graphql::ServerError;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::payload::Payload;
use super::seat::Seat;
use crate::access::Caller;
use crate::web::graphql_ws::bell::{Bell, NEWS};

/// Messages that may wait for a slow reader.
const MOST_MESSAGES: usize = 64;
/// Bytes that may wait for a slow reader.
const MOST_BYTES: usize = 1024 * 1024;
/// How long all wait for one who could read but was not given the time to.
const GRACE: Duration = Duration::from_secs(1);

/// Why nobody gets any more.
pub(in crate::web::graphql_ws) enum Ending {
    /// It failed.
    Failed(Vec<ServerError>),
    /// There is no more.
    Complete,
}

/// What a seat hears.
pub(in crate::web::graphql_ws) enum News {
    /// A message.
    Payload(Arc<Payload>),
    /// Too much waited; what was not taken is lost to this seat.
    Overflow,
    /// The right to sit here has to be shown again.
    Recheck,
    /// The end.
    Over(Arc<Ending>),
}

/// Seats, and messages that wait.
#[derive(Default)]
pub(super) struct Circle {
    state: Mutex<State>,
    bells: Mutex<Vec<Option<Arc<Bell>>>>,
    /// Grows with everything that a seat may want to know.
    news: AtomicU64,
    /// Rung when those who held up the next message have gone on.
    room: Notify,
    /// Rung when the last one leaves.
    empty: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<Payload>>,
    /// Number of the first message that waits, counted from the beginning.
    first: u64,
    bytes: usize,
    /// Position of the newest message.
    sent: i64,
    chairs: Vec<Option<Chair>>,
    free: Vec<usize>,
    /// How many still have to take the first message before there is room.
    awaited: usize,
    /// Whether newcomers get the last message, and that message.
    keeps: bool,
    kept: Option<Arc<Payload>>,
    over: Option<Arc<Ending>>,
    is_closed: bool,
}

struct Chair {
    caller: Arc<Caller>,
    /// Number of the message to take next.
    next: u64,
    /// The peer does not take what was sent.
    is_stalled: bool,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sits,
    Overflowed,
    Recheck,
}

impl Circle {
    /// An empty circle whose next message comes after this position.
    pub(super) fn starting(position: i64) -> Self {
        let circle = Self::default();
        circle.state().sent = position;
        circle
    }

    /// An empty circle whose newcomers get the last message first.
    pub(super) fn keeping() -> Self {
        let circle = Self::default();
        circle.state().keeps = true;
        circle
    }

    /// Sits down; with the position of the last message before. `None` when it is too late.
    pub(super) fn sit(
        self: &Arc<Self>,
        bell: &Arc<Bell>,
        caller: &Arc<Caller>,
        position: i64,
    ) -> Option<(Seat, i64)> {
        let mut state = self.state();
        if state.is_closed {
            return None;
        }
        let chair = Chair {
            caller: caller.clone(),
            next: state.end(),
            is_stalled: false,
            fate: Fate::Sits,
        };
        let place = state.free.pop().unwrap_or(state.chairs.len());
        let mut bells = self.bells();
        if place == state.chairs.len() {
            state.chairs.push(Some(chair));
            bells.push(Some(bell.clone()));
        } else {
            state.chairs[place] = Some(chair);
            bells[place] = Some(bell.clone());
        }
        let seat = Seat::new(self.clone(), place, position, state.kept.clone());
        Some((seat, state.sent))
    }

    /// Hands a message to everybody. Waits for those who are about to take the oldest one, but not for those whose peer does not read.
    pub(super) async fn send(&self, payload: Payload) {
        let payload = Arc::new(payload);
        while !self.try_send(&payload, false) {
            if timeout(GRACE, self.room.notified()).await.is_err() && self.try_send(&payload, true) {
                break;
            }
        }
        self.announce();
    }

    pub(super) fn try_send(&self, payload: &Arc<Payload>, by_force: bool) -> bool {
        let mut state = self.state();
        state.forget_taken();
        while state.is_full(payload.size()) {
            let first = state.first;
            let held_up = |chair: &&mut Chair| chair.fate == Fate::Sits && chair.next == first;
            let holding = state.chairs.iter_mut().flatten().filter(held_up);
            let (mut awaited, mut cut_off) = (0, false);
            for chair in holding {
                if chair.is_stalled || by_force {
                    chair.fate = Fate::Overflowed;
                    cut_off = true;
                } else {
                    awaited += 1;
                }
            }
            if awaited > 0 {
                state.awaited = awaited;
                if cut_off {
                    self.news.fetch_add(1, Ordering::AcqRel);
                    drop(state);
                    self.announce();
                }
                return false;
            }
            state.forget_taken();
        }
        state.awaited = 0;
        state.bytes += payload.size();
        state.sent = payload.seq;
        state.waiting.push_back(payload.clone());
        if state.keeps {
            state.kept = Some(payload.clone());
        }
        self.news.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// Ends it for everybody.
    pub(super) fn finish(&self, ending: Option<Ending>) {
        let mut state = self.state();
        state.is_closed = true;
        state.over = ending.map(Arc::new);
        self.news.fetch_add(1, Ordering::AcqRel);
        drop(state);
        self.announce();
    }

    /// Nobody may sit down any more, if nobody sits.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut state = self.state();
        state.is_closed |= state.chairs.len() == state.free.len();
        state.is_closed
    }

    /// Whether nobody sits here now.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.state();
        state.chairs.len() == state.free.len()
    }

    /// Waits until the last one leaves.
    pub(super) async fn emptied(&self) {
        self.empty.notified().await;
    }

    /// Who sits where.
    pub(super) fn people(&self) -> Vec<(usize, Arc<Caller>)> {
        let state = self.state();
        let sitting = |(place, chair): (usize, &Option<Chair>)| {
            let chair = chair.as_ref().filter(|chair| chair.fate == Fate::Sits)?;
            Some((place, chair.caller.clone()))
        };
        state.chairs.iter().enumerate().filter_map(sitting).collect()
    }

    /// Sends these away to show their right to sit here again.
    pub(super) fn recheck(&self, places: &[usize]) {
        let mut state = self.state();
        for place in places {
            if let Some(Some(chair)) = state.chairs.get_mut(*place)
                && chair.fate == Fate::Sits
            {
                chair.fate = Fate::Recheck;
            }
        }
        self.news.fetch_add(1, Ordering::AcqRel);
        drop(state);
        self.announce();
    }

    pub(super) fn news(&self) -> u64 {
        self.news.load(Ordering::Acquire)
    }

    /// The next thing for a seat.
    pub(super) fn take(&self, place: usize) -> Option<News> {
        let mut state = self.state();
        let state = &mut *state;
        let chair = state.chairs[place].as_mut()?;
        match chair.fate {
            Fate::Overflowed => return Some(News::Overflow),
            Fate::Recheck => return Some(News::Recheck),
            Fate::Sits => {}
        }
        let number = chair.next;
        let Some(payload) = state.waiting.get(usize::try_from(number - state.first).ok()?) else {
            return state.over.clone().map(News::Over);
        };
        chair.next += 1;
        let payload = payload.clone();
        if !chair.is_stalled {
            self.passed(state, number);
        }
        Some(News::Payload(payload))
    }

    /// Whether the peer of this seat takes what is sent.
    pub(super) fn stall(&self, place: usize, is_stalled: bool) {
        let mut state = self.state();
        let Some(chair) = state.chairs[place].as_mut() else {
            return;
        };
        let was_awaited = chair.fate == Fate::Sits && !chair.is_stalled;
        chair.is_stalled = is_stalled;
        if is_stalled && was_awaited {
            let number = chair.next;
            self.passed(&mut state, number);
        }
    }

    pub(super) fn leave(&self, place: usize) {
        let mut state = self.state();
        let chair = state.chairs[place].take();
        state.free.push(place);
        self.bells()[place] = None;
        if let Some(chair) = chair
            && chair.fate == Fate::Sits
            && !chair.is_stalled
        {
            self.passed(&mut state, chair.next);
        }
        if state.chairs.len() == state.free.len() {
            self.empty.notify_one();
        }
    }

    /// Somebody no longer holds up this message.
    fn passed(&self, state: &mut State, number: u64) {
        if state.awaited > 0 && number == state.first {
            state.awaited -= 1;
            if state.awaited == 0 {
                self.room.notify_one();
            }
        }
    }

    fn announce(&self) {
        for bell in self.bells().iter().flatten() {
            bell.ring(NEWS);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bells(&self) -> MutexGuard<'_, Vec<Option<Arc<Bell>>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.waiting.len() as u64
    }

    fn is_full(&self, more: usize) -> bool {
        let is_over = self.waiting.len() >= MOST_MESSAGES || self.bytes + more > MOST_BYTES;
        is_over && !self.waiting.is_empty()
    }

    /// Drops what everybody has taken.
    fn forget_taken(&mut self) {
        let sitting = self
            .chairs
            .iter()
            .flatten()
            .filter(|chair| chair.fate == Fate::Sits);
        let oldest = sitting.map(|chair| chair.next).min().unwrap_or(u64::MAX);
        while self.first < oldest
            && let Some(payload) = self.waiting.pop_front()
        {
            self.first += 1;
            self.bytes -= payload.size();
        }
    }
}
