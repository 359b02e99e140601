//! What presence promises in one process; several of them are in the integration tests.

use chrono::TimeDelta;
use tokio::time::timeout;

use super::*;
use crate::kernel::presence::{ACTIVE, GRACE, HOLDS};

struct Here {
    presence: Presence,
    clock: Clock,
    workspace: WorkspaceId,
}

fn here() -> Here {
    let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
    let presence = Presence::new(
        PubSub::local(),
        None,
        clock.clone(),
        TaskTracker::new(),
        CancellationToken::new(),
    );
    Here {
        presence,
        clock,
        workspace: WorkspaceId(Uuid::from_u128(1)),
    }
}

fn client(user: u128) -> Client {
    Client {
        user_id: UserId(Uuid::from_u128(user)),
        source: Uuid::from_u128(user + 100),
    }
}

impl Here {
    fn sign(&self, status: Status, location: Option<&str>) -> Sign {
        Sign {
            status,
            location: location.map(str::to_owned),
            seen_at: self.clock.now(),
        }
    }

    fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }
}

async fn next(watch: &mut Watch) -> (u128, Status, Option<String>) {
    let seen = timeout(Duration::from_secs(5), watch.next()).await;
    let seen = seen.expect("news in time").expect("an open room");
    (seen.user_id.0.as_u128(), seen.status, seen.location)
}

#[tokio::test]
async fn who_connects_is_here_until_a_moment_after_they_left() {
    let here = here();
    let mut watch = here.presence.watch(here.workspace);
    let sitting = here.presence.sit(here.workspace, client(1));
    assert_eq!(next(&mut watch).await, (1, Status::Online, None));
    here.advance(ACTIVE);
    assert_eq!(next(&mut watch).await, (1, Status::Away, None));
    drop(sitting);
    assert_eq!(
        here.presence.look(here.workspace).await.len(),
        1,
        "they may come back"
    );
    here.advance(GRACE);
    assert_eq!(next(&mut watch).await, (1, Status::Offline, None));
    assert!(here.presence.look(here.workspace).await.is_empty());
    assert!(
        here.presence
            .look(WorkspaceId(Uuid::from_u128(2)))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn signs_of_life_without_a_connection_hold_for_a_while() {
    let here = here();
    let mut watch = here.presence.watch(here.workspace);
    let place = Some("task:1");
    let seen = here
        .presence
        .declare(here.workspace, client(1), here.sign(Status::Online, place));
    assert_eq!(seen.status, Status::Online);
    assert_eq!(
        next(&mut watch).await,
        (1, Status::Online, place.map(str::to_owned))
    );
    here.presence
        .declare(here.workspace, client(1), here.sign(Status::Focusing, None));
    assert_eq!(next(&mut watch).await, (1, Status::Focusing, None));
    here.advance(HOLDS);
    assert_eq!(next(&mut watch).await, (1, Status::Offline, None));
    here.presence
        .declare(here.workspace, client(1), here.sign(Status::Online, None));
    assert_eq!(next(&mut watch).await, (1, Status::Online, None));
    let seen = here
        .presence
        .declare(here.workspace, client(1), here.sign(Status::Offline, None));
    assert_eq!(seen.status, Status::Offline);
    assert_eq!(next(&mut watch).await, (1, Status::Offline, None));
}

#[tokio::test]
async fn a_storm_of_signs_is_told_twice_a_second_at_most() {
    let here = here();
    let mut watch = here.presence.watch(here.workspace);
    let began = std::time::Instant::now();
    for round in 0..200 {
        for user in 1..=5 {
            let place = format!("task:{round}");
            let sign = here.sign(Status::Online, Some(&place));
            here.presence.declare(here.workspace, client(user), sign);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (mut told, mut last) = (0, 0);
    while last < 5 {
        let (_, _, place) = next(&mut watch).await;
        told += 1;
        last += usize::from(place.as_deref() == Some("task:199"));
    }
    let pulses = began.elapsed().as_millis() / 500 + 2;
    assert!(told <= 5 * pulses, "{told} in {pulses} pulses");
}

#[tokio::test]
async fn a_listener_who_is_slow_hears_how_things_are() {
    let here = here();
    let mut watch = here.presence.watch(here.workspace);
    let room = here.presence.within(here.workspace, Arc::clone);
    here.presence
        .declare(here.workspace, client(1), here.sign(Status::Online, None));
    assert_eq!(next(&mut watch).await, (1, Status::Online, None));
    for _ in 0..100 {
        room.shout(here.clock.now(), client(1).user_id);
    }
    assert_eq!(next(&mut watch).await.0, 1);
    assert!(
        timeout(Duration::from_millis(200), watch.next()).await.is_err(),
        "once"
    );
}

#[tokio::test]
async fn an_empty_room_closes() {
    let here = here();
    let sitting = here.presence.sit(here.workspace, client(1));
    assert_eq!(here.presence.0.rooms.len(), 1);
    drop(sitting);
    here.advance(GRACE);
    for _ in 0..50 {
        if here.presence.0.rooms.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the room is still open");
}
