//! Telling people that somebody signed in as them from a program that they have not used before, or added a way to sign in.

use entity::enums::NotificationType;
use entity::ids::{SessionId, TypedId as _, UserId};
use entity::session::{Column, Entity};
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _};

use crate::features::notifications::{self, NewNotification};
use crate::kernel::Result;
use crate::kernel::actor::{Actor, Origin};
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};

/// Tells of a sign-in from a program that none of the person's sessions came from. The first session of all is no news.
pub(super) async fn tell_of_sign_in(
    platform: &Platform,
    user_id: UserId,
    session: SessionId,
    origin: &Origin,
) -> Result<()> {
    let body = |tx: Tx| async move {
        let earlier = || {
            tx.find_global::<Entity>()
                .filter(Column::UserId.eq(user_id))
                .filter(Column::Id.ne(session))
        };
        if earlier().count(tx.conn()).await? == 0 {
            return Ok(());
        }
        let same = match &origin.user_agent {
            Some(agent) => earlier().filter(Column::UserAgent.eq(agent.as_str())),
            None => earlier().filter(Column::UserAgent.is_null()),
        };
        if same.count(tx.conn()).await? > 0 {
            return Ok(());
        }
        let from = match (&origin.user_agent, &origin.ip_address) {
            (Some(agent), Some(address)) => format!("{agent}, from {address}"),
            (Some(agent), None) => agent.clone(),
            (None, Some(address)) => format!("An unknown program, from {address}"),
            (None, None) => "An unknown program".to_owned(),
        };
        let body = format!("{from}. If this was not you, end the session in your settings.");
        let new = security(user_id, "New sign-in to your account", body);
        let key = Some(format!("sign-in:{}", session.uuid()));
        let new = NewNotification {
            dedup_key: key,
            ..new
        };
        notifications::notify_in(&tx, new).await.map(drop)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Tells of a new way to sign in.
pub(super) async fn tell_of_link_in(tx: &Tx, user_id: UserId, provider: &str) -> Result<()> {
    let body =
        format!("Accounts of `{provider}` sign in as you from now on. If this was not you, unlink it.");
    let new = security(user_id, "A way to sign in was added", body);
    notifications::notify_in(tx, new).await.map(drop)
}

fn security(user_id: UserId, title: &str, body: String) -> NewNotification {
    NewNotification {
        user_id,
        workspace_id: None,
        r#type: NotificationType::Security,
        title: title.to_owned(),
        body: Some(body),
        subject: None,
        dedup_key: None,
    }
}
