//! Budgets over HTTP: those of workspaces, internal services, and with Redis those that replicas share.

use std::time::Duration;

use meridian::config::Config;
use meridian::kernel::time::Clock;
use meridian::platform::limits::{Charge, Key, Limit, Limits};
use meridian::platform::redis::Redis;
use serde_json::json;

use crate::support::server::Server;
use crate::support::{Backend, start_of_tests};

#[tokio::test]
async fn a_workspace_counts_requests_of_all_its_members() {
    let server = Server::with_settings(&[("MERIDIAN_RATE_WORKSPACE_REQUESTS", "2")]).await;
    let token = format!("Authorization: Bearer {}", server.token(&server.app.ana).await);
    let query = "query ($id: ID!) { a: workspace(id: $id) { id } b: workspace(id: $id) { name } }";
    let body = json!({ "query": query, "variables": { "id": server.app.ana.workspace() } });
    for _ in 0..2 {
        let answer = server.post(&[&token], &body).await.json();
        assert!(
            answer.get("errors").is_none(),
            "one request counts once: {answer}"
        );
    }
    assert_eq!(server.post(&[&token], &body).await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn internal_services_are_not_stopped() {
    let settings = [
        ("MERIDIAN_RATE_GUEST_REQUESTS", "1"),
        ("MERIDIAN_INTERNAL_NETWORKS", "127.0.0.0/8"),
    ];
    let server = Server::with_settings(&settings).await;
    for _ in 0..5 {
        let reply = server.ask(&[]).await;
        assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, "10000"));
    }
    let wrong = server.ask(&["Authorization: Bearer mrd_wrong"]).await;
    assert_eq!(wrong.status, 401, "credentials are checked as everywhere");
    let outside = Server::with_settings(&[settings[0], ("MERIDIAN_INTERNAL_NETWORKS", "10.0.0.0/8")]).await;
    assert_eq!(outside.ask(&[]).await.status, 200);
    assert_eq!(outside.ask(&[]).await.status, 429);
}

#[tokio::test]
async fn an_address_that_is_only_claimed_opens_no_budget() {
    let one = ("MERIDIAN_RATE_GUEST_REQUESTS", "1");
    let server = Server::with_settings(&[one]).await;
    assert_eq!(server.ask(&["X-Forwarded-For: 198.51.100.1"]).await.status, 200);
    for claim in [
        "X-Forwarded-For: 198.51.100.2",
        "Forwarded: for=198.51.100.3",
        "X-Real-IP: 198.51.100.4",
    ] {
        assert_eq!(server.ask(&[claim]).await.status, 429, "{claim}");
    }
    // Behind a proxy the address counts that the proxy has seen, not what its client wrote to the left of it.
    let proxy = ("MERIDIAN_TRUSTED_PROXIES", "127.0.0.0/8");
    let behind = Server::with_settings(&[one, proxy]).await;
    for (claim, status) in [
        ("X-Forwarded-For: 198.51.100.1", 200),
        ("X-Forwarded-For: 198.51.100.2", 200),
        ("X-Forwarded-For: 6.6.6.6, 198.51.100.1", 429),
        ("X-Forwarded-For: 127.0.0.1, 198.51.100.2", 429),
        // Some proxies write the port, too, which is another for each connection of the same client.
        ("X-Forwarded-For: 198.51.100.3:4711", 200),
        ("X-Forwarded-For: 198.51.100.3:4712", 429),
        ("X-Forwarded-For: 198.51.100.3", 429),
        ("X-Forwarded-For: [2001:db8::1]:443", 200),
        ("X-Forwarded-For: [2001:db8::2]", 429),
        ("X-Forwarded-For: 2001:db8::3", 429),
    ] {
        assert_eq!(behind.ask(&[claim]).await.status, status, "{claim}");
    }
}

#[tokio::test]
async fn whoever_a_proxy_does_not_name_is_not_the_proxy() {
    let server = Server::with_settings(&[
        ("MERIDIAN_RATE_GUEST_REQUESTS", "1"),
        ("MERIDIAN_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("MERIDIAN_INTERNAL_NETWORKS", "127.0.0.0/8"),
    ])
    .await;
    for status in [200, 429] {
        assert_eq!(server.ask(&["X-Forwarded-For: unknown"]).await.status, status);
    }
    for _ in 0..3 {
        assert_eq!(server.ask(&[]).await.status, 200, "a program beside the server");
    }
}

#[tokio::test]
async fn all_tokens_of_a_person_have_one_budget() {
    let server = Server::with_settings(&[("MERIDIAN_RATE_CALLER_REQUESTS", "2")]).await;
    let ana = &server.app.ana;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let token = format!("Authorization: Bearer {}", server.token(ana).await);
        answers.push(server.ask(&[&token]).await.status);
    }
    assert_eq!(answers, [200, 200, 429]);
    let ben = format!("Authorization: Bearer {}", server.token(&server.app.ben).await);
    assert_eq!(server.ask(&[&ben]).await.status, 200);
}

#[tokio::test]
async fn requests_that_cannot_be_read_count_too() {
    let server = Server::with_settings(&[("MERIDIAN_RATE_GUEST_REQUESTS", "2")]).await;
    for body in [json!({ "query": "{" }), json!([])] {
        assert_ne!(server.post(&[], &body).await.status, 429);
    }
    assert_eq!(server.ask(&[]).await.status, 429);
}

async fn replica(url: &str, prefix: &str) -> Limits {
    replica_with(url, prefix, (10, 100)).await
}

async fn replica_with(url: &str, prefix: &str, (requests, points): (u32, u32)) -> Limits {
    let values = [
        ("MERIDIAN_RATE_CALLER_REQUESTS".to_owned(), requests.to_string()),
        ("MERIDIAN_RATE_CALLER_POINTS".to_owned(), points.to_string()),
    ];
    let config = Config::parse(&values.into()).unwrap();
    let redis = Redis::connect(url, prefix, "one", 1).await.unwrap();
    Limits::new(&config.rates, Clock::manual(start_of_tests())).shared(Some(redis))
}

fn charges(name: &str, points: u32) -> [Charge<'_>; 2] {
    let key = Key::Name(name);
    [(Limit::CallerRequests, 1), (Limit::CallerPoints, points)].map(|(kind, cost)| Charge { kind, key, cost })
}

#[tokio::test]
async fn replicas_share_a_budget() {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let prefix = uuid::Uuid::now_v7().simple().to_string();
    let (a, b) = (
        replica(&redis_url, &prefix).await,
        replica(&redis_url, &prefix).await,
    );
    let [requests, points] = a.spend(charges("ana", 40)).await;
    assert_eq!((requests.remaining, points.remaining), (9, 60));
    let [requests, points] = b.spend(charges("ana", 40)).await;
    assert_eq!((requests.remaining, points.remaining), (8, 20));
    let [requests, refused] = a.spend(charges("ana", 40)).await;
    assert!(requests.allowed && !refused.allowed, "{refused:?}");
    assert!(
        (10..=12).contains(&refused.retry_after),
        "20 of 100 are missing: {refused:?}"
    );
    let [requests, points] = b.spend(charges("ana", 20)).await;
    assert!(points.allowed, "what was refused was not spent: {points:?}");
    assert_eq!(requests.remaining, 7);
    assert_eq!(
        a.spend(charges("ben", 40)).await[1].remaining,
        60,
        "others are not concerned"
    );
    assert_eq!((a.decided_alone(), b.decided_alone()), (0, 0));
}

#[tokio::test]
async fn what_comes_at_once_is_paid_in_advance_once() {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let prefix = uuid::Uuid::now_v7().simple().to_string();
    let limits = replica_with(&redis_url, &prefix, (1_000, 100_000)).await;
    // Nobody is paid for in advance who has not asked for anything yet.
    for _ in 0..20 {
        limits.spend(charges("ana", 10)).await;
    }
    let together = futures_util::future::join_all((0..400).map(|_| limits.spend(charges("ana", 10)))).await;
    assert!(together.iter().flatten().all(|one| one.allowed), "{together:?}");
    let [requests, points] = limits.spend(charges("ana", 10)).await;
    // 421 are spent, and at most a few parts of a sixty-fourth are paid and lost.
    assert!(
        requests.remaining >= 500 && points.remaining >= 90_000,
        "{requests:?} {points:?}"
    );
}

#[tokio::test]
async fn nothing_is_paid_in_advance_of_which_a_small_budget_lets_nothing_be_used() {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let prefix = uuid::Uuid::now_v7().simple().to_string();
    // As large as those of somebody who is not signed in.
    let limits = replica_with(&redis_url, &prefix, (100, 10_000)).await;
    for number in 1..=100 {
        let [requests, points] = limits.spend(charges("ana", 1)).await;
        assert!(
            requests.allowed && points.allowed,
            "{number}: {requests:?} {points:?}"
        );
        assert!(points.remaining >= 10_000 - number, "{number}: {points:?}");
    }
    // Nor of what one request costs more than could be paid in advance for the next.
    let limits = replica_with(&redis_url, &prefix, (1_000, 10_000)).await;
    for number in 1..=20 {
        let [requests, points] = limits.spend(charges("ben", 500)).await;
        assert!(
            requests.allowed && points.allowed,
            "{number}: {requests:?} {points:?}"
        );
    }
}

#[tokio::test]
async fn replicas_that_are_asked_now_and_then_lose_nothing_of_a_budget() {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let prefix = uuid::Uuid::now_v7().simple().to_string();
    let mut replicas = Vec::new();
    for _ in 0..8 {
        replicas.push(replica_with(&redis_url, &prefix, (1_000, 100_000)).await);
    }
    for round in 0..2 {
        for limits in &replicas {
            let [requests, points] = limits.spend(charges("ana", 10)).await;
            // 16 are spent in the end; with a part of a sixty-fourth for each replica it would be hundreds.
            assert!(requests.remaining >= 980, "{round}: {requests:?}");
            assert!(points.remaining >= 99_800, "{round}: {points:?}");
        }
        // Longer than counts as coming again at once.
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }
}

#[tokio::test]
async fn replicas_share_what_a_mailbox_gets() {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let prefix = uuid::Uuid::now_v7().simple().to_string();
    let (a, b) = (
        replica(&redis_url, &prefix).await,
        replica(&redis_url, &prefix).await,
    );
    let letter = [Charge {
        kind: Limit::Letters,
        key: Key::Name("mail:ana@example.org"),
        cost: 1,
    }];
    let mut allowed = 0;
    for _ in 0..4 {
        for limits in [&a, &b] {
            allowed += u32::from(limits.spend(letter).await[0].allowed);
        }
    }
    assert_eq!(allowed, 5, "five for all of them");
}

#[tokio::test]
async fn a_replica_decides_alone_while_redis_is_away() {
    if !matches!(Backend::from_env(), Backend::Production { .. }) {
        return;
    }
    let Ok(mut server) = RedisServer::start().await else {
        return;
    };
    let limits = replica(&server.url, "alone").await;
    assert_eq!(limits.spend(charges("ana", 40)).await[1].remaining, 60);
    server.stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = std::time::Instant::now();
    let [requests, points] = limits.spend(charges("ana", 40)).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(
        (requests.remaining, points.remaining),
        (8, 20),
        "it counted along"
    );
    assert!(!limits.spend(charges("ana", 40)).await[1].allowed);
    assert_eq!(
        limits.decided_alone(),
        1,
        "what is refused here needs nobody else"
    );
}

/// A Redis of this test's own, to be stopped.
struct RedisServer {
    process: std::process::Child,
    url: String,
}

impl RedisServer {
    async fn start() -> std::io::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = std::process::Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--port",
                &port.to_string(),
            ])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()?;
        let server = Self {
            process,
            url: format!("redis://127.0.0.1:{port}"),
        };
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    fn stop(&mut self) {
        // It may have ended by itself; then there is nothing left to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
