//! Who lives and who is missing, from the rows of the processes. Pure.

use chrono::TimeDelta;
use entity::process::Model;

use crate::kernel::time::Instant;

/// A process that was not heard of for so long is dead: it speaks every two seconds.
const SILENT: TimeDelta = TimeDelta::seconds(5);
/// When it is forgotten, should nobody take its place.
pub(super) const FORGOTTEN: TimeDelta = TimeDelta::hours(1);

/// Whether a process lives at `now`.
pub(super) fn lives(one: &Model, now: Instant) -> bool {
    one.updated_at > now - SILENT
}

/// Processes that died and whose place nobody has taken. The first of the same kind that starts after the death takes it, also when it has
/// died since: whoever is started again and again is missing once, and of two that died together one is, until there are two new ones.
/// One that dies within two seconds after another started is not missed: its last sign may be older than the other, as if that were its heir.
pub(super) fn missing(all: &[Model], now: Instant) -> Vec<&Model> {
    let mut heirs: Vec<&Model> = all.iter().collect();
    heirs.sort_by_key(|one| one.created_at);
    let mut dead: Vec<&Model> = all.iter().filter(|one| !lives(one, now)).collect();
    dead.sort_by_key(|one| one.updated_at);
    let mut missing = Vec::new();
    for one in dead {
        let is_heir = |heir: &&Model| heir.role == one.role && heir.created_at > one.updated_at;
        match heirs.iter().position(is_heir) {
            Some(place) => {
                heirs.remove(place);
            }
            None => missing.push(one),
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use entity::enums::ProcessRole::{self, Api, Worker};

    use super::*;

    fn at(second: i64) -> Instant {
        Instant::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn process(name: &str, role: ProcessRole, from: i64, to: i64) -> Model {
        Model {
            name: name.into(),
            role,
            created_at: at(from),
            updated_at: at(to),
        }
    }

    fn names(all: &[Model], now: i64) -> Vec<&str> {
        missing(all, at(now))
            .iter()
            .map(|one| one.name.as_str())
            .collect()
    }

    #[test]
    fn whoever_is_silent_is_missing_until_another_of_its_kind_starts() {
        let dead = || process("dead", Api, 0, 100);
        let old = || process("old", Api, 0, 110);
        assert_eq!(names(&[dead(), old()], 104), Vec::<&str>::new(), "not yet");
        assert_eq!(names(&[dead(), old()], 106), ["dead"]);
        let worker = process("worker", Worker, 103, 110);
        assert_eq!(names(&[dead(), old(), worker], 110), ["dead"], "of another kind");
        let heir = process("heir", Api, 103, 110);
        assert_eq!(names(&[dead(), old(), heir], 110), Vec::<&str>::new());
    }

    #[test]
    fn one_takes_one_place() {
        let first = process("first", Api, 0, 100);
        let second = process("second", Api, 0, 102);
        let heir = process("heir", Api, 104, 120);
        let late = process("late", Api, 108, 120);
        assert_eq!(
            names(&[second.clone(), first.clone(), heir.clone()], 120),
            ["second"]
        );
        assert_eq!(names(&[second, first, heir, late], 120), Vec::<&str>::new());
    }

    #[test]
    fn whoever_dies_again_and_again_is_missing_once() {
        let died = [
            process("first", Api, 0, 100),
            process("second", Api, 101, 110),
            process("third", Api, 112, 120),
        ];
        assert_eq!(names(&died, 130), ["third"]);
        let again = [&died[..], &[process("fourth", Api, 125, 130)]].concat();
        assert_eq!(names(&again, 130), Vec::<&str>::new());
    }
}
