//! Who is here, workspace by workspace. Promises: a replica that dies takes its people with it within [`LEASE`]; changes of a workspace are
//! told at most twice a second, however many there are; nothing is written to the database; while Redis is away everybody sees those of
//! their own replica, and the others as they were. Knows no names of people and no rules about who may look.
//!
//! A room is a task for one workspace. It lives while somebody is in it or looks.

mod room;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use entity::ids::{UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::pubsub::PubSub;
use super::redis::Redis;
use crate::kernel::presence::{Seen, Sign, Status};
use crate::kernel::time::Clock;
use room::Room;

/// How long others believe a replica that says nothing.
pub const LEASE: Duration = Duration::from_secs(15);

/// One of somebody's clients: who, and the session or token that it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Client {
    /// Who.
    pub user_id: UserId,
    /// Their session or token.
    pub source: Uuid,
}

/// Everybody who is here. Cheap to clone.
#[derive(Clone)]
pub struct Presence(Arc<House>);

struct House {
    rooms: DashMap<WorkspaceId, Arc<Room>>,
    pubsub: PubSub,
    redis: Option<Redis>,
    clock: Clock,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl std::fmt::Debug for Presence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presence")
            .field("rooms", &self.0.rooms.len())
            .finish_non_exhaustive()
    }
}

impl Presence {
    /// Nobody is here yet. Tasks of rooms belong to `tasks` and end with `shutdown`.
    pub fn new(
        pubsub: PubSub,
        redis: Option<Redis>,
        clock: Clock,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self(Arc::new(House {
            rooms: DashMap::new(),
            pubsub,
            redis,
            clock,
            tasks,
            shutdown,
        }))
    }

    /// Does something in a room that cannot close meanwhile.
    fn within<T>(&self, workspace: WorkspaceId, act: impl FnOnce(&Arc<Room>) -> T) -> T {
        let room = self.0.rooms.entry(workspace).or_insert_with(|| {
            let room = Arc::new(Room::default());
            let (house, inside) = (self.clone(), room.clone());
            self.0
                .tasks
                .spawn(async move { inside.run(house, workspace).await });
            room
        });
        act(&room)
    }

    /// A connection of a client: it is here until the value is dropped, and a little longer.
    pub fn sit(&self, workspace: WorkspaceId, client: Client) -> Sitting {
        let now = self.0.clock.now();
        self.within(workspace, |room| room.sit(client, now));
        Sitting {
            presence: self.clone(),
            workspace,
            client,
        }
    }

    /// A client gives a sign of life; what others see of its person afterwards.
    pub fn declare(&self, workspace: WorkspaceId, client: Client, sign: Sign) -> Seen {
        let now = self.0.clock.now();
        self.within(workspace, |room| room.declare(client, sign, now))
    }

    /// Everybody who is here now, in no order.
    pub async fn look(&self, workspace: WorkspaceId) -> Vec<Seen> {
        let now = self.0.clock.now();
        let room = self.0.rooms.get(&workspace).map(|room| room.clone());
        let Some(redis) = &self.0.redis else {
            return room.map(|room| room.everybody(now)).unwrap_or_default();
        };
        match shared::read(redis, workspace).await {
            Ok(leases) => {
                let room = room.unwrap_or_default();
                room.learn(redis.instance(), leases);
                room.everybody(now)
            }
            Err(error) => {
                let cause = error.cause();
                tracing::debug!(cause, "only those of this replica are known to be here");
                room.map(|room| room.everybody(now)).unwrap_or_default()
            }
        }
    }

    /// Hears of every change from now on.
    pub fn watch(&self, workspace: WorkspaceId) -> Watch {
        let (room, news) = self.within(workspace, |room| (room.clone(), room.listen()));
        Watch {
            room,
            news,
            ready: VecDeque::new(),
            _open: self.clone(),
        }
    }
}

/// A connection that makes somebody be here.
#[derive(Debug)]
pub struct Sitting {
    presence: Presence,
    workspace: WorkspaceId,
    client: Client,
}

impl Drop for Sitting {
    fn drop(&mut self) {
        let now = self.presence.0.clock.now();
        if let Some(room) = self.presence.0.rooms.get(&self.workspace) {
            room.leave(self.client, now);
        }
    }
}

/// Changes of who is here.
pub struct Watch {
    room: Arc<Room>,
    news: broadcast::Receiver<Arc<[Seen]>>,
    ready: VecDeque<Seen>,
    /// Rooms close when nobody listens; this only says whose they are.
    _open: Presence,
}

impl Watch {
    /// Tells everything once more: how everybody is, not how they came to be so.
    pub fn tell_all(&mut self) {
        self.news = self.room.listen();
        self.ready = self.room.told().into();
    }

    /// The next change; `None` when the server stops. Whoever is slow is told how things are, not how they came to be.
    pub async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some(seen) = self.ready.pop_front() {
                return Some(seen);
            }
            match self.news.recv().await {
                Ok(batch) => self.ready.extend(batch.iter().cloned()),
                Err(RecvError::Lagged(_)) => {
                    // What is left of the backlog is older than what everybody knows by now.
                    self.tell_all();
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// What everybody is told when somebody is gone.
fn gone(seen: &Seen) -> Seen {
    Seen {
        status: Status::Offline,
        location: None,
        ..seen.clone()
    }
}
