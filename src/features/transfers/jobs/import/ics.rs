//! iCalendar files.

use std::sync::Arc;

use entity::calendar;
use entity::ids::CalendarId;

use super::store::Batch;
use super::text::Text;
use super::{Stop, Work, next_batch, problem, too_large};
use crate::features::calendars;
use crate::features::events::ical::{self, ParsedObject, Todo};
use crate::features::transfers::formats::task_of;
use crate::features::transfers::model::Problem;
use crate::features::transfers::rules::MAX_OBJECT;
use crate::features::transfers::split::ics::{Index, Kind, Object, Scanner};
use crate::kernel::Error;

/// Longest definition of a zone that is read, in bytes.
const MAX_ZONE: u64 = 64 * 1024;

/// What all objects of the file are read with.
struct Around {
    head: Vec<String>,
    zones: Vec<(String, Vec<u8>, u32)>,
    default_zone: String,
}

/// Imports a file into the calendar that was chosen.
pub(super) async fn import(work: &mut Work<'_>) -> Result<(), Stop> {
    let calendar = calendar(work).await?;
    let mut scanner = Scanner::new();
    work.scan(|bytes| scanner.feed(bytes)).await?;
    let Index {
        head,
        zones,
        objects,
        problems,
        is_calendar,
    } = scanner.finish();
    if !is_calendar {
        return Err(Stop::Refused("This is not a calendar file.".into()));
    }
    // The problems of the file itself are the first unit.
    work.total = 1 + objects.len() as u64;
    if work.done == 0 {
        let batch = Batch {
            units: 1,
            problems: problems
                .into_iter()
                .map(|(line, message)| problem(line, message))
                .collect(),
            ..Batch::default()
        };
        work.store(batch).await?;
    }
    let mut around = Around {
        head,
        zones: Vec::new(),
        default_zone: calendar.time_zone.clone(),
    };
    for (name, piece) in zones.iter().filter(|(_, piece)| piece.len <= MAX_ZONE) {
        around
            .zones
            .push((name.clone(), work.file.read(*piece).await?, piece.line));
    }
    let around = Arc::new(around);
    let mut rest = objects.as_slice();
    rest = rest
        .get(usize::try_from(work.done - 1).unwrap_or(usize::MAX)..)
        .unwrap_or_default();
    while !rest.is_empty() {
        let size = |object: &Object| object.pieces.iter().map(|piece| piece.len).sum::<u64>();
        let (now, later) = rest.split_at(next_batch(rest, size));
        let batch = batch(work, calendar.id, now, &around).await?;
        work.store(batch).await?;
        rest = later;
    }
    Ok(())
}

async fn calendar(work: &Work<'_>) -> Result<calendar::Model, Stop> {
    let gone = || Stop::Refused("The calendar was deleted meanwhile.".into());
    let id = work.row.calendar_id.ok_or_else(gone)?;
    let found = calendars::get_many(work.ctx, &[id]).await?.pop();
    found.ok_or_else(gone)
}

/// An object, cut out.
struct Cut {
    kind: Kind,
    line: u32,
    pieces: Vec<(Vec<u8>, u32)>,
}

/// An object, read.
#[derive(Default)]
struct Read {
    events: Vec<(u32, ParsedObject)>,
    todos: Vec<(u32, Todo)>,
    problems: Vec<Problem>,
}

async fn batch(
    work: &mut Work<'_>,
    calendar: CalendarId,
    objects: &[Object],
    around: &Arc<Around>,
) -> Result<Batch, Stop> {
    let mut batch = Batch {
        units: objects.len() as u64,
        ..Batch::default()
    };
    let mut cuts = Vec::with_capacity(objects.len());
    for object in objects {
        let Some(first) = object.pieces.first() else {
            continue;
        };
        let size: u64 = object.pieces.iter().map(|piece| piece.len).sum();
        if size > MAX_OBJECT {
            batch.problems.push(too_large(first));
            continue;
        }
        let mut pieces = Vec::with_capacity(object.pieces.len());
        for piece in &object.pieces {
            pieces.push((work.file.read(*piece).await?, piece.line));
        }
        cuts.push(Cut {
            kind: object.kind,
            line: first.line,
            pieces,
        });
    }
    let around = around.clone();
    // Reading takes time that other work shall have.
    let read = tokio::task::spawn_blocking(move || {
        let mut all = Read::default();
        cuts.iter().for_each(|cut| read(cut, &around, &mut all));
        all
    });
    let read = read.await.map_err(Error::internal)?;
    batch.problems.extend(read.problems);
    batch.events = read
        .events
        .into_iter()
        .map(|(line, object)| (calendar, line, object))
        .collect();
    let keys: Vec<String> = read
        .todos
        .iter()
        .map(|(_, todo)| match todo.uid.is_empty() {
            // Without a name a to-do is known by what it says.
            true => format!("{:?}", (&todo.summary, &todo.description, todo.start, todo.due)),
            false => todo.uid.clone(),
        })
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let ids = work.task_ids(&keys).await?;
    batch.tasks = read
        .todos
        .into_iter()
        .zip(ids)
        .map(|((line, todo), id)| (line, task_of(todo, id)))
        .collect();
    Ok(batch)
}

fn read(cut: &Cut, around: &Around, all: &mut Read) {
    let text = text_of(cut, around);
    let mut note = |line: Option<u32>, message: String| {
        let line = line.and_then(|line| text.line_of(line)).unwrap_or(cut.line);
        all.problems.push(problem(line, message));
    };
    if text.is_damaged {
        note(
            None,
            "Some bytes of this object are no UTF-8 and were replaced.".to_owned(),
        );
    }
    if text.had_nul {
        note(None, "NUL characters of this object were left out.".to_owned());
    }
    match cut.kind {
        Kind::Todo => match ical::read_todos(text.as_str(), &around.default_zone) {
            Ok((todos, problems)) => {
                problems
                    .into_iter()
                    .for_each(|problem| note(problem.line, problem.message));
                // Two of one name in a file: the newest is meant.
                let newest = todos.into_iter().max_by_key(|todo| (todo.sequence, todo.changed));
                all.todos.extend(newest.map(|todo| (cut.line, todo)));
            }
            Err(error) => note(None, error.to_string()),
        },
        _ => match ical::read(text.as_str(), &around.default_zone) {
            Ok(feed) => {
                let warnings = feed.objects.iter().flat_map(|object| &object.warnings);
                let problems = feed.problems.iter().chain(warnings);
                problems.for_each(|problem| note(problem.line, problem.message.clone()));
                let objects = feed.objects.into_iter();
                all.events.extend(objects.map(|object| (cut.line, object)));
            }
            Err(error) => note(None, error.to_string()),
        },
    }
}

/// The object as a calendar of its own, with the zones that it names.
fn text_of(cut: &Cut, around: &Around) -> Text {
    let mut text = Text::default();
    text.line("BEGIN:VCALENDAR");
    around.head.iter().for_each(|line| text.line(line));
    for (name, definition, line) in &around.zones {
        let name = name.as_bytes();
        let is_named = cut.pieces.iter().any(|(bytes, _)| {
            // Names may be folded, so that only their beginning is looked for.
            let beginning = &name[..name.len().min(20)];
            beginning.is_empty() || bytes.windows(beginning.len()).any(|window| window == beginning)
        });
        if is_named {
            text.piece(definition, *line);
        }
    }
    cut.pieces
        .iter()
        .for_each(|(bytes, line)| text.piece(bytes, *line));
    text.line("END:VCALENDAR");
    text
}
