//! What callers hand to the room of integrations, and what they get back.

use entity::ids::{CalendarId, JobId};
use entity::integration;
use serde::{Deserialize, Serialize};

/// A service to connect, with its settings. Deliberately without `Debug`: it holds a password.
#[derive(Clone)]
pub enum Service {
    /// A CalDAV server.
    Caldav {
        /// Address of the server, a principal or a calendar.
        server_url: String,
        /// User name.
        username: String,
        /// Password or app password.
        password: String,
    },
    /// A published feed.
    IcsFeed {
        /// Address, which may be a secret.
        url: String,
        /// Name of the calendar.
        name: String,
        /// Minutes between two fetches.
        refresh_minutes: i32,
    },
}

/// Changes to an integration.
#[derive(Clone, Debug, Default)]
pub struct IntegrationPatch {
    /// Whether automatic sync rests.
    pub is_paused: Option<bool>,
    /// The calendars to mirror; others are no longer mirrored.
    pub calendar_ids: Option<Vec<CalendarId>>,
}

/// A sync that was asked for.
#[derive(Clone, Debug)]
pub struct Queued {
    /// The integration.
    pub integration: integration::Model,
    /// The job that does the work.
    pub job_id: JobId,
}

/// An object that a run could not read, as the run stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredProblem {
    /// Calendar of the object.
    pub calendar_id: Option<CalendarId>,
    /// UID or address of the object at the provider.
    pub object: String,
    /// Line in the object's text.
    pub line: Option<u32>,
    /// What is wrong with it.
    pub message: String,
}
