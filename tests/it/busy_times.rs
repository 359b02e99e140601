//! What the planner takes for busy, against what everybody sees: both must be the same times.

use std::fmt::Write as _;
use std::ops::Range;

use chrono::{DateTime, Utc};
use entity::calendar;
use entity::enums::EventTransparency;
use entity::ids::WorkspaceId;
use meridian::features::events::{self, Among};
use meridian::kernel::time::Span;
use meridian::kernel::zones;
use meridian::platform::db::statements;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use crate::support::events::{store, system};
use crate::support::{TestApp, start_of_tests};

const RULES: [&str; 8] = [
    "FREQ=DAILY;COUNT=20",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=DAILY;INTERVAL=3;UNTIL=20260601T000000Z",
    "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD",
    // Cannot be read, and is kept.
    "FREQ=SOMETIMES",
];

/// The same numbers in every run (splitmix64).
struct Random(u64);

impl Random {
    fn within(&mut self, range: Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        range.start + mixed % (range.end - range.start)
    }
}

/// A calendar of Ana that counts as busy.
async fn calendar(app: &TestApp) -> calendar::Model {
    let (id, owner) = (app.platform.ids.next(), app.ana.user_id);
    let ctx = system(app);
    let insert = ctx.write(|tx| async move {
        let row = calendar::Model {
            id,
            workspace_id: WorkspaceId(Default::default()),
            owner_id: Some(owner),
            integration_id: None,
            external_id: None,
            name: "Everything".into(),
            description: None,
            color: "#112233".into(),
            time_zone: "Europe/Berlin".into(),
            is_default: false,
            is_read_only: false,
            counts_as_busy: true,
            is_mirrored: false,
            feed_secret_hash: None,
            sealed_feed_secret: None,
            version: 1,
            created_at: start_of_tests(),
            updated_at: start_of_tests(),
        };
        tx.insert(row.into_active_model().reset_all()).await
    });
    insert.await.unwrap()
}

fn ana(app: &TestApp) -> events::Subject {
    events::Subject {
        person: app.ana.user_id,
        home: app.ana.workspace_id,
    }
}

/// A span of whole days.
fn days(from: &str, to: &str) -> Span {
    let at = |day: &str| -> DateTime<Utc> { format!("{day}T00:00:00Z").parse().unwrap() };
    Span::new(at(from), at(to)).unwrap()
}

/// Compares both in a window, and returns how many times are taken.
async fn compare(app: &TestApp, span: Span, zone: &str) -> usize {
    let (ctx, zone) = (system(app), zones::zone(zone).unwrap());
    let shown = events::in_window(&ctx, Among::Visible, span, Some(&zone))
        .await
        .unwrap();
    assert!(!shown.truncated);
    let taken = shown
        .occurrences
        .iter()
        .filter(|one| one.transparency() == EventTransparency::Busy);
    let mut taken: Vec<_> = taken.map(|one| (one.start, one.end, one.event.row.id)).collect();
    let before = statements();
    let read = ctx.read().await.unwrap();
    let beside = app.platform.db.beside(&read);
    let busy = events::busy(&beside, ana(app), span, &zone).await.unwrap();
    let asked = statements() - before;
    assert!(asked <= 2, "{asked} statements");
    let mut busy: Vec<_> = busy
        .iter()
        .map(|one| (one.start, one.end, one.event_id))
        .collect();
    taken.sort();
    busy.sort();
    assert_eq!(busy, taken);
    busy.len()
}

/// A series of some kind with exceptions of some kind.
fn series(random: &mut Random, number: u64) -> String {
    let (month, day, hour) = (random.within(1..4), random.within(1..29), random.within(0..24));
    let at = |day: u64, hour: u64| match number % 3 {
        0 => format!(";TZID=Europe/Berlin:2026{month:02}{day:02}T{hour:02}3000"),
        1 => format!(":2026{month:02}{day:02}T{hour:02}3000"),
        _ => format!(";VALUE=DATE:2026{month:02}{day:02}"),
    };
    let length = if number % 3 == 2 { "P2D" } else { "PT90M" };
    let rule = RULES[usize::try_from(random.within(0..8)).unwrap()];
    let mut text = format!(
        "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART{}\r\nDURATION:{length}\r\nRRULE:{rule}\r\n",
        at(day, hour)
    );
    if random.within(0..3) == 0 {
        write!(text, "EXDATE{}\r\n", at(random.within(1..29), hour)).unwrap();
    }
    if random.within(0..3) == 0 {
        write!(
            text,
            "RDATE{}\r\n",
            at(random.within(1..29), random.within(0..24))
        )
        .unwrap();
    }
    if random.within(0..4) == 0 {
        text += "TRANSP:TRANSPARENT\r\n";
    }
    text += "END:VEVENT\r\n";
    for _ in 0..random.within(0..4) {
        let range = ["", ";RANGE=THISANDFUTURE"][usize::from(random.within(0..3) == 0)];
        let extra = [
            "",
            "TRANSP:TRANSPARENT\r\n",
            "STATUS:CANCELLED\r\n",
            "TRANSP:OPAQUE\r\n",
        ];
        let extra = extra[usize::try_from(random.within(0..4)).unwrap()];
        let (original, moved) = (random.within(day..29), random.within(1..29));
        write!(
            text,
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID{range}{}\r\nDTSTART{}\r\nDURATION:{length}\r\n{extra}END:VEVENT\r\n",
            at(original, hour),
            at(moved, random.within(0..24)),
        )
        .unwrap();
    }
    text
}

#[tokio::test]
async fn what_is_seen_is_what_is_busy() {
    let app = TestApp::start().await;
    let calendar = calendar(&app).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ics");
    for (index, file) in std::fs::read_dir(folder).unwrap().enumerate() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        // Each file has a UID of its own, or one would replace the other.
        store(
            &system(&app),
            &calendar,
            &text.replace("UID:", &format!("UID:{index}-")),
        )
        .await;
    }
    let mut count = compare(&app, days("2024-01-01", "2024-12-31"), "Asia/Tokyo").await;
    count += compare(&app, days("2025-01-01", "2025-12-31"), "America/New_York").await;
    count += compare(&app, days("2026-01-01", "2026-12-31"), "Pacific/Kiritimati").await;
    assert!(count > 10, "{count}");

    let mut random = Random(20_261_128);
    let all: String = (0..90).map(|number| series(&mut random, number)).collect();
    let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n{all}END:VCALENDAR\r\n");
    store(&system(&app), &calendar, &text).await;
    let mut count = 0;
    for (from, to) in [
        ("2026-01-01", "2026-02-01"),
        ("2026-02-26", "2026-03-05"),
        ("2026-03-28", "2026-03-30"),
        ("2026-03-01", "2026-06-01"),
        ("2026-10-24", "2026-10-27"),
    ] {
        for zone in ["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland"] {
            count += compare(&app, days(from, to), zone).await;
        }
    }
    assert!(count > 1_000, "{count}");
}

#[tokio::test]
async fn a_series_that_begins_inside_a_gap_blocks_its_own_time() {
    let app = TestApp::start().await;
    let calendar = calendar(&app).await;
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\nBEGIN:VEVENT\r\nUID:gap\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20260329T023000\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    store(&system(&app), &calendar, text).await;
    let zone = zones::zone("Europe/Berlin").unwrap();
    let span = days("2026-03-29", "2026-03-31");
    let read = system(&app).read().await.unwrap();
    let beside = app.platform.db.beside(&read);
    let busy = events::busy(&beside, ana(&app), span, &zone).await.unwrap();
    let starts: Vec<String> = busy.iter().map(|one| one.start.to_rfc3339()).collect();
    assert_eq!(starts, ["2026-03-29T01:30:00+00:00", "2026-03-30T00:30:00+00:00"]);
}
