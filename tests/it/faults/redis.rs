//! Redis that hangs for one of two replicas, forgets everything, or dies: requests go on, whoever watches catches up from the change log, and
//! presence is right again. There is nothing to test without Redis.

use std::time::Duration;

use entity::enums::ApiTokenScope;
use meridian::access::{NewToken, create_token};
use meridian::kernel::actor::Actor;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::process::{Install, Process, User};
use super::shop::{Line, cursor_now};
use crate::jobs::bench::production;
use crate::support::machines::{Cable, OwnRedis};

const CREATE: &str =
    "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
const WATCH: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) {
    cursor task { title } } }";
const SEE: &str = "subscription ($id: ID!) { presenceChanged(workspaceId: $id) { user { name } status } }";
const HERE: &str = "query ($id: ID!) { workspace(id: $id) { presence { user { name } status } } }";

async fn create(user: &User, port: u16, title: &str) -> Duration {
    let began = Instant::now();
    let input = json!({ "workspaceId": user.person.workspace(), "title": title });
    let answer = user.ask(port, CREATE, json!({ "input": input }), None).await;
    let data = User::data(answer);
    assert_eq!(data["createTask"]["userErrors"], json!([]), "{data}");
    began.elapsed()
}

async fn watch(user: &User, port: u16) -> Line {
    let mut line = Line::open(port, &user.token).await.unwrap();
    let after = cursor_now(user, port).await;
    let variables = json!({ "id": user.person.workspace(), "after": after });
    line.subscribe("1", WATCH, variables).await.unwrap();
    line
}

/// Waits for the change of this task, which must be the next one.
async fn hears(line: &mut Line, title: &str, within: Duration) -> Duration {
    let began = Instant::now();
    let message = line
        .hear(within)
        .await
        .unwrap_or_else(|| panic!("{title} within {within:?}"));
    assert_eq!(
        message["payload"]["data"]["taskChanged"]["task"]["title"], title,
        "{message}"
    );
    began.elapsed()
}

/// Two API processes; the first reaches Redis by a cable.
struct Two {
    redis: OwnRedis,
    cable: Cable,
    install: Install,
}

impl Two {
    async fn new() -> Self {
        let redis = OwnRedis::start().await;
        let cable = Cable::to(redis.port()).await;
        let install = Install::with_redis(Some(redis.url())).await;
        Self {
            redis,
            cable,
            install,
        }
    }

    async fn start(&self) -> (Process<'_>, Process<'_>) {
        let by_cable = self.cable.redis_url();
        let near = self
            .install
            .start_with("api", &[("REDIS_URL", by_cable.as_str())])
            .await;
        (near, self.install.start("api").await)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_redis_does_not_answer_serves_on_and_its_streams_catch_up() {
    if !production() {
        return;
    }
    let two = Two::new().await;
    let platform = two.install.platform().await;
    let user = User::create(&platform, "Ana").await;
    let (cut_off, other) = two.start().await;
    let mut line = watch(&user, cut_off.port).await;
    let mut there = watch(&user, other.port).await;
    create(&user, other.port, "before").await;
    let live = hears(&mut line, "before", Duration::from_secs(5)).await;
    hears(&mut there, "before", Duration::from_secs(5)).await;

    two.cable.freeze();
    let mut slowest = Duration::ZERO;
    for round in 0..4 {
        let title = format!("there {round}");
        create(&user, other.port, &title).await;
        let late = hears(&mut line, &title, Duration::from_secs(5)).await;
        hears(&mut there, &title, Duration::from_secs(5)).await;
        slowest = slowest.max(late);
    }
    let mut answers = Vec::new();
    for round in 0..10 {
        let title = format!("here {round}");
        answers.push(create(&user, cut_off.port, &title).await);
        hears(&mut line, &title, Duration::from_secs(1)).await;
        // The other replica gets no message either.
        hears(&mut there, &title, Duration::from_secs(5)).await;
    }
    answers.sort();
    println!(
        "live after {live:?}; without Redis after {slowest:?} at most; a write there took {:?} at most",
        answers[9]
    );
    // A write has several messages; only the first one waits for an answer, and the next ones know.
    assert!(answers[9] < Duration::from_millis(1_000), "{answers:?}");

    two.cable.thaw();
    sleep(Duration::from_secs(3)).await;
    create(&user, other.port, "after").await;
    hears(&mut line, "after", Duration::from_secs(1)).await;
    hears(&mut there, "after", Duration::from_secs(1)).await;
    platform.db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_is_removed_by_another_replica_hears_nothing_more_with_and_without_redis() {
    if !production() {
        return;
    }
    let two = Two::new().await;
    let platform = two.install.platform().await;
    let ana = User::create(&platform, "Ana").await;
    let (here, other) = two.start().await;
    for is_cut_off in [false, true] {
        let name = if is_cut_off { "Carl" } else { "Ben" };
        let guest = User::create(&platform, name).await;
        let role = entity::enums::WorkspaceRole::Member;
        crate::support::join(&platform, &guest.person, ana.person.workspace_id, role).await;
        let as_guest = User {
            person: ana.person.clone(),
            token: guest.token.clone(),
        };
        let mut gone = watch(&as_guest, here.port).await;
        let mut stays = watch(&ana, here.port).await;
        create(&ana, other.port, "both").await;
        hears(&mut gone, "both", Duration::from_secs(6)).await;
        hears(&mut stays, "both", Duration::from_secs(6)).await;
        if is_cut_off {
            two.cable.freeze();
        }
        let query = "query ($id: ID!) { workspace(id: $id) { members { nodes { id user { name } } } } }";
        let id = json!({ "id": ana.person.workspace() });
        let data = User::data(ana.ask(other.port, query, id, None).await);
        let members = data["workspace"]["members"]["nodes"].as_array().unwrap().clone();
        let member = members
            .iter()
            .find(|member| member["user"]["name"] == name)
            .unwrap();
        let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
        let removed = Instant::now();
        User::data(
            ana.ask(other.port, remove, json!({ "id": member["id"] }), None)
                .await,
        );
        create(&ana, other.port, "secret").await;
        // With Redis within a second; without, when the log is looked at.
        let bound = Duration::from_secs(if is_cut_off { 6 } else { 1 });
        let message = gone.hear(bound).await.expect("the end in time");
        println!("sent away after {:?}, cut off: {is_cut_off}", removed.elapsed());
        assert_eq!(
            message["payload"][0]["extensions"]["code"], "NOT_FOUND",
            "{message}"
        );
        hears(&mut stays, "secret", Duration::from_secs(6)).await;
    }
    platform.db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_another_replica_revokes_closes_its_sockets_with_and_without_redis() {
    if !production() {
        return;
    }
    let two = Two::new().await;
    let platform = two.install.platform().await;
    let ana = User::create(&platform, "Ana").await;
    let (here, other) = two.start().await;
    for is_cut_off in [false, true] {
        let new = NewToken {
            name: "lost".into(),
            scopes: vec![ApiTokenScope::Read],
            workspace_id: None,
            expires_at: None,
        };
        let lost = create_token(&platform, Actor::system(), ana.person.user_id, new)
            .await
            .unwrap();
        let mut gone = Line::open(here.port, &lost.secret).await.unwrap();
        let mut stays = Line::open(here.port, &ana.token).await.unwrap();
        if is_cut_off {
            two.cable.freeze();
        }
        let revoke = "mutation ($id: ID!) { revokeApiToken(id: $id) { userErrors { code } } }";
        let id = json!({ "id": lost.token.id.to_string() });
        let revoked = Instant::now();
        let data = User::data(ana.ask(other.port, revoke, id, None).await);
        assert_eq!(data["revokeApiToken"]["userErrors"], json!([]));
        // With Redis within a second; without, once its silence is noticed.
        let bound = Duration::from_secs(if is_cut_off { 5 } else { 1 });
        let code = gone.closes(bound).await;
        println!("closed after {:?}, cut off: {is_cut_off}", revoked.elapsed());
        assert_eq!(code, Some(4401));
        assert_eq!(stays.closes(Duration::from_millis(200)).await, None);
    }
    platform.db.close().await;
}

async fn people(user: &User, port: u16) -> Vec<String> {
    let variables = json!({ "id": user.person.workspace() });
    let data = User::data(user.ask(port, HERE, variables, None).await);
    let all = data["workspace"]["presence"].as_array().unwrap().clone();
    let name = |one: &Value| one["user"]["name"].as_str().unwrap().to_owned();
    let mut all: Vec<String> = all.iter().map(name).collect();
    all.sort();
    all
}

async fn until_here(user: &User, port: u16, expected: &[&str], within: Duration) -> Duration {
    let began = Instant::now();
    loop {
        let all = people(user, port).await;
        if all == expected {
            return began.elapsed();
        }
        assert!(began.elapsed() < within, "{all:?}, not {expected:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_outlives_what_redis_forgets_and_ends_with_its_replica() {
    if !production() {
        return;
    }
    let mut two = Two::new().await;
    let platform = two.install.platform().await;
    let ana = User::create(&platform, "Ana").await;
    let guest = User::create(&platform, "Ben").await;
    let role = entity::enums::WorkspaceRole::Viewer;
    crate::support::join(&platform, &guest.person, ana.person.workspace_id, role).await;
    let ben = User {
        person: ana.person.clone(),
        token: guest.token.clone(),
    };
    let redis_url = two.redis.url();
    let install = &two.install;
    let here = install
        .start_with("api", &[("REDIS_URL", redis_url.as_str())])
        .await;
    let mut there = install
        .start_with("api", &[("REDIS_URL", redis_url.as_str())])
        .await;
    let id = json!({ "id": ana.person.workspace() });
    let mut mine = Line::open(here.port, &ana.token).await.unwrap();
    mine.subscribe("1", SEE, id.clone()).await.unwrap();
    let mut his = Line::open(there.port, &ben.token).await.unwrap();
    his.subscribe("1", SEE, id).await.unwrap();
    for port in [here.port, there.port] {
        until_here(&ana, port, &["Ana", "Ben"], Duration::from_secs(5)).await;
    }
    // What was said while they came.
    while mine.hear(Duration::from_secs(2)).await.is_some() {}

    // Forgotten, then killed and started empty: nobody is told that somebody left.
    assert_eq!(two.redis.tell(&["FLUSHALL"]).await.trim(), "OK");
    let quiet = mine.hear(Duration::from_secs(7)).await;
    assert_eq!(quiet, None, "nobody came or went");
    two.redis.stop().await;
    sleep(Duration::from_secs(3)).await;
    two.redis.again().await;
    let quiet = mine.hear(Duration::from_secs(8)).await;
    assert_eq!(quiet, None, "nobody came or went");
    for port in [here.port, there.port] {
        until_here(&ana, port, &["Ana", "Ben"], Duration::from_secs(6)).await;
    }

    // A replica that dies takes its people along within their lease.
    there.kill().await;
    let killed = Instant::now();
    let message = mine.hear(Duration::from_secs(20)).await.expect("he is gone");
    println!("gone {:?} after the kill", killed.elapsed());
    assert_eq!(
        message["payload"]["data"]["presenceChanged"],
        json!({ "user": { "name": "Ben" }, "status": "OFFLINE" }),
        "{message}"
    );
    assert_eq!(people(&ana, here.port).await, ["Ana"]);
    platform.db.close().await;
}
