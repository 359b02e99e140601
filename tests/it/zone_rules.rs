//! Other zone rules than those that stored instants come from.

use chrono::TimeDelta;
use entity::{calendar_event, reminder};
use meridian::access::Ctx;
use meridian::features::events;
use sea_orm::sea_query::Expr;
use serde_json::json;

use crate::support::TestApp;
use crate::support::chores::tick;
use crate::support::meetings::{calendar, event};

/// When the only reminder's occurrence starts, as it is planned.
async fn planned(app: &TestApp) -> Option<chrono::DateTime<chrono::Utc>> {
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let read = ctx.read().await.unwrap();
    let rows = read.find::<reminder::Entity>().all(&read).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows[0].due_start
}

#[tokio::test]
async fn reminders_of_a_series_whose_first_start_stays_fire_by_the_new_rules() {
    let app = TestApp::start().await;
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    let recurrence = json!({ "recurrence": { "rule": "FREQ=DAILY" } });
    event(&app, &calendar, 30, recurrence).await;
    tick(&app).await;
    let right = app.platform.clock.now() + TimeDelta::minutes(30);
    assert_eq!(planned(&app).await, Some(right));

    // As if older rules had put this occurrence, but not the first one, an hour later.
    let wrong = right + TimeDelta::hours(1);
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let age = ctx.write(|tx| async move {
        tx.update_many::<calendar_event::Entity>()
            .col_expr(calendar_event::Column::TzdataVersion, Expr::val("2019a"))
            .exec(tx.conn())
            .await?;
        tx.update_many::<reminder::Entity>()
            .col_expr(reminder::Column::DueStart, Expr::val(wrong))
            .col_expr(reminder::Column::DueAt, Expr::val(wrong - TimeDelta::minutes(10)))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    age.await.unwrap();
    let done = events::renew_times(&app.platform).await.unwrap();
    assert_eq!((done.looked_at, done.moved), (1, 0));
    tick(&app).await;
    assert_eq!(planned(&app).await, Some(right));
}
