//! Wishes and the hours they leave.

use chrono::NaiveTime;
use entity::enums::Weekday;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::features::scheduling::engine::{Problem, Weights};

fn wishes(all: &[Wish]) -> Wishes {
    Wishes {
        heard: Heard {
            wishes: all.to_vec(),
            ..Heard::default()
        },
    }
}

fn at(hour: i8) -> Time {
    Time::constant(hour, 0, 0, 0)
}

fn clock(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap()
}

fn hours(start: u32, end: u32) -> WorkingHours {
    WorkingHours {
        weekday: Weekday::Monday,
        start: clock(start),
        end: clock(end),
    }
}

#[test]
fn hours_lose_what_is_too_early_or_too_late() {
    for (start, end, wish, left) in [
        (9, 17, Wish::NotBefore(at(10)), Some((10, 17))),
        (9, 17, Wish::NotBefore(at(8)), Some((9, 17))),
        (9, 17, Wish::NotBefore(at(17)), None),
        (9, 17, Wish::NotAfter(at(12)), Some((9, 12))),
        (9, 17, Wish::NotAfter(at(9)), None),
        (9, 17, Wish::NotAfter(at(20)), Some((9, 17))),
        // All day, which ends at midnight.
        (0, 0, Wish::NotBefore(at(10)), Some((10, 0))),
        (0, 0, Wish::NotAfter(at(18)), Some((0, 18))),
        // A night shift begins in the evening.
        (22, 6, Wish::NotBefore(at(10)), Some((22, 6))),
        (22, 6, Wish::NotBefore(at(23)), Some((23, 6))),
        (22, 6, Wish::NotAfter(at(2)), Some((22, 2))),
        (22, 6, Wish::NotAfter(at(23)), Some((22, 23))),
    ] {
        let found = wishes(std::slice::from_ref(&wish)).week(&[hours(start, end)]);
        let expected: Vec<WorkingHours> = left.into_iter().map(|(start, end)| hours(start, end)).collect();
        assert_eq!(found, expected, "{start}–{end}, {wish:?}");
    }
    let later = [Wish::NotBefore(at(12)), Wish::NotBefore(at(10))];
    assert_eq!(
        wishes(&later).week(&[hours(9, 17)]),
        [hours(10, 17)],
        "the later wish counts"
    );
}

#[test]
fn stored_wishes_are_read_again_and_strange_ones_do_no_harm() {
    let heard = Heard {
        wishes: vec![
            Wish::KeepFree(date(2026, 3, 6).at(12, 0, 0, 0), date(2026, 3, 6).at(17, 0, 0, 0)),
            Wish::NotBefore(at(10)),
            Wish::Energy(EnergyLevel::High, at(8), at(12)),
            Wish::OnDay("report".into(), date(2026, 3, 4)),
            Wish::KeepFreeEach(vec![Weekday::Friday], at(12), Time::midnight()),
        ],
        rest: vec!["make me happy".into()],
        unread: Vec::new(),
    };
    let json = serde_json::to_value(&heard).unwrap();
    assert_eq!(json["wishes"][1]["not_before"], "10:00:00");
    assert!(json.get("unread").is_none(), "older versions read it too: {json}");
    assert_eq!(serde_json::from_value::<Heard>(json).unwrap(), heard);
    assert!(serde_json::from_value::<Heard>(serde_json::json!({ "wishes": [{ "fly": 1 }] })).is_err());
}

#[test]
fn hours_of_weekdays_stay_free_on_each_of_them() {
    // Monday to Sunday; the clocks go forward on the last day.
    let days = [23, 29].map(|day| chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap());
    let berlin = zones::zone("Europe/Berlin").unwrap();
    let window = Window::new(berlin, days[0], days[1], &[], 15);
    let slots = |weekdays: &[Weekday], from: i8, until: i8| each(weekdays, (at(from), at(until)), &window);
    let friday = 4 * 96;
    assert_eq!(slots(&[Weekday::Friday], 12, 13), [(friday + 48, friday + 52)]);
    assert_eq!(slots(&[Weekday::Friday], 0, 0), [(friday, friday + 96)]);
    let lunch = slots(&[], 12, 13);
    assert_eq!(lunch.len(), 7);
    assert_eq!(
        lunch[6],
        (6 * 96 + 44, 6 * 96 + 48),
        "an hour is missing that night"
    );
    let said = words_of(&Wish::KeepFreeEach(vec![Weekday::Friday], at(12), at(0)));
    assert_eq!(said, "Fridays 12:00–24:00 stays free");
}

/// Sizes that do not add up to the work: what was planned fits the same question again, so that nothing moves.
#[test]
fn what_was_planned_with_breaks_may_stay() {
    use crate::features::scheduling::engine::{Budget, explain, plan};
    for (dur, min, max) in [
        (7, 2, 4),
        (9, 2, 4),
        (11, 1, 8),
        (5, 2, 3),
        (7, 3, 3),
        (8, 1, 1),
        (7, 1, 2),
        (10, 3, 4),
    ] {
        let asked = || {
            let mut one = task(0, dur, min, max);
            while one.min > 1 && (dur / one.min) * max < dur {
                one.min -= 1;
            }
            one
        };
        let mut first = question(vec![asked()]);
        first.problem.hours.insert("work".into(), vec![(0, 96)]);
        add_breaks(&mut first, 1);
        let found = plan(&first.problem, &Budget::iterations(100), 1, &mut |_| {}).unwrap();
        let explanation = explain(&first.problem, &found.solution, &Budget::iterations(1)).unwrap();
        let pieces: Vec<Range> = first
            .work_of(&explanation)
            .into_iter()
            .map(|(_, piece)| piece)
            .collect();
        assert_eq!(
            pieces.iter().map(|(start, end)| end - start).sum::<i64>(),
            dur,
            "{pieces:?}"
        );

        let mut again = question(vec![Task {
            prior: Some(pieces.clone()),
            ..asked()
        }]);
        again.problem.hours.insert("work".into(), vec![(0, 96)]);
        add_breaks(&mut again, 1);
        let task = &again.problem.tasks[0];
        let prior = task.prior.clone().unwrap_or_default();
        let planned: i64 = prior.iter().map(|(start, end)| end - start).sum();
        assert_eq!(planned, task.dur, "{dur} in {min} to {max}: {pieces:?}");
        let fits = |(start, end): &Range| (task.min..=task.max).contains(&(end - start));
        assert!(prior.iter().all(fits), "{dur} in {min} to {max}: {prior:?}");
    }
}

fn question(tasks: Vec<Task>) -> Question {
    let work = tasks.iter().map(|task| task.dur).collect();
    let ids = (0..tasks.len()).map(|number| TaskId(uuid::Uuid::from_u128(number as u128)));
    Question {
        tasks: ids.collect(),
        work,
        problem: Problem {
            id: String::new(),
            slot_min: 15,
            t0: String::new(),
            horizon: 96,
            hours: BTreeMap::from([("work".to_owned(), vec![(36, 48), (52, 68)])]),
            busy: vec![(40, 42, 0, 0)],
            fixed: vec![(60, 62)],
            gap: 0,
            focus: Vec::new(),
            days: vec![(0, 96, 20)],
            profiles: BTreeMap::from([("flat".to_owned(), vec![0])]),
            weights: Weights {
                prio: vec![1, 2, 4, 8],
                tard: 10,
                flow: 1,
                pref: 5,
                focus: 8,
                frag: 20,
                moved: 40,
                move_soon: 120,
                soon: 96,
                drop_base: 300,
                drop_slot: 100,
            },
            tasks,
        },
        busy: Vec::new(),
        fixed: Vec::new(),
        in_force: Vec::new(),
        elsewhere: Vec::new(),
        left_out: Vec::new(),
        held: Default::default(),
        pause: 0,
    }
}

fn task(id: u32, dur: i64, min: i64, max: i64) -> Task {
    Task {
        id,
        dur,
        min,
        max,
        est: 0,
        due: None,
        deadline: None,
        prio: 1,
        deps: Vec::new(),
        sched: "work".into(),
        profile: "flat".into(),
        deep: false,
        tag: String::new(),
        prior: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// However tasks are cut: all work has its place, inside the hours, with a break or the usual room between any two things, whichever is
    /// longer.
    #[test]
    fn breaks_lie_between_any_two_things(
        sizes in prop::collection::vec((1_i64..9, 1_i64..9, 0_i64..5), 1..6),
        pause in 1_i64..4,
        gap in 0_i64..6,
    ) {
        use crate::features::scheduling::engine::{Budget, explain, plan};
        let tasks = sizes.iter().zip(0..).map(|((dur, min, more), id)| {
            let min = (*min).min(*dur);
            // Sizes that cannot be cut are made ones that can before a question is put.
            let mut min = if *more == 0 { *dur } else { min };
            let max = if *more == 0 { *dur } else { (min + more).min(*dur) };
            while min > 1 && (dur / min) * max < *dur {
                min -= 1;
            }
            task(id, *dur, min, max)
        });
        let mut question = question(tasks.collect());
        question.problem.gap = gap;
        question.problem.busy = vec![(40, 42, gap, gap)];
        question.problem.fixed = vec![(60 - gap, 62 + gap)];
        add_breaks(&mut question, pause);
        let found = plan(&question.problem, &Budget::iterations(100), 1, &mut |_| {}).unwrap();
        let explanation = explain(&question.problem, &found.solution, &Budget::iterations(1)).unwrap();
        let mut chunks: Vec<Range> = vec![(40, 42), (60, 62)];
        let mut done = vec![0; question.work.len()];
        for (placed, (start, end)) in question.work_of(&explanation) {
            prop_assert!((36 <= start && end <= 48) || (52 <= start && end <= 68), "{start} {end}");
            done[placed.task as usize] += end - start;
            chunks.push((start, end));
        }
        chunks.sort_unstable();
        for pair in chunks.windows(2) {
            prop_assert!(pair[0].1 + pause.max(gap) <= pair[1].0, "{chunks:?}");
        }
        for (at, task) in question.problem.tasks.iter().enumerate() {
            let expected = if found.left_out.contains(&task.id) { 0 } else { question.work[at] };
            prop_assert_eq!(done[at], expected);
        }
    }
}
