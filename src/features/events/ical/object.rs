//! Components of one UID to one object: which is the master, which are overrides, which are outdated copies.
//!
//! Promises: of two components for the same occurrence the newest wins (SEQUENCE, then LAST-MODIFIED or DTSTAMP, then
//! the later one); overrides survive without a master. Must not know: other UIDs.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    component::Component,
    event,
    model::{EventStatus, Moment, ParsedEvent, ParsedOverride},
    moment,
    notes::Notes,
    property::Property,
    zone_book::ZoneBook,
};

/// The components of one UID as they are being sorted.
#[derive(Default)]
pub(super) struct Draft<'c, 't> {
    /// Components that are part of the object.
    pub(super) kept: Vec<&'c Component<'t>>,
    pub(super) master: Option<ParsedEvent>,
    pub(super) overrides: Vec<ParsedOverride>,
    pub(super) notes: Notes,
    /// Reasons why components were left out, with their lines.
    pub(super) refused: Vec<(u32, String)>,
}

/// How new a component is; the later of equals wins.
type Age = (i32, Option<Timestamp>);

/// Sorts and reads the components of one UID. `is_cancel` says that the text calls them off (METHOD:CANCEL).
pub(super) fn read<'c, 't>(
    uid: &str,
    components: &[(&'c Component<'t>, usize)],
    books: &mut [ZoneBook<'c, 't>],
    is_cancel: bool,
) -> Draft<'c, 't> {
    let mut draft = Draft {
        notes: Notes::about(uid),
        ..Draft::default()
    };
    let mut newest: HashMap<Option<String>, (Age, usize)> = HashMap::new();
    let mut readings: Vec<(Option<ParsedOverride>, Option<ParsedEvent>)> = Vec::new();
    for (index, (component, calendar)) in components.iter().enumerate() {
        let reading = one(component, &mut books[*calendar], is_cancel, &mut draft);
        let key = match &reading {
            (Some(changed), _) => Some(Some(identity(&changed.recurrence_id))),
            (None, Some(_)) => Some(None),
            (None, None) => None,
        };
        readings.push(reading);
        let Some(key) = key else { continue };
        let age = (event::sequence(component), age(component));
        let best = newest.entry(key).or_insert((age, index));
        if best.1 != index {
            draft.notes.add(
                component.number,
                "This occurrence is in the text more than once; the newest was read.",
            );
            if age >= best.0 {
                *best = (age, index);
            }
        }
    }
    let mut winners: Vec<usize> = newest.into_values().map(|(_, index)| index).collect();
    winners.sort_unstable();
    for index in winners {
        draft.kept.push(components[index].0);
        match std::mem::take(&mut readings[index]) {
            (Some(changed), _) => draft.overrides.push(changed),
            (None, master) => draft.master = master,
        }
    }
    align(&mut draft);
    draft
}

/// Reads one component as an override or as a master; neither when it is refused.
fn one<'c, 't>(
    component: &'c Component<'t>,
    book: &mut ZoneBook<'c, 't>,
    is_cancel: bool,
    draft: &mut Draft<'c, 't>,
) -> (Option<ParsedOverride>, Option<ParsedEvent>) {
    let original = match component.first("RECURRENCE-ID") {
        None => None,
        Some(line) => {
            let property = Property::read_time(line);
            let moment = property
                .as_ref()
                .and_then(|property| moment::single(property, book, &mut draft.notes));
            let Some((moment, property)) = moment.zip(property) else {
                let reason = "the occurrence it changes (RECURRENCE-ID) cannot be read".to_owned();
                draft.refused.push((component.number, reason));
                return (None, None);
            };
            Some((moment, property.is_this_and_future()))
        }
    };
    let mut event = match event::read(
        component,
        original.as_ref().map(|(moment, _)| moment),
        book,
        &mut draft.notes,
    ) {
        Ok(event) => event,
        Err(reason) => {
            draft.refused.push((component.number, reason));
            return (None, None);
        }
    };
    if is_cancel {
        event.status = EventStatus::Cancelled;
    }
    match original {
        None => (None, Some(event)),
        Some((recurrence_id, this_and_future)) => {
            let cancelled = event.status == EventStatus::Cancelled;
            (
                Some(ParsedOverride {
                    recurrence_id,
                    this_and_future,
                    cancelled,
                    event,
                }),
                None,
            )
        }
    }
}

/// Puts original starts into the master's terms and overrides into the order of their original starts.
fn align(draft: &mut Draft<'_, '_>) {
    if let Some(master) = &draft.master {
        for changed in &mut draft.overrides {
            changed.recurrence_id = moment::aligned(&changed.recurrence_id, &master.time);
        }
    }
    draft
        .overrides
        .sort_by_cached_key(|changed| order(&changed.recurrence_id));
    // The same occurrence may have been named in two ways, as a date and as a time; the later one wins.
    draft.overrides.reverse();
    let before = draft.overrides.len();
    draft
        .overrides
        .dedup_by(|earlier, later| earlier.recurrence_id == later.recurrence_id);
    draft.overrides.reverse();
    if draft.overrides.len() < before {
        draft.notes.add(
            None,
            "An occurrence is changed more than once; the last change was read.",
        );
    }
}

fn age(component: &Component<'_>) -> Option<Timestamp> {
    event::instant(component, "LAST-MODIFIED").or_else(|| event::instant(component, "DTSTAMP"))
}

/// What makes two original starts the same occurrence.
fn identity(moment: &Moment) -> String {
    match moment {
        Moment::Date(date) => date.to_string(),
        Moment::Floating(local) => local.to_string(),
        Moment::Zoned(time) => time.utc.to_string(),
    }
}

fn order(moment: &Moment) -> jiff::civil::DateTime {
    match moment {
        Moment::Date(date) => date.to_datetime(jiff::civil::Time::midnight()),
        Moment::Floating(local) => *local,
        Moment::Zoned(time) => jiff::tz::TimeZone::UTC.to_datetime(time.utc),
    }
}
