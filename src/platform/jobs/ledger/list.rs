//! The newest jobs, for the operator's terminal.

use entity::enums::{JobQueueName, JobStatus};
use entity::job;
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::kernel::Result;
use crate::platform::db::Read;

/// Which jobs to list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Only of this queue.
    pub queue: Option<JobQueueName>,
    /// Only in this state.
    pub status: Option<JobStatus>,
    /// Most jobs.
    pub limit: u64,
}

/// The newest of these jobs; ids are made in the order of creation.
pub async fn newest(read: &Read, listed: &Listed) -> Result<Vec<job::Model>> {
    let wanted = Condition::all()
        .add_option(listed.queue.map(|queue| job::Column::Queue.eq(queue)))
        .add_option(listed.status.map(|status| job::Column::Status.eq(status)));
    let select = read.find::<job::Entity>().filter(wanted);
    let select = select.order_by_desc(job::Column::Id).limit(listed.limit);
    Ok(select.all(read).await?)
}
