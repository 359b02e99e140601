//! How long somebody waits for a plan: from the request for a week of twenty tasks until it is `PROPOSED`, over HTTP, with the server and
//! its workers in this process.
//!
//! `cargo bench --bench plans` measures on SQLite; `-- --database URL --redis URL` on an empty PostgreSQL database and Redis.
//! `--check` fails when more than five in a hundred take longer than 300 ms. The plan is asked for every two milliseconds, so the
//! figures are up to that much and one small request too long.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement prints what it measured, by the clock of the machine"
)]

#[path = "support/people.rs"]
mod people;
#[path = "support/runtime.rs"]
mod runtime;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::{Datelike as _, NaiveDate};
use meridian::app::{self, Role};
use meridian::config::Config;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use people::somebody;

const TASKS: usize = 20;
/// Plans that are not counted: the first ones open connections and fill caches.
const WARM_UP: usize = 3;
const SAMPLES: usize = 50;
/// What 95 of 100 must not exceed, in milliseconds.
const MOST: f64 = 300.0;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    // Test runners start benchmarks as well, to see whether they start.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let runtime = runtime::start();
    let after = |name: &str| {
        let mut pairs = words.windows(2);
        pairs.find(|pair| pair[0] == name).map(|pair| pair[1].clone())
    };
    let mut times = runtime.block_on(measure(after("--database"), after("--redis")));
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1];
    let (middle, most) = (at(0.5), at(0.95));
    let place = match (after("--database"), after("--redis")) {
        (None, None) => "SQLite",
        (None, Some(_)) => "SQLite and Redis",
        (Some(_), None) => "the given database",
        (Some(_), Some(_)) => "the given database and Redis",
    };
    println!("| on | plans | p50 | p95 | longest |\n| --- | --- | --- | --- | --- |");
    println!(
        "| {place} | {SAMPLES} | {middle:.0} ms | {most:.0} ms | {:.0} ms |",
        at(1.0)
    );
    if most > MOST && words.iter().any(|word| word == "--check") {
        println!("\n95 of 100 must not take longer than {MOST} ms");
        std::process::exit(1);
    }
}

/// Milliseconds of each plan.
async fn measure(database: Option<String>, redis: Option<String>) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let database =
        database.unwrap_or_else(|| format!("sqlite://{}", folder.path().join("plans.sqlite").display()));
    let mut settings = HashMap::from(
        [
            ("DATABASE_URL", database.as_str()),
            ("MERIDIAN_AUTO_MIGRATE", "true"),
            ("MERIDIAN_ENV", "development"),
            ("MERIDIAN_DATA_DIR", folder.path().to_str().unwrap()),
            ("MERIDIAN_LISTEN", "127.0.0.1:0"),
            ("MERIDIAN_ADMIN_LISTEN", "off"),
            // One person asks for much more than people do.
            ("MERIDIAN_RATE_CALLER_REQUESTS", "100000000"),
            ("MERIDIAN_RATE_CALLER_POINTS", "1000000000"),
            ("MERIDIAN_RATE_WORKSPACE_REQUESTS", "100000000"),
            ("MERIDIAN_RATE_WORKSPACE_POINTS", "1000000000"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    if let Some(redis) = redis {
        settings.insert("REDIS_URL".into(), redis);
    }
    let config = Config::parse(&settings.into_iter().collect()).unwrap();
    let platform = app::open(config).await.unwrap();
    let (workspace, token) = somebody(&platform).await;
    let (told, address) = oneshot::channel();
    let served = app::run(platform.clone(), Role::Everything, move |address| {
        told.send(address).ok();
    });
    let asked = async {
        let address = address.await.unwrap().expect("it listens");
        let client = Client::new(address, &token);
        let monday = next_monday(platform.clock.now().date_naive());
        fill(&client, &workspace, monday).await;
        let mut times = Vec::with_capacity(SAMPLES);
        for number in 0..WARM_UP + SAMPLES {
            let took = one_plan(&client, &workspace, monday).await;
            if number >= WARM_UP {
                times.push(took.as_secs_f64() * 1_000.0);
            }
        }
        platform.shutdown.cancel();
        times
    };
    let (served, times) = tokio::join!(served, asked);
    served.unwrap();
    times
}

fn next_monday(today: NaiveDate) -> NaiveDate {
    let days = 7 - u64::from(today.weekday().num_days_from_monday());
    today + chrono::Days::new(days)
}

/// A calendar with a meeting on each day, and twenty tasks: long and short, some in pieces, some due, some waiting for others.
async fn fill(client: &Client, workspace: &str, monday: NaiveDate) {
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code } } }";
    let made = client
        .ask(
            document,
            json!({ "input": { "workspaceId": workspace, "name": "Work" } }),
        )
        .await;
    let calendar = made["createCalendar"]["calendar"]["id"].clone();
    for day in 0..5 {
        let date = monday + chrono::Days::new(day);
        let time =
            json!({ "timed": { "start": format!("{date}T10:00:00Z"), "end": format!("{date}T11:00:00Z") } });
        let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code } } }";
        let input = json!({ "calendarId": calendar, "title": "Meeting", "time": time });
        client.ask(document, json!({ "input": input })).await;
    }
    let mut last = Value::Null;
    for number in 0..TASKS {
        let minutes = [30, 45, 60, 90, 120][number % 5];
        let mut input = json!({
            "workspaceId": workspace,
            "title": format!("Task {number}"),
            "durationMinutes": minutes,
            "priority": (["LOW", "MEDIUM", "HIGH", "URGENT"][number % 4]),
            "energy": (["LOW", "MEDIUM", "HIGH"][number % 3]),
        });
        if minutes >= 90 {
            input["minChunkMinutes"] = json!(30);
            input["maxChunkMinutes"] = json!(60);
        }
        if number % 3 == 0 {
            let date = monday + chrono::Days::new(number as u64 % 5);
            input["dueAt"] = json!(format!("{date}T16:00:00Z"));
        }
        if number % 6 == 5 {
            input["dependencyIds"] = json!([last]);
        }
        let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code field } } }";
        let made = client.ask(document, json!({ "input": input })).await;
        last = made["createTask"]["task"]["id"].clone();
        assert!(last.is_string(), "a task is made: {made}");
    }
}

/// Asks for a plan, waits for it, and throws it away.
async fn one_plan(client: &Client, workspace: &str, monday: NaiveDate) -> Duration {
    let document = "mutation ($input: GenerateScheduleInput!) { generateSchedule(input: $input) { schedule { id } userErrors { code message } } }";
    let sunday = monday + chrono::Days::new(6);
    let input =
        json!({ "workspaceId": workspace, "startDate": monday.to_string(), "endDate": sunday.to_string() });
    let began = Instant::now();
    let asked = client.ask(document, json!({ "input": input })).await;
    let id = asked["generateSchedule"]["schedule"]["id"].clone();
    assert!(id.is_string(), "a plan is asked for: {asked}");
    let took = loop {
        let document = "query ($id: ID!) { schedule(id: $id) { status } }";
        let seen = client.ask(document, json!({ "id": id })).await;
        match seen["schedule"]["status"].as_str() {
            Some("PROPOSED") => break began.elapsed(),
            Some("GENERATING") => assert!(began.elapsed() < PATIENCE, "the plan does not come"),
            other => panic!("the plan is {other:?}"),
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    };
    let document = "mutation ($id: ID!) { discardSchedule(id: $id) { userErrors { code } } }";
    client.ask(document, json!({ "id": id })).await;
    took
}

/// Somebody who asks over HTTP.
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    fn new(address: SocketAddr, token: &str) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://{address}/graphql"),
            token: format!("Bearer {token}"),
        }
    }

    /// The data of an answer without errors.
    async fn ask(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        let request = self
            .http
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Authorization", &self.token)
            .body(body.to_string());
        let text = request.send().await.unwrap().text().await.unwrap();
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.get("errors").is_none(), "unexpected errors: {text}");
        answer["data"].take()
    }
}
