//! Full-text search through the API.

use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::events::calendar;
use crate::support::{Client, TestApp, join};

async fn found(client: &Client<'_>, workspace: &str, words: &str) -> Vec<String> {
    let document = "query ($id: ID!, $words: String!) { search(workspaceId: $id, query: $words) {
        ... on CalendarEvent { title } ... on Task { title } } }";
    let answer = client
        .gql(document, json!({ "id": workspace, "words": words }))
        .await;
    let list = answer.at("/search");
    let titles = list.as_array().unwrap().iter();
    titles
        .map(|one| one["title"].as_str().unwrap().to_owned())
        .collect()
}

async fn event(client: &Client<'_>, calendar: &str, title: &str, more: Value) -> String {
    let time = json!({ "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } });
    let mut input = json!({ "calendarId": calendar, "title": title, "time": time });
    let fields = more.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(fields);
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code } } }";
    let answer = client.gql(document, json!({ "input": input })).await;
    answer
        .succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}

#[tokio::test]
async fn words_find_events_and_tasks_best_first() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let more = json!({ "description": "About the quarterly budget, in detail" });
    event(&ana, &calendar, "Meeting", more).await;
    let id = event(&ana, &calendar, "Budget (draft)", json!({ "location": "Berlin" })).await;
    let document =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "title": "Budget-Review" });
    ana.gql(document, json!({ "input": input }))
        .await
        .succeeded("createTask");

    let mut titles = found(&ana, &workspace, "budget").await;
    assert_eq!(titles.pop().as_deref(), Some("Meeting"), "the title counts more");
    titles.sort();
    assert_eq!(titles, ["Budget (draft)", "Budget-Review"]);
    assert_eq!(found(&ana, &workspace, "BUD berl").await, ["Budget (draft)"]);
    assert_eq!(found(&ana, &workspace, "review budget").await, ["Budget-Review"]);
    for nothing in ["udget", "0", "budget nowhere", "", "':* \"", "w"] {
        assert_eq!(
            found(&ana, &workspace, nothing).await,
            [] as [&str; 0],
            "{nothing}"
        );
    }

    let update = "mutation ($id: ID!, $input: UpdateCalendarEventInput!) { updateCalendarEvent(id: $id, input: $input) { userErrors { code } } }";
    let input = json!({ "id": id, "input": { "title": "Costs" } });
    ana.gql(update, input).await.succeeded("updateCalendarEvent");
    assert_eq!(found(&ana, &workspace, "draft").await, [] as [&str; 0]);
    assert_eq!(found(&ana, &workspace, "costs").await, ["Costs"]);
    let delete = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
    ana.gql(delete, json!({ "id": id }))
        .await
        .succeeded("deleteCalendarEvent");
    assert_eq!(found(&ana, &workspace, "costs").await, [] as [&str; 0]);
}

#[tokio::test]
async fn private_events_and_other_workspaces_are_not_found() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.ana(), app.ben());
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    event(&ana, &calendar, "Doctor", json!({ "visibility": "PRIVATE" })).await;
    event(&ana, &calendar, "Doctoral defence", json!({})).await;
    assert_eq!(found(&ben, &app.ben.workspace(), "doctor").await, [] as [&str; 0]);
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let mut all = found(&ana, &app.ana.workspace(), "doctor").await;
    all.sort();
    assert_eq!(all, ["Doctor", "Doctoral defence"]);
    assert_eq!(
        found(&app.ben(), &app.ana.workspace(), "doctor").await,
        ["Doctoral defence"]
    );
}

/// Changes the occurrence of a day of March.
async fn change_one(client: &Client<'_>, id: &str, day: u32, input: Value) {
    let document = "mutation ($id: ID!, $start: DateTime!, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: THIS, occurrenceStart: $start, input: $input) { userErrors { code field message } } }";
    let start = format!("2026-03-{day:02}T09:00:00Z");
    let variables = json!({ "id": id, "start": start, "input": input });
    client
        .gql(document, variables)
        .await
        .succeeded("updateCalendarEvent");
}

#[tokio::test]
async fn a_series_is_found_by_what_single_occurrences_have_otherwise() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let daily = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=9" } });
    let id = event(&ana, &calendar, "Stand-up", daily).await;
    for day in [4, 5] {
        change_one(&ana, &id, day, json!({ "title": format!("Fair, day {day}") })).await;
    }
    change_one(&ana, &id, 6, json!({ "location": "Harbour" })).await;
    // Once, of however many occurrences it is said.
    assert_eq!(found(&ana, &workspace, "fair").await, ["Stand-up"]);
    assert_eq!(found(&ana, &workspace, "harb").await, ["Stand-up"]);
    // Occurrences that are private on their own are nobody else's business.
    change_one(&ana, &id, 6, json!({ "visibility": "PRIVATE" })).await;
    assert_eq!(found(&ana, &workspace, "harb").await, [] as [&str; 0]);

    change_one(&ana, &id, 4, json!({ "title": "Retrospective" })).await;
    assert_eq!(found(&ana, &workspace, "retro").await, ["Stand-up"]);
    let delete = "mutation ($id: ID!, $start: DateTime) {
        deleteCalendarEvent(id: $id, scope: THIS, occurrenceStart: $start) { userErrors { code } } }";
    let variables = json!({ "id": id, "start": "2026-03-05T09:00:00Z" });
    ana.gql(delete, variables).await.succeeded("deleteCalendarEvent");
    assert_eq!(found(&ana, &workspace, "fair").await, [] as [&str; 0]);
    ana.gql(
        "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }",
        json!({ "id": id }),
    )
    .await
    .succeeded("deleteCalendarEvent");
    assert_eq!(found(&ana, &workspace, "retro").await, [] as [&str; 0]);
}

#[tokio::test]
async fn capital_and_small_letters_are_the_same_in_every_script() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    for title in ["Übergabe", "ПЛАНЁРКА", "Ελλάδα"] {
        event(&ana, &calendar, title, json!({})).await;
    }
    for (words, title) in [
        ("übergabe", "Übergabe"),
        ("ÜBER", "Übergabe"),
        ("планёрка", "ПЛАНЁРКА"),
        ("ΕΛΛΆΔΑ", "Ελλάδα"),
    ] {
        assert_eq!(found(&ana, &workspace, words).await, [title], "{words}");
    }
}

/// `initdb --locale=C` is what packages and containers do; there PostgreSQL itself knows the letters of ASCII only.
#[tokio::test]
async fn letters_are_known_in_a_database_with_the_locale_c() {
    use migration::MigratorTrait as _;
    use sea_orm::{ConnectionTrait as _, Database, Statement};
    let Ok(admin_url) = std::env::var("MERIDIAN_TEST_PG_ADMIN_URL") else {
        return;
    };
    let admin = Database::connect(&admin_url).await.unwrap();
    let name = format!("meridian_test_{}", uuid::Uuid::now_v7().simple());
    let create =
        format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
    admin.execute_unprepared(&create).await.unwrap();
    let mut url = url::Url::parse(&admin_url).unwrap();
    url.set_path(&name);
    let db = Database::connect(url.as_str()).await.unwrap();
    let asked = async {
        migration::Migrator::up(&db, None).await?;
        let ask = |text: &str| {
            let sql = format!("SELECT to_tsvector('simple', {text}) @@ 'über:*'::tsquery");
            Statement::from_string(sea_orm::DbBackend::Postgres, sql)
        };
        let plain = db.query_one_raw(ask("'ÜBER'")).await?.unwrap();
        let ours = ask("lower('ÜBER' COLLATE meridian_letters)");
        let ours = db.query_one_raw(ours).await?.unwrap();
        Ok::<(bool, bool), sea_orm::DbErr>((plain.try_get_by_index(0)?, ours.try_get_by_index(0)?))
    };
    let asked = asked.await;
    db.close().await.unwrap();
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute_unprepared(&drop).await.unwrap();
    assert_eq!(asked.unwrap(), (false, true));
}
