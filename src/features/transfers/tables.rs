//! Tasks as a table of text (RFC 4180). Pure.
//!
//! Promises: columns may come in any order, with commas, semicolons or tabs between them; a cell that a spreadsheet would take for a formula
//! is written with an apostrophe, which is taken away again when it is read.

use std::fmt::Write as _;

use entity::task;
use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::formats::TaskRecord;
use crate::features::tasks;
use crate::kernel::zones;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Id,
    Title,
    Description,
    Status,
    Priority,
    Energy,
    Minutes,
    StartAfter,
    DueAt,
    IsHardDeadline,
    IsAutoScheduled,
    Labels,
    RecurrenceRule,
    CompletedAt,
}

/// The columns in the order in which they are written, with their names.
const COLUMNS: [(Column, &str); 14] = [
    (Column::Id, "id"),
    (Column::Title, "title"),
    (Column::Description, "description"),
    (Column::Status, "status"),
    (Column::Priority, "priority"),
    (Column::Energy, "energy"),
    (Column::Minutes, "duration_minutes"),
    (Column::StartAfter, "start_after"),
    (Column::DueAt, "due_at"),
    (Column::IsHardDeadline, "is_hard_deadline"),
    (Column::IsAutoScheduled, "is_auto_scheduled"),
    (Column::Labels, "labels"),
    (Column::RecurrenceRule, "recurrence_rule"),
    (Column::CompletedAt, "completed_at"),
];

/// The first row of a table.
pub(super) struct Header {
    separator: char,
    columns: Vec<Option<Column>>,
}

impl Header {
    /// Reads the first row; `None` when no column is the title.
    pub(super) fn read(row: &str) -> Option<Self> {
        let count = |separator: char| row.matches(separator).count();
        let separator = [',', ';', '\t']
            .into_iter()
            .rev()
            .max_by_key(|separator| count(*separator))?;
        let plain = |name: &str| -> String {
            let letters = name.chars().filter(|letter| letter.is_alphanumeric());
            letters.flat_map(char::to_lowercase).collect()
        };
        let columns: Vec<Option<Column>> = cells(row, separator)
            .iter()
            .map(|name| {
                let name = plain(name);
                let known = COLUMNS.iter().find(|(_, known)| plain(known) == name);
                known.map(|(column, _)| *column)
            })
            .collect();
        columns
            .contains(&Some(Column::Title))
            .then_some(Self { separator, columns })
    }

    /// Reads a row; the error is a sentence. Days and times without a zone are those of `zone`.
    pub(super) fn task(&self, row: &str, zone: &TimeZone) -> Result<TaskRecord, String> {
        let mut task = TaskRecord::default();
        let cells = cells(row, self.separator);
        for (column, cell) in self.columns.iter().zip(&cells) {
            let cell = unguarded(cell.trim());
            let Some(column) = column.filter(|_| !cell.is_empty()) else {
                continue;
            };
            let name = COLUMNS
                .iter()
                .find(|(known, _)| *known == column)
                .map_or("", |(_, name)| name);
            let shown: String = cell.chars().take(80).collect();
            let wrong =
                move |expected: &str| format!("`{shown}` cannot be used as `{name}`. Write {expected}.");
            match column {
                Column::Id => cell.clone_into(&mut task.id),
                Column::Title => cell.clone_into(&mut task.title),
                Column::Description => task.description = Some(cell.to_owned()),
                Column::Status => {
                    task.status = word(cell).ok_or_else(|| wrong("todo, in_progress, done or cancelled"))?;
                }
                Column::Priority => {
                    let priority = word(cell).ok_or_else(|| wrong("low, medium, high or urgent"))?;
                    task.priority = Some(priority);
                }
                Column::Energy => {
                    task.energy = Some(word(cell).ok_or_else(|| wrong("low, medium or high"))?);
                }
                Column::Minutes => {
                    let minutes = cell.parse().map_err(|_| wrong("a whole number"))?;
                    task.duration_minutes = Some(minutes);
                }
                Column::StartAfter => {
                    task.start_after = Some(time(cell, zone, false).ok_or_else(|| wrong(TIME))?)
                }
                Column::DueAt => task.due_at = Some(time(cell, zone, true).ok_or_else(|| wrong(TIME))?),
                Column::CompletedAt => {
                    task.completed_at = Some(time(cell, zone, true).ok_or_else(|| wrong(TIME))?);
                }
                Column::IsHardDeadline => {
                    task.is_hard_deadline = Some(switch(cell).ok_or_else(|| wrong("true or false"))?);
                }
                Column::IsAutoScheduled => {
                    task.is_auto_scheduled = Some(switch(cell).ok_or_else(|| wrong("true or false"))?);
                }
                Column::Labels => {
                    let labels = cell.split('|').map(str::trim).filter(|label| !label.is_empty());
                    task.labels = labels.map(str::to_owned).collect();
                }
                Column::RecurrenceRule => task.recurrence_rule = Some(cell.to_owned()),
            }
        }
        if task.title.is_empty() {
            return Err("The task has no title.".to_owned());
        }
        Ok(task)
    }
}

const TIME: &str = "a day such as 2026-12-31 or a time such as 2026-12-31T17:00:00Z";

/// The first row as it is written.
pub(super) fn head() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(_, name)| *name).collect();
    names.join(",") + "\r\n"
}

/// A task as a row.
pub(super) fn row(task: &task::Model) -> String {
    let time = |at: Option<crate::kernel::time::Instant>| {
        at.map_or_else(String::new, |at| zones::from_chrono(at).to_string())
    };
    let cells = [
        task.id.to_string(),
        task.title.clone(),
        task.description.clone().unwrap_or_default(),
        name_of(task.status),
        name_of(task.priority),
        name_of(task.energy),
        task.duration_minutes.to_string(),
        time(task.start_after),
        time(task.due_at),
        task.is_hard_deadline.to_string(),
        task.is_auto_scheduled.to_string(),
        tasks::labels_of(task).join("|"),
        task.recurrence_rule.clone().unwrap_or_default(),
        time(task.completed_at),
    ];
    let mut row = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            row.push(',');
        }
        write_cell(&mut row, cell);
    }
    row.push_str("\r\n");
    row
}

fn write_cell(row: &mut String, cell: &str) {
    let guard = if is_formula(cell) { "'" } else { "" };
    if cell.contains(['"', ',', ';', '\n', '\r', '\t']) || cell.trim() != cell {
        let _ = write!(row, "\"{guard}{}\"", cell.replace('"', "\"\""));
    } else {
        let _ = write!(row, "{guard}{cell}");
    }
}

fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// The cells of a row.
fn cells(row: &str, separator: char) -> Vec<String> {
    let row = row.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    let (mut cells, mut cell, mut in_quotes) = (Vec::new(), String::new(), false);
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if in_quotes && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => in_quotes = !in_quotes,
            _ if letter == separator && !in_quotes => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(letter),
        }
    }
    cells.push(cell);
    cells
}

fn word<T: DeserializeOwned>(cell: &str) -> Option<T> {
    let word = cell.to_lowercase().replace([' ', '-'], "_");
    serde_json::from_value(word.into()).ok()
}

fn name_of(word: impl Serialize) -> String {
    let word = serde_json::to_value(word).ok();
    word.as_ref()
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn switch(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "true" | "yes" | "1" | "x" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn time(cell: &str, zone: &TimeZone, is_end: bool) -> Option<crate::kernel::time::Instant> {
    let local = |local: civil::DateTime| zones::to_chrono(zones::to_utc(local, zone));
    if let Ok(at) = cell.parse::<Timestamp>() {
        return Some(zones::to_chrono(at));
    }
    if let (10, Ok(day)) = (cell.len(), cell.parse::<civil::Date>()) {
        let of_day = if is_end {
            civil::time(23, 59, 0, 0)
        } else {
            civil::Time::midnight()
        };
        return Some(local(day.to_datetime(of_day)));
    }
    cell.parse::<civil::DateTime>().ok().map(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn columns_come_in_any_order_and_with_any_separator() {
        let header = Header::read("\u{feff}Due at;Title;ignored;Labels;Priority\r\n").unwrap();
        let task = header
            .task("2026-03-10;\"a; \"\"b\"\"\";x;one|two;HIGH\r\n", &zone())
            .unwrap();
        assert_eq!((task.title.as_str(), task.labels.len()), ("a; \"b\"", 2));
        assert_eq!(task.due_at.unwrap().to_rfc3339(), "2026-03-10T22:59:00+00:00");
        assert_eq!(task.priority, Some(entity::enums::TaskPriority::High));
        assert!(Header::read("name,due\n").is_none());
    }

    #[test]
    fn a_wrong_cell_is_told_by_its_column() {
        let header = Header::read("title,due_at,status\n").unwrap();
        let error = header.task("a,soon,\n", &zone()).unwrap_err();
        assert!(error.contains("`soon`") && error.contains("`due_at`"), "{error}");
        assert!(header.task(",,\n", &zone()).unwrap_err().contains("no title"));
        assert!(header.task("a,,later\n", &zone()).is_err());
    }

    #[test]
    fn cells_are_no_formulas_and_come_back_as_they_were() {
        for text in [
            "=1+1",
            "'=1",
            "-x",
            "@a",
            "plain",
            "it's",
            "two\nlines",
            " a ",
            "\"q\"",
        ] {
            let mut row = String::new();
            write_cell(&mut row, text);
            assert!(!row.trim_start_matches('"').starts_with(['=', '-', '@']), "{row}");
            let read = &cells(&row, ',')[0];
            assert_eq!(unguarded(read), text);
        }
    }
}
