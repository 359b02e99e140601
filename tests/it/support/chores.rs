//! The worker of a test for reminders, notifications and letters: runs what is due at the clock's time, as a worker would.

use entity::enums::JobStatus;
use entity::job;
use meridian::features::{events, letters, notifications, tasks};
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, ProgressHandle, RunningJob};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use tokio_util::sync::CancellationToken;

use super::TestApp;

/// Jobs of a kind that wait, also for later.
pub async fn waiting(app: &TestApp, kind: &str) -> Vec<job::Model> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<job::Entity>()
        .filter(job::Column::Kind.eq(kind))
        .filter(job::Column::Status.eq(JobStatus::Queued))
        .order_by_asc(job::Column::RunAt)
        .order_by_asc(job::Column::Id)
        .all(&read)
        .await
        .unwrap()
}

fn running(payload: Payload, row: Option<&job::Model>, app: &TestApp) -> RunningJob {
    RunningJob {
        id: row.map_or_else(|| app.platform.ids.next(), |row| row.id),
        attempt: 1,
        payload,
        workspace_id: row.and_then(|row| row.workspace_id),
        created_by: row.and_then(|row| row.created_by),
        cancel: CancellationToken::new(),
        progress: ProgressHandle::channel().0,
    }
}

/// The minute's look at what is due.
pub async fn tick(app: &TestApp) {
    let job = running(Payload::TellWhatIsDue, None, app);
    events::plan_reminders(&app.platform, &job).await.unwrap();
    tasks::tell_due(&app.platform, &job).await.unwrap();
}

/// Runs reminders, notifications and letters that are due until none is left; returns how each of them ended.
pub async fn work(app: &TestApp) -> Vec<(String, Result<(), JobError>)> {
    let mut ended = Vec::new();
    loop {
        let mut due = Vec::new();
        for kind in ["remind", "tell_guests", "mail_notifications", "send_mail"] {
            due.extend(waiting(app, kind).await);
        }
        due.retain(|row| row.run_at <= app.platform.clock.now());
        if due.is_empty() {
            return ended;
        }
        for row in due {
            let result = run(app, &row).await;
            let body = |tx: Tx| {
                let mut row = row.clone().into_active_model();
                row.status = Set(JobStatus::Succeeded);
                async move { tx.update(row).await.map(drop) }
            };
            app.platform
                .write(Scope::System, Actor::system(), body)
                .await
                .unwrap();
            ended.push((row.kind.clone(), result));
        }
    }
}

/// One attempt of a job.
pub async fn run(app: &TestApp, row: &job::Model) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_value(row.payload.clone()).unwrap();
    let job = running(payload, Some(row), app);
    match job.payload {
        Payload::Remind { .. } => events::remind(&app.platform, &job).await,
        Payload::TellGuests { .. } => events::tell_guests(&app.platform, &job).await,
        Payload::MailNotifications { .. } => notifications::mail(&app.platform, &job).await,
        _ => letters::run(&app.platform, &job).await,
    }
}
