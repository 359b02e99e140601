//! How long ended jobs are kept.

use chrono::TimeDelta;
use entity::enums::JobStatus;
use entity::ids::JobId;
use entity::job;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::PAGE;
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// Keep of jobs that ended well or were cancelled.
const ENDED: TimeDelta = TimeDelta::days(7);
/// Keep of dead jobs.
const DEAD: TimeDelta = TimeDelta::days(30);

/// Deletes ended jobs whose time is over, one page a transaction. Returns how many.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let mut deleted = 0;
    for (status, keep) in [
        (JobStatus::Succeeded, ENDED),
        (JobStatus::Cancelled, ENDED),
        (JobStatus::Dead, DEAD),
    ] {
        loop {
            let page = platform
                .write(Scope::System, Actor::system(), |tx| async move {
                    let ids: Vec<JobId> = tx
                        .find::<job::Entity>()
                        .select_only()
                        .column(job::Column::Id)
                        .filter(job::Column::Status.eq(status))
                        .filter(job::Column::FinishedAt.lt(tx.now() - keep))
                        .limit(PAGE)
                        .into_tuple()
                        .all(tx.conn())
                        .await?;
                    let delete = tx.delete_many::<job::Entity>().filter(job::Column::Id.is_in(ids));
                    Ok(delete.exec(tx.conn()).await?.rows_affected)
                })
                .await?;
            deleted += page;
            if page < PAGE {
                break;
            }
        }
    }
    Ok(deleted)
}
