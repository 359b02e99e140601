//! Sending: from the transaction of the cause over the queue for e-mail to the mail server.

mod about;
mod ledger;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::ids::{JobId, WorkspaceId};

use super::model::{Letter, Post, Sealed};
use super::rules;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::Tx;
use crate::platform::jobs::{JobError, RunningJob};
use crate::platform::limits::{Charge, Key, Limit};
use crate::platform::mail::{Mail, MailError};
use ledger::Claim;

pub use about::jobs_about;
pub use ledger::prune;

/// Place of a sealed letter.
const CONTEXT: &[u8] = b"jobs.payload/send_mail";
/// Tries to note what came of a letter before its note is left to time.
const NOTES: u32 = 4;

/// Whether letters reach anybody.
pub fn can_send(platform: &Platform) -> bool {
    platform.mail.is_on()
}

/// Spends one letter of what an address may get: a mailbox is not for flooding, whoever asks and whichever replica is asked.
pub async fn spare(platform: &Platform, email: &str) -> Result<()> {
    let name = mailbox(email);
    let key = Key::Name(&name);
    let kind = Limit::Letters;
    let [decision] = platform.limits.spend([Charge { kind, key, cost: 1 }]).await;
    decision.into_result().map(drop)
}

/// [`spare`] for letters that a job writes inside of its transaction, which must not wait for Redis: each replica counts for itself. Such
/// letters have keys, so that several replicas never write the same one; only different news in the same minute add up.
pub fn spare_here(platform: &Platform, email: &str) -> Result<()> {
    let decision = platform
        .limits
        .check(Limit::Letters, Key::Name(&mailbox(email)), 1);
    decision.into_result().map(drop)
}

fn mailbox(email: &str) -> String {
    format!("mail:{email}")
}

/// Closes a letter for its way.
pub fn seal(platform: &Platform, to: &str, name: Option<&str>, letter: Letter) -> Result<Sealed> {
    let post = Post {
        to: to.to_owned(),
        name: name.map(str::to_owned),
        letter,
        unsubscribe: None,
    };
    seal_post(platform, &post)
}

/// [`seal`] for a letter that says how to end letters like it.
pub fn seal_post(platform: &Platform, post: &Post) -> Result<Sealed> {
    let plain = serde_json::to_vec(post).map_err(Error::internal)?;
    Ok(Sealed(STANDARD.encode(platform.secrets.seal(&plain, CONTEXT)?)))
}

/// Sends a letter once the transaction is committed.
pub async fn enqueue_in(tx: &Tx, sealed: &Sealed, workspace: Option<WorkspaceId>) -> Result<JobId> {
    enqueue(tx, sealed, workspace, None).await
}

/// [`enqueue_in`] for a letter whose cause has a name: of all with the same key one goes out. Letters, digits, `-`, `_` and `.`.
pub async fn enqueue_once_in(
    tx: &Tx,
    sealed: &Sealed,
    workspace: Option<WorkspaceId>,
    key: String,
) -> Result<JobId> {
    enqueue(tx, sealed, workspace, Some(key)).await
}

async fn enqueue(
    tx: &Tx,
    sealed: &Sealed,
    workspace: Option<WorkspaceId>,
    key: Option<String>,
) -> Result<JobId> {
    let unique = key.as_ref().map(|key| format!("letter:{key}"));
    let is_awaited = key.is_none();
    let payload = Payload::SendMail {
        sealed: sealed.0.clone(),
        key,
    };
    let mut job = match workspace {
        Some(workspace) => NewJob::for_workspace(workspace, payload),
        None => NewJob::for_system(payload),
    };
    job.unique_key = unique;
    if is_awaited {
        // A link to sign in with, or an invitation: somebody looks into their mailbox. Notices carry a key.
        job = job.urgent();
    }
    tx.enqueue(job.by(tx.actor().user_id)).await
}

/// Sends the letter of a job, unless it was sent before. When a mail server took it and this process died before it could note that, it is
/// sent again under the same message id, which mail programs show once.
pub async fn run(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let Payload::SendMail { sealed, key } = &job.payload else {
        return Err(JobError::Fatal("This is no letter.".into()));
    };
    let post = open(platform, sealed).map_err(|error| {
        tracing::warn!(%error, "a letter cannot be opened");
        JobError::Fatal("The letter cannot be opened. Was the secret key replaced?".into())
    })?;
    let written = rules::write(&post)?;
    let key = key.clone().unwrap_or_else(|| job.id.to_string());
    match ledger::claim(platform, &key).await? {
        Claim::Ours => {}
        Claim::Sent => {
            tracing::info!(key, "the letter was sent before");
            return Ok(());
        }
        Claim::Busy(until) => {
            return Err(JobError::RetryAt(
                "The letter is being sent by another worker.".into(),
                until,
            ));
        }
    }
    let calendar = match post.letter {
        Letter::Event { calendar, .. } => calendar,
        _ => None,
    };
    let mail = Mail {
        to: post.to,
        name: post.name,
        subject: written.subject,
        text: written.text,
        html: written.html,
        calendar,
        unsubscribe: post.unsubscribe,
        key: key.clone(),
        at: platform.clock.now(),
    };
    let sent = platform.mail.send(mail).await;
    note(platform, &key, &sent).await;
    sent.map_err(|error| match error {
        MailError::Later(message) => JobError::Retry(message),
        MailError::Never(message) => JobError::Fatal(message),
    })
}

/// Notes what came of a letter. A database that is away for a moment must not make it go out twice.
async fn note(platform: &Platform, key: &str, sent: &std::result::Result<(), MailError>) {
    for attempt in 1..=NOTES {
        match ledger::close(platform, key, sent).await {
            Ok(()) => return,
            Err(error) => {
                let cause = error.cause();
                tracing::warn!(%error, cause, key, attempt, "what came of a letter could not be noted");
                tokio::time::sleep(Duration::from_millis(500) * attempt).await;
            }
        }
    }
}

fn open(platform: &Platform, sealed: &str) -> Result<Post> {
    let sealed = STANDARD.decode(sealed).map_err(Error::internal)?;
    serde_json::from_slice(&platform.secrets.open(&sealed, CONTEXT)?).map_err(Error::internal)
}
