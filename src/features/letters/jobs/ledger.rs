//! The ledger of letters: a row for each that was tried. Promises: two workers never send one letter at the same time, and one that is known
//! to be sent is not sent again. Holds no addresses.

use chrono::Duration;
use entity::sent_letter::{ActiveModel, Column, Entity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set,
    TryInsertResult,
};

use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::mail::MailError;

/// Longer than any conversation with a mail server.
const CONVERSATION: Duration = Duration::seconds(90);
/// How long a letter is remembered: longer than its job can be tried again.
const KEPT: Duration = Duration::days(90);
/// Rows deleted at once.
const PAGE: u64 = 500;

/// What a worker may do with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Send it.
    Ours,
    /// Nothing: it is sent.
    Sent,
    /// Ask again then: somebody else is about it.
    Busy(Instant),
}

/// Takes a letter for sending.
pub(super) async fn claim(platform: &Platform, key: &str) -> Result<Claim> {
    let body = |tx: Tx| async move {
        let until = tx.now() + CONVERSATION;
        let select = tx.find_global::<Entity>().filter(Column::Key.eq(key));
        let Some(row) = select.lock_exclusive().one(tx.conn()).await? else {
            let row = ActiveModel {
                key: Set(key.to_owned()),
                message_id: Set(platform.mail.message_id(key)),
                attempts: Set(1),
                sending_until: Set(Some(until)),
                sent_at: Set(None),
                refused_at: Set(None),
                refusal: Set(None),
                created_at: Set(tx.now()),
                updated_at: Set(tx.now()),
            };
            let insert = Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .try_insert();
            return match insert.exec_without_returning(tx.conn()).await? {
                TryInsertResult::Inserted(1..) => Ok(Claim::Ours),
                // Somebody came between.
                _ => Ok(Claim::Busy(until)),
            };
        };
        if row.sent_at.is_some() {
            return Ok(Claim::Sent);
        }
        if let Some(busy) = row.sending_until.filter(|busy| *busy > tx.now()) {
            return Ok(Claim::Busy(busy));
        }
        let attempts = row.attempts + 1;
        let mut row = row.into_active_model();
        row.attempts = Set(attempts);
        row.sending_until = Set(Some(until));
        row.updated_at = Set(tx.now());
        tx.update_global_row(row).await?;
        Ok(Claim::Ours)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Notes what came of a letter.
pub(super) async fn close(
    platform: &Platform,
    key: &str,
    outcome: &std::result::Result<(), MailError>,
) -> Result<()> {
    let body = |tx: Tx| async move {
        let mut row = ActiveModel {
            key: Set(key.to_owned()),
            sending_until: Set(None),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        match outcome {
            Ok(()) => {
                row.sent_at = Set(Some(tx.now()));
                row.refused_at = Set(None);
                row.refusal = Set(None);
            }
            Err(MailError::Never(message)) => {
                row.refused_at = Set(Some(tx.now()));
                row.refusal = Set(Some(message.clone()));
            }
            Err(MailError::Later(_)) => {}
        }
        tx.update_global_row(row).await.map(drop)
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Forgets letters of long ago. Returns how many.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let body = |tx: Tx| async move {
            let select = tx.find_global::<Entity>().select_only().column(Column::Key);
            let old = select.filter(Column::UpdatedAt.lt(tx.now() - KEPT)).limit(PAGE);
            let keys: Vec<String> = old.into_tuple().all(tx.conn()).await?;
            let delete = tx.delete_global::<Entity>().filter(Column::Key.is_in(keys));
            Ok(delete.exec(tx.conn()).await?.rows_affected)
        };
        let page = platform.write(Scope::System, Actor::system(), body).await?;
        deleted += page;
        if page < PAGE {
            return Ok(deleted);
        }
    }
}
