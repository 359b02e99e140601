//! Sending: from the transaction of the cause over the queue for e-mail to the mail server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::ids::{JobId, WorkspaceId};
use serde::{Deserialize, Serialize};

use super::model::{Letter, Sealed};
use super::rules;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::Tx;
use crate::platform::jobs::{JobError, RunningJob};
use crate::platform::limits::Limit;
use crate::platform::mail::{Mail, MailError};

/// Place of a sealed letter.
const CONTEXT: &[u8] = b"jobs.payload/send_mail";

#[derive(Serialize, Deserialize)]
struct Envelope {
    to: String,
    name: Option<String>,
    letter: Letter,
}

/// Whether letters reach anybody.
pub fn can_send(platform: &Platform) -> bool {
    platform.mail.is_on()
}

/// Spends one letter of what an address may get: a mailbox is not for flooding, whoever asks.
pub fn spare(platform: &Platform, email: &str) -> Result<()> {
    let key = format!("mail:{email}");
    platform
        .limits
        .check(Limit::SignIns, &key, 1)
        .into_result()
        .map(drop)
}

/// Closes a letter for its way.
pub fn seal(platform: &Platform, to: &str, name: Option<&str>, letter: Letter) -> Result<Sealed> {
    let envelope = Envelope {
        to: to.to_owned(),
        name: name.map(str::to_owned),
        letter,
    };
    let plain = serde_json::to_vec(&envelope).map_err(Error::internal)?;
    Ok(Sealed(STANDARD.encode(platform.secrets.seal(&plain, CONTEXT)?)))
}

/// Sends a letter once the transaction is committed.
pub async fn enqueue_in(tx: &Tx, sealed: &Sealed, workspace: Option<WorkspaceId>) -> Result<JobId> {
    let payload = Payload::SendMail {
        sealed: sealed.0.clone(),
    };
    let job = match workspace {
        Some(workspace) => NewJob::for_workspace(workspace, payload),
        None => NewJob::for_system(payload),
    };
    tx.enqueue(job.by(tx.actor().user_id)).await
}

/// Sends the letter of a job. When its outcome is lost it is sent again, under the same message id.
pub async fn run(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let Payload::SendMail { sealed } = &job.payload else {
        return Err(JobError::Fatal("This is no letter.".into()));
    };
    let envelope = open(platform, sealed).map_err(|error| {
        tracing::warn!(%error, "a letter cannot be opened");
        JobError::Fatal("The letter cannot be opened. Was the secret key replaced?".into())
    })?;
    let written = rules::write(&envelope.letter);
    let mail = Mail {
        to: envelope.to,
        name: envelope.name,
        subject: written.subject,
        text: written.text,
        html: written.html,
        key: job.id.to_string(),
        at: platform.clock.now(),
    };
    platform.mail.send(mail).await.map_err(|error| match error {
        MailError::Later(message) => JobError::Retry(message),
        MailError::Never(message) => JobError::Fatal(message),
    })
}

fn open(platform: &Platform, sealed: &str) -> Result<Envelope> {
    let sealed = STANDARD.decode(sealed).map_err(Error::internal)?;
    serde_json::from_slice(&platform.secrets.open(&sealed, CONTEXT)?).map_err(Error::internal)
}
