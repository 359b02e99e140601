//! One workspace: those who are here on this replica, what the other replicas say, and the task that tells both sides of each other.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::ids::{UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::shared::{self, Lease, Leases};
use super::{Client, House, LEASE, Presence, gone};
use crate::kernel::changes::Topic;
use crate::kernel::presence::{GRACE, HOLDS, Seen, Sign, Status, seen};
use crate::platform::pubsub::Signal;
use crate::platform::redis::Redis;

/// Shortest time between two tellings.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked who has been silent for too long.
const LOOK: Duration = Duration::from_secs(1);
/// How often leases are renewed.
const RENEW: Duration = Duration::from_secs(5);
/// Batches that a slow listener may be behind.
const BACKLOG: usize = 16;

/// A client on this replica.
#[derive(Debug)]
struct Own {
    connections: u32,
    sign: Sign,
    /// Until when it is here without a connection.
    holds_until: DateTime<Utc>,
}

/// What another replica says of a client.
#[derive(Debug)]
struct Other {
    sign: Sign,
    until: Instant,
}

/// Those who are here.
pub(super) struct Room {
    state: Mutex<State>,
    news: broadcast::Sender<Arc<[Seen]>>,
    dirty: Notify,
}

#[derive(Debug, Default)]
struct State {
    own: HashMap<Client, Own>,
    others: HashMap<(Box<str>, Client), Other>,
    /// When Redis was found to have forgotten everybody.
    lost_at: Option<Instant>,
    /// What listeners were told last.
    told: HashMap<UserId, Seen>,
    /// Clients of this replica that changed since the others were told.
    changed: HashSet<Client>,
}

/// What replicas tell each other.
#[derive(Serialize, Deserialize)]
struct Message {
    instance: Box<str>,
    clients: Vec<(Client, Option<Sign>)>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            news: broadcast::channel(BACKLOG).0,
            dirty: Notify::new(),
        }
    }
}

impl Room {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<[Seen]>> {
        self.news.subscribe()
    }

    pub(super) fn sit(&self, client: Client, now: DateTime<Utc>) {
        let mut state = self.state();
        let own = state.own.entry(client).or_insert_with(|| Own {
            connections: 0,
            sign: Sign {
                status: Status::Offline,
                location: None,
                seen_at: now,
            },
            holds_until: now,
        });
        own.connections += 1;
        // Being connected is a sign of life, but no word about what its person does.
        own.sign.seen_at = now;
        if own.sign.status == Status::Offline {
            own.sign.status = Status::Online;
        }
        self.touched(state, client);
    }

    pub(super) fn leave(&self, client: Client, now: DateTime<Utc>) {
        let mut state = self.state();
        if let Some(own) = state.own.get_mut(&client) {
            own.connections = own.connections.saturating_sub(1);
            if own.connections == 0 {
                own.holds_until = now + GRACE;
            }
        }
    }

    pub(super) fn declare(&self, client: Client, sign: Sign, now: DateTime<Utc>) -> Seen {
        let mut state = self.state();
        let is_here = sign.status != Status::Offline;
        let own = state.own.entry(client).or_insert_with(|| Own {
            connections: 0,
            sign: sign.clone(),
            holds_until: now,
        });
        own.holds_until = if is_here { now + HOLDS } else { now };
        own.sign = sign.clone();
        let seen = state.seen(client.user_id, now);
        self.touched(state, client);
        seen.unwrap_or(Seen {
            user_id: client.user_id,
            status: sign.status,
            location: sign.location.filter(|_| is_here),
            seen_at: sign.seen_at,
        })
    }

    fn touched(&self, mut state: MutexGuard<'_, State>, client: Client) {
        state.changed.insert(client);
        drop(state);
        self.dirty.notify_one();
    }

    /// Everybody who is not offline.
    pub(super) fn everybody(&self, now: DateTime<Utc>) -> Vec<Seen> {
        let mut all = self.state().all(now);
        all.retain(|_, seen| seen.status != Status::Offline);
        all.into_values().collect()
    }

    /// What listeners know.
    pub(super) fn told(&self) -> Vec<Seen> {
        self.state().told.values().cloned().collect()
    }

    /// Takes over what Redis says of the other replicas. Who is missing there is gone.
    fn believe(&self, me: &str, leases: Leases) {
        let mut state = self.state();
        if leases.is_lost {
            state.lost_at = Some(Instant::now());
        }
        // After a loss they are here for as long as they said: whoever lives says so again before that.
        if state.lost_at.is_none_or(|at| at.elapsed() > LEASE) {
            state.others.clear();
        }
        state.learn(me, leases.all);
    }

    /// Takes over what Redis says of those who are here on the other replicas.
    pub(super) fn learn(&self, me: &str, leases: Vec<Lease>) {
        self.state().learn(me, leases);
    }

    /// Takes over what another replica says.
    fn hear(&self, me: &str, text: &str) {
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            return;
        };
        if *message.instance == *me {
            return;
        }
        let until = Instant::now() + LEASE;
        let mut state = self.state();
        for (client, sign) in message.clients {
            let key = (message.instance.clone(), client);
            match sign {
                Some(sign) => drop(state.others.insert(key, Other { sign, until })),
                None => drop(state.others.remove(&key)),
            }
        }
    }

    /// The life of the room: until nobody is in it and nobody looks.
    pub(super) async fn run(self: Arc<Self>, presence: Presence, workspace: WorkspaceId) {
        let house = &presence.0;
        let me = house
            .redis
            .as_ref()
            .map_or_else(|| "here".to_owned(), |redis| redis.instance().to_owned());
        let mut signals = house.pubsub.subscribe(Topic::Presence(workspace));
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut renewed, mut pulse) = (None::<Instant>, Instant::now());
        let mut is_stale = false;
        loop {
            tokio::select! {
                () = house.shutdown.cancelled() => break,
                () = self.dirty.notified() => is_stale = true,
                signal = signals.recv() => match signal {
                    Signal::Message(text) => {
                        self.hear(&me, &text);
                        is_stale = true;
                    }
                    Signal::Resync => renewed = None,
                    Signal::Closed => break,
                },
                () = sleep_until(pulse), if is_stale => {
                    self.tell_replicas(house, workspace, &me).await;
                    self.tell_listeners(house.clock.now());
                    pulse = Instant::now() + PAUSE;
                    is_stale = false;
                }
                _ = looks.tick() => {
                    let is_cut_off = house.redis.as_ref().is_some_and(|redis| !redis.is_up());
                    self.state().forget_silent(house.clock.now(), is_cut_off);
                    if renewed.is_none_or(|at| at.elapsed() >= RENEW) {
                        renewed = Some(Instant::now());
                        self.renew(house, workspace).await;
                    }
                    is_stale = true;
                    let close = |_: &WorkspaceId, room: &Arc<Self>| Arc::ptr_eq(room, &self) && self.is_empty();
                    if house.rooms.remove_if(&workspace, close).is_some() {
                        self.tell_replicas(house, workspace, &me).await;
                        return;
                    }
                }
            }
        }
        // An orderly end takes its people along at once.
        self.state().withdraw_all();
        self.tell_replicas(house, workspace, &me).await;
    }

    /// Tells listeners the same once more.
    #[cfg(test)]
    pub(super) fn shout(&self, now: DateTime<Utc>, user_id: UserId) {
        let seen = self.state().seen(user_id, now);
        self.news.send(seen.into_iter().collect()).ok();
    }

    fn is_empty(&self) -> bool {
        self.news.receiver_count() == 0 && self.state().own.is_empty()
    }

    /// Renews the leases of those who are here, and reads those of the other replicas.
    async fn renew(&self, house: &House, workspace: WorkspaceId) {
        let Some(redis) = &house.redis else { return };
        let own: Vec<(Client, Sign)> = self.state().signs();
        match shared::renew(redis, workspace, &own).await {
            Ok(leases) => self.believe(redis.instance(), leases),
            Err(error) => {
                let cause = error.cause();
                tracing::debug!(cause, "leases of presence could not be renewed");
            }
        }
    }

    /// Tells the other replicas what changed here.
    async fn tell_replicas(&self, house: &House, workspace: WorkspaceId, me: &str) {
        let clients = self.state().take_changed();
        let Some(redis) = house.redis.as_ref().filter(|_| !clients.is_empty()) else {
            return;
        };
        self.store(redis, workspace, &clients).await;
        let message = Message {
            instance: me.into(),
            clients,
        };
        house.pubsub.publish(Topic::Presence(workspace), &message).await;
    }

    async fn store(&self, redis: &Redis, workspace: WorkspaceId, clients: &[(Client, Option<Sign>)]) {
        if let Err(error) = shared::store(redis, workspace, clients).await {
            // The next renewal brings it.
            let cause = error.cause();
            tracing::debug!(cause, "presence could not be stored");
        }
    }

    /// Tells listeners what they do not know yet.
    fn tell_listeners(&self, now: DateTime<Utc>) {
        let batch = self.state().news(now);
        if !batch.is_empty() {
            // An error only says that nobody listens.
            self.news.send(batch.into()).ok();
        }
    }
}

impl State {
    fn learn(&mut self, me: &str, leases: Vec<Lease>) {
        let now = Instant::now();
        for lease in leases {
            if *lease.instance != *me {
                let other = Other {
                    sign: lease.sign,
                    until: now + lease.left,
                };
                self.others.insert((lease.instance, lease.client), other);
            }
        }
    }

    fn signs(&self) -> Vec<(Client, Sign)> {
        let own = self.own.iter();
        own.map(|(client, own)| (*client, own.sign.clone())).collect()
    }

    fn take_changed(&mut self) -> Vec<(Client, Option<Sign>)> {
        let changed = std::mem::take(&mut self.changed);
        let sign = |client: Client| (client, self.own.get(&client).map(|own| own.sign.clone()));
        changed.into_iter().map(sign).collect()
    }

    fn withdraw_all(&mut self) {
        let clients = self.own.drain().map(|(client, _)| client);
        self.changed.extend(clients);
    }

    /// Drops who has not been heard of for too long. What other replicas say stays while they cannot be heard.
    fn forget_silent(&mut self, now: DateTime<Utc>, is_cut_off: bool) {
        let is_here = |own: &Own| own.connections > 0 || own.holds_until > now;
        let silent = self
            .own
            .extract_if(|_, own| !is_here(own))
            .map(|(client, _)| client);
        self.changed.extend(silent);
        let instant = Instant::now();
        if is_cut_off {
            for other in self.others.values_mut() {
                other.until = other.until.max(instant + LEASE);
            }
        } else {
            self.others.retain(|_, other| other.until > instant);
        }
    }

    fn seen(&self, user_id: UserId, now: DateTime<Utc>) -> Option<Seen> {
        let own = self.own.iter().map(|(client, own)| (client, &own.sign));
        let others = self
            .others
            .iter()
            .map(|((_, client), other)| (client, &other.sign));
        let signs = own.chain(others).filter(|(client, _)| client.user_id == user_id);
        seen(user_id, signs.map(|(_, sign)| sign), now)
    }

    fn all(&self, now: DateTime<Utc>) -> HashMap<UserId, Seen> {
        let mut signs: HashMap<UserId, Vec<&Sign>> = HashMap::new();
        for (client, own) in &self.own {
            signs.entry(client.user_id).or_default().push(&own.sign);
        }
        for ((_, client), other) in &self.others {
            signs.entry(client.user_id).or_default().push(&other.sign);
        }
        let look =
            |(user_id, signs): (UserId, Vec<&Sign>)| Some((user_id, seen(user_id, signs.into_iter(), now)?));
        signs.into_iter().filter_map(look).collect()
    }

    /// What is different from what listeners know. Signs of life that change nothing else are no news.
    fn news(&mut self, now: DateTime<Utc>) -> Vec<Seen> {
        let all = self.all(now);
        let mut batch = Vec::new();
        for (user_id, seen) in &all {
            let known = self.told.get(user_id);
            let is_known = known.map_or(seen.status == Status::Offline, |known| {
                known.status == seen.status && known.location == seen.location
            });
            if !is_known {
                batch.push(seen.clone());
            }
        }
        for (user_id, known) in &self.told {
            if !all.contains_key(user_id) && known.status != Status::Offline {
                batch.push(gone(known));
            }
        }
        self.told = all;
        batch
    }
}
