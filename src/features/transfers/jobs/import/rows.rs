//! Tables of tasks.

use jiff::tz::TimeZone;

use super::store::Batch;
use super::{Stop, Work, next_batch, problem, too_large};
use crate::features::people;
use crate::features::transfers::rules::MAX_OBJECT;
use crate::features::transfers::split::Piece;
use crate::features::transfers::split::rows::Scanner;
use crate::features::transfers::tables::Header;
use crate::kernel::zones;

/// Imports a table.
pub(super) async fn import(work: &mut Work<'_>) -> Result<(), Stop> {
    let mut scanner = Scanner::default();
    work.scan(|bytes| scanner.feed(bytes)).await?;
    let (rows, is_full) = scanner.finish();
    let no_header =
        || Stop::Refused("The first line must name the columns, and one of them must be `title`.".into());
    let (head, rows) = rows.split_first().ok_or_else(no_header)?;
    if head.len > MAX_OBJECT {
        return Err(no_header());
    }
    let head = work.file.read(*head).await?;
    let head = Header::read(&String::from_utf8_lossy(&head)).ok_or_else(no_header)?;
    let preferences = people::preferences(work.ctx.platform(), work.ctx.require_person()?).await?;
    let zone = zones::zone(&preferences.time_zone).unwrap_or(TimeZone::UTC);
    work.total = rows.len() as u64;
    let done = usize::try_from(work.done).unwrap_or(usize::MAX);
    let mut rest = rows.get(done..).unwrap_or_default();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(next_batch(rest, |row: &Piece| row.len));
        let mut batch = batch(work, now, &head, &zone).await?;
        if is_full && later.is_empty() {
            let message = "The table has more than 200,000 rows; the others were left out.";
            batch.problems.push(problem(None, message));
        }
        work.store(batch).await?;
        rest = later;
    }
    Ok(())
}

async fn batch(work: &mut Work<'_>, rows: &[Piece], head: &Header, zone: &TimeZone) -> Result<Batch, Stop> {
    let mut batch = Batch {
        units: rows.len() as u64,
        ..Batch::default()
    };
    let mut tasks = Vec::with_capacity(rows.len());
    for piece in rows {
        if piece.len > MAX_OBJECT {
            batch.problems.push(too_large(piece));
            continue;
        }
        let bytes = work.file.read(*piece).await?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            let message = "This row is no UTF-8 text, so it was left out.";
            batch.problems.push(problem(piece.line, message));
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        match head.task(&text.replace('\0', ""), zone) {
            // Without an id a row is known by what it says.
            Ok(task) if task.id.is_empty() => tasks.push((piece.line, text.trim().to_owned(), task)),
            Ok(task) => tasks.push((piece.line, task.id.clone(), task)),
            Err(message) => batch.problems.push(problem(piece.line, message)),
        }
    }
    let keys: Vec<&str> = tasks.iter().map(|(_, key, _)| key.as_str()).collect();
    let ids = work.task_ids(&keys).await?;
    batch.tasks = tasks
        .into_iter()
        .zip(ids)
        .map(|((line, _, task), id)| (line, task.imported(id)))
        .collect();
    Ok(batch)
}
