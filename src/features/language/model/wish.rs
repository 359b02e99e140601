//! Wishes about a plan, read by a language model.

use entity::enums::EnergyLevel;
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
    one or more of these kinds: keep_free (nothing is planned between `from` and `until`, wall times as 2026-11-20T15:00), not_before and \
    not_after (nothing is planned earlier or later in the day than `time`, as 09:30), breaks (at least `minutes` between two things), \
    daily_limit (at most `minutes` of tasks on a day), energy (work that needs `energy` lies between the times `from` and `until` of each \
    day), on_day (the tasks with these `words` in their titles lie on `day`), first (the tasks with these `words` come before all others). \
    `clause` is the number of the clause, from 0. `words` are words of a title or of the clause. A clause that is no such wish gets none: \
    never guess. Fields that a kind does not need are null.";

/// The question about clauses that the rules did not understand. `titles` are those of the person's tasks, which are data as well.
pub fn question_about_wishes(clauses: &[String], titles: &[String], scene: &Scene) -> Question {
    let mut data = now_of(scene);
    data["clauses"] = json!(clauses);
    data["tasks"] = json!(titles.iter().take(MOST_TASKS).collect::<Vec<_>>());
    let kinds = [
        "keep_free",
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
}

/// The wishes of an answer that make sense, and the clauses that have none.
pub fn wishes_of(
    answer: &Value,
    clauses: &[String],
    titles: &[String],
    scene: &Scene,
) -> (Vec<Wish>, Vec<String>) {
    let given = Answer::deserialize(answer).map_or_else(|_| Vec::new(), |answer| answer.wishes);
    let mut understood = Vec::new();
    let mut has_wish = vec![false; clauses.len()];
    for one in given.into_iter().take(MOST) {
        let Ok(one) = One::deserialize(one) else { continue };
        let Some(clause) = clauses.get(one.clause) else {
            continue;
        };
        let Some(wish) = one.wish(clause, titles, scene) else {
            continue;
        };
        has_wish[one.clause] = true;
        if !understood.contains(&wish) {
            understood.push(wish);
        }
    }
    let rest = clauses.iter().zip(has_wish).filter(|(_, has_wish)| !has_wish);
    (understood, rest.map(|(clause, _)| clause.clone()).collect())
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
