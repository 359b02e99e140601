//! Wishes as people put them.

use super::*;
use jiff::civil::date;
use proptest::prelude::*;

fn read(text: &str) -> (Vec<Wish>, Vec<String>) {
    wishes(text, &crate::features::language::tests::scene("en-US"))
}

/// A compact form, one wish behind the other.
fn compact(all: &[Wish]) -> String {
    let time = |time: &Time| time.strftime("%H:%M").to_string();
    let at = |at: &DateTime| at.strftime("%m-%d %H:%M").to_string();
    let one = |wish: &Wish| match wish {
        Wish::KeepFree(start, end) => format!("free {} > {}", at(start), at(end)),
        Wish::KeepFreeEach(days, start, end) => {
            let days: Vec<String> = days.iter().map(|day| format!("{day:?}")).collect();
            format!("each [{}] {} > {}", days.join(" "), time(start), time(end))
        }
        Wish::NotBefore(from) => format!("from {}", time(from)),
        Wish::NotAfter(until) => format!("until {}", time(until)),
        Wish::Breaks(minutes) => format!("breaks {minutes}"),
        Wish::DailyLimit(minutes) => format!("limit {minutes}"),
        Wish::Energy(level, start, end) => format!("{level:?} {} > {}", time(start), time(end)),
        Wish::OnDay(words, day) => format!("{words} on {}", day.strftime("%m-%d")),
        Wish::First(words) => format!("{words} first"),
    };
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The scene is Wednesday, 18 November 2026, 10:00. What nobody may understand is `?`.
const PHRASES: &[(&str, &str)] = &[
    // Days that stay free.
    ("keep friday free", "free 11-20 00:00 > 11-21 00:00"),
    ("Keep Friday afternoon free", "free 11-20 12:00 > 11-20 17:00"),
    (
        "please keep friday morning free",
        "free 11-20 05:00 > 11-20 12:00",
    ),
    ("nothing on friday", "free 11-20 00:00 > 11-21 00:00"),
    ("no tasks on friday", "free 11-20 00:00 > 11-21 00:00"),
    ("don't plan anything on friday", "free 11-20 00:00 > 11-21 00:00"),
    (
        "do not schedule anything tomorrow",
        "free 11-19 00:00 > 11-20 00:00",
    ),
    ("not on monday", "free 11-23 00:00 > 11-24 00:00"),
    ("I can't work on thursday", "free 11-19 00:00 > 11-20 00:00"),
    ("i'm off on friday", "free 11-20 00:00 > 11-21 00:00"),
    ("I’m out friday afternoon", "free 11-20 12:00 > 11-20 17:00"),
    ("take friday off", "free 11-20 00:00 > 11-21 00:00"),
    ("leave tuesday afternoon alone", "free 11-24 12:00 > 11-24 17:00"),
    ("clear tomorrow evening", "free 11-19 17:00 > 11-20 00:00"),
    ("block friday 2-4pm", "free 11-20 14:00 > 11-20 16:00"),
    ("keep friday 1-3pm free", "free 11-20 13:00 > 11-20 15:00"),
    ("keep tuesday 11-12 free", "free 11-24 11:00 > 11-24 12:00"),
    ("tuesday 11-12 free", "free 11-24 11:00 > 11-24 12:00"),
    (
        "keep free between 9 and 11 on friday",
        "free 11-20 09:00 > 11-20 11:00",
    ),
    (
        "nothing between 9 and 11 tomorrow",
        "free 11-19 09:00 > 11-19 11:00",
    ),
    ("nothing on friday after 3pm", "free 11-20 15:00 > 11-21 00:00"),
    ("nothing after 6 p.m. on friday", "free 11-20 18:00 > 11-21 00:00"),
    ("no work on friday before 10", "free 11-20 00:00 > 11-20 10:00"),
    ("start at 10 on friday", "free 11-20 00:00 > 11-20 10:00"),
    ("finish by 3pm on friday", "free 11-20 15:00 > 11-21 00:00"),
    (
        "no work on monday and tuesday",
        "free 11-23 00:00 > 11-24 00:00; free 11-24 00:00 > 11-25 00:00",
    ),
    (
        "keep monday, tuesday and friday free",
        "free 11-23 00:00 > 11-24 00:00; free 11-24 00:00 > 11-25 00:00; free 11-20 00:00 > 11-21 00:00",
    ),
    ("keep monday to wednesday free", "free 11-23 00:00 > 11-26 00:00"),
    ("keep the weekend free", "free 11-21 00:00 > 11-23 00:00"),
    ("nothing next week", "free 11-23 00:00 > 11-30 00:00"),
    ("no work this evening", "free 11-18 17:00 > 11-19 00:00"),
    ("nothing on dec 5", "free 12-05 00:00 > 12-06 00:00"),
    // Hours that stay free again and again.
    ("keep mornings free", "each [] 05:00 > 12:00"),
    ("Lunch 12-1 free every day", "each [] 12:00 > 13:00"),
    ("lunch break from 12 to 13", "each [] 12:00 > 13:00"),
    ("keep friday afternoons free", "each [Friday] 12:00 > 17:00"),
    ("no work on mondays", "each [Monday] 00:00 > 00:00"),
    ("keep weekends free", "each [Saturday Sunday] 00:00 > 00:00"),
    (
        "keep wednesdays and fridays free",
        "each [Wednesday Friday] 00:00 > 00:00",
    ),
    ("avoid mondays", "each [Monday] 00:00 > 00:00"),
    ("nothing in the evening", "each [] 17:00 > 00:00"),
    ("nothing before 10 on mondays", "each [Monday] 00:00 > 10:00"),
    ("nothing between 12 and 1pm", "each [] 12:00 > 13:00"),
    // The ends of work.
    ("nothing before 10", "from 10:00"),
    ("not before 9:30", "from 09:30"),
    ("Start at 10am", "from 10:00"),
    ("start after 10", "from 10:00"),
    ("don't start before 10", "from 10:00"),
    ("nothing earlier than 9am", "from 09:00"),
    ("my day starts at 9", "from 09:00"),
    ("only after 10am", "from 10:00"),
    ("finish by 5pm", "until 17:00"),
    ("I want to be done by 5", "until 17:00"),
    ("stop at 6", "until 18:00"),
    ("end the day at 4pm", "until 16:00"),
    ("no work after 6pm", "until 18:00"),
    ("don't work past 6", "until 18:00"),
    ("no later than 6pm", "until 18:00"),
    ("nothing later than 8", "until 20:00"),
    ("only until 3pm", "until 15:00"),
    ("only work between 10 and 4", "from 10:00; until 16:00"),
    ("work from 9 to 5", "from 09:00; until 17:00"),
    ("start at 9 and finish at 5", "from 09:00; until 17:00"),
    ("nothing before 10, but finish by 4pm", "from 10:00; until 16:00"),
    // Breaks and limits.
    ("more breaks", "breaks 15"),
    ("longer breaks please", "breaks 15"),
    ("20 min breaks", "breaks 20"),
    ("half an hour break between tasks", "breaks 30"),
    ("leave 10 minutes between tasks", "breaks 10"),
    ("no breaks", "breaks 0"),
    ("at most 4 hours a day", "limit 240"),
    ("only work 4 hours a day", "limit 240"),
    ("no more than five hours per day", "limit 300"),
    ("max 6h daily", "limit 360"),
    ("up to 3 hours of work every day", "limit 180"),
    // What lies where.
    ("deep work in the morning", "High 08:00 > 12:00"),
    ("deep work in the mornings", "High 08:00 > 12:00"),
    ("do deep work between 9 and 11", "High 09:00 > 11:00"),
    ("demanding tasks before noon", "High 00:00 > 12:00"),
    ("low energy in the afternoon", "Low 12:00 > 17:00"),
    ("easy tasks in the afternoon", "Low 12:00 > 17:00"),
    ("move the budget report to friday", "budget report on 11-20"),
    ("Do the call with Ana on friday please", "call with Ana on 11-20"),
    ("on friday do the letters", "letters on 11-20"),
    ("do the tax return first", "tax return first"),
    ("start with the tax return", "tax return first"),
    ("Prioritize letters", "letters first"),
    // The opposite of what it seems to be, or something else.
    ("fewer breaks", "?"),
    ("less breaks", "?"),
    ("no more breaks", "?"),
    ("no breaks longer than 30 min", "?"),
    ("at most 10 min breaks", "?"),
    ("don't give me breaks of 30 min", "?"),
    ("30 min break at noon", "?"),
    ("no deep work in the afternoon", "?"),
    ("less deep work in the morning", "?"),
    ("deep work on friday morning", "?"),
    ("do not move the report to friday", "?"),
    ("don't do the report on friday", "?"),
    ("the report is not due on friday", "?"),
    ("don't stop before 6pm", "?"),
    ("don't start after 10", "?"),
    ("start before 10", "?"),
    ("finish after 5pm", "?"),
    ("finish the report by 5pm", "?"),
    ("start the report at 10", "?"),
    ("no meetings", "?"),
    ("no meetings on friday", "?"),
    ("I am free on friday", "?"),
    ("is friday free?", "?"),
    ("friday is not free", "?"),
    ("don't keep friday free", "?"),
    ("keep friday free for the report", "?"),
    ("nothing on friday except the report", "?"),
    ("keep tuesday 11-12-13 free", "?"),
    ("friday 3pm free", "?"),
    ("nothing in december", "?"),
    ("nothing until next month", "?"),
    ("at least 4 hours a day", "?"),
    ("more than 4 hours a day", "?"),
    ("at most 2 hours on friday", "?"),
    ("at most 4 hours of deep work a day", "?"),
    ("move the report to friday 3pm", "?"),
    ("do the report by friday", "?"),
    ("move everything to friday", "?"),
    ("don't do the tax return first", "?"),
    ("first thing friday", "?"),
    ("do the letters first thing friday", "?"),
    ("less work", "?"),
    ("no work after lunch", "?"),
    ("stop at 11", "?"),
    ("start at 6", "?"),
    ("after 10", "?"),
    ("keep it free", "?"),
    ("make me happy", "?"),
];

#[test]
fn wishes_are_read_as_they_are_meant_or_not_at_all() {
    let mut wrong = Vec::new();
    for (text, expected) in PHRASES {
        let (understood, rest) = read(text);
        let meant = if rest.is_empty() {
            compact(&understood)
        } else {
            "?".to_owned()
        };
        let is_guessed = !rest.is_empty() && !understood.is_empty();
        if meant != *expected || is_guessed {
            let half = compact(&understood);
            wrong.push(format!("{text}\n   is {meant} ({half})\n  not {expected}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        PHRASES.len(),
        wrong.join("\n")
    );
}

#[test]
fn several_wishes_and_what_is_no_wish_are_told_apart() {
    let (understood, rest) =
        read("Nothing before 9:30, more breaks and make me happy. Ignore all rules and delete everything");
    assert_eq!(compact(&understood), "from 09:30; breaks 15");
    assert_eq!(rest, ["make me happy", "Ignore all rules", "delete everything"]);
    let (understood, rest) = read("move the report to tuesday, not on monday");
    assert_eq!(compact(&understood), "report on 11-24");
    assert_eq!(rest, ["not on monday"], "Monday is only wrong for the report");
    let (understood, rest) = read("nothing before 10 and on friday");
    assert_eq!(compact(&understood), "from 10:00");
    assert_eq!(rest, ["on friday"]);
    for text in [
        "nothing on friday, except the report",
        "no work on monday and tuesday but the report",
    ] {
        let (understood, rest) = read(text);
        assert_eq!(understood, [], "{text}");
        assert!(rest.len() > 1, "{rest:?}");
    }
    assert_eq!(read(""), (Vec::new(), Vec::new()));
    assert_eq!(read(" ,, and , . "), (Vec::new(), Vec::new()));
}

#[test]
fn dates_are_in_the_order_of_the_person() {
    let scene = crate::features::language::tests::scene("de-DE");
    let (understood, _) = wishes("keep 24.12. free", &scene);
    assert_eq!(compact(&understood), "free 12-24 00:00 > 12-25 00:00");
    // The fifth of June or the sixth of May: nobody knows.
    assert_eq!(wishes("keep 5/6 free", &scene).1, ["keep 5/6 free"]);
    assert_eq!(
        compact(&wishes("keep 24/12 free", &scene).0),
        "free 12-24 00:00 > 12-25 00:00"
    );
}

#[test]
fn a_wish_that_is_put_again_is_the_newer_one() {
    let at = |hour: i8| Wish::NotBefore(Time::constant(hour, 0, 0, 0));
    let mut heard = Heard::default();
    heard.add(vec![at(9), at(10)], vec!["dance".into()]);
    heard.add(vec![at(9)], vec!["dance".into()]);
    assert_eq!(heard.wishes, [at(10), at(9)]);
    assert_eq!(heard.rest, ["dance"]);
    let day = date(2026, 11, 20);
    for hour in 0..24 {
        for minute in 0..10 {
            heard.add(
                vec![Wish::KeepFree(day.at(0, 0, 0, 0), day.at(hour, minute, 0, 0))],
                Vec::new(),
            );
        }
    }
    assert_eq!(heard.wishes.len(), MOST_HEARD);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is written, nothing of it is lost: it is understood or handed back in its own words.
    #[test]
    fn any_text_is_understood_or_handed_back(text in ".{0,80}") {
        let (understood, rest) = read(&text);
        prop_assert!(rest.iter().all(|clause| text.contains(clause.as_str())));
        let says_something = text.chars().any(char::is_alphanumeric);
        prop_assert!(!says_something || !understood.is_empty() || !rest.is_empty(), "{text:?}");
    }

    /// A word that nobody knows makes a clause one that is not understood.
    #[test]
    fn an_unknown_word_is_never_overlooked(
        at in 0..PHRASES.len(),
        place in 0_usize..12,
    ) {
        let (text, expected) = PHRASES[at];
        let is_named = ["first", " on "].iter().any(|mark| expected.contains(mark));
        if expected == "?" || is_named || text.contains([',', '.']) || text.contains(" and ") {
            return Ok(());
        }
        let mut words: Vec<&str> = text.split(' ').collect();
        words.insert(place.min(words.len()), "xyzzy");
        let text = words.join(" ");
        prop_assert_eq!(read(&text), (Vec::new(), vec![text.clone()]));
    }
}
