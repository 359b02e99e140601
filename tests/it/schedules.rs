//! The life of a schedule through the API: asked for, watched, reviewed, applied, changed, taken back.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::plans::{
    calendar, command, event, office, plan, prefer, reasons, request, run, schedule, slots, sweep, task,
    waiting, work,
};
use crate::support::{Client, TestApp};

const EVENTS: &str = "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 20) { nodes { id title start end description calendar { id } task { title } attendees { email isOptional response } reminders { minutesBefore channel } } } } }";

/// All events of the workspace, by start.
async fn events(client: &Client<'_>, workspace: &str) -> Vec<Value> {
    let answer = client.gql(EVENTS, json!({ "id": workspace })).await;
    answer
        .at("/workspace/calendarEvents/nodes")
        .as_array()
        .unwrap()
        .clone()
}

async fn titles(client: &Client<'_>, workspace: &str) -> Vec<String> {
    let events = events(client, workspace).await;
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    events
        .iter()
        .map(|event| format!("{} {}", text(event, "title"), &text(event, "start")[..16]))
        .collect()
}

/// Ana with office hours, a calendar, and two hours of work in two tasks.
async fn office_of(client: &Client<'_>, workspace: &str) -> String {
    prefer(client, &office(), json!({})).await;
    let work = calendar(client, workspace, json!({})).await;
    task(client, workspace, "Report", 60, json!({ "priority": "HIGH" })).await;
    task(client, workspace, "Letters", 60, json!({})).await;
    work
}

fn id(schedule: &Value) -> String {
    schedule["id"].as_str().unwrap().to_owned()
}

async fn apply(client: &Client<'_>, schedule: &Value, calendar: &str) -> Value {
    let answer = command(
        client,
        "applySchedule",
        json!({ "id": id(schedule), "calendarId": calendar }),
    )
    .await;
    answer.succeeded("applySchedule").at("/applySchedule/schedule")
}

#[tokio::test]
async fn a_plan_is_watched_reviewed_applied_and_taken_back() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let work_calendar = office_of(&ana, &place).await;
    event(
        &ana,
        &work_calendar,
        "2026-03-02T09:00:00Z",
        "2026-03-02T10:00:00Z",
        json!({}),
    )
    .await;
    let before = titles(&ana, &place).await;

    let asked = request(&ana, &place, "2026-03-02", "2026-03-06", json!({}))
        .await
        .succeeded("generateSchedule");
    assert_eq!(asked.at("/generateSchedule/schedule/status"), "GENERATING");
    assert_eq!(asked.at("/generateSchedule/job/queue"), "SCHEDULE_GENERATION");
    let id = asked.text("/generateSchedule/schedule/id");
    let document = "subscription ($id: ID!) { scheduleProgress(scheduleId: $id) { phase percent message placedTaskCount totalTaskCount schedule { id status error } } }";
    let mut progress = ana.subscribe(document, json!({ "id": id }));
    let first = progress.next().await.unwrap();
    assert_eq!(first.at("/scheduleProgress/phase"), "QUEUED");
    let watching = async {
        let mut seen = Vec::new();
        while let Some(step) = progress.next().await {
            seen.push(step.at("/scheduleProgress"));
        }
        seen
    };
    let (seen, ()) = tokio::join!(watching, work(&app));
    let last = seen.last().unwrap();
    assert_eq!((&last["phase"], &last["percent"]), (&json!("DONE"), &json!(100)));
    assert_eq!(
        (&last["placedTaskCount"], &last["totalTaskCount"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(last["schedule"]["status"], "PROPOSED");
    // The first plan is told at once, while the search for better ones takes its time.
    let is_live = |step: &Value| step["phase"] == "SOLVING" && step["placedTaskCount"] == 2;
    assert!(seen.iter().any(is_live), "{seen:#?}");

    let proposal = schedule(&ana, &id).await;
    assert_eq!(
        slots(&proposal),
        ["Report 2026-03-02T10:00 60", "Letters 2026-03-02T11:00 60"]
    );
    assert_eq!(proposal["score"], 100);
    assert_eq!(proposal["diff"]["added"].as_array().unwrap().len(), 2);
    assert_eq!(proposal["stats"]["placedMinutes"], 120);
    assert!(
        reasons(&proposal, 0).contains(&"PRIORITY".to_owned()),
        "{proposal:#}"
    );
    assert_eq!(
        titles(&ana, &place).await,
        before,
        "nothing is on the calendar yet"
    );
    let told =
        "{ viewer { notifications(first: 1) { nodes { type title subject { ... on Schedule { id } } } } } }";
    let told = ana.gql(told, json!({})).await;
    assert_eq!(told.text("/viewer/notifications/nodes/0/type"), "SCHEDULE_READY");
    assert_eq!(told.text("/viewer/notifications/nodes/0/subject/id"), id);

    let document = "mutation ($id: ID!, $calendar: ID) { applySchedule(id: $id, calendarId: $calendar) { schedule { status appliedAt slots { calendarEvent { id } } } calendarEvents { id title start task { title } } userErrors { code field message } } }";
    let applied = ana
        .gql(document, json!({ "id": id, "calendar": work_calendar }))
        .await
        .succeeded("applySchedule");
    assert_eq!(applied.at("/applySchedule/schedule/status"), "APPLIED");
    assert_eq!(
        applied
            .at("/applySchedule/calendarEvents")
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(applied.at("/applySchedule/calendarEvents/0/task/title"), "Report");
    let active = "query ($id: ID!) { workspace(id: $id) { activeSchedule { id } schedules(filter: { statuses: [APPLIED], date: \"2026-03-04\" }) { totalCount nodes { id } } tasks(filter: { isScheduled: true }) { nodes { title scheduledSlots { start } } } } }";
    let active = ana.gql(active, json!({ "id": place })).await;
    assert_eq!(active.text("/workspace/activeSchedule/id"), id);
    assert_eq!(active.at("/workspace/schedules/totalCount"), 1);
    assert_eq!(active.at("/workspace/tasks/nodes").as_array().unwrap().len(), 2);

    let again = command(
        &ana,
        "applySchedule",
        json!({ "id": id, "calendarId": work_calendar }),
    )
    .await;
    assert_eq!(again.user_error("applySchedule"), "INVALID_STATE id");
    command(&ana, "revertSchedule", json!({ "id": id }))
        .await
        .succeeded("revertSchedule");
    assert_eq!(titles(&ana, &place).await, before);
    assert_eq!(schedule(&ana, &id).await["status"], "PROPOSED");
    command(&ana, "discardSchedule", json!({ "id": id }))
        .await
        .succeeded("discardSchedule");
    let late = command(&ana, "discardSchedule", json!({ "id": id })).await;
    assert_eq!(late.user_error("discardSchedule"), "INVALID_STATE id");
}

#[tokio::test]
async fn a_newer_plan_replaces_the_old_one_and_reverting_brings_it_back_exactly() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let work_calendar = office_of(&ana, &place).await;
    let first = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    apply(&ana, &first, &work_calendar).await;
    let before = events(&ana, &place).await;
    // Somebody writes into an event of the plan, invites a guest and wants to be reminded; that must survive.
    let document = "mutation ($id: ID!, $input: UpdateCalendarEventInput!) { updateCalendarEvent(id: $id, input: $input) { userErrors { code } } }";
    let input = json!({
        "description": "bring figures",
        "attendees": [{ "email": "guest@example.com", "isOptional": true }],
        "reminders": [{ "minutesBefore": 25 }],
    });
    ana.gql(document, json!({ "id": before[1]["id"], "input": input }))
        .await
        .succeeded("updateCalendarEvent");
    let before = events(&ana, &place).await;

    task(
        &ana,
        &place,
        "Fire",
        60,
        json!({ "priority": "URGENT", "dueAt": "2026-03-02T12:00:00Z", "isHardDeadline": true }),
    )
    .await;
    task(
        &ana,
        &place,
        "Smoke",
        60,
        json!({ "priority": "URGENT", "dueAt": "2026-03-02T12:00:00Z", "isHardDeadline": true }),
    )
    .await;
    let second = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    // What begins now has begun and stays; the other makes room.
    assert_eq!(second["diff"]["moved"].as_array().unwrap().len(), 1, "{second:#}");
    apply(&ana, &second, &work_calendar).await;
    assert_eq!(schedule(&ana, &id(&first)).await["status"], "SUPERSEDED");
    assert_eq!(events(&ana, &place).await.len(), 4);
    let early = command(&ana, "revertSchedule", json!({ "id": id(&first) })).await;
    assert_eq!(early.user_error("revertSchedule"), "INVALID_STATE id");

    command(&ana, "revertSchedule", json!({ "id": id(&second) }))
        .await
        .succeeded("revertSchedule");
    assert_eq!(
        events(&ana, &place).await,
        before,
        "ids, texts, times, guests and reminders are as they were"
    );
    assert_eq!(before[1]["reminders"][0]["minutesBefore"], 25);
    assert!(
        before[1]["attendees"].to_string().contains("guest@example.com"),
        "{:#}",
        before[1]
    );
    assert_eq!(schedule(&ana, &id(&first)).await["status"], "APPLIED");
    assert_eq!(before[1]["description"], "bring figures");
}

#[tokio::test]
async fn chosen_slots_are_applied_alone() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let work_calendar = office_of(&ana, &place).await;
    let proposal = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    let slot = proposal["slots"][1]["id"].clone();
    let chosen = json!({ "id": id(&proposal), "calendarId": work_calendar, "slotIds": [slot] });
    command(&ana, "applySchedule", chosen)
        .await
        .succeeded("applySchedule");
    assert_eq!(titles(&ana, &place).await, ["Letters 2026-03-02T10:00"]);
    let applied = schedule(&ana, &id(&proposal)).await;
    assert!(applied["slots"][0]["calendarEvent"].is_null());
    assert!(applied["slots"][1]["calendarEvent"]["id"].is_string());

    let other = plan(&ana, &place, "2026-03-03", "2026-03-03").await;
    let foreign = json!({ "id": id(&other), "slotIds": [slot], "calendarId": work_calendar });
    let refused = command(&ana, "applySchedule", foreign).await;
    assert_eq!(
        refused.user_error("applySchedule"),
        "REFERENCE_NOT_FOUND slotIds.0"
    );
}

#[tokio::test]
async fn what_changed_since_is_planned_again_or_reported() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let work_calendar = office_of(&ana, &place).await;
    let proposal = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    let first = proposal["slots"][0]["id"].clone();
    // A meeting lands on the first slot after the plan was made.
    event(
        &ana,
        &work_calendar,
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:30:00Z",
        json!({}),
    )
    .await;
    let chosen = json!({ "id": id(&proposal), "calendarId": work_calendar, "slotIds": [first] });
    let refused = command(&ana, "applySchedule", chosen).await;
    assert_eq!(refused.user_error("applySchedule"), "SLOT_UNAVAILABLE slotIds");
    assert_eq!(
        titles(&ana, &place).await.len(),
        1,
        "nothing was put on the calendar"
    );

    apply(&ana, &proposal, &work_calendar).await;
    let mended = schedule(&ana, &id(&proposal)).await;
    let found = slots(&mended);
    assert!(
        found.contains(&"Letters 2026-03-02T10:00 60".to_owned()),
        "what fits stays: {found:?}"
    );
    assert!(
        !found.contains(&"Report 2026-03-02T09:00 60".to_owned()),
        "{found:?}"
    );

    // The week fills up: a plan that was made before finds no place any more and says so, with nothing half done.
    task(
        &ana,
        &place,
        "Late",
        60,
        json!({ "dueAt": "2026-03-03T16:00:00Z", "isHardDeadline": true }),
    )
    .await;
    let next = plan(&ana, &place, "2026-03-03", "2026-03-03").await;
    event(
        &ana,
        &work_calendar,
        "2026-03-03T07:00:00Z",
        "2026-03-03T17:00:00Z",
        json!({}),
    )
    .await;
    let before = titles(&ana, &place).await;
    let refused = command(
        &ana,
        "applySchedule",
        json!({ "id": id(&next), "calendarId": work_calendar }),
    )
    .await;
    assert_eq!(refused.user_error("applySchedule"), "SLOT_UNAVAILABLE id");
    assert_eq!(titles(&ana, &place).await, before);
    assert_eq!(schedule(&ana, &id(&next)).await["status"], "PROPOSED");
}

#[tokio::test]
async fn slots_are_moved_and_locked_and_stay_when_the_plan_is_made_again() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let work_calendar = office_of(&ana, &place).await;
    event(
        &ana,
        &work_calendar,
        "2026-03-04T09:00:00Z",
        "2026-03-04T10:00:00Z",
        json!({}),
    )
    .await;
    let proposal = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    let slot = proposal["slots"][0]["id"].clone();
    let to = |start: &str| json!({ "id": slot, "start": start });
    for (start, code) in [
        ("2026-03-04T09:30:00Z", "SLOT_UNAVAILABLE start"),
        ("2026-03-02T10:30:00Z", "SLOT_UNAVAILABLE start"),
        ("2026-03-02T08:00:00Z", "OUT_OF_RANGE start"),
        ("2026-03-09T09:00:00Z", "OUT_OF_RANGE start"),
    ] {
        let refused = command(&ana, "moveScheduleSlot", to(start)).await;
        assert_eq!(refused.user_error("moveScheduleSlot"), code, "{start}");
    }
    let mut backwards = to("2026-03-04T12:00:00Z");
    backwards["end"] = json!("2026-03-04T11:00:00Z");
    let refused = command(&ana, "moveScheduleSlot", backwards).await;
    assert_eq!(refused.user_error("moveScheduleSlot"), "INVALID_TIME_RANGE end");

    let moved = command(&ana, "moveScheduleSlot", to("2026-03-05T13:00:00Z"))
        .await
        .succeeded("moveScheduleSlot");
    assert_eq!(moved.at("/moveScheduleSlot/slot/isLocked"), true);
    assert_eq!(moved.text("/moveScheduleSlot/slot/end"), "2026-03-05T14:00:00Z");
    assert_eq!(moved.text("/moveScheduleSlot/slot/reasons/0/code"), "LOCKED");
    command(
        &ana,
        "regenerateSchedule",
        json!({ "id": id(&proposal), "feedback": "better" }),
    )
    .await
    .succeeded("regenerateSchedule");
    work(&app).await;
    let again = schedule(&ana, &id(&proposal)).await;
    assert_eq!(
        slots(&again),
        ["Letters 2026-03-02T09:00 60", "Report 2026-03-05T13:00 60"]
    );
    assert_eq!(again["slots"][1]["id"], slot, "it is the same slot");
    let free = json!({ "id": slot, "isLocked": false });
    let free = command(&ana, "setScheduleSlotLock", free)
        .await
        .succeeded("setScheduleSlotLock");
    assert_eq!(free.at("/setScheduleSlotLock/slot/isLocked"), false);
}

#[tokio::test]
async fn a_generation_is_cancelled_while_it_waits_and_while_it_runs() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    office_of(&ana, &place).await;
    let asked = request(&ana, &place, "2026-03-02", "2026-03-06", json!({})).await;
    let id = asked.text("/generateSchedule/schedule/id");
    command(&ana, "cancelScheduleGeneration", json!({ "id": id }))
        .await
        .succeeded("cancelScheduleGeneration");
    assert!(waiting(&app).await.is_empty(), "the job went with it");
    let cancelled = schedule(&ana, &id).await;
    assert_eq!(
        (&cancelled["status"], &cancelled["slots"]),
        (&json!("DISCARDED"), &json!([]))
    );
    let again = command(&ana, "cancelScheduleGeneration", json!({ "id": id })).await;
    assert_eq!(again.user_error("cancelScheduleGeneration"), "INVALID_STATE id");

    // A running one ends when its token fires, long before its time is up, and leaves nothing.
    for number in 0..120 {
        task(
            &ana,
            &place,
            &format!("T{number}"),
            90,
            json!({ "minChunkMinutes": 30 }),
        )
        .await;
    }
    request(&ana, &place, "2026-03-02", "2026-03-31", json!({})).await;
    let job = waiting(&app).await.pop().unwrap();
    let cancel = CancellationToken::new();
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let fired = std::time::Instant::now();
        cancel.cancel();
        fired
    };
    let (result, fired) = tokio::join!(run(&app, job, cancel.clone()), stop);
    assert_eq!(result, Err(meridian::platform::jobs::JobError::Cancelled));
    // It takes effect at once; what is allowed here is for a machine that has other work.
    assert!(
        fired.elapsed() < std::time::Duration::from_millis(150),
        "{:?}",
        fired.elapsed()
    );
}

#[tokio::test]
async fn bad_wishes_and_bad_weeks_get_clear_answers() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let refused = async |first: &str, last: &str, more: Value| {
        request(&ana, &place, first, last, more)
            .await
            .user_error("generateSchedule")
    };
    assert_eq!(
        refused("2026-03-06", "2026-03-02", json!({})).await,
        "INVALID_TIME_RANGE input.endDate"
    );
    assert_eq!(
        refused("2026-03-02", "2027-03-02", json!({})).await,
        "OUT_OF_RANGE input.endDate"
    );
    assert_eq!(
        refused("2026-02-02", "2026-02-06", json!({})).await,
        "OUT_OF_RANGE input.endDate"
    );
    assert_eq!(
        refused("2026-03-02", "2026-03-06", json!({ "engine": "AI" })).await,
        "AI_UNAVAILABLE input.engine"
    );
    assert_eq!(
        refused("2026-03-02", "2026-03-06", json!({ "taskIds": ["task_x"] })).await,
        "REFERENCE_NOT_FOUND input.taskIds.0"
    );
    assert_eq!(
        refused("2026-03-02", "2026-03-06", json!({ "taskIds": [] })).await,
        "OUT_OF_RANGE input.taskIds"
    );

    // No working hours: the plan fails with a sentence that says what to do.
    let failed = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(failed["status"], "FAILED");
    assert!(
        failed["error"].as_str().unwrap().contains("working hours"),
        "{failed:#}"
    );

    // Nothing to do is no failure.
    prefer(&ana, &office(), json!({})).await;
    let empty = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(
        (&empty["status"], &empty["slots"]),
        (&json!("PROPOSED"), &json!([]))
    );

    // Hours only on days that are not planned: everything is left out, with the reason.
    prefer(&ana, &[("SUNDAY", "09:00", "10:00")], json!({})).await;
    task(&ana, &place, "Report", 60, json!({})).await;
    let closed = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(closed["unscheduledTasks"][0]["reason"], "NO_CAPACITY");
    assert_eq!(closed["unscheduledTasks"][0]["missingMinutes"], 60);
}

#[tokio::test]
async fn a_circle_that_an_older_version_wrote_is_reported_and_the_rest_is_planned() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    office_of(&ana, &place).await;
    let egg = task(&ana, &place, "Egg", 60, json!({})).await;
    let hen = task(&ana, &place, "Hen", 60, json!({ "dependencyIds": [egg] })).await;
    task(&ana, &place, "Omelette", 60, json!({ "dependencyIds": [hen] })).await;
    wait_for_each_other(&app, &egg, &hen).await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(plan["slots"].as_array().unwrap().len(), 2, "{plan:#}");
    let unplaced = plan["unscheduledTasks"].as_array().unwrap();
    assert_eq!(unplaced.len(), 3);
    assert!(unplaced.iter().all(|one| one["reason"] == "BLOCKED"));
    assert!(
        unplaced[0]["message"].as_str().unwrap().contains("in turn"),
        "{plan:#}"
    );
    for one in unplaced {
        let advice = one["relaxations"][0]["message"].as_str().unwrap();
        assert!(advice.contains("It would be done"), "it was tried: {advice}");
    }
}

/// Writes a dependency that the API would refuse.
async fn wait_for_each_other(app: &TestApp, task: &str, on: &str) {
    use entity::task_dependency;
    use meridian::kernel::actor::Actor;
    use meridian::platform::db::{Scope, Tx};
    use sea_orm::Set;
    let body = |tx: Tx| {
        let (task, on) = (task.parse().unwrap(), on.parse().unwrap());
        async move {
            let row = task_dependency::ActiveModel {
                task_id: Set(task),
                depends_on_id: Set(on),
                created_at: Set(tx.now()),
                updated_at: Set(tx.now()),
                ..Default::default()
            };
            tx.insert_many(vec![row]).await
        }
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    app.platform.write(scope, Actor::system(), body).await.unwrap();
}

#[tokio::test]
async fn everything_that_takes_time_is_seen_and_nothing_else() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &[("TUESDAY", "09:00", "17:00")], json!({})).await;
    let work_calendar = calendar(&ana, &place, json!({})).await;
    let ignored = calendar(&ana, &place, json!({ "name": "Holidays of others" })).await;
    let document = "mutation ($id: ID!) { updateCalendar(id: $id, input: { countsAsBusy: false }) { userErrors { code } } }";
    ana.gql(document, json!({ "id": ignored }))
        .await
        .succeeded("updateCalendar");
    let at = |hour: u32| {
        (
            format!("2026-03-03T{hour:02}:00:00Z"),
            format!("2026-03-03T{:02}:00:00Z", hour + 1),
        )
    };
    for (hour, on, more) in [
        (8, &work_calendar, json!({ "status": "TENTATIVE" })),
        (9, &work_calendar, json!({ "transparency": "FREE" })),
        (10, &work_calendar, json!({ "status": "CANCELLED" })),
        (11, &ignored, json!({})),
        (12, &work_calendar, json!({})),
    ] {
        let (start, end) = at(hour);
        event(&ana, on, &start, &end, more).await;
    }
    weekly(&app, &work_calendar, &at(14).0).await;
    // Five hours of work for what is left: 9–12 and 13–14 and 15–16 in UTC.
    task(&ana, &place, "All day", 300, json!({ "minChunkMinutes": 60 })).await;
    let plan = plan(&ana, &place, "2026-03-03", "2026-03-03").await;
    assert_eq!(
        slots(&plan),
        [
            "All day 2026-03-03T09:00 180",
            "All day 2026-03-03T13:00 60",
            "All day 2026-03-03T15:00 60"
        ],
        "{plan:#}"
    );
}

/// Makes an event of a calendar repeat weekly since two months; one instance that would be in the way was cancelled, one moved here.
async fn weekly(app: &TestApp, calendar: &str, start: &str) {
    use entity::{calendar_event, event_override};
    use meridian::kernel::actor::Actor;
    use meridian::platform::db::{Scope, Tx};
    use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, Set};
    let ana = app.ana();
    let at: chrono::DateTime<chrono::Utc> = start.parse().unwrap();
    let weeks = |n: i64| at - chrono::Duration::weeks(n);
    for (title, first) in [
        ("Gone", weeks(5)),
        (
            "Stays",
            weeks(7) - chrono::Duration::hours(1) + chrono::Duration::days(2),
        ),
    ] {
        let end = first + chrono::Duration::hours(1);
        let more = json!({ "title": title, "timeZone": "UTC" });
        let id = event(&ana, calendar, &first.to_rfc3339(), &end.to_rfc3339(), more).await;
        let id: entity::ids::CalendarEventId = id.parse().unwrap();
        let body = |tx: Tx| async move {
            let row = tx
                .find::<calendar_event::Entity>()
                .filter(calendar_event::Column::Id.eq(id))
                .one(tx.conn())
                .await?;
            let mut row = row.unwrap().into_active_model();
            row.rrule = Set(Some("FREQ=WEEKLY".into()));
            row.is_recurring = Set(true);
            tx.update(row).await?;
            let exception = |original: chrono::DateTime<chrono::Utc>| event_override::ActiveModel {
                id: Set(tx.ids().next()),
                event_id: Set(id),
                original_start_utc: Set(original),
                original_start: Set(original.to_rfc3339()),
                cancelled: Set(true),
                patch: Set(json!({})),
                start_utc: Set(None),
                end_utc: Set(None),
                version: Set(1),
                created_at: Set(tx.now()),
                updated_at: Set(tx.now()),
                ..Default::default()
            };
            let rows = if title == "Gone" {
                vec![exception(at)]
            } else {
                // Thursday's instance of this week was moved to Tuesday.
                let mut moved = exception(first + chrono::Duration::weeks(7));
                moved.cancelled = Set(false);
                moved.start_utc = Set(Some(at));
                moved.end_utc = Set(Some(at + chrono::Duration::hours(1)));
                vec![moved]
            };
            tx.insert_many(rows).await
        };
        let scope = Scope::Workspace(app.ana.workspace_id);
        app.platform.write(scope, Actor::system(), body).await.unwrap();
    }
}

#[tokio::test]
async fn plans_in_force_are_mended_as_their_person_wants() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let work_calendar = office_of(&ana, &place).await;
    for title in ["One", "Two", "Three"] {
        task(&ana, &place, title, 60, json!({ "priority": "LOW" })).await;
    }
    let first = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    apply(&ana, &first, &work_calendar).await;
    let meeting = async |start: &str, end: &str| {
        app.advance(chrono::Duration::seconds(30));
        event(&ana, &work_calendar, start, end, json!({})).await;
        sweep(&app).await;
    };
    let of = async |status: &str| {
        let document = "query ($id: ID!, $status: ScheduleStatus!) { workspace(id: $id) { schedules(filter: { statuses: [$status] }) { nodes { id diff { moved { id } removed { id } added { id } } } } } }";
        let answer = ana.gql(document, json!({ "id": place, "status": status })).await;
        answer
            .at("/workspace/schedules/nodes")
            .as_array()
            .unwrap()
            .clone()
    };
    // Off: nothing happens.
    meeting("2026-03-02T10:00:00Z", "2026-03-02T10:30:00Z").await;
    assert!(of("PROPOSED").await.is_empty());

    // Suggest: one proposal that moves as little as it can; an unrelated change makes no second one.
    prefer(&ana, &office(), json!({ "replanPolicy": "SUGGEST" })).await;
    sweep(&app).await;
    let proposed = of("PROPOSED").await;
    assert_eq!(proposed.len(), 1);
    let moved = proposed[0]["diff"]["moved"].as_array().unwrap().len();
    assert!((1..=2).contains(&moved), "{proposed:#?}");
    sweep(&app).await;
    assert_eq!(of("PROPOSED").await, proposed);
    assert_eq!(of("APPLIED").await.len(), 1);

    // Apply: the calendar is right again without anybody doing anything.
    prefer(&ana, &office(), json!({ "replanPolicy": "APPLY" })).await;
    meeting("2026-03-02T12:00:00Z", "2026-03-02T12:30:00Z").await;
    let applied = of("APPLIED").await;
    assert_eq!(applied.len(), 1);
    let now = schedule(&ana, applied[0]["id"].as_str().unwrap()).await;
    let busy = ["2026-03-02T10:00", "2026-03-02T12:00"];
    for slot in slots(&now) {
        assert!(!busy.iter().any(|start| slot.contains(start)), "{slot}");
    }
    assert_eq!(schedule(&ana, &id(&first)).await["status"], "SUPERSEDED");

    // What is done leaves the plan.
    let done = now["slots"][0]["task"]["id"].clone();
    app.advance(chrono::Duration::seconds(30));
    let document = "mutation ($id: ID!) { completeTask(id: $id) { userErrors { code } } }";
    ana.gql(document, json!({ "id": done }))
        .await
        .succeeded("completeTask");
    sweep(&app).await;
    let left = of("APPLIED").await;
    let left = schedule(&ana, left[0]["id"].as_str().unwrap()).await;
    assert!(
        left["slots"]
            .as_array()
            .unwrap()
            .iter()
            .all(|slot| slot["task"]["id"] != done)
    );
}

#[tokio::test]
async fn a_schedule_is_changed_only_by_its_person() {
    use entity::enums::WorkspaceRole;
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    office_of(&ana, &place).await;
    let proposal = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    crate::support::join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    let ben = app.ben();
    assert_eq!(
        schedule(&ben, &id(&proposal)).await["status"],
        "PROPOSED",
        "members see it"
    );
    for name in ["discardSchedule", "regenerateSchedule", "applySchedule"] {
        let calendar = calendar(&ben, &place, json!({ "name": name })).await;
        let arguments = match name {
            "applySchedule" => json!({ "id": id(&proposal), "calendarId": calendar }),
            _ => json!({ "id": id(&proposal) }),
        };
        assert_eq!(
            command(&ben, name, arguments).await.error_code(),
            "FORBIDDEN",
            "{name}"
        );
    }
    let node = format!(
        "{{ node(id: \"{}\") {{ id ... on ScheduleSlot {{ kind }} }} }}",
        proposal["slots"][0]["id"].as_str().unwrap()
    );
    assert_eq!(ben.gql(&node, json!({})).await.text("/node/kind"), "TASK");
}
