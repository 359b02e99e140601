//! Whatever process dies, it shows within ten seconds: in the health of those that live, in their numbers and in their log.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::machines::OwnRedis;
use crate::support::process::{Process, get};
use crate::support::{Backend, Database};

const SOON: Duration = Duration::from_secs(10);

/// A way to a service that can be cut, as when its process is killed: connections break, and nobody listens any more.
struct Way {
    port: u16,
    task: JoinHandle<()>,
}

impl Way {
    async fn to(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            // Dropped with the task, and everything on it with the set.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (mut here, _) = listener.accept().await.unwrap();
                let address = address.clone();
                connections.spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(address).await {
                        copy_bidirectional(&mut here, &mut there).await.ok();
                    }
                });
            }
        });
        Self { port, task }
    }

    /// Takes the way of a URL; the URL then leads over it.
    async fn of(text: &str) -> (Self, String) {
        let mut url = url::Url::parse(text).unwrap();
        let way = Self::to(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())).await;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(way.port)).unwrap();
        (way, url.to_string())
    }

    fn cut(&self) {
        self.task.abort();
    }
}

/// What a process says about a service: the status of the whole, of the service, and of `/readyz`.
async fn seen(server: &Process, service: &str) -> (String, String, u16) {
    let (_, body) = get(server.port, "/api/health").await.unwrap();
    let report: Value = serde_json::from_str(&body).unwrap();
    let services = report["services"].as_array().unwrap();
    let found = services.iter().find(|one| one["name"] == service);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ready = get(server.port, "/readyz").await.unwrap().0;
    let status = found.map_or("missing".to_owned(), |one| text(&one["status"]));
    (text(&report["status"]), status, ready)
}

/// Waits until the service is shown as dead, and says how the rest is then.
async fn until_down(server: &Process, service: &str) -> (String, u16) {
    let began = Instant::now();
    loop {
        let (whole, status, ready) = seen(server, service).await;
        if status == "down" {
            return (whole, ready);
        }
        assert!(
            began.elapsed() < SOON,
            "{service} is {status} after {:?}",
            began.elapsed()
        );
        sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the numbers have this line.
async fn until_counted(server: &Process, line: &str) {
    let began = Instant::now();
    loop {
        let (_, text) = get(server.admin, "/metrics").await.unwrap();
        if text.lines().any(|one| one == line) {
            return;
        }
        assert!(began.elapsed() < SOON, "no {line} in\n{text}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until all services work.
async fn until_whole(server: &Process) {
    let began = Instant::now();
    loop {
        let (whole, _, ready) = seen(server, "processes").await;
        if (whole.as_str(), ready) == ("ok", 200) {
            return;
        }
        assert!(began.elapsed() < SOON, "{whole}: {:#?}", server.log());
        sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the log has these words.
async fn until_logged(server: &Process, words: &str) {
    let began = Instant::now();
    while !server.log().iter().any(|line| line.contains(words)) {
        assert!(began.elapsed() < SOON, "no {words} in {:#?}", server.log());
        sleep(Duration::from_millis(200)).await;
    }
}

/// How many processes that died are in the log.
fn told_of_the_dead(server: &Process) -> usize {
    let is_about = |line: &&String| line.contains("a process is gone that did not say good-bye");
    server.log().iter().filter(is_about).count()
}

fn has_logged(server: &Process, service: &str) -> bool {
    let about = format!("\"service\":\"{service}\"");
    server.log().iter().any(|line| line.contains(&about))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_shows_at_those_who_take_requests() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let start = |command| Process::start(command, &database.url, folder.path(), &[]);
    let (mut api, mut worker) = (start("api"), start("worker"));
    worker.ready().await;
    api.ready().await;
    let began = Instant::now();
    while seen(&api, "workers").await.1 != "up" {
        assert!(began.elapsed() < SOON, "{:#?}", api.log());
        sleep(Duration::from_millis(200)).await;
    }
    until_counted(&api, "meridian_workers{queue=\"calendar_sync\"} 1").await;
    worker.kill();
    let killed = Instant::now();
    let (whole, ready) = until_down(&api, "workers").await;
    assert_eq!(
        (whole.as_str(), ready),
        ("degraded", 200),
        "requests are still wanted"
    );
    until_counted(&api, "meridian_workers{queue=\"calendar_sync\"} 0").await;
    let shown = killed.elapsed();
    assert!(shown < SOON + Duration::from_secs(1), "after {shown:?}");
    assert!(has_logged(&api, "workers"), "{:#?}", api.log());
    // Nobody answers for it any more, which is what a monitor sees first.
    assert!(get(worker.admin, "/metrics").await.is_none());
}

/// Every process says that it lives, so the others see one that does not say so any more, until another has taken its place. A monitor sees
/// it even sooner: it answers neither for itself nor with numbers, as the alert `MeridianDown` says, and a proxy has no connection to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replica_shows_at_the_others_until_another_takes_its_place() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let start = || Process::start("serve", &database.url, folder.path(), &[]);
    let (mut first, mut second) = (start(), start());
    first.ready().await;
    second.ready().await;
    until_counted(&second, "meridian_processes{role=\"serve\",state=\"live\"} 2").await;
    until_counted(&second, "meridian_processes{role=\"serve\",state=\"gone\"} 0").await;
    // Whoever started after the last sign of one that died is taken for its successor; each gives a sign every two seconds.
    sleep(Duration::from_secs(3)).await;
    first.kill();
    let killed = Instant::now();
    for page in ["/api/health", "/readyz", "/livez"] {
        assert!(get(first.port, page).await.is_none(), "{page}");
    }
    for page in ["/api/health", "/metrics"] {
        assert!(get(first.admin, page).await.is_none(), "{page}");
    }
    let (whole, ready) = until_down(&second, "processes").await;
    assert_eq!(
        (whole.as_str(), ready),
        ("degraded", 200),
        "the other one goes on"
    );
    until_counted(&second, "meridian_processes{role=\"serve\",state=\"gone\"} 1").await;
    let shown = killed.elapsed();
    assert!(shown < SOON + Duration::from_secs(1), "after {shown:?}");
    assert!(has_logged(&second, "processes"), "{:#?}", second.log());
    assert_eq!(told_of_the_dead(&second), 1, "{:#?}", second.log());
    until_counted(&second, "meridian_workers{queue=\"calendar_sync\"} 1").await;

    let mut third = start();
    third.ready().await;
    for server in [&second, &third] {
        until_whole(server).await;
        until_counted(server, "meridian_processes{role=\"serve\",state=\"live\"} 2").await;
        until_counted(server, "meridian_processes{role=\"serve\",state=\"gone\"} 0").await;
    }
}

/// Whoever says good-bye is missed by nobody, also while it takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_ends_well_is_missed_by_nobody() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let start = |command| Process::start(command, &database.url, folder.path(), &[]);
    let (mut stays, mut leaves) = (start("serve"), start("api"));
    stays.ready().await;
    leaves.ready().await;
    until_counted(&stays, "meridian_processes{role=\"api\",state=\"live\"} 1").await;
    leaves.end().await;
    until_counted(&stays, "meridian_processes{role=\"api\",state=\"live\"} 0").await;
    // As long as it takes until the dead are noticed.
    sleep(SOON).await;
    until_whole(&stays).await;
    until_counted(&stays, "meridian_processes{role=\"api\",state=\"gone\"} 0").await;
    assert_eq!(told_of_the_dead(&stays), 0, "{:#?}", stays.log());
}

/// Everything that a process has running hears that it is over: a warning at each end would be none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_asked_to_end_leaves_nothing_running() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    for command in ["serve", "api", "worker"] {
        let mut process = Process::start(command, &database.url, folder.path(), &[]);
        process.ready().await;
        process.end().await;
        let log = process.log();
        let is_left = |line: &String| line.contains("some tasks did not end in time");
        assert!(!log.iter().any(is_left), "{command}: {log:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_database_or_redis_shows_everywhere() {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let (postgres, database_url) = Way::of(&database.url).await;
    let (redis, redis_url) = Way::of(&redis_url).await;
    let mut server = Process::start(
        "serve",
        &database_url,
        folder.path(),
        &[("REDIS_URL", &redis_url)],
    );
    server.ready().await;
    until_counted(&server, "meridian_db_up 1").await;
    until_counted(&server, "meridian_redis_up 1").await;

    redis.cut();
    // While nobody asks for the health.
    until_logged(&server, "no messages come through Redis").await;
    let (whole, ready) = until_down(&server, "redis").await;
    assert_eq!((whole.as_str(), ready), ("degraded", 200), "requests go on");
    until_counted(&server, "meridian_redis_up 0").await;
    assert!(has_logged(&server, "redis"), "{:#?}", server.log());

    postgres.cut();
    until_logged(&server, "the database does not answer: this process").await;
    let (whole, ready) = until_down(&server, "database").await;
    assert_eq!((whole.as_str(), ready), ("unavailable", 503));
    until_counted(&server, "meridian_db_up 0").await;
    assert!(has_logged(&server, "database"), "{:#?}", server.log());
}

/// One that hangs still takes connections. If it looked well between two calls that get no answer, no alert would last long enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_counts_as_away_all_the_time() {
    let Backend::Production { .. } = Backend::from_env() else {
        return;
    };
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let redis = OwnRedis::start().await;
    let mut server = Process::start(
        "api",
        &database.url,
        folder.path(),
        &[("REDIS_URL", &redis.url())],
    );
    server.ready().await;
    until_counted(&server, "meridian_redis_up 1").await;
    redis.signal("STOP").await;
    until_counted(&server, "meridian_redis_up 0").await;
    for _ in 0..20 {
        let (_, text) = get(server.admin, "/metrics").await.unwrap();
        assert!(text.lines().any(|line| line == "meridian_redis_up 0"), "{text}");
        sleep(Duration::from_millis(300)).await;
    }
    redis.signal("CONT").await;
    until_counted(&server, "meridian_redis_up 1").await;
}
