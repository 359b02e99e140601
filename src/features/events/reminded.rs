//! Which reminders of a person are for which occurrence of a series: those of one occurrence, those from one on, those of all. Pure.
//!
//! Promises: each occurrence has the reminders of exactly one saying, the narrowest; of those that hold from an occurrence on, the latest.

use entity::{calendar_event, reminder};

use super::occurrence::Occurrence;
use super::remake;
use crate::kernel::time::Instant;

/// Which occurrences somebody said reminders of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// All of which nothing else is said.
    Always,
    /// The one with this original start.
    Of(Instant),
    /// That one and all later ones.
    From(Instant),
}

impl Said {
    /// What a reminder belongs to.
    pub(super) fn by(row: &reminder::Model, event: &calendar_event::Model) -> Self {
        let at = row
            .original_start
            .as_deref()
            .and_then(|text| remake::instant_of(text, event));
        match at {
            None => Self::Always,
            Some(at) if row.holds_for_later => Self::From(at),
            Some(at) => Self::Of(at),
        }
    }
}

/// The saying whose reminders the occurrence with this original start has, of all that one person said.
pub(super) fn said_of(original: Instant, sayings: &[Said]) -> Said {
    let own = Said::Of(original);
    if sayings.contains(&own) {
        return own;
    }
    lasting_at(original, sayings)
}

/// The same without what is said of this occurrence alone.
pub(super) fn lasting_at(original: Instant, sayings: &[Said]) -> Said {
    let from = sayings.iter().filter_map(|said| match said {
        Said::From(at) if *at <= original => Some(*at),
        _ => None,
    });
    from.max().map_or(Said::Always, Said::From)
}

/// The first occurrence to which a saying does not reach any more, because another holds from there on.
pub(super) fn until(said: Said, sayings: &[Said]) -> Option<Instant> {
    let later = sayings.iter().filter_map(|other| match (said, other) {
        (Said::Always, Said::From(at)) => Some(*at),
        (Said::From(own), Said::From(at)) if *at > own => Some(*at),
        _ => None,
    });
    later.min()
}

/// The reminders of the whole series among those of one person.
pub fn reminders_of_all(rows: &[reminder::Model]) -> impl Iterator<Item = &reminder::Model> {
    rows.iter()
        .filter(|row| row.original_start.is_none() && !row.is_silent)
}

/// The reminders of an occurrence among those that one person has for its event.
pub fn reminders_at<'a>(rows: &'a [reminder::Model], occurrence: &Occurrence) -> Vec<&'a reminder::Model> {
    let event = &occurrence.event.row;
    let sayings: Vec<Said> = rows.iter().map(|row| Said::by(row, event)).collect();
    let said = said_of(occurrence.original_start, &sayings);
    let own = rows.iter().zip(&sayings).filter(|(_, one)| **one == said);
    own.map(|(row, _)| row).filter(|row| !row.is_silent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u32) -> Instant {
        format!("2026-03-{day:02}T08:00:00Z").parse().unwrap()
    }

    #[test]
    fn the_narrowest_saying_holds_and_of_lasting_ones_the_latest() {
        let sayings = [
            Said::Always,
            Said::From(at(10)),
            Said::From(at(5)),
            Said::Of(at(5)),
            Said::Of(at(12)),
        ];
        for (day, expected) in [
            (4, Said::Always),
            (5, Said::Of(at(5))),
            (6, Said::From(at(5))),
            (10, Said::From(at(10))),
            (12, Said::Of(at(12))),
            (13, Said::From(at(10))),
        ] {
            assert_eq!(said_of(at(day), &sayings), expected, "{day}");
        }
        assert_eq!(lasting_at(at(12), &sayings), Said::From(at(10)));
        assert_eq!(until(Said::Always, &sayings), Some(at(5)));
        assert_eq!(until(Said::From(at(5)), &sayings), Some(at(10)));
        assert_eq!(until(Said::From(at(10)), &sayings), None);
        assert_eq!(until(Said::Of(at(5)), &sayings), None);
    }
}
