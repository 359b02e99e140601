//! The catalogue of background work: payloads and the limits of each kind. Data only; the rooms that own a payload run it.

mod schedule;
mod urgency;

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::enums::JobQueueName;
use entity::ids::{
    CalendarEventId, DataTransferId, IntegrationId, ReminderId, ScheduleId, UserId, WorkspaceId,
};
use serde::{Deserialize, Serialize};

pub use schedule::{CatchUp, CronEntry, cron};
pub use urgency::Urgency;

/// What a job does. Stored as JSON, so fields may only be added with a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Payload {
    /// Pull every mirrored calendar of an integration.
    SyncIntegration {
        /// Integration to sync.
        integration_id: IntegrationId,
        /// Fetch everything again instead of only changes.
        #[serde(default)]
        full: bool,
        /// Apply deletions that an earlier run held back.
        #[serde(default)]
        accept_deletes: bool,
    },
    /// Send a letter.
    SendMail {
        /// The letter, closed: it holds secrets.
        sealed: String,
        /// Names its cause: of all letters with one key one goes out. The job itself when there is none.
        #[serde(default)]
        key: Option<String>,
    },
    /// Make a plan.
    GenerateSchedule {
        /// The plan, which waits for it.
        schedule_id: ScheduleId,
    },
    /// Compare an applied plan with what changed since, and mend it as its person wants.
    ReplanSchedule {
        /// The plan in force.
        schedule_id: ScheduleId,
    },
    /// Enqueue replanning of applied plans around which something changed.
    StartDueReplans,
    /// Write the letters of a person's notifications whose time has come.
    MailNotifications {
        /// Whose.
        user_id: UserId,
    },
    /// Remind somebody of an occurrence, if nothing has changed about it.
    Remind {
        /// The reminder.
        reminder_id: ReminderId,
        /// Version of the event when this was planned; with another one it is stale.
        event_version: i32,
        /// Original start of the occurrence.
        original_start: DateTime<Utc>,
        /// When it starts.
        start: DateTime<Utc>,
    },
    /// Write to guests of an event who are nobody here, as it is now.
    TellGuests {
        /// The event.
        event_id: CalendarEventId,
        /// The occurrence that was changed, when it was only one.
        #[serde(default)]
        original_start: Option<DateTime<Utc>>,
    },
    /// Read an uploaded file into a workspace, or write one.
    TransferData {
        /// The import or export.
        transfer_id: DataTransferId,
    },
    /// Plan reminders, and tell of tasks that are due soon.
    TellWhatIsDue,
    /// Enqueue syncs of integrations whose time has come.
    StartDueSyncs,
    /// Delete expired sessions, idempotency records, finished jobs and old changes.
    PruneExpired,
    /// Derive the instants of events again that other zone rules gave.
    RenewTimes,
    /// Nothing: that a worker gets it is what a developer wants to see.
    TryQueue,
}

impl Payload {
    /// The stored name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SyncIntegration { .. } => "sync_integration",
            Self::SendMail { .. } => "send_mail",
            Self::GenerateSchedule { .. } => "generate_schedule",
            Self::ReplanSchedule { .. } => "replan_schedule",
            Self::StartDueReplans => "start_due_replans",
            Self::MailNotifications { .. } => "mail_notifications",
            Self::Remind { .. } => "remind",
            Self::TellGuests { .. } => "tell_guests",
            Self::TransferData { .. } => "transfer_data",
            Self::TellWhatIsDue => "tell_what_is_due",
            Self::StartDueSyncs => "start_due_syncs",
            Self::PruneExpired => "prune_expired",
            Self::RenewTimes => "renew_times",
            Self::TryQueue => "try_queue",
        }
    }

    /// The queue it waits in.
    pub const fn queue(&self) -> JobQueueName {
        match self {
            Self::SyncIntegration { .. } => JobQueueName::CalendarSync,
            Self::SendMail { .. } => JobQueueName::Email,
            Self::GenerateSchedule { .. } | Self::ReplanSchedule { .. } => JobQueueName::ScheduleGeneration,
            Self::MailNotifications { .. }
            | Self::Remind { .. }
            | Self::TellGuests { .. }
            | Self::TellWhatIsDue
            | Self::TryQueue => JobQueueName::Notification,
            Self::TransferData { .. } => JobQueueName::DataTransfer,
            Self::StartDueSyncs | Self::StartDueReplans | Self::PruneExpired | Self::RenewTimes => {
                JobQueueName::Maintenance
            }
        }
    }

    /// Attempts before the job is dead.
    pub const fn max_attempts(&self) -> i32 {
        match self {
            Self::SyncIntegration { .. } => 5,
            // With the pauses between them these outlast a mail server that greets strangers with "later".
            Self::SendMail { .. } => 14,
            Self::MailNotifications { .. } | Self::Remind { .. } => 8,
            // Guests who get many letters are written to later.
            Self::TellGuests { .. } => 20,
            Self::GenerateSchedule { .. } | Self::ReplanSchedule { .. } => 2,
            Self::TryQueue => 1,
            Self::TransferData { .. } => 5,
            Self::StartDueSyncs
            | Self::StartDueReplans
            | Self::PruneExpired
            | Self::TellWhatIsDue
            | Self::RenewTimes => 3,
        }
    }

    /// Longest run of one attempt.
    pub const fn timeout(&self) -> Duration {
        match self {
            Self::SyncIntegration { .. } => Duration::from_secs(900),
            Self::SendMail { .. }
            | Self::MailNotifications { .. }
            | Self::Remind { .. }
            | Self::TellGuests { .. } => Duration::from_secs(60),
            Self::GenerateSchedule { .. }
            | Self::ReplanSchedule { .. }
            | Self::StartDueSyncs
            | Self::StartDueReplans
            | Self::PruneExpired
            | Self::TellWhatIsDue => Duration::from_secs(120),
            Self::RenewTimes => Duration::from_secs(900),
            Self::TryQueue => Duration::from_secs(10),
            // What an attempt has stored the next one does not do again.
            Self::TransferData { .. } => Duration::from_secs(3_600),
        }
    }
}

/// A job to enqueue.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What to do.
    pub payload: Payload,
    /// Workspace it works for; `None` for the installation.
    pub workspace_id: Option<WorkspaceId>,
    /// Who started it; `None` for the system.
    pub created_by: Option<UserId>,
    /// Earliest start; now when `None`.
    pub run_at: Option<DateTime<Utc>>,
    /// While a job with this key waits or runs, another is not made.
    pub unique_key: Option<String>,
    /// Who waits for it.
    pub urgency: Urgency,
}

impl NewJob {
    /// Work for a workspace, to start now.
    pub fn for_workspace(workspace_id: WorkspaceId, payload: Payload) -> Self {
        Self {
            payload,
            workspace_id: Some(workspace_id),
            created_by: None,
            run_at: None,
            unique_key: None,
            urgency: Urgency::Background,
        }
    }

    /// Work for the installation, to start now.
    pub fn for_system(payload: Payload) -> Self {
        Self {
            payload,
            workspace_id: None,
            created_by: None,
            run_at: None,
            unique_key: None,
            urgency: Urgency::Background,
        }
    }

    /// Names who started it. What a person starts, a person waits for.
    pub fn by(mut self, user: Option<UserId>) -> Self {
        self.created_by = user;
        if user.is_some() {
            self.urgency = Urgency::Interactive;
        }
        self
    }

    /// Lets it go before others of its queue: somebody waits for it whose name is not known yet, such as at sign-in.
    pub fn urgent(mut self) -> Self {
        self.urgency = Urgency::Interactive;
        self
    }

    /// Starts it later.
    pub fn at(mut self, run_at: DateTime<Utc>) -> Self {
        self.run_at = Some(run_at);
        self
    }

    /// Makes it the only waiting or running job with this key.
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }
}

/// Delay before attempt `next` (2, 3, …): doubling from 2 s to 15 min, spread over ± 50 % by `jitter` in 0..=1.
pub fn backoff(next: i32, jitter: f64) -> Duration {
    let doubled = 2_f64.powi((next - 1).clamp(1, 20)).min(900.0);
    Duration::from_secs_f64(doubled * (0.5 + jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_a_quarter_of_an_hour() {
        assert_eq!(backoff(2, 0.5), Duration::from_secs(2));
        assert_eq!(backoff(3, 0.5), Duration::from_secs(4));
        assert_eq!(backoff(60, 0.5), Duration::from_secs(900));
        assert!(backoff(2, 0.0) < backoff(2, 1.0));
    }

    #[test]
    fn payloads_written_by_older_versions_are_read() {
        let id = "018f0000-0000-7000-8000-000000000001";
        let old = serde_json::json!({ "kind": "sync_integration", "integration_id": entity::ids::IntegrationId(id.parse().unwrap()) });
        let payload: Payload = serde_json::from_value(old).unwrap();
        assert!(matches!(
            payload,
            Payload::SyncIntegration {
                full: false,
                accept_deletes: false,
                ..
            }
        ));
    }
}
