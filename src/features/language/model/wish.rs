//! Wishes about a plan, read by a language model.

mod agree;

use entity::enums::{EnergyLevel, Weekday};
use jiff::civil::Time;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{clock, is_made_of, is_near, moment, now_of, object, optional};
use crate::features::language::{Scene, Wish};
use crate::platform::llm::Question;

/// Most wishes that are taken from one answer.
const MOST: usize = 20;
/// Most names of tasks that the model sees.
const MOST_TASKS: usize = 100;

const RULES: &str = "Somebody comments on the schedule that a planner makes for them. You say what each of their clauses wishes for, as \
    one or more of these kinds: keep_free (nothing is planned between `from` and `until`, wall times as 2026-11-20T15:00), keep_free_each (the same \
    between the times `from` and `until`, as 09:30, on each of these `weekdays`, on every day without them), not_before and \
    not_after (nothing is planned earlier or later in the day than `time`, as 09:30), breaks (at least `minutes` between two things), \
    daily_limit (at most `minutes` of tasks on a day), energy (work that needs `energy` lies between the times `from` and `until` of each \
    day), on_day (the tasks with these `words` in their titles lie on `day`), first (the tasks with these `words` come before all others). \
    `clause` is the number of the clause, from 0. `words` are words of a title or of the clause. A clause that is no such wish gets none: \
    never guess. Fields that a kind does not need are null.";

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// The question about clauses that the rules did not understand. `titles` are those of the person's tasks, which are data as well.
pub fn question_about_wishes(clauses: &[String], titles: &[String], scene: &Scene) -> Question {
    let mut data = now_of(scene);
    data["clauses"] = json!(clauses);
    data["tasks"] = json!(titles.iter().take(MOST_TASKS).collect::<Vec<_>>());
    let kinds = [
        "keep_free",
        "keep_free_each",
        "not_before",
        "not_after",
        "breaks",
        "daily_limit",
        "energy",
        "on_day",
        "first",
    ];
    let wish = object(json!({
        "clause": { "type": "integer" },
        "kind": { "type": "string", "enum": kinds },
        "from": optional("string", "Begin."),
        "until": optional("string", "End."),
        "time": optional("string", "Time of day."),
        "minutes": optional("integer", "Minutes."),
        "energy": { "type": ["string", "null"], "enum": ["low", "medium", "high", null] },
        "words": optional("string", "Words of titles."),
        "day": optional("string", "Day, as 2026-11-20."),
        "weekdays": { "type": ["array", "null"], "items": { "type": "string", "enum": WEEKDAYS.map(|(name, _)| name) } },
    }));
    Question {
        name: "schedule_wishes",
        rules: RULES,
        data,
        schema: object(json!({ "wishes": { "type": "array", "items": wish } })),
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    wishes: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct One {
    clause: usize,
    kind: String,
    from: Option<String>,
    until: Option<String>,
    time: Option<String>,
    minutes: Option<i32>,
    energy: Option<String>,
    words: Option<String>,
    day: Option<String>,
    weekdays: Option<Vec<String>>,
}

/// The wishes of an answer that make sense, and the clauses that have none. Where the rules find a day, a time or a length in a clause, the
/// model has found the same, or the clause is not understood: who is wrong about one thing is not believed in another.
pub fn wishes_of(
    answer: &Value,
    clauses: &[String],
    titles: &[String],
    scene: &Scene,
) -> (Vec<Wish>, Vec<String>) {
    let given = Answer::deserialize(answer).map_or_else(|_| Vec::new(), |answer| answer.wishes);
    let mut understood: Vec<(usize, Wish)> = Vec::new();
    let mut is_contradicted = vec![false; clauses.len()];
    for one in given.into_iter().take(MOST) {
        let Ok(one) = One::deserialize(one) else { continue };
        let Some(clause) = clauses.get(one.clause) else {
            continue;
        };
        let Some(wish) = one.wish(clause, titles, scene) else {
            continue;
        };
        if agree::agrees(&wish, clause, scene) {
            understood.push((one.clause, wish));
        } else {
            is_contradicted[one.clause] = true;
        }
    }
    understood.retain(|(clause, _)| !is_contradicted[*clause]);
    let has_wish = |at: usize| understood.iter().any(|(clause, _)| *clause == at);
    let rest = (0..clauses.len()).filter(|at| !has_wish(*at));
    let rest = rest.map(|at| clauses[at].clone()).collect();
    let mut wishes: Vec<Wish> = Vec::new();
    for (_, wish) in understood {
        if !wishes.contains(&wish) {
            wishes.push(wish);
        }
    }
    (wishes, rest)
}

impl One {
    fn wish(&self, clause: &str, titles: &[String], scene: &Scene) -> Option<Wish> {
        let now = scene.local();
        let time = |text: &Option<String>| clock(text.as_deref()?);
        let minutes = |range: std::ops::RangeInclusive<i32>| self.minutes.filter(|one| range.contains(one));
        let words = || {
            let words = self.words.as_deref()?.trim();
            let known = is_made_of(words, clause) || titles.iter().any(|title| is_made_of(words, title));
            (known && words.chars().any(char::is_alphanumeric)).then(|| words.to_owned())
        };
        match self.kind.as_str() {
            "keep_free" => {
                let (from, until) = (moment(self.from.as_deref()?)?, moment(self.until.as_deref()?)?);
                let (from, until) = (from.0.to_datetime(from.1?), until.0.to_datetime(until.1?));
                let days = from.date().until(until.date()).ok()?.get_days();
                (from < until && days <= 31 && is_near(from.date(), now))
                    .then_some(Wish::KeepFree(from, until))
            }
            "keep_free_each" => {
                let (from, until) = (time(&self.from)?, time(&self.until)?);
                let known = |name: &String| {
                    let mut all = WEEKDAYS.iter();
                    all.find(|(known, _)| known == name).map(|(_, day)| *day)
                };
                let days: Option<Vec<Weekday>> = self.weekdays.iter().flatten().map(known).collect();
                let days = days?;
                // Not all of every day.
                let is_part =
                    from < until || (until == Time::midnight() && (from > until || !days.is_empty()));
                is_part.then_some(Wish::KeepFreeEach(days, from, until))
            }
            "not_before" => time(&self.time).map(Wish::NotBefore),
            "not_after" => time(&self.time).map(Wish::NotAfter),
            "breaks" => minutes(1..=120).map(Wish::Breaks),
            "daily_limit" => minutes(15..=1_440).map(Wish::DailyLimit),
            "energy" => {
                let level = match self.energy.as_deref()? {
                    "low" => EnergyLevel::Low,
                    "medium" => EnergyLevel::Medium,
                    "high" => EnergyLevel::High,
                    _ => return None,
                };
                let (from, until) = (time(&self.from)?, time(&self.until)?);
                (from < until).then_some(Wish::Energy(level, from, until))
            }
            "on_day" => {
                let (day, _) = moment(self.day.as_deref()?)?;
                is_near(day, now).then(|| words().map(|words| Wish::OnDay(words, day)))?
            }
            "first" => words().map(Wish::First),
            _ => None,
        }
    }
}
