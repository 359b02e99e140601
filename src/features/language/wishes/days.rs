//! Days of the week, between the calendar's, the rules' and the stored ones.

use entity::enums::Weekday;

/// A weekday as it is stored.
pub(super) fn named(day: jiff::civil::Weekday) -> Weekday {
    use jiff::civil::Weekday as Civil;
    match day {
        Civil::Monday => Weekday::Monday,
        Civil::Tuesday => Weekday::Tuesday,
        Civil::Wednesday => Weekday::Wednesday,
        Civil::Thursday => Weekday::Thursday,
        Civil::Friday => Weekday::Friday,
        Civil::Saturday => Weekday::Saturday,
        Civil::Sunday => Weekday::Sunday,
    }
}

/// The weekdays of a rule that repeats every week, none for every day.
pub(super) fn weekdays(rule: &str) -> Option<Vec<Weekday>> {
    if rule == "FREQ=DAILY" {
        return Some(Vec::new());
    }
    let days = rule.strip_prefix("FREQ=WEEKLY;BYDAY=")?.split(',');
    let day = |letters| match letters {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    };
    days.map(day).collect()
}
