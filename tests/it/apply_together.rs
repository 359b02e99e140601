//! Plans that are applied at the same moment: nobody waits for a connection that another one holds, and no hour is given away twice.

use entity::ids::{CalendarId, ScheduleId};
use meridian::access::Access;
use meridian::features::scheduling;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::plans::{calendar, command, event, office, plan, prefer, slots, task};
use crate::support::{Backend, Client, TestApp};

#[tokio::test]
async fn a_plan_is_applied_with_one_connection_while_the_machinery_has_none_to_spare() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({ "timeZone": "UTC", "bufferMinutes": 0 })).await;
    let own = calendar(&ana, &place, json!({})).await;
    event(
        &ana,
        &own,
        "2026-03-03T09:00:00Z",
        "2026-03-03T10:00:00Z",
        json!({}),
    )
    .await;
    task(&ana, &place, "Report", 60, json!({})).await;
    let made = plan(&ana, &place, "2026-03-03", "2026-03-03").await;
    assert_eq!(slots(&made), ["Report 2026-03-03T10:00 60"], "{made:#}");
    let id: ScheduleId = made["id"].as_str().unwrap().parse().unwrap();
    let target: CalendarId = own.parse().unwrap();
    let access = Access::new(app.platform.clone(), ana.caller.clone());
    let ctx = access.ctx(app.ana.workspace_id).await.unwrap();

    // SQLite has one writer, and who applies a plan is it. On PostgreSQL a test has one connection for all that is beside workspaces.
    let is_taken = Backend::from_env() != Backend::Embedded;
    let (release, released) = watch::channel(!is_taken);
    let hold = async {
        if !is_taken {
            return;
        }
        let body = |_: Tx| {
            let mut released = released.clone();
            async move {
                released.wait_for(|is_over| *is_over).await.unwrap();
                Ok(())
            }
        };
        app.platform
            .write(Scope::System, Actor::system(), body)
            .await
            .unwrap();
    };
    let apply = async {
        let applied = scheduling::apply(&ctx, id, None, Some(target)).await;
        release.send(true).unwrap();
        applied
    };
    let (_, applied) = tokio::join!(hold, apply);
    assert_eq!(applied.unwrap().events.len(), 1);
}

/// A workspace of Ana's with a calendar, and a plan of one task on Tuesday in it.
async fn planned(ana: &Client<'_>, title: &str) -> (String, Value) {
    let document = "mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { workspace { id } userErrors { code field } } }";
    let made = ana.gql(document, json!({ "input": { "name": title } })).await;
    let place = made
        .succeeded("createWorkspace")
        .text("/createWorkspace/workspace/id");
    let own = calendar(ana, &place, json!({})).await;
    let person = json!({ "assigneeId": ana.app.ana.user_id.to_string() });
    task(ana, &place, title, 60, person).await;
    let made = plan(ana, &place, "2026-03-03", "2026-03-03").await;
    (own, made)
}

#[tokio::test]
async fn two_plans_of_one_person_in_two_workspaces_never_share_an_hour() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let more = json!({ "timeZone": "UTC", "bufferMinutes": 0 });
    prefer(&ana, &[("TUESDAY", "09:00", "12:00")], more).await;
    let (first_calendar, first) = planned(&ana, "Report").await;
    let (second_calendar, second) = planned(&ana, "Review").await;
    assert_eq!(slots(&first), ["Report 2026-03-03T09:00 60"], "{first:#}");
    assert_eq!(slots(&second), ["Review 2026-03-03T09:00 60"], "{second:#}");
    let apply = async |plan: &Value, calendar: &str| {
        let arguments = json!({ "id": plan["id"], "calendarId": calendar });
        command(&ana, "applySchedule", arguments)
            .await
            .succeeded("applySchedule");
        let id = plan["id"].as_str().unwrap();
        crate::support::plans::schedule(&ana, id).await
    };
    let (first, second) = tokio::join!(apply(&first, &first_calendar), apply(&second, &second_calendar));
    let mut starts = [&first, &second].map(|plan| plan["slots"][0]["start"].as_str().unwrap().to_owned());
    starts.sort();
    assert_eq!(starts, ["2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"]);
}
