//! What callers hand to the room of transfers, and what it keeps beside the columns of a transfer.

use entity::enums::DataFormat;
use entity::ids::CalendarId;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;

/// A file to import.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Calendar for events; the viewer's default one when `None`.
    pub calendar_id: Option<CalendarId>,
    /// What the file is.
    pub format: DataFormat,
}

/// A file to write.
#[derive(Clone, Debug)]
pub struct NewExport {
    /// What the file shall be.
    pub format: DataFormat,
    /// Only these calendars, and no tasks.
    pub calendar_ids: Option<Vec<CalendarId>>,
    /// Only what lies in this range.
    pub range: Option<Span>,
}

/// An object that was left out, or something of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line in the file.
    pub position: Option<u32>,
    /// Public sentence.
    pub message: String,
}

/// What a transfer was asked for, and how far it has come. Stored as JSON, so fields may only be added with a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Parameters {
    pub(super) calendar_ids: Option<Vec<CalendarId>>,
    pub(super) range: Option<(chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)>,
    /// Units of the file that are dealt with: an attempt goes on behind them.
    pub(super) done: u64,
    pub(super) created: u32,
    pub(super) updated: u32,
    pub(super) unchanged: u32,
    /// All problems, also those that are not listed.
    pub(super) problems: u32,
}

/// A file that may be fetched.
#[derive(Clone, Debug)]
pub struct Download {
    /// What it is.
    pub format: DataFormat,
    /// Its length.
    pub size: u64,
    pub(super) transfer: entity::data_transfer::Model,
}
