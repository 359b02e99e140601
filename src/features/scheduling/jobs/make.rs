//! From a stored request to a plan: loads, asks the engine, tells those who watch.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant as Stopwatch;

use entity::enums::SchedulePhase;
use entity::ids::{ScheduleId, TaskId};
use entity::schedule;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::access::Ctx;
use crate::features::scheduling::model::Progress;
use crate::features::scheduling::question::{Base, Question, Sources, ask, slot_minutes};
use crate::features::scheduling::read::{self, MAX_TASKS, Store, Whose};
use crate::features::scheduling::rules::{Effort, effort};
use crate::features::scheduling::solve::{How, Solved, cancelled, solve};
use crate::features::scheduling::window::Window;
use crate::features::scheduling::wishes::Wishes;
use crate::features::{people, tasks};
use crate::kernel::changes::Topic;
use crate::kernel::time::{Instant, Span};
use crate::kernel::{Error, Result, UserErrorCode, zones};

/// A plan that is not stored yet, with all it was made of.
pub struct Made {
    pub sources: Sources,
    pub window: Window,
    pub question: Arc<Question>,
    pub solved: Solved,
    pub wishes: Wishes,
    pub seed: u64,
    pub now: Instant,
    pub began: Stopwatch,
}

/// What a plan is made of.
pub struct Prepared {
    pub sources: Sources,
    pub window: Window,
    pub question: Question,
    pub wishes: Wishes,
}

/// Most different working hours of the tasks of one plan, those of its person included.
const MAX_HOURS: usize = 60;

/// The tasks that a plan is limited to.
pub fn only(row: &schedule::Model) -> Option<Vec<TaskId>> {
    serde_json::from_value(row.task_ids.clone()?).ok()
}

/// Loads what a plan is made of.
pub async fn prepare(store: Store<'_>, row: &schedule::Model, now: Instant, base: Base) -> Result<Prepared> {
    let wishes = Wishes::of(row);
    let mut preferences = read::preferences(store.read, row.user_id).await?;
    wishes.narrow(&mut preferences);
    let week = wishes.week(&people::working_hours_of(&preferences));
    let zone = zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let days = Window::new(zone.clone(), row.start_date, row.end_date, &week, 5).span();
    // The tasks, which may have shifts of their own that end after the last midnight, are not known yet; no shift is longer than a day.
    let span = Span {
        end: days.end + chrono::Duration::days(1),
        ..days
    };
    let only = only(row);
    let whose = Whose {
        person: row.user_id,
        draft: Some(row.id),
        only: only.as_deref(),
        now,
    };
    let sources = read::sources(store, preferences, &whose, span).await?;
    let mut window = Window::new(zone, row.start_date, row.end_date, &week, slot_minutes(&sources));
    let mut known = HashSet::new();
    for week in sources.tasks.iter().filter_map(tasks::working_hours_of) {
        if known.insert(serde_json::json!(week).to_string()) {
            window = window.reaching(&wishes.week(&week));
        }
    }
    let only: Option<HashSet<TaskId>> = only.map(|only| only.into_iter().collect());
    let question = ask(&sources, &window, now, only.as_ref(), base, &wishes);
    Ok(Prepared {
        sources,
        window,
        question,
        wishes,
    })
}

/// Refuses what no plan can be made for, with a sentence for its person.
pub fn check(prepared: &Prepared) -> Result<()> {
    let refused = |code, message: String| Err(Error::user(code, "", message));
    if prepared.sources.tasks.len() as u64 > MAX_TASKS {
        let message = format!("There are more than {MAX_TASKS} open tasks. Choose the tasks to plan.");
        return refused(UserErrorCode::LimitReached, message);
    }
    let hours = &prepared.question.problem.hours;
    if hours.len() > MAX_HOURS {
        let message = format!(
            "The tasks have more than {MAX_HOURS} different working hours. Choose the tasks to plan."
        );
        return refused(UserErrorCode::LimitReached, message);
    }
    if people::working_hours_of(&prepared.sources.preferences).is_empty() && hours.len() == 1 {
        let message =
            "You have no working hours. Set them in your preferences, then generate the schedule again.";
        return refused(UserErrorCode::InvalidState, message.into());
    }
    Ok(())
}

/// Makes a plan, telling those who watch about each better one.
pub async fn make(
    ctx: &Ctx,
    row: &schedule::Model,
    how: How,
    cancel: &CancellationToken,
    limit: Option<Effort>,
) -> Result<Made> {
    let began = Stopwatch::now();
    tell(ctx, row.id, step(SchedulePhase::Collecting, 5, (0, 0), None)).await;
    let now = ctx.platform().clock.now();
    let store = Store {
        read: &ctx.read().await?,
        db: &ctx.platform().db,
    };
    let prepared = prepare(store, row, now, Base::Applied).await?;
    check(&prepared)?;
    let total = prepared.question.tasks.len();
    let wanted = total + prepared.question.left_out.len();
    let question = Arc::new(prepared.question);
    tell(ctx, row.id, step(SchedulePhase::Solving, 20, (0, wanted), None)).await;

    let seed = u64::try_from(row.version).unwrap_or_default();
    let (better, mut plans) = unbounded_channel();
    let effort = limit.unwrap_or_else(|| effort(total));
    let mut solving = std::pin::pin!(solve(
        ctx.platform(),
        question.clone(),
        how,
        effort,
        seed,
        better,
        cancel.clone()
    ));
    let mut count = 0;
    let solved = loop {
        tokio::select! {
            biased;
            Some(placed) = plans.recv() => {
                count += 1;
                let message = format!("Plan {count}: {placed} of {wanted} tasks have a place.");
                // How much better it gets nobody knows, so half of what is left is told each time.
                let percent = 90 - 60 / (count + 1);
                tell(ctx, row.id, step(SchedulePhase::Solving, percent, (placed, wanted), Some(message))).await;
            }
            // The thread of the search ends at its next look by itself.
            () = cancel.cancelled() => return Err(cancelled()),
            solved = &mut solving => break solved?,
        }
    };
    let placed = solved.plan.solution.chunks.len();
    tell(
        ctx,
        row.id,
        step(SchedulePhase::Saving, 95, (placed, wanted), None),
    )
    .await;
    Ok(Made {
        sources: prepared.sources,
        window: prepared.window,
        question,
        solved,
        wishes: prepared.wishes,
        seed,
        now,
        began,
    })
}

pub(super) fn step(
    phase: SchedulePhase,
    percent: i32,
    (placed, total): (usize, usize),
    message: Option<String>,
) -> Progress {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    Progress {
        phase,
        percent,
        message,
        placed: count(placed),
        total: count(total),
    }
}

/// Tells those who watch. What is lost is told by the next step.
pub(super) async fn tell(ctx: &Ctx, id: ScheduleId, progress: Progress) {
    ctx.platform()
        .pubsub
        .publish(Topic::Schedule(id), &progress)
        .await;
}
