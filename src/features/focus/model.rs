//! What callers hand to the room of focus sessions, and what they get.

use chrono::NaiveDate;
use entity::ids::TaskId;

/// A session to start.
#[derive(Clone, Copy, Debug)]
pub struct NewFocusSession {
    /// Task to work on.
    pub task_id: Option<TaskId>,
    /// Planned length; the person's usual one when `None`.
    pub planned_minutes: Option<i32>,
}

/// Totals over a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Focused minutes; the sum of those of the days.
    pub total_minutes: i32,
    /// Sessions that ended as planned.
    pub completed_sessions: i32,
    /// Sessions that ended early.
    pub abandoned_sessions: i32,
    /// Days in a row with a completed session, up to the last day.
    pub streak_days: i32,
    /// One entry for each day of the period, in order.
    pub days: Vec<Day>,
}

/// Totals of the sessions that started on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub date: NaiveDate,
    /// Focused minutes.
    pub minutes: i32,
    /// Number of sessions.
    pub sessions: i32,
}
