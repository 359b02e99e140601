//! Ten people and the plans they would agree with: where their work goes, why it is there, and what they are told when it does not fit.
//!
//! The clock stands at ten in the morning of Monday 2 March 2026 in Berlin (nine in UTC).

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::plans::{calendar, command, event, office, plan, prefer, reasons, slots, task};

/// What a task that found no place is told: reason, minutes, and the kinds of advice.
fn advice(schedule: &Value, at: usize) -> (String, i64, Vec<String>) {
    let one = &schedule["unscheduledTasks"][at];
    let codes = one["relaxations"].as_array().unwrap().iter();
    (
        one["reason"].as_str().unwrap().to_owned(),
        one["missingMinutes"].as_i64().unwrap(),
        codes
            .map(|one| one["code"].as_str().unwrap().to_owned())
            .collect(),
    )
}

/// The kinds of reasons of the slots of a task. Every slot of the plan must say why it is there, in sentences.
fn why(schedule: &Value, title: &str) -> Vec<Vec<String>> {
    let all = schedule["slots"].as_array().unwrap();
    for reason in all.iter().flat_map(|slot| slot["reasons"].as_array().unwrap()) {
        assert!(reason["message"].as_str().unwrap().ends_with('.'), "{reason}");
    }
    let codes: Vec<Vec<String>> = (0..all.len()).map(|slot| reasons(schedule, slot)).collect();
    assert!(codes.iter().all(|codes| !codes.is_empty()), "{schedule:#}");
    let of_task = all.iter().zip(codes);
    of_task
        .filter(|(slot, _)| slot["task"]["title"] == title)
        .map(|(_, codes)| codes)
        .collect()
}

/// Whether all of these name this reason.
fn all_name(reasons: &[Vec<String>], code: &str) -> bool {
    !reasons.is_empty()
        && reasons
            .iter()
            .all(|codes| codes.iter().any(|known| known == code))
}

#[tokio::test]
async fn a_nurse_on_night_shift_works_past_midnight() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &[("MONDAY", "22:00", "06:00")], json!({})).await;
    task(&ana, &place, "Handover", 300, json!({})).await;
    task(&ana, &place, "Charts", 180, json!({ "priority": "LOW" })).await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-02").await;
    assert_eq!(plan["status"], "PROPOSED");
    // 21:00 in UTC is ten in the evening in Berlin; the second task is done on Tuesday morning.
    assert_eq!(
        slots(&plan),
        ["Handover 2026-03-02T21:00 300", "Charts 2026-03-03T02:00 180"]
    );
    assert_eq!(plan["unscheduledTasks"], json!([]));
    assert_eq!(plan["score"].as_i64().unwrap(), 100);
    // Eight hours of work fill a shift of eight hours.
    for title in ["Handover", "Charts"] {
        assert_eq!(why(&plan, title), [["ONLY_GAP"]], "{plan:#}");
    }
}

#[tokio::test]
async fn half_a_day_between_meetings_is_used_in_pieces_and_buffers_stay_free() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(
        &ana,
        &[("MONDAY", "11:00", "15:00")],
        json!({ "bufferMinutes": 15 }),
    )
    .await;
    let work = calendar(&ana, &place, json!({})).await;
    event(
        &ana,
        &work,
        "2026-03-02T11:00:00Z",
        "2026-03-02T11:30:00Z",
        json!({}),
    )
    .await;
    let input = json!({ "minChunkMinutes": 30, "dueAt": "2026-03-02T14:00:00Z", "isHardDeadline": true });
    task(&ana, &place, "Slides", 150, input).await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-02").await;
    let found = slots(&plan);
    assert_eq!(found.len(), 2, "{found:?}");
    // From ten to a quarter of an hour before the meeting, and from a quarter of an hour after it.
    let total: i64 = found
        .iter()
        .map(|slot| slot.rsplit(' ').next().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(total, 150);
    assert!(found[0].as_str() <= "Slides 2026-03-02T10:45", "{found:?}");
    assert!(found[1].starts_with("Slides 2026-03-02T11:45") || found[1].as_str() > "Slides 2026-03-02T11:45");
    // Nothing else is long enough before the meeting; after it there is time left, but sooner is better.
    let reasons = why(&plan, "Slides");
    let is_plain = |code: &String| ["ONLY_GAP", "PRIORITY"].contains(&code.as_str());
    assert!(reasons[0].iter().all(is_plain), "{reasons:?}");
    assert!(all_name(&reasons[1..], "PRIORITY"), "{reasons:?}");
}

#[tokio::test]
async fn in_a_crunch_what_matters_is_done_in_time_and_the_rest_is_told_why_not() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(
        &ana,
        &[("MONDAY", "11:00", "15:00"), ("TUESDAY", "09:00", "17:00")],
        json!({}),
    )
    .await;
    let tonight = json!({ "dueAt": "2026-03-02T14:00:00Z", "isHardDeadline": true });
    let with = |priority: &str| {
        let mut input = tonight.clone();
        input["priority"] = json!(priority);
        input
    };
    task(&ana, &place, "Tender", 180, with("URGENT")).await;
    task(&ana, &place, "Newsletter", 120, with("LOW")).await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-03").await;
    assert_eq!(slots(&plan), ["Tender 2026-03-02T10:00 180"]);
    assert!(all_name(&why(&plan, "Tender"), "PRIORITY"), "{plan:#}");
    let (reason, missing, codes) = advice(&plan, 0);
    assert_eq!((reason.as_str(), missing), ("NO_CAPACITY", 120));
    assert_eq!(plan["unscheduledTasks"][0]["task"]["title"], "Newsletter");
    let message = plan["unscheduledTasks"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("2 h") && message.contains("“Tender”"),
        "{message}"
    );
    // Tomorrow there is room, which was tried.
    assert_eq!(codes, ["EXTEND_DEADLINE"]);
}

#[tokio::test]
async fn a_traveller_is_planned_in_the_zone_they_chose() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let home = calendar(&ana, &place, json!({ "timeZone": "Europe/Berlin" })).await;
    // A call from home at four in the afternoon of Berlin is at ten in New York; a holiday is the whole day of wherever one is.
    event(
        &ana,
        &home,
        "2026-03-03T15:00:00Z",
        "2026-03-03T16:00:00Z",
        json!({ "timeZone": "Europe/Berlin" }),
    )
    .await;
    let all_day = json!({ "time": { "allDay": { "startDate": "2026-03-04", "endDate": "2026-03-05" } } });
    event(
        &ana,
        &home,
        "2026-03-04T00:00:00Z",
        "2026-03-05T00:00:00Z",
        all_day,
    )
    .await;
    let week = ["TUESDAY", "WEDNESDAY", "THURSDAY"].map(|day| (day, "09:00", "12:00"));
    prefer(&ana, &week, json!({ "timeZone": "America/New_York" })).await;
    task(&ana, &place, "Visit", 120, json!({})).await;
    task(&ana, &place, "Notes", 60, json!({ "priority": "LOW" })).await;
    task(&ana, &place, "Report", 120, json!({ "priority": "LOW" })).await;
    let plan = plan(&ana, &place, "2026-03-03", "2026-03-05").await;
    let found = slots(&plan);
    // Nine to ten and eleven to twelve on Tuesday are an hour each, Wednesday is off, so longer work waits for Thursday.
    assert!(
        found.contains(&"Notes 2026-03-03T14:00 60".to_owned())
            || found.contains(&"Notes 2026-03-03T16:00 60".to_owned()),
        "{found:?}"
    );
    assert!(found.iter().all(|slot| !slot.contains("2026-03-04")), "{found:?}");
    assert!(
        found.contains(&"Visit 2026-03-05T14:00 120".to_owned()),
        "{found:?}"
    );
    assert!(all_name(&why(&plan, "Visit"), "PRIORITY"), "{plan:#}");
    // An hour on Tuesday and one on Thursday are left: enough, but not in one piece.
    assert_eq!(plan["unscheduledTasks"][0]["task"]["title"], "Report");
    let (reason, missing, codes) = advice(&plan, 0);
    assert_eq!((reason.as_str(), missing), ("FRAGMENTED", 120));
    assert!(codes.contains(&"SMALLER_CHUNKS".to_owned()), "{codes:?}");
}

#[tokio::test]
async fn a_chain_of_work_is_done_in_its_order() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let draft = task(&ana, &place, "Draft", 60, json!({ "priority": "LOW" })).await;
    let review = json!({ "dependencyIds": [draft], "priority": "LOW" });
    let review = task(&ana, &place, "Review", 60, review).await;
    let send = json!({ "dependencyIds": [review], "dueAt": "2026-03-02T13:00:00Z", "isHardDeadline": true, "priority": "URGENT" });
    task(&ana, &place, "Send", 60, send).await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-03").await;
    assert_eq!(
        slots(&plan),
        [
            "Draft 2026-03-02T09:00 60",
            "Review 2026-03-02T10:00 60",
            "Send 2026-03-02T11:00 60"
        ]
    );
    assert!(reasons(&plan, 2).contains(&"DEPENDENCY".to_owned()), "{plan:#}");
    let messages = plan["slots"][2]["reasons"].to_string();
    assert!(messages.contains("“Review”"), "{messages}");
}

#[tokio::test]
async fn a_long_task_is_split_over_days_within_the_cap_of_each() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({ "maxDailyTaskMinutes": 180 })).await;
    task(
        &ana,
        &place,
        "Thesis",
        540,
        json!({ "minChunkMinutes": 60, "maxChunkMinutes": 180 }),
    )
    .await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    let found = slots(&plan);
    let mut days: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
    for slot in &found {
        let mut words = slot.split(' ').skip(1);
        let day = words.next().unwrap()[..10].to_owned();
        *days.entry(day).or_default() += words.next().unwrap().parse::<i64>().unwrap();
    }
    assert_eq!(
        days.values().copied().collect::<Vec<_>>(),
        [180, 180, 180],
        "{found:?}"
    );
    assert_eq!(found.len(), 3);
    assert!(all_name(&why(&plan, "Thesis"), "PRIORITY"), "{plan:#}");
}

#[tokio::test]
async fn a_task_in_one_piece_finds_no_gap_and_is_told_that_smaller_pieces_would_do() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &[("TUESDAY", "09:00", "13:00")], json!({})).await;
    let work = calendar(&ana, &place, json!({})).await;
    for hour in [9, 11] {
        let (start, end) = (
            format!("2026-03-03T{hour:02}:00:00Z"),
            format!("2026-03-03T{hour:02}:30:00Z"),
        );
        event(&ana, &work, &start, &end, json!({})).await;
    }
    task(&ana, &place, "Essay", 120, json!({})).await;
    let plan = plan(&ana, &place, "2026-03-03", "2026-03-03").await;
    assert_eq!(plan["slots"], json!([]));
    let (reason, _, codes) = advice(&plan, 0);
    assert_eq!(reason, "FRAGMENTED");
    assert!(codes.contains(&"SMALLER_CHUNKS".to_owned()), "{codes:?}");
    assert!(codes.contains(&"MOVE_EVENT".to_owned()), "{codes:?}");
    assert!(codes.len() <= 3);
}

#[tokio::test]
async fn demanding_work_goes_to_the_hours_with_most_energy() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(
        &ana,
        &[("TUESDAY", "09:00", "17:00")],
        json!({ "peakEnergy": "AFTERNOON" }),
    )
    .await;
    task(
        &ana,
        &place,
        "Proof",
        120,
        json!({ "energy": "HIGH", "priority": "LOW" }),
    )
    .await;
    let plan = plan(&ana, &place, "2026-03-03", "2026-03-03").await;
    assert_eq!(slots(&plan), ["Proof 2026-03-03T11:00 120"]);
    assert_eq!(reasons(&plan, 0)[0], "ENERGY");
}

#[tokio::test]
async fn a_deadline_that_is_over_and_a_colleague_who_is_late_are_said_plainly() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let late = json!({ "dueAt": "2026-02-27T12:00:00Z", "isHardDeadline": true });
    task(&ana, &place, "Tax return", 60, late).await;
    let figures = task(&ana, &place, "Figures", 60, json!({ "isAutoScheduled": false })).await;
    task(
        &ana,
        &place,
        "Forecast",
        60,
        json!({ "dependencyIds": [figures] }),
    )
    .await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-03").await;
    assert_eq!(plan["slots"], json!([]));
    let unplaced = plan["unscheduledTasks"].as_array().unwrap();
    let of = |title: &str| {
        unplaced
            .iter()
            .position(|one| one["task"]["title"] == title)
            .unwrap()
    };
    assert_eq!(advice(&plan, of("Tax return")).0, "DEADLINE_PASSED");
    let (reason, missing, codes) = advice(&plan, of("Forecast"));
    assert_eq!((reason.as_str(), missing), ("BLOCKED", 60));
    assert_eq!(codes, ["DROP_DEPENDENCY"]);
    let message = unplaced[of("Forecast")]["message"].as_str().unwrap();
    assert!(message.contains("“Figures”"), "{message}");
}

#[tokio::test]
async fn somebody_who_likes_their_plan_keeps_it_when_it_is_made_again() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let work = calendar(&ana, &place, json!({})).await;
    for title in ["One", "Two", "Three"] {
        task(&ana, &place, title, 60, json!({})).await;
    }
    let first = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    let id = first["id"].as_str().unwrap();
    let applied = command(&ana, "applySchedule", json!({ "id": id, "calendarId": work })).await;
    applied.succeeded("applySchedule");
    // More important work comes in; what was planned stays as far as it can.
    task(&ana, &place, "Small favour", 30, json!({ "priority": "LOW" })).await;
    let second = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(second["diff"]["unchangedCount"], 3);
    assert_eq!(second["diff"]["moved"], json!([]));
    assert_eq!(second["diff"]["added"].as_array().unwrap().len(), 1);
    assert_eq!(second["stats"]["moveCount"], 0);
    let stays = second["slots"].as_array().unwrap().iter();
    assert_eq!(
        stays
            .filter(|slot| slot["previousStart"] == slot["start"])
            .count(),
        3
    );
    for title in ["One", "Two", "Three"] {
        assert!(all_name(&why(&second, title), "STABILITY"), "{title}: {second:#}");
    }
    assert!(
        !all_name(&why(&second, "Small favour"), "STABILITY"),
        "{second:#}"
    );
}

#[tokio::test]
async fn the_night_shift_of_a_task_goes_on_after_the_last_midnight() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let utc = json!({ "timeZone": "UTC", "bufferMinutes": 0 });
    prefer(&ana, &office(), utc).await;
    let own = calendar(&ana, &place, json!({})).await;
    for (start, end) in [
        ("2026-03-02T21:00:00Z", "2026-03-03T00:30:00Z"),
        // Seen although it is not on a day of the plan.
        ("2026-03-03T01:00:00Z", "2026-03-03T05:00:00Z"),
    ] {
        event(&ana, &own, start, end, json!({})).await;
    }
    let night = json!({ "workingHours": [{ "weekday": "MONDAY", "start": "22:00", "end": "06:00" }] });
    task(&ana, &place, "Move the servers", 60, night).await;
    task(&ana, &place, "Report", 60, json!({})).await;
    let made = plan(&ana, &place, "2026-03-02", "2026-03-02").await;
    assert_eq!(
        slots(&made),
        [
            "Report 2026-03-02T09:00 60",
            "Move the servers 2026-03-03T05:00 60"
        ],
        "{made:#}"
    );
}
