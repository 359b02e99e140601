//! The place of one subscription in a circle. Leaves when it is dropped.

use std::sync::Arc;

use super::circle::{Circle, News};
use super::payload::Payload;

/// A place in a circle.
pub(in crate::web::graphql_ws) struct Seat {
    circle: Arc<Circle>,
    place: usize,
    /// The circle's news when there was nothing left to take.
    seen: u64,
    position: i64,
    /// What was sent before and still holds.
    kept: Option<Arc<Payload>>,
    is_stalled: bool,
}

impl Seat {
    pub(super) fn new(circle: Arc<Circle>, place: usize, position: i64, kept: Option<Arc<Payload>>) -> Self {
        Self {
            circle,
            place,
            // Something may have happened to this place before it is looked at for the first time.
            seen: u64::MAX,
            position,
            kept,
            is_stalled: false,
        }
    }

    /// Position of the last change that this subscription knows.
    pub(in crate::web::graphql_ws) fn position(&self) -> i64 {
        self.position
    }

    /// The subscription has read this far by itself.
    pub(in crate::web::graphql_ws) fn advance(&mut self, position: i64) {
        self.position = self.position.max(position);
    }

    /// The next thing for this subscription, if there is one; the bell rings when there may be more.
    pub(in crate::web::graphql_ws) fn take(&mut self) -> Option<News> {
        if let Some(kept) = self.kept.take() {
            return Some(News::Payload(kept));
        }
        let news = self.circle.news();
        if news == self.seen {
            return None;
        }
        loop {
            match self.circle.take(self.place) {
                // What a resuming subscription has read from the log by itself comes again when the circle lags behind.
                Some(News::Payload(payload)) if payload.seq <= self.position => {}
                Some(News::Payload(payload)) => {
                    self.position = payload.seq;
                    return Some(News::Payload(payload));
                }
                None => {
                    self.seen = news;
                    return None;
                }
                other => return other,
            }
        }
    }

    /// Whether the peer takes what is sent; nobody has to wait for one that does not.
    pub(in crate::web::graphql_ws) fn stall(&mut self, is_stalled: bool) {
        if self.is_stalled != is_stalled {
            self.is_stalled = is_stalled;
            self.circle.stall(self.place, is_stalled);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.circle.leave(self.place);
    }
}
