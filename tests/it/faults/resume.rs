//! Front ends against a model of chance: writers change a workspace through any replica while replicas are killed and asked to end, Redis
//! hangs, forgets and dies, and front ends lose their connections. In the end each of them must show what is there, having heard every
//! change once and in order. A seed makes a run again: `MERIDIAN_TEST_SEED`.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::has_time;
use super::process::{Install, Process, User};
use super::shop::{Shop, log_after};
use crate::jobs::bench::production;
use crate::support::machines::{Cable, OwnRedis};

/// A small generator, so that a failure names the seed that makes it again.
struct Dice(Cell<u64>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    fn roll(&self, sides: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 11) % sides
    }

    async fn nap(&self, least: u64, spread: u64) {
        sleep(Duration::from_millis(least + self.roll(spread))).await;
    }
}

/// How much happens.
struct Size {
    seed: u64,
    writes: u64,
    disasters: u64,
    fronts: usize,
}

/// Sends a mutation until somebody has carried it out, to a replica of chance each time. The data, or nothing when its answer was lost.
async fn carry_out(
    user: &User,
    ports: &[u16],
    dice: &Dice,
    key: &str,
    query: &str,
    variables: Value,
) -> Option<Value> {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody takes {key}");
        let port = ports[dice.roll(ports.len() as u64) as usize];
        let Some(answer) = user.ask(port, query, variables.clone(), Some(key)).await else {
            dice.nap(20, 100).await;
            continue;
        };
        let answer = answer.json();
        let extensions = &answer["errors"][0]["extensions"];
        match extensions["code"].as_str() {
            None => return Some(answer["data"].clone()),
            Some("IDEMPOTENCY_CONFLICT") if extensions["retryAfterSeconds"].is_null() => return None,
            Some("IDEMPOTENCY_CONFLICT" | "SERVICE_UNAVAILABLE") => dice.nap(100, 200).await,
            // Deleted by the other writer.
            Some("NOT_FOUND") => return None,
            _ => panic!("{answer}"),
        }
    }
}

/// One writer: a number of changes of chance to tasks and events of its own.
async fn write(user: &User, ports: &[u16], calendar: &str, dice: &Dice, name: usize, writes: u64) {
    let (mut tasks, mut events) = (Vec::<String>::new(), Vec::<String>::new());
    for turn in 0..writes {
        let key = format!("w{name}-{turn}");
        let title = format!("{name} {turn}");
        let pick = |list: &[String]| list[dice.roll(list.len() as u64) as usize].clone();
        let send =
            async |query: &str, variables: Value| carry_out(user, ports, dice, &key, query, variables).await;
        match dice.roll(10) {
            0..3 => {
                let query = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
                let input = json!({ "workspaceId": user.person.workspace(), "title": title });
                let made = send(query, json!({ "input": input })).await;
                tasks.extend(made.map(|data| data["createTask"]["task"]["id"].as_str().unwrap().to_owned()));
            }
            3..5 => {
                let query =
                    "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) {
                    calendarEvent { id } userErrors { code field message } } }";
                let time =
                    json!({ "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } });
                let input = json!({ "calendarId": calendar, "title": title, "time": time });
                let made = send(query, json!({ "input": input })).await;
                events.extend(made.map(|data| {
                    let event = &data["createCalendarEvent"]["calendarEvent"]["id"];
                    event.as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
                }));
            }
            5..7 if !tasks.is_empty() => {
                let query = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code } } }";
                send(query, json!({ "id": pick(&tasks), "input": { "title": title } })).await;
            }
            7 if !events.is_empty() => {
                let query = "mutation ($id: ID!, $input: UpdateCalendarEventInput!) { updateCalendarEvent(id: $id, input: $input) { userErrors { code } } }";
                send(query, json!({ "id": pick(&events), "input": { "title": title } })).await;
            }
            8 if tasks.len() > 3 => {
                let id = tasks.remove(0);
                let query = "mutation ($id: ID!) { deleteTask(id: $id) { userErrors { code } } }";
                send(query, json!({ "id": id })).await;
            }
            9 if events.len() > 3 => {
                let id = events.remove(0);
                let query = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
                send(query, json!({ "id": id })).await;
            }
            _ => dice.nap(5, 20).await,
        }
        dice.nap(0, 30).await;
    }
}

/// The machines of a run.
struct World {
    redis: Option<OwnRedis>,
    cables: Vec<Cable>,
}

/// What befalls the machines.
async fn disasters(world: &mut World, replicas: &mut [Process<'_>], dice: &Dice, number: u64) {
    let sides = if world.redis.is_some() { 6 } else { 2 };
    for _ in 0..number {
        dice.nap(200, 700).await;
        let which = dice.roll(replicas.len() as u64) as usize;
        match dice.roll(sides) {
            0 => {
                replicas[which].kill().await;
                dice.nap(0, 300).await;
                replicas[which].again().await;
            }
            1 => {
                replicas[which].stop().await;
                replicas[which].again().await;
            }
            2 | 3 => {
                world.cables[which].freeze();
                dice.nap(300, 4_000).await;
                world.cables[which].thaw();
            }
            4 => {
                if let Some(redis) = &world.redis {
                    redis.tell(&["FLUSHALL"]).await;
                    redis.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
                }
            }
            _ => {
                // Processes do not start without Redis, so nobody dies meanwhile.
                if let Some(redis) = &mut world.redis {
                    redis.stop().await;
                    dice.nap(300, 2_000).await;
                    redis.again().await;
                }
            }
        }
    }
}

/// A front end that comes and goes until it has heard everything there is.
async fn live(user: &User, ports: &[u16], dice: &Dice, end: &Cell<Option<(i64, i64)>>) -> Shop {
    let mut shop = loop {
        let port = ports[dice.roll(ports.len() as u64) as usize];
        if let Some(shop) = Shop::load(user, port).await {
            break shop;
        }
        dice.nap(50, 100).await;
    };
    let mut ended = None::<Instant>;
    loop {
        let port = ports[dice.roll(ports.len() as u64) as usize];
        // Some stay for long, some lose their connection all the time.
        let stay = Duration::from_millis(100 + dice.roll(8) * dice.roll(8) * 60);
        timeout(stay, shop.follow(user, port, Duration::from_secs(30)))
            .await
            .ok();
        if let Some((task, event)) = end.get() {
            if shop.has_heard(task, event) {
                return shop;
            }
            let ended = ended.get_or_insert_with(Instant::now);
            assert!(
                ended.elapsed() < Duration::from_secs(20),
                "it does not catch up with {task} and {event}: {shop:?}"
            );
        }
        dice.nap(0, 400).await;
    }
}

async fn run(size: Size) {
    println!("seed {}", size.seed);
    let dice = Dice::new(size.seed);
    let redis = match production() {
        true => Some(OwnRedis::start().await),
        false => None,
    };
    let mut cables = Vec::new();
    if let Some(redis) = &redis {
        for _ in 0..2 {
            cables.push(Cable::to(redis.port()).await);
        }
    }
    let install = Install::with_redis(redis.as_ref().map(OwnRedis::url)).await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    platform.db.close().await;
    let mut replicas = Vec::new();
    let ways: Vec<String> = cables.iter().map(Cable::redis_url).collect();
    for number in 0..if redis.is_some() { 2 } else { 1 } {
        let mut settings = vec![
            ("MERIDIAN_LIMIT_OPERATION_SECONDS", "2"),
            ("MERIDIAN_SHUTDOWN_GRACE_SECONDS", "1"),
        ];
        settings.extend(ways.get(number).map(|way| ("REDIS_URL", way.as_str())));
        replicas.push(install.start_with("serve", &settings).await);
    }
    let ports: Vec<u16> = replicas.iter().map(|replica| replica.port).collect();
    let query =
        "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } } }";
    let input = json!({ "workspaceId": user.person.workspace(), "name": "Work" });
    let data = User::data(user.ask(ports[0], query, json!({ "input": input }), None).await);
    let calendar = data["createCalendar"]["calendar"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let began = super::shop::cursor_now(&user, ports[0]).await;

    let mut world = World { redis, cables };
    let end = Cell::new(None);
    let events = async {
        let writers = (0..2).map(|name| {
            let dice = Dice::new(size.seed * 31 + name as u64 + 1);
            let (user, ports, calendar) = (&user, &ports, &calendar);
            async move { write(user, ports, calendar, &dice, name, size.writes).await }
        });
        tokio::join!(
            join_all(writers),
            disasters(&mut world, &mut replicas, &dice, size.disasters)
        );
        let log = log_after(&user, ports[0], &began).await;
        let last = |of: &[i64]| of.last().copied().unwrap_or_default();
        end.set(Some((last(&log[0]), last(&log[1]))));
        log
    };
    let fronts = join_all((0..size.fronts).map(|number| {
        let dice = Dice::new(size.seed * 37 + number as u64 + 7);
        let (user, ports, end) = (&user, &ports, &end);
        async move { live(user, ports, &dice, end).await }
    }));
    let (log, shops) = tokio::join!(events, fronts);
    let truth = Shop::load(&user, ports[0]).await.unwrap().shown;
    let returns: usize = shops.iter().map(|shop| shop.returns).sum();
    println!(
        "{} changes, {} objects left, {returns} returns of {} front ends",
        log[0].len() + log[1].len(),
        truth.len(),
        shops.len()
    );
    for shop in &shops {
        assert_eq!(shop.reloads, 0, "the log was kept");
        assert_eq!(shop.shown, truth);
        for (heard, log) in shop.heard().into_iter().zip(&log) {
            // A front end begins a little after the log does.
            assert!(log.ends_with(heard), "{heard:?} is not the end of {log:?}");
        }
    }
    // Those that were there from the beginning have heard nearly everything.
    assert!(shops.iter().any(|shop| shop.heard()[0].len() * 2 > log[0].len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn front_ends_show_the_truth_whatever_befalls_the_machines() {
    let seed = std::env::var("MERIDIAN_TEST_SEED").map_or(7, |seed| seed.parse().unwrap());
    run(Size {
        seed,
        writes: 90,
        disasters: 5,
        fronts: 4,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn front_ends_show_the_truth_for_many_seeds() {
    if !has_time() {
        return;
    }
    for seed in 100..106 {
        run(Size {
            seed,
            writes: 250,
            disasters: 12,
            fronts: 6,
        })
        .await;
    }
}

/// Lets one front end be away for this long while changes are made, and compares it with one that was not.
async fn away(minutes: Duration, changes: usize) {
    let install = Install::new().await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    platform.db.close().await;
    let process = install.start("serve").await;
    let port = process.port;
    let (mut stays, mut leaves) = (
        Shop::load(&user, port).await.unwrap(),
        Shop::load(&user, port).await.unwrap(),
    );
    let mut tasks = Vec::new();
    let mut change = async |number: usize| {
        let key = format!("{number}");
        let (query, variables) = if number % 3 == 2 {
            let id: String = tasks.remove(tasks.len() / 2);
            let query = "mutation ($id: ID!) { deleteTask(id: $id) { userErrors { code } } }";
            (query, json!({ "id": id }))
        } else if number % 5 == 4 {
            let query = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code } } }";
            let input = json!({ "title": format!("{key} again"), "status": "IN_PROGRESS" });
            (query, json!({ "id": tasks[tasks.len() / 3], "input": input }))
        } else {
            let query = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
            let input = json!({ "workspaceId": user.person.workspace(), "title": key });
            (query, json!({ "input": input }))
        };
        let data = User::data(user.ask(port, query, variables, Some(&key)).await);
        let made = data["createTask"]["task"]["id"].as_str();
        tasks.extend(made.map(str::to_owned));
    };
    let story = async {
        let short = Duration::from_millis(1_500);
        let before = async {
            timeout(short, leaves.follow(&user, port, short)).await.ok();
        };
        let some = async {
            for number in 0..12 {
                change(number).await;
            }
        };
        tokio::join!(before, some);
        let began = Instant::now();
        for number in 12..changes {
            change(number).await;
        }
        sleep(minutes.saturating_sub(began.elapsed())).await;
        println!("away for {:?}, {changes} changes", began.elapsed());
        let back = Instant::now();
        let quiet = Duration::from_millis(1_500);
        leaves.follow(&user, port, quiet).await;
        println!("caught up within {:?}", back.elapsed().saturating_sub(quiet));
        leaves
    };
    let never_leaves = async {
        timeout(
            minutes * 4 + Duration::from_secs(60),
            stays.follow(&user, port, minutes + Duration::from_secs(8)),
        )
        .await
        .ok();
        stays
    };
    let (leaves, stays) = tokio::join!(story, never_leaves);
    assert_eq!((stays.returns, stays.reloads, leaves.reloads), (1, 0, 0));
    assert_eq!(leaves.shown, stays.shown);
    assert_eq!(leaves.shown, Shop::load(&user, port).await.unwrap().shown);
    assert_eq!(leaves.heard(), stays.heard());
    drop(process);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_front_end_that_was_away_shows_what_one_that_was_not_does() {
    // More changes than one page of the log.
    away(Duration::from_secs(2), 560).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_front_end_that_was_away_for_a_minute_shows_what_one_that_was_not_does() {
    if has_time() {
        away(Duration::from_secs(60), 1_200).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_and_its_cursor_hide_no_change_from_whoever_goes_on_from_there() {
    let install = Install::new().await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    platform.db.close().await;
    let process = install.start("serve").await;
    let port = process.port;
    let ports = [port];
    let done = Cell::new(false);
    let writers = join_all((0..3_usize).map(|name| {
        let dice = Dice::new(name as u64 + 50);
        let (user, ports, done) = (&user, &ports, &done);
        async move {
            let query =
                "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
            for turn in 0..60 {
                let title = format!("{name}-{turn}");
                let input = json!({ "workspaceId": user.person.workspace(), "title": title });
                carry_out(user, ports, &dice, &title, query, json!({ "input": input })).await;
            }
            done.set(true);
        }
    }));
    let mut shops = Vec::new();
    let readers = async {
        while !done.get() {
            shops.push(Shop::load(&user, port).await.unwrap());
        }
    };
    tokio::join!(writers, readers);
    let truth = Shop::load(&user, port).await.unwrap().shown;
    println!("{} front ends read while others wrote", shops.len());
    let caught_up = shops.into_iter().rev().take(20).map(async |mut shop: Shop| {
        shop.follow(&user, port, Duration::from_secs(4)).await;
        shop.shown
    });
    for shown in join_all(caught_up).await {
        assert_eq!(shown, truth);
    }
    drop(process);
}
