//! Everybody of a replica that dies comes back at once to the other one: a hundred people with ten windows each.

use std::time::Duration;

use entity::enums::WorkspaceRole;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::has_time;
use super::kill::create;
use super::process::{Install, User};
use super::shop::{Line, cursor_now};
use crate::jobs::bench::production;
use crate::support;

const PEOPLE: usize = 100;
const WINDOWS: usize = 10;
const BOUND: Duration = Duration::from_secs(15);
const WATCH: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) {
    cursor task { title } } }";

/// The next task that is heard of, which must be this one.
async fn hears(line: &mut Line, title: &str) {
    let message = line.hear(BOUND).await;
    let message = message.unwrap_or_else(|| panic!("{title} in time"));
    let heard = &message["payload"]["data"]["taskChanged"]["task"]["title"];
    assert_eq!(heard, title, "{message}");
}

/// Opens all windows, each of which tries until it is let in, and hears of the first task after the cursor.
async fn open(people: &[User], port: u16, after: &str, first: &str) -> Vec<Line> {
    let window = |user: User| async move {
        let began = Instant::now();
        let mut line = loop {
            if let Some(line) = Line::open(port, &user.token).await {
                break line;
            }
            assert!(began.elapsed() < BOUND * 4, "nobody lets it in");
            sleep(Duration::from_millis(50)).await;
        };
        let variables = json!({ "id": user.person.workspace(), "after": after });
        line.subscribe("1", WATCH, variables).await.unwrap();
        hears(&mut line, first).await;
        line
    };
    let all = people
        .iter()
        .flat_map(|user| std::iter::repeat_n(user.clone(), WINDOWS));
    join_all(all.map(window)).await
}

async fn make(user: &User, port: u16, title: &str) {
    let answer = create(user, port, title, title).await.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_whose_replica_dies_is_live_at_the_other_one_in_time() {
    // Two processes share nothing without Redis.
    if !production() || !has_time() {
        return;
    }
    let install = Install::new().await;
    let platform = install.platform().await;
    let ana = User::create(&platform, "Ana").await;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let guest = User::create(&platform, &format!("Guest{number}")).await;
        let place = ana.person.workspace_id;
        support::join(&platform, &guest.person, place, WorkspaceRole::Viewer).await;
        people.push(User {
            person: ana.person.clone(),
            token: guest.token,
        });
    }
    let mut here = install.start("api").await;
    let there = install.start("api").await;

    let before = cursor_now(&ana, here.port).await;
    make(&ana, here.port, "before").await;
    let lines = open(&people, here.port, &before, "before").await;
    let last = cursor_now(&ana, here.port).await;
    here.kill().await;
    let killed = Instant::now();
    drop(lines);
    make(&ana, there.port, "missed").await;
    let mut lines = open(&people, there.port, &last, "missed").await;
    let caught_up = killed.elapsed();
    make(&ana, there.port, "live").await;
    for line in &mut lines {
        hears(line, "live").await;
    }
    let live = killed.elapsed();
    println!(
        "{} windows of {PEOPLE} people: caught up after {caught_up:?}, live after {live:?}",
        lines.len()
    );
    assert!(lines.len() == PEOPLE * WINDOWS && live < BOUND, "{live:?}");
    platform.db.close().await;
}
