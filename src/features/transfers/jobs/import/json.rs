//! Files of a whole workspace.

use std::collections::HashMap;

use entity::ids::{CalendarId, TaskId};

use super::store::{Batch, Link};
use super::{Stop, Work, next_batch, problem, too_large};
use crate::features::calendars::{self, NewCalendar};
use crate::features::events::ical;
use crate::features::transfers::formats::{CalendarRecord, EventRecord, FORMAT, TaskRecord};
use crate::features::transfers::model::Problem;
use crate::features::transfers::rules::MAX_OBJECT;
use crate::features::transfers::split::Piece;
use crate::features::transfers::split::json::{List, Scanner};
use crate::kernel::Error;
use crate::kernel::text::is_hex_color;

/// Calendars that one file may bring along.
const MAX_CALENDARS: usize = 200;

/// What is done with an element. Tasks come twice: they must all be there before they are tied to each other.
#[derive(Clone, Copy)]
enum Unit {
    Event(Piece),
    Task(Piece),
    Links(Piece),
}

impl Unit {
    fn piece(&self) -> &Piece {
        match self {
            Self::Event(piece) | Self::Task(piece) | Self::Links(piece) => piece,
        }
    }
}

/// Imports a file; its events go into the calendar that was chosen, else into those that the file names.
pub(super) async fn import(work: &mut Work<'_>) -> Result<(), Stop> {
    let mut scanner = Scanner::default();
    work.scan(|bytes| scanner.feed(bytes)).await?;
    let index = scanner.finish();
    if index.format != FORMAT {
        let message = format!("This is not a file that this program wrote: its `format` is not `{FORMAT}`.");
        return Err(Stop::Refused(message));
    }
    let of = |list: List| {
        let elements = index.elements.iter().filter(move |(own, _)| *own == list);
        elements.map(|(_, piece)| *piece)
    };
    let mut units: Vec<Unit> = of(List::Events).map(Unit::Event).collect();
    units.extend(of(List::Tasks).map(Unit::Task));
    units.extend(of(List::Tasks).map(Unit::Links));
    work.total = 1 + units.len() as u64;
    let mut problems = Vec::new();
    let named: Vec<Piece> = of(List::Calendars).take(MAX_CALENDARS).collect();
    let calendars = calendars_of(work, &named, &mut problems).await?;
    if work.done == 0 {
        if !index.is_complete {
            problems.push(problem(
                None,
                "The file ends too early; something may be missing.",
            ));
        }
        if index.is_full {
            let message = "The file has more than 200,000 objects; the others were left out.";
            problems.push(problem(None, message));
        }
        let batch = Batch {
            units: 1,
            problems,
            ..Batch::default()
        };
        work.store(batch).await?;
    }
    let done = usize::try_from(work.done - 1).unwrap_or(usize::MAX);
    let mut rest = units.get(done..).unwrap_or_default();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(next_batch(rest, |unit| unit.piece().len));
        let batch = batch(work, &calendars, now).await?;
        work.store(batch).await?;
        rest = later;
    }
    Ok(())
}

/// Where events go.
struct Calendars {
    /// By the names that the file has for them.
    by_key: HashMap<String, (CalendarId, String)>,
    /// The calendar of all others.
    fallback: Option<(CalendarId, String)>,
}

/// The calendars of the file here: those that have the same id or, among the caller's own, the same name; others are made.
async fn calendars_of(
    work: &mut Work<'_>,
    pieces: &[Piece],
    problems: &mut Vec<Problem>,
) -> Result<Calendars, Stop> {
    let ctx = work.ctx;
    let mut known = calendars::list(ctx).await?;
    known.retain(|row| calendars::is_own(row, ctx.user_id()) && calendars::accepts_events(row));
    if let Some(id) = work.row.calendar_id {
        let row = known.iter().find(|row| row.id == id);
        let row = row.ok_or_else(|| Stop::Refused("The calendar was deleted meanwhile.".into()))?;
        return Ok(Calendars {
            by_key: HashMap::new(),
            fallback: Some((row.id, row.time_zone.clone())),
        });
    }
    let fallback = calendars::default_of_viewer(ctx).await?;
    let mut by_key = HashMap::new();
    for piece in pieces {
        if piece.len > MAX_OBJECT {
            problems.push(too_large(piece));
            continue;
        }
        let bytes = work.file.read(*piece).await?;
        let record: CalendarRecord = match serde_json::from_slice(&bytes) {
            Ok(record) => record,
            Err(error) => {
                problems.push(problem(piece.line, format!("This is no calendar: {error}.")));
                continue;
            }
        };
        let same = known
            .iter()
            .find(|row| row.id.to_string() == record.id)
            .or_else(|| known.iter().find(|row| row.name == record.name));
        let row = match same {
            Some(row) => row.clone(),
            None => {
                let new = NewCalendar {
                    name: record.name,
                    description: record.description,
                    color: record.color.filter(|color| is_hex_color(color)),
                    time_zone: record
                        .time_zone
                        .and_then(|zone| crate::kernel::zones::canonical_name(&zone)),
                };
                match calendars::create(ctx, new).await {
                    Ok(row) => row,
                    Err(error @ Error::User(_)) => {
                        problems.push(problem(piece.line, error.to_string()));
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        by_key.insert(record.id, (row.id, row.time_zone.clone()));
        known.push(row);
    }
    Ok(Calendars {
        by_key,
        fallback: fallback.map(|row| (row.id, row.time_zone)),
    })
}

async fn batch(work: &mut Work<'_>, calendars: &Calendars, units: &[Unit]) -> Result<Batch, Stop> {
    let mut batch = Batch {
        units: units.len() as u64,
        ..Batch::default()
    };
    let mut tasks: Vec<(u32, TaskRecord)> = Vec::new();
    let mut links: Vec<(u32, TaskRecord)> = Vec::new();
    for unit in units {
        let piece = unit.piece();
        let is_again = matches!(unit, Unit::Links(_));
        if piece.len > MAX_OBJECT {
            batch.problems.extend((!is_again).then(|| too_large(piece)));
            continue;
        }
        let bytes = work.file.read(*piece).await?;
        match unit {
            Unit::Event(_) => event(&bytes, piece.line, calendars, &mut batch),
            Unit::Task(_) => match serde_json::from_slice(&bytes) {
                Ok(record) => tasks.push((piece.line, record)),
                Err(error) => {
                    let message = format!("This is no task: {error}.");
                    batch.problems.push(problem(piece.line, message));
                }
            },
            // What is no task was told before.
            Unit::Links(_) => links.extend(
                serde_json::from_slice(&bytes)
                    .ok()
                    .map(|record| (piece.line, record)),
            ),
        }
    }
    let keys: Vec<&str> = tasks.iter().map(|(_, record)| record.id.as_str()).collect();
    let ids = work.task_ids(&keys).await?;
    for ((line, record), id) in tasks.into_iter().zip(ids) {
        if record.id.is_empty() {
            batch
                .problems
                .push(problem(line, "The task has no id, so it was left out."));
        } else {
            batch.tasks.push((line, record.imported(id)));
        }
    }
    links.retain(|(_, record)| !record.id.is_empty());
    let keys: Vec<&str> = links.iter().flat_map(|(_, record)| named_by(record)).collect();
    // All of a batch at once, in the order in which they are named.
    let mut ids = work.task_ids(&keys).await?.into_iter();
    for (line, record) in &links {
        let Some(id) = ids.next() else { break };
        let parent = record.parent_id.as_ref().and_then(|_| ids.next());
        let depends_on: Vec<TaskId> = ids.by_ref().take(record.depends_on_ids.len()).collect();
        if parent.is_some() || !depends_on.is_empty() {
            batch.links.push(Link {
                line: *line,
                id,
                parent,
                depends_on,
            });
        }
    }
    Ok(batch)
}

/// The names of a task, of its parent and of what it waits for.
fn named_by(record: &TaskRecord) -> impl Iterator<Item = &str> {
    let parent = record.parent_id.as_deref();
    let others = record.depends_on_ids.iter().map(String::as_str);
    std::iter::once(record.id.as_str()).chain(parent).chain(others)
}

fn event(bytes: &[u8], line: u32, calendars: &Calendars, batch: &mut Batch) {
    let record: EventRecord = match serde_json::from_slice(bytes) {
        Ok(record) => record,
        Err(error) => {
            batch
                .problems
                .push(problem(line, format!("This is no event: {error}.")));
            return;
        }
    };
    let key = record.calendar_id.as_deref().unwrap_or_default();
    let place = calendars.by_key.get(key).or(calendars.fallback.as_ref());
    let Some((calendar, zone)) = place else {
        batch.problems.push(problem(
            line,
            "There is no calendar for this event, so it was left out.",
        ));
        return;
    };
    match ical::read(&record.ics.replace('\0', ""), zone) {
        Ok(feed) => {
            let warnings = feed.objects.iter().flat_map(|object| &object.warnings);
            let notes = feed.problems.iter().chain(warnings);
            batch
                .problems
                .extend(notes.map(|note| problem(line, note.message.clone())));
            let objects = feed.objects.into_iter();
            batch
                .events
                .extend(objects.map(|object| (*calendar, line, object)));
        }
        Err(error) => batch.problems.push(problem(line, error.to_string())),
    }
}
