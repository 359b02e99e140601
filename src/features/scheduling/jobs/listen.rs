//! Reading what a person wrote about a plan, once: by the rules, and what those do not understand by the language model, when there is one
//! and the plan is to be made with it. What came of it is stored with the plan, so that later looks at the plan ask nobody.

use entity::enums::{PlannerEngine, SchedulePhase, ScheduleStatus, TaskStatus};
use entity::{schedule, task};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};
use tokio_util::sync::CancellationToken;

use super::make::{step, tell};
use super::save::locked;
use crate::access::Ctx;
use crate::features::language::{self, Heard, Scene};
use crate::features::people;
use crate::features::scheduling::read;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, zones};

/// Titles that help to know which task is meant.
const TITLES: u64 = 100;

/// The plan with what was understood of its texts. What was understood before stays as it is, only newer texts are read.
pub async fn listen(ctx: &Ctx, row: schedule::Model, cancel: &CancellationToken) -> Result<schedule::Model> {
    let now = ctx.platform().clock.now();
    let stored = row.wishes.clone().map(serde_json::from_value::<Heard>);
    let (mut heard, texts): (Heard, Vec<(String, Instant)>) = match stored {
        Some(Ok(mut heard)) => {
            let unread = std::mem::take(&mut heard.unread);
            (heard, unread.into_iter().map(|text| (text, now)).collect())
        }
        // Stored by a newer version, which will read it.
        Some(Err(_)) => return Ok(row),
        None => {
            // The first texts may have waited a while for this job.
            let first = row.instructions.iter().map(|text| (text.clone(), row.created_at));
            let later = row.feedback.iter().map(|text| (text.clone(), now));
            (Heard::default(), first.chain(later).collect())
        }
    };
    if texts.is_empty() {
        return Ok(row);
    }
    let preferences = read::preferences(&ctx.read().await?, row.user_id).await?;
    let mut scene = Scene {
        now,
        zone: zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC),
        hours: people::working_hours_of(&preferences),
        locale: preferences.locale,
    };
    let mut new = Heard::default();
    for (text, said_at) in texts {
        scene.now = said_at;
        let (wishes, rest) = language::wishes(&text, &scene);
        new.add(wishes, rest);
    }
    if row.engine == PlannerEngine::Ai && !new.rest.is_empty() {
        tell(ctx, row.id, step(SchedulePhase::Reasoning, 10, (0, 0), None)).await;
        tokio::select! {
            asked = ask(ctx, &row, &mut new, &scene) => asked?,
            () = cancel.cancelled() => return Ok(row),
        }
    }
    heard.add(new.wishes, new.rest);
    let (id, wishes) = (row.id, serde_json::to_value(&heard).map_err(Error::internal)?);
    let before = row.wishes.clone();
    ctx.write(|tx| {
        let (wishes, before) = (wishes.clone(), before.clone());
        async move {
            let current = locked(&tx, id).await?;
            // Its person may have said more meanwhile, which another job reads.
            if current.status != ScheduleStatus::Generating || current.wishes != before {
                return Ok(current);
            }
            let changed = schedule::ActiveModel {
                id: Set(current.id),
                wishes: Set(Some(wishes)),
                ..Default::default()
            };
            tx.update(changed).await
        }
    })
    .await
}

/// Asks the language model about what the rules did not understand. Without an answer it stays not understood, and its person is told.
async fn ask(ctx: &Ctx, row: &schedule::Model, heard: &mut Heard, scene: &Scene) -> Result<()> {
    let Some(llm) = &ctx.platform().llm else {
        return Ok(());
    };
    let read = ctx.read().await?;
    let select = read
        .find::<task::Entity>()
        .select_only()
        .column(task::Column::Title)
        .filter(task::Column::AssigneeId.eq(row.user_id))
        .filter(task::Column::Status.is_in([TaskStatus::Todo, TaskStatus::InProgress]))
        .order_by_asc(task::Column::DueAt)
        .order_by_asc(task::Column::Id)
        .limit(TITLES);
    let titles: Vec<String> = select.into_tuple().all(&read).await?;
    drop(read);
    let question = language::question_about_wishes(&heard.rest, &titles, scene);
    // The machine says in the log why it was of no help.
    if let Ok(answer) = llm.ask(&question).await {
        let (wishes, rest) = language::wishes_of(&answer, &heard.rest, &titles, scene);
        heard.wishes.extend(wishes);
        heard.rest = rest;
    }
    Ok(())
}
