//! A walker that looks at every second or day there is and asks of each whether RFC 5545 3.3.10 allows it. Shares nothing with the
//! engine but the rule: dates are jiff's, periods are compared by name, numbered weekdays are counted out.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Weekday};

use super::super::{End, Frequency, Rule, Skip};

/// All wall times of the rule up to a last day, COUNT included, UNTIL not.
pub(super) fn walk(rule: &Rule, start: DateTime, last: Date) -> Vec<DateTime> {
    let mut periods: BTreeMap<(i64, i64), Vec<DateTime>> = BTreeMap::new();
    // A year before, so that the period of the start is whole.
    let before = if rule.frequency < Frequency::Weekly {
        0
    } else {
        366
    };
    let mut day = start.date().checked_sub(before.days()).unwrap();
    while day <= last {
        for stand_in in stand_ins(rule, start, day) {
            if allows_day(rule, start, day, stand_in) {
                for time in times(rule, start, day) {
                    if let Some(period) =
                        period(rule, start, stand_in.unwrap_or(day).to_datetime(time.time()))
                    {
                        periods.entry(period).or_default().push(time);
                    }
                }
            }
        }
        day = day.tomorrow().unwrap();
    }
    let mut all = Vec::new();
    for (_, mut set) in periods {
        set.sort_unstable();
        set.dedup();
        let total = i16::try_from(set.len()).unwrap_or(i16::MAX);
        let is_chosen = |index: usize| {
            let index = i16::try_from(index).unwrap_or(i16::MAX);
            rule.positions.contains(&(index + 1)) || rule.positions.contains(&(index - total))
        };
        let chosen = (0..set.len()).filter(|index| rule.positions.is_empty() || is_chosen(*index));
        all.extend(chosen.map(|index| set[index]).filter(|local| *local >= start));
    }
    all.sort_unstable();
    all.dedup();
    if let End::Count(count) = rule.end {
        all.truncate(usize::try_from(count).unwrap());
    }
    all
}

/// Days as which this day can be meant: itself, and one that its month or the one before does not have. Those have no date;
/// a day of the month they belong to stands for the period.
fn stand_ins(rule: &Rule, start: DateTime, day: Date) -> Vec<Option<Date>> {
    let mut all = vec![None];
    if rule.frequency < Frequency::Monthly {
        return all;
    }
    let month = match rule.skip {
        Skip::Backward if day.day() == day.days_in_month() => day.first_of_month(),
        Skip::Forward if day.day() == 1 => day.yesterday().unwrap().first_of_month(),
        _ => return all,
    };
    let is_missing = |number: &i16| *number > i16::from(month.days_in_month());
    if month_days(rule, start).iter().any(is_missing) {
        all.push(Some(month));
    }
    all
}

fn month_days(rule: &Rule, start: DateTime) -> Vec<i16> {
    let is_open = rule.days.is_empty()
        && rule.month_days.is_empty()
        && rule.year_days.is_empty()
        && rule.weeks.is_empty();
    if is_open && rule.frequency >= Frequency::Monthly {
        return vec![start.day().into()];
    }
    rule.month_days.clone()
}

fn allows_day(rule: &Rule, start: DateTime, day: Date, stand_in: Option<Date>) -> bool {
    let of_month = stand_in.unwrap_or(day);
    let months = if rule.frequency == Frequency::Yearly
        && rule.months.is_empty()
        && rule.weeks.is_empty()
        && rule.days.is_empty()
        && rule.month_days.is_empty()
        && rule.year_days.is_empty()
    {
        vec![start.month().into()]
    } else {
        rule.months.clone()
    };
    let month_days = month_days(rule, start);
    let day_of_month = i16::from(day.day());
    let from_end = day_of_month - i16::from(day.days_in_month()) - 1;
    let is_month_day = stand_in.is_some()
        || month_days.is_empty()
        || month_days.contains(&day_of_month)
        || month_days.contains(&from_end);
    let from_year_end = day.day_of_year() - day.days_in_year() - 1;
    let is_year_day = rule.year_days.is_empty()
        || rule.year_days.contains(&day.day_of_year())
        || rule.year_days.contains(&from_year_end);
    (months.is_empty() || months.contains(&of_month.month().into()))
        && is_month_day
        && is_year_day
        && (rule.weeks.is_empty() || is_in_week(rule, day))
        && is_weekday(rule, start, day)
}

/// Weeks are counted out from the first day of the year before.
fn is_in_week(rule: &Rule, day: Date) -> bool {
    let week_start = day.tomorrow().unwrap().nth_weekday(-1, rule.week_start).unwrap();
    // The week belongs to the year that has its fourth day.
    let fourth = week_start.checked_add(3.days()).unwrap();
    let number = (fourth.day_of_year() - 1) / 7 + 1;
    let mut count = number;
    while week_start
        .checked_add((7 * i64::from(count - number + 1) + 3).days())
        .unwrap()
        .year()
        == fourth.year()
    {
        count += 1;
    }
    rule.weeks.contains(&number) || rule.weeks.contains(&(number - count - 1))
}

fn is_weekday(rule: &Rule, start: DateTime, day: Date) -> bool {
    let is_open = rule.days.is_empty() && rule.month_days.is_empty() && rule.year_days.is_empty();
    if is_open
        && (rule.frequency == Frequency::Weekly
            || (rule.frequency >= Frequency::Monthly && !rule.weeks.is_empty()))
    {
        return day.weekday() == start.weekday();
    }
    let within_year = rule.frequency == Frequency::Yearly && rule.months.is_empty();
    rule.days.is_empty()
        || rule.days.iter().any(|wanted| {
            wanted.weekday == day.weekday()
                && (wanted.nth == 0 || {
                    let (first, last) = if within_year {
                        (day.first_of_year(), day.last_of_year())
                    } else {
                        (day.first_of_month(), day.last_of_month())
                    };
                    let place = if wanted.nth > 0 {
                        count(first, day)
                    } else {
                        -count(day, last)
                    };
                    place == i32::from(wanted.nth)
                })
        })
}

/// How many days of the weekday of either end there are between two days, both included.
fn count(from: Date, to: Date) -> i32 {
    from.until(to).unwrap().get_days() / 7 + 1
}

/// Times of a day.
fn times(rule: &Rule, start: DateTime, day: Date) -> Vec<DateTime> {
    let fields = |list: &[i16], from_start: i8, is_coarser: bool, most: i16| -> Vec<i16> {
        match (list.is_empty(), is_coarser) {
            (false, _) => list.to_vec(),
            (true, true) => vec![from_start.into()],
            (true, false) => (0..=most).collect(),
        }
    };
    let frequency = rule.frequency;
    let hours = fields(&rule.hours, start.hour(), frequency > Frequency::Hourly, 23);
    let minutes = fields(&rule.minutes, start.minute(), frequency > Frequency::Minutely, 59);
    let seconds = fields(&rule.seconds, start.second(), frequency > Frequency::Secondly, 59);
    let mut all = Vec::new();
    for hour in hours {
        for minute in &minutes {
            for second in &seconds {
                let field = |value: i16| i8::try_from(value).unwrap();
                all.push(day.at(field(hour), field(*minute), field(*second), 0));
            }
        }
    }
    all
}

/// The period of a wall time, as what sorts it; `None` when the interval leaves it out.
fn period(rule: &Rule, start: DateTime, local: DateTime) -> Option<(i64, i64)> {
    let days = |date: Date| i64::from(Date::constant(1970, 1, 1).until(date).unwrap().get_days());
    let number = |at: DateTime| -> i64 {
        let clock = days(at.date()) * 86_400
            + i64::from(at.hour()) * 3_600
            + i64::from(at.minute()) * 60
            + i64::from(at.second());
        match rule.frequency {
            Frequency::Yearly => at.year().into(),
            Frequency::Monthly => i64::from(at.year()) * 12 + i64::from(at.month()),
            Frequency::Weekly => {
                let begin = at
                    .date()
                    .tomorrow()
                    .unwrap()
                    .nth_weekday(-1, rule.week_start)
                    .unwrap();
                // 4 January 1970 was a Sunday.
                (days(begin) - 3 - i64::from(Weekday::Sunday.until(rule.week_start))).div_euclid(7)
            }
            Frequency::Daily => clock.div_euclid(86_400),
            Frequency::Hourly => clock.div_euclid(3_600),
            Frequency::Minutely => clock.div_euclid(60),
            Frequency::Secondly => clock,
        }
    };
    let passed = number(local) - number(start);
    let interval = i64::try_from(rule.interval).unwrap();
    (passed.rem_euclid(interval) == 0).then_some((passed, 0))
}
