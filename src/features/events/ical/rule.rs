//! A recurrence rule as a calendar writes it, checked by the engine that will expand it.
//!
//! Promises: a rule that passes is one the engine reads without mending, in capitals and without blanks; small slips are mended with a
//! note, anything else is refused with a reason. A rule of another calendar than the Gregorian one is kept as it is, though nothing expands
//! it (RFC 7529). Must not know: the event it belongs to.

use super::value;
use crate::features::events::recurrence::Rule;

/// A rule that can be stored.
pub(super) struct CheckedRule {
    /// The rule without `RRULE:`.
    pub(super) text: String,
    /// What was mended, as sentences.
    pub(super) notes: Vec<String>,
}

/// Checks and tidies a rule; the error is a sentence.
pub(super) fn check(text: &str) -> Result<CheckedRule, String> {
    let tidy = tidied(text);
    let scale = tidy.split(';').find_map(|part| part.strip_prefix("RSCALE="));
    if let Some(scale) = scale.filter(|scale| *scale != "GREGORIAN" && tidy.len() < 1_000) {
        let note = format!(
            "The recurrence rule counts in the calendar {scale}, which nothing here can: it is kept, and only its first occurrence is shown."
        );
        return Ok(CheckedRule {
            notes: vec![note],
            text: tidy,
        });
    }
    match Rule::read(&tidy) {
        Ok((rule, mended)) => {
            // What needs no mending stays in the words of its writer; FREQ comes first for old readers.
            let is_fine = tidy.starts_with("FREQ=") && Rule::parse(&tidy).is_ok();
            let notes = mended.iter().map(|slip| format!("{slip} The rule was mended."));
            Ok(CheckedRule {
                notes: notes.collect(),
                text: if is_fine { tidy } else { rule.to_string() },
            })
        }
        Err(error) => Err(error.to_string()),
    }
}

fn tidied(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !letter.is_control())
        .collect::<String>()
        .to_ascii_uppercase();
    let text = text.strip_prefix("RRULE:").unwrap_or(&text);
    let parts = text.split(';').filter(|part| !part.is_empty());
    let parts: Vec<String> = parts
        .map(|part| match part.strip_prefix("UNTIL=").and_then(value::time) {
            Some(until) => format!("UNTIL={}", basic(until)),
            None => part.to_owned(),
        })
        .collect();
    parts.join(";")
}

/// A date or time as RFC 5545 writes it; some programs use dashes, leave seconds out or name an offset.
fn basic(time: value::RawTime) -> String {
    let local = time.local();
    if time.time.is_none() {
        return local.strftime("%Y%m%d").to_string();
    }
    let text = |local: jiff::civil::DateTime| local.strftime("%Y%m%dT%H%M%S").to_string();
    match time.offset.map(|offset| offset.to_timestamp(local)) {
        None => text(local),
        Some(Ok(at)) => text(jiff::tz::TimeZone::UTC.to_datetime(at)) + "Z",
        Some(Err(_)) => text(local) + "Z",
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
    fn good_rules_stay_as_they_are_written() {
        for rule in [
            "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU",
            "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
            "FREQ=DAILY;UNTIL=20251231T235959Z",
        ] {
            assert_eq!(text(rule), rule);
        }
        assert_eq!(
            text("RRULE:freq=weekly; BYDAY=mo,TU;;"),
            "FREQ=WEEKLY;BYDAY=MO,TU"
        );
        assert_eq!(
            text("FREQ=DAILY;UNTIL=2025-12-31T23:59:59+01:00"),
            "FREQ=DAILY;UNTIL=20251231T225959Z"
        );
        assert_eq!(
            text("BYDAY=TU,MO;FREQ=WEEKLY"),
            "FREQ=WEEKLY;BYDAY=MO,TU",
            "FREQ first"
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
    fn rules_of_other_calendars_are_kept() {
        let rule = "RSCALE=CHINESE;FREQ=YEARLY;SKIP=FORWARD;BYMONTH=5L";
        let checked = check(rule).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!((checked.text.as_str(), checked.notes.len()), (rule, 1));
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
        ] {
            assert!(text(rule).starts_with("! "), "{rule}: {}", text(rule));
        }
        assert!(text(&format!("FREQ=DAILY;BYHOUR={}", "1,".repeat(5_000))).contains("too long"));
    }
}
