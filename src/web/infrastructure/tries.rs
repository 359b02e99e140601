//! One try for each service but the sockets.

use std::time::Duration;

use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus, VerificationPurpose};
use entity::ids::{TypedId as _, UserId};
use sentry::{Hub, Level};
use serde_json::json;
use uuid::Uuid;

use super::{Failed, Tried, Worked};
use crate::access::one_use::{self, NewOneUse};
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::jobs::{NewJob, Payload};
use crate::platform::Platform;
use crate::platform::cache::{Group, Kept};
use crate::platform::db::{Scope, Tx};
use crate::platform::jobs::{Listed, newest};
use crate::platform::limits::{Charge, Key, Limit};
use crate::platform::mail::{Mail, MailError};

/// Time between two looks at a job.
const LOOK: Duration = Duration::from_millis(40);
/// How long a job may wait for a worker.
const WORKERS: Duration = Duration::from_secs(6);
/// How long a report may take to leave.
const SENDING: Duration = Duration::from_secs(3);

/// Writes a row, changes it and reads it back: a secret that nobody is told, used up at once.
pub(super) async fn database(platform: &Platform, nonce: Uuid) -> Tried {
    let purpose = VerificationPurpose::VerifyEmail;
    let secret = format!("infrastructure-{}", nonce.simple());
    let new = NewOneUse {
        purpose,
        user_id: None,
        email: None,
        secret: secret.clone(),
        payload: Some(json!({ "nonce": nonce })),
        life: TimeDelta::minutes(1),
    };
    one_use::store(platform, new).await?;
    let found = one_use::redeem(platform, purpose, &secret).await?;
    if found.and_then(|row| row.payload) != Some(json!({ "nonce": nonce })) {
        return Err("What was written did not come back.".into());
    }
    let kind = if platform.db.is_postgres() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    Ok(Worked::Passed(format!(
        "{kind}: a row was written, changed and read back"
    )))
}

/// A value that only these tries keep.
struct Tryout;

impl Kept for Tryout {
    const NAME: &'static str = "tryout";
    type Key = Uuid;
    type Value = u8;
    const CAPACITY: u64 = 16;
    const TIME_TO_LIVE: Duration = Duration::from_secs(60);
}

/// Keeps a value, finds it and forgets it; in Redis too, where there is one.
pub(super) async fn cache(platform: &Platform, nonce: Uuid) -> Tried {
    let group = Group::Person(UserId::from_uuid(nonce));
    let get = |fresh: u8| {
        platform
            .cache
            .get::<Tryout, _>(nonce, group, async move { Ok(fresh) })
    };
    let kept = (get(1).await?, get(2).await?);
    platform.cache.forget::<Tryout>(&nonce);
    let forgotten = get(3).await?;
    platform.cache.forget::<Tryout>(&nonce);
    if platform.pubsub.is_live() && kept != (1, 1) {
        return Err("The cache did not keep a value.".into());
    }
    if forgotten != 3 {
        return Err("The cache did not forget a value.".into());
    }
    let Some(redis) = &platform.redis else {
        return Ok(Worked::Passed(
            "in this process: set, found and deleted".to_owned(),
        ));
    };
    redis.round_trip(&nonce.simple().to_string()).await?;
    Ok(Worked::Passed(
        "in this process and in Redis: set, found and deleted".to_owned(),
    ))
}

/// Spends the whole budget of a key that nobody else has; the next request must be refused.
pub(super) async fn limiter(platform: &Platform, nonce: Uuid) -> Tried {
    let (limits, kind) = (&platform.limits, Limit::SignIns);
    let name = format!("infrastructure:{}", nonce.simple());
    let key = Key::Name(&name);
    let full = limits.free(kind).limit;
    let spend = |cost| limits.spend([Charge { kind, key, cost }]);
    let ([all], [more]) = (spend(full).await, spend(1).await);
    if !all.allowed {
        return Err("An untouched budget was refused.".into());
    }
    if more.allowed {
        return Err("A spent budget was not refused.".into());
    }
    let place = match &platform.redis {
        Some(redis) if redis.is_up() => "shared through Redis",
        Some(_) => "in this process alone, because Redis is away",
        None => "in this process",
    };
    Ok(Worked::Passed(format!(
        "{place}: {full} were allowed, the next was refused until {} s later",
        more.retry_after
    )))
}

/// Sends a job through the queue to whichever worker is free.
pub(super) async fn job(platform: &Platform) -> Tried {
    let body = |tx: Tx| async move { tx.enqueue(NewJob::for_system(Payload::TryQueue)).await };
    let id = platform.write(Scope::System, Actor::system(), body).await?;
    let ended = async {
        loop {
            if let Some((status, attempts)) = state(platform, id).await?
                && !matches!(status, JobStatus::Queued | JobStatus::Running)
            {
                return Ok((status, attempts));
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let ended: Result<_> = match tokio::time::timeout(WORKERS, ended).await {
        Ok(ended) => ended,
        Err(_) => {
            return Err(Failed(format!(
                "No worker took a job within {} seconds. Start `meridian worker`, or `meridian serve` instead of `meridian api`.",
                WORKERS.as_secs()
            )));
        }
    };
    match ended? {
        (JobStatus::Succeeded, attempts) => {
            Ok(Worked::Passed(format!("a worker ran a job, attempt {attempts}")))
        }
        (status, _) => Err(Failed(format!(
            "The job ended as {status:?}; `meridian jobs list` has its error."
        ))),
    }
}

async fn state(platform: &Platform, id: entity::ids::JobId) -> Result<Option<(JobStatus, i32)>> {
    let read = platform.db.read(Scope::System).await?;
    let listed = Listed {
        queue: Some(JobQueueName::Notification),
        status: None,
        limit: 200,
    };
    let jobs = newest(&read, &listed).await?;
    let job = jobs.into_iter().find(|job| job.id == id);
    Ok(job.map(|job| (job.status, job.attempts)))
}

/// Sends a letter to the sender's own address. This is the one request that talks to a mail server itself: how long that takes is what it
/// is to tell.
pub(super) async fn mail(platform: &Platform, nonce: Uuid) -> Tried {
    if !platform.mail.is_on() {
        return Ok(Worked::Skipped("MERIDIAN_SMTP_URL is not set: no e-mail is sent"));
    }
    let from = &platform.config.mail.from;
    let address = from.rsplit_once('<').map_or(from.as_str(), |(_, rest)| rest);
    let letter = Mail {
        to: address.trim_end_matches('>').trim().to_owned(),
        name: None,
        subject: "Meridian can send e-mail".into(),
        text: "This is a test of the infrastructure of Meridian. Nothing has to be done.".into(),
        html: "<p>This is a test of the infrastructure of Meridian. Nothing has to be done.</p>".into(),
        calendar: None,
        unsubscribe: None,
        key: format!("infrastructure-{}", nonce.simple()),
        at: platform.clock.now(),
    };
    match platform.mail.send(letter).await {
        Ok(()) if platform.config.mail.smtp_url.is_some() => Ok(Worked::Passed(
            "the mail server took a letter to the sender's own address".into(),
        )),
        Ok(()) => Ok(Worked::Passed(
            "a letter was put into `outbox` of MERIDIAN_DATA_DIR".into(),
        )),
        Err(MailError::Later(why) | MailError::Never(why)) => Err(Failed(why)),
    }
}

/// Sends a report and waits until it has left.
pub(super) async fn report(platform: &Platform) -> Tried {
    if platform.config.reports.is_none() {
        return Ok(Worked::Skipped("SENTRY_DSN is not set: nothing is reported"));
    }
    let hub = Hub::main();
    let Some(client) = hub.client() else {
        return Err("Reports are not being sent by this process.".into());
    };
    let id = hub.capture_message("a test of the infrastructure", Level::Info);
    // Flushing blocks its thread.
    let sent = tokio::task::spawn_blocking(move || client.flush(Some(SENDING))).await;
    match sent {
        Ok(true) => Ok(Worked::Passed(format!("the report {} was sent", id.simple()))),
        _ => Err("The report did not leave in time; look at SENTRY_DSN and the way there.".into()),
    }
}
