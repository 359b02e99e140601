//! Whose turn it is: what a person waits for goes first, no workspace keeps another waiting, and the background is not forgotten.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus};
use entity::ids::{JobId, UserId, WorkspaceId};
use entity::job;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::{NewJob, Payload, Urgency};
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{self, WorkerConfig};
use sea_orm::Set;
use tokio::time::{Instant, sleep};

use super::bench::{Bench, Workers, script};
use crate::support::create_person;

/// When each job started.
type Log = Arc<Mutex<Vec<(JobId, Instant)>>>;

/// Workers that take a moment for each job.
fn work(bench: &Bench, slots: usize, moment: Duration) -> (Workers, Log) {
    let log = Log::default();
    let started = log.clone();
    let run = script(move |job| {
        started.lock().unwrap().push((job.id, Instant::now()));
        async move {
            sleep(moment).await;
            Ok(())
        }
    });
    let config = WorkerConfig {
        cron: false,
        grace: Duration::from_millis(300),
        concurrency: vec![(JobQueueName::CalendarSync, slots)],
        ..WorkerConfig::default()
    };
    (bench.work_with(run, config), log)
}

async fn workspace(bench: &Bench, name: &str) -> (WorkspaceId, UserId) {
    let person = create_person(&bench.platform, name, &format!("{name}@example.org")).await;
    (person.workspace_id, person.user_id)
}

fn of(workspace: WorkspaceId, number: u128) -> NewJob {
    NewJob {
        workspace_id: Some(workspace),
        ..Bench::job(number)
    }
}

/// Many jobs of one workspace that have been waiting for a while.
async fn flood(bench: &Bench, workspace: WorkspaceId, count: u128, urgency: Urgency) {
    let new = of(workspace, 0);
    let payload = serde_json::to_value(&new.payload).unwrap();
    let kind = new.payload.kind().to_owned();
    let body = |tx: Tx| {
        let (payload, kind) = (payload.clone(), kind.clone());
        async move {
            let since = tx.now() - TimeDelta::minutes(1);
            let row = |_| job::ActiveModel {
                id: Set(tx.ids().next()),
                queue: Set(JobQueueName::CalendarSync),
                kind: Set(kind.clone()),
                workspace_id: Set(Some(workspace)),
                payload: Set(payload.clone()),
                status: Set(JobStatus::Queued),
                attempts: Set(0),
                max_attempts: Set(3),
                run_at: Set(since),
                priority: Set(urgency.priority()),
                cancel_requested: Set(false),
                timeout_seconds: Set(60),
                created_at: Set(since),
                updated_at: Set(since),
                ..Default::default()
            };
            tx.insert_many((0..count).map(row).collect()).await
        }
    };
    let platform = &bench.platform;
    platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

/// How long after its making a job starts.
async fn delay(bench: &Bench, log: &Log, job: NewJob) -> Duration {
    let before = Instant::now();
    let id = bench.enqueue(job).await;
    loop {
        let start = log
            .lock()
            .unwrap()
            .iter()
            .find(|(one, _)| *one == id)
            .map(|it| it.1);
        match start {
            Some(at) => return at - before,
            None => assert!(before.elapsed() < Duration::from_secs(20), "it never starts"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_jobs_of_one_workspace_delay_another_by_less_than_a_second() {
    let bench = Bench::new().await;
    let (busy, _) = workspace(&bench, "busy").await;
    let (calm, person) = workspace(&bench, "calm").await;
    flood(&bench, busy, 10_000, Urgency::Background).await;
    let (workers, log) = work(&bench, 4, Duration::from_millis(40));
    sleep(Duration::from_secs(2)).await;
    assert!(log.lock().unwrap().len() > 20, "the flood is worked on");
    let mut delays = Vec::new();
    for number in 1..=5 {
        delays.push(delay(&bench, &log, of(calm, number)).await);
        // What somebody waits for, in a third place: with the installation.
        delays.push(delay(&bench, &log, Bench::job(number)).await);
        delays.push(delay(&bench, &log, of(busy, number).by(Some(person))).await);
    }
    println!("beside 10,000 others a job starts after {delays:?}");
    assert!(
        delays.iter().all(|delay| *delay < Duration::from_secs(1)),
        "{delays:?}"
    );
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_jobs_of_one_workspace_delay_another_by_less_than_a_second() {
    const LONG: Duration = Duration::from_secs(2);
    let bench = Bench::new().await;
    let (busy, _) = workspace(&bench, "busy").await;
    let (calm, _) = workspace(&bench, "calm").await;
    flood(&bench, busy, 10_000, Urgency::Background).await;
    let (workers, log) = work(&bench, 4, LONG);
    sleep(Duration::from_millis(2_500)).await;
    assert!(log.lock().unwrap().len() >= 4, "the flood is worked on");
    let mut delays = Vec::new();
    for number in 1..=4 {
        delays.push(delay(&bench, &log, of(calm, number)).await);
        // One at a time: a second job of the same workspace waits for its turn. Not in step with the long ones.
        sleep(LONG + Duration::from_millis(150 * u64::try_from(number).unwrap())).await;
    }
    println!("beside 10,000 long ones a job starts after {delays:?}");
    assert!(
        delays.iter().all(|delay| *delay < Duration::from_secs(1)),
        "{delays:?}"
    );
    // Five places: a slot for each of four, and the one more.
    let starts: Vec<Instant> = log.lock().unwrap().iter().map(|(_, at)| *at).collect();
    let at_once = starts.iter().map(|now| {
        starts
            .iter()
            .filter(|at| *at <= now && *now - **at < LONG)
            .count()
    });
    assert!(at_once.max().unwrap() <= 5, "{starts:?}");
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urgent_work_of_one_workspace_does_not_starve_the_background() {
    let bench = Bench::new().await;
    let (busy, _) = workspace(&bench, "busy").await;
    let (calm, _) = workspace(&bench, "calm").await;
    flood(&bench, busy, 2_000, Urgency::Interactive).await;
    let (workers, log) = work(&bench, 1, Duration::from_millis(30));
    sleep(Duration::from_secs(1)).await;
    let waited = delay(&bench, &log, of(calm, 1)).await;
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workspaces_take_turns_and_urgent_jobs_go_first() {
    let bench = Bench::new().await;
    let mut places = Vec::new();
    for name in ["one", "two", "three"] {
        places.push(workspace(&bench, name).await);
    }
    let (first, person) = places[0];
    flood(&bench, first, 30, Urgency::Background).await;
    let mut others = Vec::new();
    for (place, _) in &places[1..] {
        for number in 1..=3 {
            others.push(bench.enqueue(of(*place, number)).await);
        }
    }
    let urgent = bench.enqueue(of(first, 9).by(Some(person))).await;
    let later = bench.platform.clock.now() + TimeDelta::hours(1);
    bench.enqueue(of(first, 10).at(later)).await;
    let (workers, log) = work(&bench, 1, Duration::from_millis(5));
    let deadline = Instant::now() + Duration::from_secs(20);
    while log.lock().unwrap().len() < 37 {
        assert!(Instant::now() < deadline, "{} ran", log.lock().unwrap().len());
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_millis(300)).await;
    let order: Vec<JobId> = log.lock().unwrap().iter().map(|(id, _)| *id).collect();
    assert_eq!(order.len(), 37, "each once, and the delayed one not yet");
    let place = |id: &JobId| order.iter().position(|one| one == id).unwrap();
    assert_eq!(place(&urgent), 0);
    // Three workspaces: everybody's third job is among the first ten, and on Redis some that were lent ahead go before; without turns it
    // would be the last of all.
    let last = others.iter().map(place).max().unwrap();
    assert!(last < 18, "{last}: {others:?} in {order:?}");
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_may_leave_the_same_work_for_the_installation_twice() {
    let bench = Bench::new().await;
    let (place, person) = workspace(&bench, "place").await;
    let leave = |by| {
        let job = NewJob::for_system(Payload::StartDueSyncs).unique("same").by(by);
        let body = move |tx: Tx| {
            let job = job.clone();
            async move {
                let first = tx.enqueue(job.clone()).await?;
                Ok((first, tx.enqueue(job).await?))
            }
        };
        bench
            .platform
            .write(Scope::Workspace(place), Actor::system(), body)
    };
    let (first, again) = leave(None).await.unwrap();
    assert_eq!(first, again);
    let row = bench.row(first).await;
    assert_eq!((row.workspace_id, row.priority), (None, 0));
    // Whoever asks with more reason to hurry makes it hurry.
    assert_eq!(leave(Some(person)).await.unwrap(), (first, first));
    assert_eq!(bench.row(first).await.priority, Urgency::Interactive.priority());
    // The scope is what it was: rows of the workspace are still all that is seen.
    let look = |tx: Tx| async move {
        tx.enqueue(NewJob::for_system(Payload::StartDueReplans)).await?;
        Ok(sea_orm::PaginatorTrait::count(tx.find::<job::Entity>(), tx.conn()).await?)
    };
    let scope = Scope::Workspace(place);
    assert_eq!(
        bench.platform.write(scope, Actor::system(), look).await.unwrap(),
        0
    );
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hastening_a_job_lets_it_go_before_others() {
    let bench = Bench::new().await;
    let later = bench.platform.clock.now() + TimeDelta::hours(1);
    let id = bench.enqueue(Bench::job(1).at(later)).await;
    let hasten = |tx: Tx| async move { jobs::hasten(&tx, id).await };
    let platform = &bench.platform;
    platform
        .write(Scope::System, Actor::system(), hasten)
        .await
        .unwrap();
    let row = bench.row(id).await;
    assert!(row.run_at < later && row.priority == Urgency::Interactive.priority());
    bench.close().await;
}
