//! A file of 50,000 events that arrives in pieces: the server reads it with bounded memory, says how far it is, names each object that cannot be
//! read by its line, and changes nothing when the same file comes again.

use std::time::Duration;

use entity::{calendar_event, change_log, data_transfer};
use meridian::platform::Platform;
use meridian::platform::db::Scope;
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::has_time;
use super::process::{Install, Process, User};

const EVENTS: u32 = 50_000;
/// One event in so many cannot be read.
const EACH: u32 = 1_000;
const BROKEN: u32 = EVENTS / EACH;
const MIB: u64 = 1 << 20;
/// What the import may take on top of an idle server, file and all.
const MOST: u64 = 200 * MIB;
/// How long one import may take, with a program that is not optimised.
const BOUND: Duration = Duration::from_secs(300);
/// Events of one piece of the request.
const PIECE: u32 = 500;

/// The file, made piece by piece: nobody ever has all of it.
struct Generator {
    next: u32,
    /// Number of the next line.
    line: u32,
    /// Lines at which objects begin that nobody can read.
    broken: Vec<u32>,
}

impl Generator {
    fn new() -> Self {
        Self {
            next: 0,
            line: 1,
            broken: Vec::new(),
        }
    }

    /// The next part of the file; empty at its end.
    fn piece(&mut self) -> String {
        if self.next >= EVENTS {
            return String::new();
        }
        let mut text = String::new();
        if self.next == 0 {
            self.add(
                &mut text,
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Long//Long//EN\r\n",
            );
        }
        for number in self.next..(self.next + PIECE).min(EVENTS) {
            if number % EACH == EACH - 1 {
                self.broken.push(self.line);
            }
            self.add(&mut text, &event(number));
        }
        self.next += PIECE;
        if self.next >= EVENTS {
            self.add(&mut text, "END:VCALENDAR\r\n");
        }
        text
    }

    fn add(&mut self, text: &mut String, more: &str) {
        self.line += u32::try_from(more.matches('\n').count()).unwrap();
        text.push_str(more);
    }
}

/// An event as calendars of many years hold them; some repeat, and one in a thousand has no start that could be read.
fn event(number: u32) -> String {
    let start = match (number % EACH == EACH - 1, number % 3) {
        (false, _) => format!(
            "DTSTART;TZID=Europe/Berlin:{}{:02}{:02}T{:02}{:02}00\r\nDURATION:PT45M\r\n",
            2010 + number % 17,
            number % 12 + 1,
            number % 28 + 1,
            number % 24,
            number % 4 * 15,
        ),
        (true, 0) => "DTSTART:never\r\n".to_owned(),
        (true, 1) => "DTSTART;VALUE=DATE:20260231\r\n".to_owned(),
        (true, _) => "DTEND:20260302T100000Z\r\n".to_owned(),
    };
    let rule = match number % 20 {
        0 => "RRULE:FREQ=WEEKLY;COUNT=10\r\n",
        _ => "",
    };
    let words = "Ünïcödé, words; and more. ".repeat(8);
    format!(
        "BEGIN:VEVENT\r\nUID:event-{number}@example.org\r\nDTSTAMP:20260101T000000Z\r\n{start}{rule}SUMMARY:Event {number}\r\nLOCATION:Room {}\r\nDESCRIPTION:{words}\r\nSTATUS:CONFIRMED\r\nEND:VEVENT\r\n",
        number % 40
    )
}

/// Sends the file without saying how long it is. Returns the transfer and the lines of what is broken in it.
async fn upload(user: &User, port: u16, calendar: &str) -> (String, Vec<u32>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!(
        "POST /api/import?workspaceId={}&calendarId={calendar} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Type: text/calendar\r\nTransfer-Encoding: chunked\r\n\r\n",
        user.person.workspace(),
        user.token
    );
    let mut file = Generator::new();
    let mut answer = String::new();
    let sending = async {
        stream.write_all(head.as_bytes()).await.unwrap();
        loop {
            let piece = file.piece();
            // The empty piece ends the body.
            let framed = format!("{:x}\r\n{piece}\r\n", piece.len());
            stream.write_all(framed.as_bytes()).await.unwrap();
            if piece.is_empty() {
                break;
            }
        }
        stream.read_to_string(&mut answer).await.unwrap();
    };
    timeout(BOUND, sending).await.expect("the file is taken in time");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let id = body["dataTransfer"]["id"].as_str().unwrap().to_owned();
    (id, file.broken)
}

/// Watches the transfer until it ends. Returns it and how many different counts were seen, which only grow.
async fn watch(user: &User, port: u16, id: &str) -> (Value, usize) {
    let document = "query ($id: ID!) { dataTransfer(id: $id) {
        status processedCount problems { position message } job { progressPercent } } }";
    let began = Instant::now();
    let (mut counts, mut percents): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    loop {
        let answer = User::data(user.ask(port, document, json!({ "id": id }), None).await);
        let transfer = &answer["dataTransfer"];
        counts.extend(transfer["processedCount"].as_i64());
        percents.extend(transfer["job"]["progressPercent"].as_i64());
        assert!(
            counts.is_sorted() && percents.is_sorted(),
            "it goes back: {counts:?} {percents:?}"
        );
        match transfer["status"].as_str() {
            Some("SUCCEEDED") => {
                counts.dedup();
                return (transfer.clone(), counts.len());
            }
            Some("QUEUED" | "RUNNING") => {}
            other => panic!("it is {other:?}: {transfer}"),
        }
        assert!(began.elapsed() < BOUND, "not in time: {transfer}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// A line of the process's status, in bytes.
fn status(process: &Process<'_>, name: &str) -> u64 {
    let id = process.id().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// What the database holds of the import: events, those that were ever changed, changes that were told, and when anything last changed.
async fn stored(platform: &Platform) -> (u64, u64, u64, Option<chrono::DateTime<chrono::Utc>>) {
    let read = platform.db.read(Scope::System).await.unwrap();
    let events = || read.find::<calendar_event::Entity>();
    let all = events().count(&read).await.unwrap();
    let changed = events().filter(calendar_event::Column::Version.gt(1));
    let changed = changed.count(&read).await.unwrap();
    let told = read
        .find::<change_log::Entity>()
        .filter(change_log::Column::ObjectType.eq("CalendarEvent"));
    let told = told.count(&read).await.unwrap();
    let last = events().order_by_desc(calendar_event::Column::UpdatedAt);
    let last = last.one(&read).await.unwrap();
    (all, changed, told, last.map(|row| row.updated_at))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_fifty_thousand_events_is_read_in_bounded_memory_and_twice_is_once() {
    if !has_time() {
        return;
    }
    let install = Install::new().await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    let process = install.start("serve").await;
    let port = process.port;
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code } } }";
    let input =
        json!({ "workspaceId": user.person.workspace(), "name": "Long", "timeZone": "Europe/Berlin" });
    let made = User::data(user.ask(port, document, json!({ "input": input }), None).await);
    let calendar = made["createCalendar"]["calendar"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    // What starting takes has been given back by then.
    sleep(Duration::from_secs(1)).await;
    let idle = status(&process, "VmRSS:");
    // From here on the peak counts anew.
    std::fs::write(format!("/proc/{}/clear_refs", process.id().unwrap()), "5").unwrap();
    let mut before = None;
    for round in ["first", "second"] {
        let began = Instant::now();
        let (id, broken) = upload(&user, port, &calendar).await;
        let uploaded = began.elapsed();
        assert_eq!(broken.len(), usize::try_from(BROKEN).unwrap());
        let (done, steps) = watch(&user, port, &id).await;
        let took = began.elapsed();
        let grown = status(&process, "VmHWM:").saturating_sub(idle);
        println!(
            "{round}: uploaded after {uploaded:?}, imported after {took:?}, {steps} counts seen, {} MiB on top of {} MiB",
            grown / MIB,
            idle / MIB
        );
        assert!(grown <= MOST, "{} MiB on top of {}", grown / MIB, idle / MIB);
        assert_eq!(done["processedCount"], EVENTS - BROKEN);
        assert!(steps >= 10, "only {steps} counts were seen");
        let problems = done["problems"].as_array().unwrap();
        let mut lines: Vec<u32> = problems
            .iter()
            .map(|problem| u32::try_from(problem["position"].as_u64().unwrap()).unwrap())
            .collect();
        lines.sort_unstable();
        assert_eq!(lines, broken, "{problems:#?}");

        let now = stored(&platform).await;
        assert_eq!((now.0, now.1), (u64::from(EVENTS - BROKEN), 0));
        let first = before.get_or_insert(now);
        assert_eq!(*first, now, "the second time changes nothing");
    }
    let read = platform.db.read(Scope::System).await.unwrap();
    let transfers = read
        .find::<data_transfer::Entity>()
        .order_by_asc(data_transfer::Column::CreatedAt);
    let transfers = transfers.all(&read).await.unwrap();
    let told: Vec<[&Value; 3]> = transfers
        .iter()
        .map(|row| ["created", "updated", "unchanged"].map(|name| &row.parameters[name]))
        .collect();
    let (all, none) = (json!(EVENTS - BROKEN), json!(0));
    assert_eq!(told, [[&all, &none, &none], [&none, &none, &all]]);
    drop(read);
    platform.db.close().await;
}
