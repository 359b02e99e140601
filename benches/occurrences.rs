//! What a month of a calendar with 200 series costs the server: processor time of one answer over HTTP, with the server in this process. The
//! rules are of all usual kinds, and some series have exceptions.
//!
//! `cargo bench --bench occurrences` measures on SQLite; `-- --database URL` on an empty PostgreSQL database. `--check` fails when an answer
//! takes more than 5 ms. Whoever asks has a thread of its own in this process, whose time is told apart; statements that PostgreSQL works on
//! in processes of its own are not in the figures.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement prints what it measured, by the clock of the machine"
)]

#[path = "support/people.rs"]
mod people;
#[path = "support/rules.rs"]
mod rules;
#[path = "support/runtime.rs"]
mod runtime;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use meridian::app::{self, Role};
use meridian::config::Config;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use people::somebody;

// As the program has it: the allocator is a part of what an answer costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERIES: usize = 200;
/// Answers that are not counted: the first ones open connections and fill caches.
const WARM_UP: usize = 20;
const CALLS: u32 = 200;
/// What one answer must not exceed, in milliseconds.
const MOST: f64 = 5.0;
/// How often a second of processor time is counted in `/proc`: a constant of Linux's interface.
const TICKS: f64 = 100.0;
const PATIENCE: Duration = Duration::from_secs(60);
const MONTH: &str =
    "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) {
    id start end originalStart title location isAllDay isRecurring isException status event { id } } } }";

/// What was measured of an answer.
struct Figures {
    bytes: usize,
    /// Milliseconds of the server's processor time for each answer.
    server: f64,
    /// Milliseconds of the processor time of whoever asks.
    client: f64,
    /// Milliseconds on the wall.
    wall: f64,
}

fn main() {
    // Test runners start benchmarks as well, to see whether they start.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let runtime = runtime::start();
    let mut pairs = words.windows(2);
    let database = pairs
        .find(|pair| pair[0] == "--database")
        .map(|pair| pair[1].clone());
    let place = match database {
        None => "SQLite",
        Some(_) => "the given database",
    };
    let (occurrences, figures) = runtime.block_on(measure(database));
    println!("{SERIES} series, {occurrences} occurrences in a month, on {place}\n");
    println!("| size | processor, server | processor, client | wall |\n| --- | --- | --- | --- |");
    println!(
        "| {} KiB | {:.2} ms | {:.2} ms | {:.2} ms |",
        figures.bytes / 1024,
        figures.server,
        figures.client,
        figures.wall
    );
    if figures.server > MOST && words.iter().any(|word| word == "--check") {
        println!("\none answer must not take more than {MOST} ms of processor time");
        std::process::exit(1);
    }
}

/// How many occurrences there are, and what the answer costs.
async fn measure(database: Option<String>) -> (usize, Figures) {
    let folder = tempfile::tempdir().unwrap();
    let database = database
        .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("occurrences.sqlite").display()));
    let settings = HashMap::from(
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
        fill(&client, &workspace).await;
        let range = json!({ "start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z" });
        let variables = json!({ "id": workspace, "range": range });
        let answer = client.ask(MONTH, variables.clone()).await;
        let list = answer["workspace"]["eventOccurrences"].as_array().unwrap();
        let occurrences = list.len();
        assert!(occurrences > SERIES, "most series take place: {occurrences}");
        let changed = list.iter().filter(|one| one["isException"] == true).count();
        assert!(changed > 0, "some were changed");
        let asking = tokio::task::spawn_blocking(move || ask_often(address, &token, &variables));
        let figures = asking.await.unwrap();
        platform.shutdown.cancel();
        (occurrences, figures)
    };
    let (served, measured) = tokio::join!(served, asked);
    served.unwrap();
    measured
}

/// Asks the same again and again, on the thread that calls this.
fn ask_often(address: SocketAddr, token: &str, variables: &Value) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = Client::new(address, token);
        let mut bytes = 0;
        for _ in 0..WARM_UP {
            bytes = client.bytes(MONTH, variables).await;
        }
        let (began, own, all) = (Instant::now(), used_by("thread-self"), used_by("self"));
        for _ in 0..CALLS {
            client.bytes(MONTH, variables).await;
        }
        let (wall, own, all) = (
            began.elapsed(),
            used_by("thread-self") - own,
            used_by("self") - all,
        );
        let each = |seconds: f64| seconds * 1_000.0 / f64::from(CALLS);
        Figures {
            bytes,
            server: each(all - own),
            client: each(own),
            wall: each(wall.as_secs_f64()),
        }
    })
}

/// Seconds of processor time of all threads of this process (`self`), those that have ended included, or of this thread (`thread-self`).
fn used_by(whom: &str) -> f64 {
    let stat =
        std::fs::read_to_string(format!("/proc/{whom}/stat")).expect("processor time is read on Linux");
    // The name of the program is in parentheses and may hold spaces; user and system time are the 14th and 15th value.
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let values: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| values[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS
}

/// Series since 2020, at different times of day; some with an excluded start and a moved occurrence in the month.
fn series(number: usize) -> String {
    let (hour, minute) = (7 + number % 12, number % 4 * 15);
    // 6 January 2020 was a Monday, as 2 and 9 March 2026 are.
    let (day, rule) = (6 + number % 5, rules::usual(number));
    let time = format!("T{hour:02}{minute:02}00");
    let visibility = if number.is_multiple_of(10) {
        "PRIVATE"
    } else {
        "PUBLIC"
    };
    let head = |sequence: usize| {
        format!(
            "BEGIN:VEVENT\r\nUID:series-{number}\r\nDTSTAMP:20260101T000000Z\r\nSEQUENCE:{sequence}\r\nCLASS:{visibility}\r\n"
        )
    };
    let mut text = head(0);
    text += &format!(
        "DTSTART;TZID=Europe/Berlin:202001{day:02}{time}\r\nDURATION:PT30M\r\nSUMMARY:Series {number}\r\nLOCATION:Room {}\r\nRRULE:{rule}\r\n",
        number % 40
    );
    let has_exceptions =
        number.is_multiple_of(4) && rule.starts_with("FREQ=WEEKLY") && !rule.contains("INTERVAL");
    if !has_exceptions {
        return text + "END:VEVENT\r\n";
    }
    let date = 2 + number % 5;
    text += &format!("EXDATE;TZID=Europe/Berlin:202603{date:02}{time}\r\nEND:VEVENT\r\n");
    let (date, changed) = (date + 7, head(1));
    text + &format!(
        "{changed}RECURRENCE-ID;TZID=Europe/Berlin:202603{date:02}{time}\r\nDTSTART;TZID=Europe/Berlin:202603{date:02}T193000\r\nDURATION:PT30M\r\nSUMMARY:Moved {number}\r\nEND:VEVENT\r\n"
    )
}

/// A calendar with all series, from a file.
async fn fill(client: &Client, workspace: &str) {
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "name": "Work", "timeZone": "Europe/Berlin" });
    let made = client.ask(document, json!({ "input": input })).await;
    let calendar = made["createCalendar"]["calendar"]["id"].clone();
    let events: String = (0..SERIES).map(series).collect();
    let content =
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//b//b//EN\r\n{events}END:VCALENDAR\r\n");
    let document = "mutation ($input: StartImportInput!) { startImport(input: $input) { dataTransfer { id } userErrors { code message } } }";
    let input =
        json!({ "workspaceId": workspace, "calendarId": calendar, "format": "ICS", "content": content });
    let started = client.ask(document, json!({ "input": input })).await;
    let id = started["startImport"]["dataTransfer"]["id"].clone();
    assert!(id.is_string(), "the series are taken: {started}");
    let began = Instant::now();
    loop {
        let document =
            "query ($id: ID!) { dataTransfer(id: $id) { status processedCount problems { message } } }";
        let seen = client.ask(document, json!({ "id": id })).await;
        let transfer = &seen["dataTransfer"];
        match transfer["status"].as_str() {
            Some("SUCCEEDED") => {
                assert_eq!(transfer["processedCount"], SERIES, "{transfer}");
                assert_eq!(transfer["problems"], json!([]));
                return;
            }
            Some("QUEUED" | "RUNNING") => assert!(began.elapsed() < PATIENCE, "the import does not end"),
            other => panic!("the import is {other:?}: {transfer}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Somebody who asks over HTTP.
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    fn new(address: SocketAddr, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy();
        Self {
            http: http.build().unwrap(),
            url: format!("http://{address}/graphql"),
            token: format!("Bearer {token}"),
        }
    }

    async fn send(&self, document: &str, variables: &Value) -> reqwest::Response {
        let body = json!({ "query": document, "variables": variables });
        let request = self
            .http
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Accept-Encoding", "identity")
            .header("Authorization", &self.token)
            .body(body.to_string());
        request.send().await.unwrap()
    }

    /// The data of an answer without errors.
    async fn ask(&self, document: &str, variables: Value) -> Value {
        let answer = self.send(document, &variables).await;
        let text = answer.text().await.unwrap();
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.get("errors").is_none(), "unexpected errors: {text}");
        answer["data"].take()
    }

    /// The length of an answer.
    async fn bytes(&self, document: &str, variables: &Value) -> usize {
        let answer = self.send(document, variables).await;
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.unwrap().len()
    }
}
