//! Sessions and tokens that end at another replica while no message from there arrives. Promises: their sockets are told within two looks of
//! the silence being noticed; two statements a look for the whole process, and none while messages arrive. What is taken away inside a
//! workspace is in its change log, which is looked after elsewhere.

use std::collections::HashSet;

use chrono::Duration;
use entity::ids::{ApiTokenId, SessionId, TypedId as _, UserId};
use entity::{api_token, session};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// Time between two looks.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);
/// How far back a look goes: before the silence is noticed, and before a transaction that takes its time is committed.
const BACK: Duration = Duration::seconds(15);

/// Looks until the shutdown.
pub async fn look_after_withdrawals(platform: &Platform) {
    let mut told = HashSet::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = platform.shutdown.cancelled() => return,
            _ = looks.tick() => {
                if !platform.pubsub.is_live() {
                    look(platform, &mut told).await;
                }
            }
        }
    }
}

async fn look(platform: &Platform, told: &mut HashSet<Uuid>) {
    let ended = match ended_since(platform, platform.clock.now() - BACK).await {
        Ok(ended) => ended,
        // The next look goes as far back.
        Err(error) => return tracing::debug!(%error, "nobody can say whose sessions have ended"),
    };
    for (id, user_id) in &ended {
        if !told.contains(id) {
            platform.pubsub.tell_here(Topic::Revoked(*user_id), &());
        }
    }
    *told = ended.into_iter().map(|(id, _)| id).collect();
}

/// The sessions and tokens that were revoked since this moment, with their people.
async fn ended_since(platform: &Platform, since: Instant) -> Result<Vec<(Uuid, UserId)>> {
    let read = platform.db.read(Scope::System).await?;
    let sessions = read
        .find_global::<session::Entity>()
        .select_only()
        .columns([session::Column::Id, session::Column::UserId])
        .filter(session::Column::RevokedAt.gte(since));
    let sessions: Vec<(SessionId, UserId)> = sessions.into_tuple().all(&read).await?;
    let tokens = read
        .find_global::<api_token::Entity>()
        .select_only()
        .columns([api_token::Column::Id, api_token::Column::UserId])
        .filter(api_token::Column::RevokedAt.gte(since));
    let tokens: Vec<(ApiTokenId, UserId)> = tokens.into_tuple().all(&read).await?;
    let sessions = sessions.into_iter().map(|(id, user_id)| (id.uuid(), user_id));
    let tokens = tokens.into_iter().map(|(id, user_id)| (id.uuid(), user_id));
    Ok(sessions.chain(tokens).collect())
}
