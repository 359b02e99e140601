//! Whether two servers said the same, each in its own words: ids with prefixes or without, words in upper or lower case.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Result;
use crate::http::Answer;

const PREFIXES: [&str; 5] = ["task_", "ws_", "user_", "cal_", "evt_"];
const ALPHABET: &str = "0123456789abcdefghjkmnpqrstvwxyz";
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

/// What was asked for, in words that all servers share.
pub(crate) fn canonical(answer: &Answer<'_>) -> Result<Value> {
    let text = String::from_utf8_lossy(answer.body);
    let body: Value = serde_json::from_slice(answer.body).map_err(|error| format!("{error}: {text}"))?;
    if answer.status != 200 || body.get("errors").is_some() {
        return Err(format!("refused with {}: {text}", answer.status).into());
    }
    let found = find(&body).ok_or_else(|| format!("nothing was found: {text}"))?;
    Ok(plain("", found))
}

/// The object or list that the question is about, below whatever a server wraps it in.
fn find(value: &Value) -> Option<&Value> {
    let object = value.as_object()?;
    let direct = ["task", "tasks", "calendarEvents"]
        .iter()
        .find_map(|name| object.get(*name));
    direct
        .filter(|found| !found.is_null())
        .or_else(|| object.values().find_map(find))
}

fn plain(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| match name.as_str() {
                "kind" => ("isAllDay".to_owned(), Value::Bool(value == "all_day")),
                _ => (name.clone(), plain(name, value)),
            };
            Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| plain("", item)).collect(),
        Value::String(text) => word(name, text),
        _ => value.clone(),
    }
}

fn word(name: &str, text: &str) -> Value {
    match name {
        "id" => uuid(text).map_or_else(|| text.into(), |id| id.to_string().into()),
        "priority" => {
            let rank = PRIORITIES.iter().position(|word| word.eq_ignore_ascii_case(text));
            rank.map_or_else(|| text.into(), Value::from)
        }
        "status" | "energy" => text.to_ascii_lowercase().into(),
        "start" | "end" | "dueAt" | "createdAt" | "updatedAt" => {
            text.replace(".000000", "").replace("+00:00", "Z").into()
        }
        _ => text.into(),
    }
}

fn uuid(text: &str) -> Option<Uuid> {
    let digits = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let mut bits: u128 = 0;
    for digit in digits.chars() {
        bits = bits << 5 | ALPHABET.find(digit)? as u128;
    }
    Some(Uuid::from_u128(bits))
}

/// Removes what differs between two things that were created from the same words.
pub(crate) fn without_id(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.remove("id");
    }
    value
}
