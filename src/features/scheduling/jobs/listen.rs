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
use crate::features::scheduling::read;
use crate::kernel::{Error, Result, zones};

/// Titles that help to know which task is meant.
const TITLES: u64 = 100;

/// The plan with what was understood of its texts.
pub async fn listen(ctx: &Ctx, row: schedule::Model, cancel: &CancellationToken) -> Result<schedule::Model> {
    let texts: Vec<&str> = row
        .instructions
        .iter()
        .chain(&row.feedback)
        .map(String::as_str)
        .collect();
    if texts.is_empty() || row.wishes.is_some() {
        return Ok(row);
    }
    let preferences = read::preferences(&ctx.read().await?, row.user_id).await?;
    let scene = Scene {
        now: ctx.platform().clock.now(),
        zone: zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC),
        locale: preferences.locale,
    };
    let mut heard = Heard::default();
    for text in texts {
        let (wishes, rest) = language::wishes(text, &scene);
        heard.wishes.extend(wishes);
        heard.rest.extend(rest);
    }
    if row.engine == PlannerEngine::Ai && !heard.rest.is_empty() {
        tell(ctx, row.id, step(SchedulePhase::Reasoning, 10, (0, 0), None)).await;
        tokio::select! {
            heard = ask(ctx, &row, &mut heard, &scene) => heard?,
            () = cancel.cancelled() => return Ok(row),
        }
    }
    let (id, wishes) = (row.id, serde_json::to_value(&heard).map_err(Error::internal)?);
    ctx.write(|tx| {
        let wishes = wishes.clone();
        async move {
            let current = locked(&tx, id).await?;
            if current.status != ScheduleStatus::Generating {
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
