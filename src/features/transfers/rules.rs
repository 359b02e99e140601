//! Decisions about transfers that need no database.

use entity::enums::DataFormat;

use super::model::Problem;
use super::tables;
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result, UserErrorCode};

/// Longest file inside a GraphQL request, in bytes.
pub(super) const MAX_INLINE: usize = 1 << 20;
/// Bytes of one piece of a stored file.
pub(super) const PIECE: usize = 256 * 1024;
/// Transfers of one workspace that wait or run at once.
pub(super) const MAX_OPEN: u64 = 10;
/// Problems that are listed; all are counted.
pub(super) const MAX_PROBLEMS: usize = 1_000;
/// Objects of one file.
pub(super) const MAX_OBJECTS: usize = 200_000;
/// Longest object, in bytes.
pub(super) const MAX_OBJECT: u64 = 4 << 20;

/// FORBIDDEN unless the caller may write what files of this format hold.
pub(super) fn require_import(ctx: &Ctx, format: DataFormat) -> Result<()> {
    if format != DataFormat::Csv {
        ctx.require(Action::Edit, Resource::CalendarEvent)?;
    }
    ctx.require(Action::Edit, Resource::Task)
}

/// FORBIDDEN unless the caller may read what files of this format hold. What they may not see is not in the file.
pub(super) fn require_export(ctx: &Ctx) -> Result<()> {
    ctx.require(Action::View, Resource::CalendarEvent)?;
    ctx.require(Action::View, Resource::Task)
}

/// Whether a file can be what it is said to be, by its beginning; `path` is blamed when not.
pub(super) fn check_beginning(format: DataFormat, beginning: &[u8], path: &str) -> Result<()> {
    let wrong = |message: &str| Err(Error::user(UserErrorCode::Invalid, path, message));
    if beginning.is_empty() {
        let message = "The file is empty.";
        return Err(Error::user(UserErrorCode::Required, path, message));
    }
    if matches!(beginning, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return wrong("The file is in UTF-16. Save it as UTF-8 and import it again.");
    }
    let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    match format {
        DataFormat::Ics => {
            let begins = |line: &[u8]| {
                let line = line.trim_ascii_start();
                line.get(..6)
                    .is_some_and(|word| word.eq_ignore_ascii_case(b"BEGIN:"))
            };
            if beginning.split(|byte| matches!(byte, b'\n' | b'\r')).any(begins) {
                return Ok(());
            }
            if beginning.trim_ascii_start().starts_with(b"<") {
                return wrong("This is a web page, not a calendar.");
            }
            wrong("This is not a calendar file: it has no line `BEGIN:VCALENDAR`.")
        }
        DataFormat::Json => match beginning.trim_ascii_start().first() {
            Some(b'{') => Ok(()),
            _ => wrong("This is not JSON that this program wrote: it does not begin with `{`."),
        },
        DataFormat::Csv => {
            let header = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
            match std::str::from_utf8(header).ok().and_then(tables::Header::read) {
                Some(_) => Ok(()),
                None => wrong("The first line must name the columns, and one of them must be `title`."),
            }
        }
    }
}

/// Adds problems to a list that does not grow beyond its limit; returns how many there were.
pub(super) fn remember(list: &mut serde_json::Value, problems: &[Problem]) -> Result<u32> {
    if !list.is_array() {
        *list = serde_json::json!([]);
    }
    if let Some(list) = list.as_array_mut() {
        let room = MAX_PROBLEMS.saturating_sub(list.len());
        for problem in problems.iter().take(room) {
            list.push(serde_json::to_value(problem).map_err(Error::internal)?);
        }
    }
    Ok(u32::try_from(problems.len()).unwrap_or(u32::MAX))
}

/// Media type and name of a file.
pub(super) fn file_name(format: DataFormat) -> (&'static str, &'static str) {
    match format {
        DataFormat::Ics => ("text/calendar; charset=utf-8", "meridian.ics"),
        DataFormat::Json => ("application/json", "meridian.json"),
        DataFormat::Csv => ("text/csv; charset=utf-8", "tasks.csv"),
    }
}

#[cfg(test)]
mod tests;
