//! The words of presence: who is here, and what a sign of life says. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::UserId;
use serde::{Deserialize, Serialize};

/// How long somebody is active after their last sign of life.
pub const ACTIVE: TimeDelta = TimeDelta::seconds(60);
/// How long a sign of life holds without a connection: clients send one every 30 seconds, and one may be lost.
pub const HOLDS: TimeDelta = TimeDelta::seconds(75);
/// How long somebody stays who lost their connection, so that a client that comes back never left.
pub const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Online state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not connected.
    Offline,
    /// Connected but idle.
    Away,
    /// Active in the last minute.
    Online,
    /// In a focus session.
    Focusing,
}

/// The last sign of life of one of somebody's clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// What the client said.
    pub status: Status,
    /// What its person is looking at.
    pub location: Option<String>,
    /// When it was given.
    pub seen_at: DateTime<Utc>,
}

/// What others see of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who.
    pub user_id: UserId,
    /// Online state.
    pub status: Status,
    /// What they are looking at.
    pub location: Option<String>,
    /// Their last sign of life.
    pub seen_at: DateTime<Utc>,
}

impl Sign {
    /// The state that it stands for at an instant: who is silent for a while is no longer active.
    pub fn status_at(&self, now: DateTime<Utc>) -> Status {
        match self.status {
            Status::Online if now - self.seen_at >= ACTIVE => Status::Away,
            status => status,
        }
    }
}

/// What others see of somebody with these signs: the most lively of them, and where the newest of those who are here is. `None` without any.
pub fn seen<'a>(user_id: UserId, signs: impl Iterator<Item = &'a Sign>, now: DateTime<Utc>) -> Option<Seen> {
    let mut found: Option<Seen> = None;
    for sign in signs {
        let status = sign.status_at(now);
        let Some(seen) = &mut found else {
            found = Some(Seen {
                user_id,
                status,
                location: sign.location.clone().filter(|_| status != Status::Offline),
                seen_at: sign.seen_at,
            });
            continue;
        };
        let is_here = status != Status::Offline;
        if is_here && (seen.status == Status::Offline || sign.seen_at >= seen.seen_at) {
            seen.location.clone_from(&sign.location);
        }
        seen.status = seen.status.max(status);
        seen.seen_at = seen.seen_at.max(sign.seen_at);
    }
    found
}

#[cfg(test)]
mod tests;
