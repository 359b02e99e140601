//! The stream of a schedule's generation.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use futures_util::stream::try_unfold;
use futures_util::{Stream, TryStreamExt as _};

use super::Schedule;
use crate::access::Access;
use crate::features::scheduling::{self, Watch};
use crate::graphql::access;
use crate::graphql::enums::SchedulePhase;
use crate::graphql::errors::expose;
use crate::graphql::ids::target;

/// Progress of a schedule generation.
#[derive(SimpleObject)]
pub struct ScheduleProgress {
    /// Schedule that is generated.
    schedule: Schedule,
    /// Current phase.
    phase: SchedulePhase,
    /// Progress from 0 to 100.
    percent: i32,
    /// Short text for the user.
    message: Option<String>,
    /// Tasks placed so far.
    placed_task_count: i32,
    /// Tasks to place.
    total_task_count: i32,
}

#[derive(Default)]
pub struct ScheduleSubscription;

#[Subscription]
impl ScheduleSubscription {
    /// Progress of a schedule generation. Sends the current state first and completes when it ends.
    async fn schedule_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Schedule that is generated.")] schedule_id: ID,
    ) -> Result<impl Stream<Item = Result<ScheduleProgress>> + use<>> {
        let (platform, caller) = (access(ctx).platform().clone(), access(ctx).caller().clone());
        let start = async {
            caller.require_user()?;
            let (_, row) = scheduling::find(access(ctx), target(&schedule_id)?).await?;
            Ok(Watch::start(&platform, row.id))
        };
        let watch = start.await.map_err(expose)?;
        let next = move |mut watch: Watch| {
            let (platform, caller) = (platform.clone(), caller.clone());
            async move {
                let step = watch
                    .next(|| Access::new(platform.clone(), caller.clone()))
                    .await?;
                Ok(step.map(|(row, progress)| {
                    let step = ScheduleProgress {
                        schedule: Schedule::from(row),
                        phase: progress.phase.into(),
                        percent: progress.percent,
                        message: progress.message,
                        placed_task_count: progress.placed,
                        total_task_count: progress.total,
                    };
                    (step, watch)
                }))
            }
        };
        Ok(try_unfold(watch, next).map_err(expose))
    }
}
