//! What a text was understood as.

use entity::enums::{EnergyLevel, TaskPriority};
use jiff::civil::{Date, DateTime};

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The most likely meaning.
    pub item: Item,
    /// What each part of the text was taken for, in order; the rest is the title.
    pub claims: Vec<Claim>,
    /// How sure this is, 0 to 100.
    pub confidence: u8,
    /// Other meanings, likely ones first.
    pub alternatives: Vec<Item>,
}

/// A part of the text, in bytes from `start` to just before `end`, and what it was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
    /// What it is about.
    pub subject: Subject,
}

/// What a part of a text can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A day or several.
    Date,
    /// A time of day or a part of the day.
    Time,
    /// How long it takes.
    Duration,
    /// How it repeats.
    Recurrence,
    /// How important it is.
    Priority,
    /// How much energy it needs.
    Energy,
    /// In which pieces it is done.
    Chunk,
    /// A label.
    Label,
    /// Somebody who takes part.
    Person,
    /// A place.
    Place,
    /// A web address.
    Link,
    /// Whether it is a task or an event.
    Kind,
}

/// A task or an event, in wall time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Something to do.
    Task(Task),
    /// Something that takes place.
    Event(Event),
}

/// Something to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Title.
    pub title: String,
    /// Not before.
    pub start_after: Option<DateTime>,
    /// Deadline.
    pub due: Option<DateTime>,
    /// Whether missing the deadline is worse than anything else.
    pub is_hard: bool,
    /// Work in minutes.
    pub minutes: Option<i32>,
    /// Pieces of so many minutes.
    pub chunk: Option<i32>,
    /// Importance.
    pub priority: Option<TaskPriority>,
    /// Energy it needs.
    pub energy: Option<EnergyLevel>,
    /// Labels.
    pub labels: Vec<String>,
    /// RFC 5545 rule by which it comes again.
    pub rule: Option<String>,
    /// A web address that belongs to it.
    pub link: Option<String>,
}

/// Something that takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Title.
    pub title: String,
    /// When.
    pub when: When,
    /// Place.
    pub place: Option<String>,
    /// Addresses of guests.
    pub guests: Vec<String>,
    /// RFC 5545 rule by which it repeats.
    pub rule: Option<String>,
    /// Link to join.
    pub link: Option<String>,
}

/// When an event takes place. Ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From one wall time to another.
    Timed(DateTime, DateTime),
    /// Whole days.
    Days(Date, Date),
}

impl Item {
    /// The title.
    pub fn title(&self) -> &str {
        match self {
            Self::Task(task) => &task.title,
            Self::Event(event) => &event.title,
        }
    }
}
