//! What a stream of changes runs on when it does not follow the change log by itself. Travels in the data of a request.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::access::Ctx;
use crate::kernel::Result;
use crate::kernel::changes::Change;
use crate::platform::presence::Watch;

/// What is heard of those who are in a workspace, by whoever listens for many.
pub type Crowd = Arc<tokio::sync::Mutex<Watch>>;

/// Where the changes of a request come from, whatever its `after` says.
pub enum Source {
    /// One by one from whoever drives the stream, who also looks after membership.
    Handed(Arc<Handover>),
    /// A stretch of the change log that was committed already.
    Stretch {
        /// The last position that the subscriber knows.
        after: i64,
        /// The last position that is sent.
        until: i64,
    },
    /// The change log after a position.
    From(i64),
    /// The stream is driven for many, who are members and present by themselves; presence is heard from here.
    Shared(Option<Crowd>),
}

/// A change, and the right to read what it is about; nothing when there will be no more.
pub type Handed = Result<Option<(Ctx, Change)>>;

/// The place where a driver lays down one change at a time for the stream that it drives.
#[derive(Default)]
pub struct Handover(Mutex<Place>);

#[derive(Default)]
struct Place {
    item: Option<Handed>,
    taker: Option<Waker>,
    /// Whether the stream asked for more since the last change was laid down.
    is_hungry: bool,
}

impl Handover {
    /// Lays down the next change.
    pub fn put(&self, item: Handed) {
        let mut place = self.place();
        place.item = Some(item);
        place.is_hungry = false;
        let taker = place.taker.take();
        drop(place);
        if let Some(taker) = taker {
            taker.wake();
        }
    }

    /// Whether the stream is done with everything that was laid down and waits for more.
    pub fn is_hungry(&self) -> bool {
        self.place().is_hungry
    }

    pub(super) async fn take(&self) -> Handed {
        poll_fn(|cx| {
            let mut place = self.place();
            match place.item.take() {
                Some(item) => Poll::Ready(item),
                None => {
                    place.is_hungry = true;
                    place.taker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
