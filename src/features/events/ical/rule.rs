//! Checking a recurrence rule (RFC 5545 3.3.10, RFC 7529) without expanding it.
//!
//! Promises: a rule that passes is well formed, in capitals, without blanks and unknown parts; small slips are mended
//! with a note, anything else is refused with a reason. Must not know: the event it belongs to.

use super::value;

/// Longer rules than this are an attack, not a calendar.
const LENGTH_LIMIT: usize = 4_000;

/// A rule that can be expanded.
pub(super) struct CheckedRule {
    /// The rule without `RRULE:`.
    pub(super) text: String,
    /// What was mended.
    pub(super) notes: Vec<&'static str>,
}

/// Checks and tidies a rule; the error completes the sentence "The recurrence rule …".
pub(super) fn check(text: &str) -> Result<CheckedRule, String> {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect::<String>()
        .to_ascii_uppercase();
    let text = text.strip_prefix("RRULE:").unwrap_or(&text);
    if text.len() > LENGTH_LIMIT {
        return Err("is too long".to_owned());
    }
    let mut rule = Rule::default();
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("has the part {part:?} without a value"))?;
        rule.take(key, value)?;
    }
    rule.finish()
}

#[derive(Default)]
struct Rule {
    parts: Vec<(&'static str, String)>,
    notes: Vec<&'static str>,
}

impl Rule {
    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        let Some(key) = KEYS.iter().find(|known| **known == key) else {
            self.notes
                .push("An unknown part of the recurrence rule was ignored.");
            return Ok(());
        };
        if self.find(key).is_some() {
            return Err(format!("gives {key} twice"));
        }
        let wrong = || format!("has a wrong value for {key}");
        let value = match *key {
            "FREQ" => word(value, &FREQUENCIES),
            "SKIP" => word(value, &["OMIT", "BACKWARD", "FORWARD"]),
            "WKST" => word(value, &WEEKDAYS),
            "RSCALE" => value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                .then(|| value.to_owned()),
            "UNTIL" => value::time(value).map(|_| value.to_owned()),
            "COUNT" => {
                // Some programs write 0 or −1 for "without end".
                if matches!(value, "0" | "-1") {
                    self.notes
                        .push("A recurrence count that is not positive was ignored.");
                    return Ok(());
                }
                number(value, 1, i64::from(u32::MAX), false)
            }
            "INTERVAL" => {
                if value == "0" {
                    self.notes.push("A recurrence interval of 0 was read as 1.");
                    return Ok(());
                }
                number(value, 1, i64::from(u32::MAX), false)
            }
            "BYSECOND" => list(value, |item| number(item, 0, 60, false)),
            "BYMINUTE" => list(value, |item| number(item, 0, 59, false)),
            "BYHOUR" => list(value, |item| number(item, 0, 23, false)),
            "BYDAY" => list(value, weekday),
            "BYMONTHDAY" => list(value, |item| number(item, 1, 31, true)),
            "BYYEARDAY" | "BYSETPOS" => list(value, |item| number(item, 1, 366, true)),
            "BYWEEKNO" => list(value, |item| number(item, 1, 53, true)),
            _ => list(value, |item| match item.strip_suffix('L') {
                Some(leap) => number(leap, 1, 13, false).map(|month| month + "L"),
                None => number(item, 1, 13, false),
            }),
        };
        self.parts.push((key, value.ok_or_else(wrong)?));
        Ok(())
    }

    fn find(&self, key: &str) -> Option<&str> {
        self.parts
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value.as_str())
    }

    fn finish(mut self) -> Result<CheckedRule, String> {
        let Some(frequency) = self.find("FREQ").map(str::to_owned) else {
            return Err("has no FREQ".to_owned());
        };
        if self.find("COUNT").is_some() && self.find("UNTIL").is_some() {
            self.parts.retain(|(key, _)| *key != "COUNT");
            self.notes
                .push("The recurrence rule gives both COUNT and UNTIL; COUNT was ignored.");
        }
        let may_number = matches!(frequency.as_str(), "MONTHLY" | "YEARLY");
        for (_, days) in self.parts.iter_mut().filter(|(key, _)| *key == "BYDAY") {
            if !may_number && days.contains(|letter: char| letter.is_ascii_digit()) {
                days.retain(|letter| letter.is_ascii_alphabetic() || letter == ',');
                self.notes.push(
                    "Numbers before weekdays mean nothing in a rule of this frequency and were ignored.",
                );
            }
        }
        // FREQ first, as the RFC asks writers to do for old readers.
        self.parts.sort_by_key(|(key, _)| *key != "FREQ");
        let parts: Vec<String> = self
            .parts
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        Ok(CheckedRule {
            text: parts.join(";"),
            notes: self.notes,
        })
    }
}

const KEYS: [&str; 16] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
    "RSCALE",
    "SKIP",
];
const FREQUENCIES: [&str; 7] = [
    "SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY",
];
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn word(value: &str, known: &[&str]) -> Option<String> {
    known.contains(&value).then(|| value.to_owned())
}

/// A number within bounds, tidied; with `either_sign` the bounds hold for its size.
fn number(value: &str, least: i64, most: i64, either_sign: bool) -> Option<String> {
    let number: i64 = value.parse().ok()?;
    let size = if either_sign {
        number.checked_abs()?
    } else {
        number
    };
    (least..=most).contains(&size).then(|| number.to_string())
}

fn list(value: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let items: Vec<String> = value
        .split(',')
        .filter(|item| !item.is_empty())
        .map(read)
        .collect::<Option<_>>()?;
    (!items.is_empty()).then(|| items.join(","))
}

/// `MO`, `2TU`, `-1FR`.
fn weekday(value: &str) -> Option<String> {
    let (ordinal, day) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let day = word(day, &WEEKDAYS)?;
    if ordinal.is_empty() {
        Some(day)
    } else {
        number(ordinal, 1, 53, true).map(|ordinal| ordinal + &day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rule: &str) -> String {
        check(rule)
            .map(|rule| rule.text)
            .unwrap_or_else(|reason| format!("! {reason}"))
    }

    #[test]
    fn good_rules_are_tidied() {
        assert_eq!(
            text("INTERVAL=1; freq=weekly;BYDAY=mo,TU;;"),
            "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU"
        );
        assert_eq!(
            text("RRULE:FREQ=MONTHLY;BYDAY=+2TU,-1FR"),
            "FREQ=MONTHLY;BYDAY=2TU,-1FR"
        );
        assert_eq!(
            text("RSCALE=CHINESE;FREQ=YEARLY;SKIP=FORWARD;BYMONTH=5L"),
            "FREQ=YEARLY;RSCALE=CHINESE;SKIP=FORWARD;BYMONTH=5L"
        );
        assert_eq!(
            text("FREQ=DAILY;UNTIL=20251231T235959Z"),
            "FREQ=DAILY;UNTIL=20251231T235959Z"
        );
    }

    #[test]
    fn slips_are_mended_with_a_note() {
        for (rule, mended) in [
            ("FREQ=DAILY;INTERVAL=0", "FREQ=DAILY"),
            ("FREQ=DAILY;COUNT=-1", "FREQ=DAILY"),
            ("FREQ=WEEKLY;BYDAY=1MO,TU", "FREQ=WEEKLY;BYDAY=MO,TU"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20250101", "FREQ=DAILY;UNTIL=20250101"),
            ("FREQ=DAILY;X-OLD=1", "FREQ=DAILY"),
        ] {
            let checked = check(rule).unwrap_or_else(|reason| panic!("{rule}: {reason}"));
            assert_eq!(
                (checked.text.as_str(), checked.notes.len()),
                (mended, 1),
                "{rule}"
            );
        }
    }

    #[test]
    fn bad_rules_are_refused_with_a_reason() {
        for rule in [
            "",
            "DAILY",
            "COUNT=3",
            "FREQ=FORTNIGHTLY",
            "FREQ=DAILY;FREQ=DAILY",
            "FREQ=DAILY;COUNT=x",
            "FREQ=DAILY;BYDAY=XX",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=YEARLY;BYDAY=54MO",
            "FREQ=DAILY;UNTIL=soon",
            "FREQ=DAILY;BYMONTH=",
            "FREQ=YEARLY;BYWEEKNO=-54",
            "FREQ=DAILY;BYDAY=é",
            "FREQ=DAILY;INTERVAL=99999999999999999999",
        ] {
            assert!(text(rule).starts_with("! "), "{rule}");
        }
        assert!(text(&format!("FREQ=DAILY;BYHOUR={}", "1,".repeat(5_000))).contains("too long"));
    }
}
