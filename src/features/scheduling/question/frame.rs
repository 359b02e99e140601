//! The time of a question: hours, days, weights, and what takes time. Pure.
//!
//! The person's buffer lies around events, around work that stays, and between planned pieces. It is counted in whole slots, rounded up;
//! slots are five minutes long unless the buffer is whole quarters of an hour, so that five minutes cost five and not fifteen. Between
//! planned pieces it is the engine's gap: no work, counted by no cap, and not needed once more beside an event or at the end of hours.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::ids::{CalendarEventId, TaskId};

use super::{Piece, Sources};
use crate::features::scheduling::engine::{self, Problem, Weights};
use crate::features::scheduling::window::Window;
use crate::features::scheduling::wishes::Wishes;
use crate::features::tasks;
use crate::kernel::time::{Instant, Span};

/// Name of the hours of the person.
const HOURS: &str = "work";

/// Everything but tasks and busy times.
pub(super) fn frame(
    sources: &Sources,
    window: &Window,
    now: Instant,
    fixed: &[Piece],
    hours: &Hours,
) -> Problem {
    let peak = sources.preferences.peak_energy;
    let profiles = BTreeMap::from([
        ("low".to_owned(), window.discomfort(peak, 1, 0)),
        ("medium".to_owned(), vec![0]),
        ("high".to_owned(), window.discomfort(peak, 0, 2)),
    ]);
    let most = i64::from(sources.preferences.max_daily_task_minutes) / window.slot_minutes;
    let taken: Vec<engine::Range> = fixed
        .iter()
        .filter_map(|piece| window.cover(piece.span))
        .collect();
    let cap = |start: i64, end: i64| {
        let used: i64 = taken
            .iter()
            .map(|slot| (slot.1.min(end) - slot.0.max(start)).max(0))
            .sum();
        (most - used).max(0)
    };
    let days = window
        .days
        .iter()
        .map(|day| (day.start, day.end, cap(day.start, day.end)));
    // Weights are per quarter of an hour; what counts whole pieces keeps its worth when slots are finer.
    let scale = 15 / window.slot_minutes;
    let open = hours.open_slots();
    let soon = window.ceil(now + chrono::Duration::hours(24));
    Problem {
        id: String::new(),
        slot_min: window.slot_minutes,
        t0: window.span().start.to_rfc3339(),
        horizon: window.horizon().max(1),
        hours: hours.ranges.clone(),
        busy: Vec::new(),
        fixed: Vec::new(),
        gap: window.slots(i64::from(sources.preferences.buffer_minutes)),
        focus: Vec::new(),
        days: days.collect(),
        profiles,
        weights: Weights {
            prio: vec![1, 2, 4, 8],
            tard: 10,
            flow: 1,
            pref: 5,
            focus: 8,
            frag: 20 * scale,
            moved: 40 * scale,
            move_soon: 120 * scale,
            soon,
            drop_base: 12 * open,
            drop_slot: 100,
        },
        tasks: Vec::new(),
    }
}

/// What takes time.
#[derive(Debug, Default)]
pub(super) struct Busy {
    /// Events with the person's buffer around them.
    pub(super) events: Vec<(i64, i64, i64, i64)>,
    /// The span of each of them.
    pub(super) spans: Vec<Span>,
    /// Work that stays where it is, with the buffer around it: nobody is told to move it.
    pub(super) work: Vec<engine::Range>,
}

pub(super) fn busy(sources: &Sources, window: &Window, fixed: &[Piece], in_force: &[Piece]) -> Busy {
    let planned: HashSet<CalendarEventId> = in_force.iter().filter_map(|piece| piece.event_id).collect();
    let buffer = window.slots(i64::from(sources.preferences.buffer_minutes));
    let mut found = Busy::default();
    for one in &sources.busy {
        if planned.contains(&one.event_id) {
            continue;
        }
        let span = Span::new(one.start, one.end);
        let Some((span, (start, end))) = span.and_then(|span| Some((span, window.cover(span)?))) else {
            continue;
        };
        if one.task_id.is_some() {
            found.work.push((start - buffer, end + buffer));
        } else {
            found.events.push((start, end, buffer, buffer));
            found.spans.push(span);
        }
    }
    let own = fixed.iter().filter_map(|piece| window.cover(piece.span));
    found
        .work
        .extend(own.map(|(start, end)| (start - buffer, end + buffer)));
    found
}

/// The hours in which work is done: those of the person, and those that single tasks have.
#[derive(Debug)]
pub(super) struct Hours {
    pub(super) ranges: BTreeMap<String, Vec<engine::Range>>,
    names: HashMap<TaskId, String>,
}

impl Hours {
    pub(super) fn new(sources: &Sources, window: &Window, wishes: &Wishes) -> Self {
        let mut hours = Self {
            ranges: BTreeMap::from([(HOURS.to_owned(), window.hours.clone())]),
            names: HashMap::new(),
        };
        let mut known: HashMap<String, String> = HashMap::new();
        for task in &sources.tasks {
            let Some(week) = tasks::working_hours_of(task) else {
                continue;
            };
            let number = known.len();
            let name = known
                .entry(serde_json::json!(week).to_string())
                .or_insert_with(|| format!("own {number}"))
                .clone();
            hours
                .ranges
                .entry(name.clone())
                .or_insert_with(|| window.open(&wishes.week(&week)));
            hours.names.insert(task.id, name);
        }
        hours
    }

    pub(super) fn of(&self, task: TaskId) -> &str {
        self.names.get(&task).map_or(HOURS, String::as_str)
    }

    /// Slots that any of them opens.
    fn open_slots(&self) -> i64 {
        let mut all: Vec<engine::Range> = self.ranges.values().flatten().copied().collect();
        all.sort_unstable();
        let (mut sum, mut seen) = (0, i64::MIN);
        for (start, end) in all {
            sum += (end - start.max(seen)).max(0);
            seen = seen.max(end);
        }
        sum
    }
}
