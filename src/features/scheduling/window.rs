//! The time that is planned, as the engine's slots: days of 23, 24 and 25 hours, working hours with several ranges a day and past midnight.
//!
//! Promises: pure; slots are counted from the first midnight in the person's zone, so that a change of clocks never reaches the engine.

use chrono::{Datelike as _, Duration, NaiveDate, NaiveTime, Timelike as _};
use entity::enums::{EnergyPeriod, Weekday};
use jiff::tz::TimeZone;

use super::engine::Range;
use crate::features::people::WorkingHours;
use crate::kernel::time::{Instant, Span};
use crate::kernel::zones;

/// A day of the plan, in slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The date.
    pub date: NaiveDate,
    /// First slot.
    pub start: i64,
    /// Slot just after.
    pub end: i64,
}

/// The time that is planned.
#[derive(Clone, Debug)]
pub struct Window {
    /// Where the person is.
    pub zone: TimeZone,
    /// Minutes of a slot.
    pub slot_minutes: i64,
    /// The days; the last one may be the morning in which a shift ends that began on the last day asked for.
    pub days: Vec<Day>,
    /// When somebody works, in slots.
    pub hours: Vec<Range>,
    t0: Instant,
    last: NaiveDate,
}

impl Window {
    /// The days from `first` to `last`, both included, with the hours of a week.
    pub fn new(
        zone: TimeZone,
        first: NaiveDate,
        last: NaiveDate,
        week: &[WorkingHours],
        slot_minutes: i64,
    ) -> Self {
        let mut window = Self {
            t0: midnight(first, &zone),
            last,
            zone,
            slot_minutes,
            days: Vec::new(),
            hours: Vec::new(),
        };
        let mut date = first;
        while date <= last {
            let end = window.floor(midnight(next(date), &window.zone));
            let start = window.days.last().map_or(0, |day| day.end);
            window.days.push(Day { date, start, end });
            date = next(date);
        }
        window.hours = window.hours_of(first, week);
        window.reach(window.hours.last().map_or(0, |hours| hours.1));
        window
    }

    /// The window with the ends of the shifts of another week that begin on its days.
    #[must_use]
    pub fn reaching(mut self, week: &[WorkingHours]) -> Self {
        if let Some(first) = self.days.first() {
            let hours = self.hours_of(first.date, week);
            self.reach(hours.last().map_or(0, |hours| hours.1));
        }
        self
    }

    /// Makes room for a shift that ends after the last midnight.
    fn reach(&mut self, late: i64) {
        let end = self.horizon();
        let Some(day) = self.days.last_mut().filter(|_| late > end) else {
            return;
        };
        if day.date > self.last {
            day.end = late;
        } else {
            let date = next(day.date);
            self.days.push(Day {
                date,
                start: end,
                end: late,
            });
        }
    }

    /// Number of slots.
    pub fn horizon(&self) -> i64 {
        self.days.last().map_or(0, |day| day.end)
    }

    /// From the first instant to the one after the last.
    pub fn span(&self) -> Span {
        Span {
            start: self.t0,
            end: self.instant(self.horizon()),
        }
    }

    /// The slot that an instant is in.
    pub fn floor(&self, at: Instant) -> i64 {
        (at - self.t0)
            .num_microseconds()
            .unwrap_or(i64::MAX / 2)
            .div_euclid(self.micros())
    }

    /// The first slot that does not begin before an instant.
    pub fn ceil(&self, at: Instant) -> i64 {
        let micros = (at - self.t0).num_microseconds().unwrap_or(i64::MAX / 2);
        -(-micros).div_euclid(self.micros())
    }

    /// The instant at which a slot begins.
    pub fn instant(&self, slot: i64) -> Instant {
        self.t0 + Duration::minutes(slot.saturating_mul(self.slot_minutes))
    }

    /// Whole slots of some minutes, rounded up.
    pub fn slots(&self, minutes: i64) -> i64 {
        -(-minutes).div_euclid(self.slot_minutes)
    }

    /// The slots of a span, rounded outwards and cut to the window; nothing when it lies outside.
    pub fn cover(&self, span: Span) -> Option<Range> {
        let start = self.floor(span.start).max(0);
        let end = self.ceil(span.end).min(self.horizon());
        (start < end).then_some((start, end))
    }

    /// The slots of a span that lies on the grid, wherever that is.
    pub fn exact(&self, span: Span) -> Option<Range> {
        let range = (self.floor(span.start), self.floor(span.end));
        let is_exact = self.instant(range.0) == span.start && self.instant(range.1) == span.end;
        is_exact.then_some(range)
    }

    /// The span of some slots.
    pub fn between(&self, (start, end): Range) -> Span {
        Span {
            start: self.instant(start),
            end: self.instant(end),
        }
    }

    fn micros(&self) -> i64 {
        self.slot_minutes * 60_000_000
    }

    /// When the hours of another week open, within the window.
    pub fn open(&self, week: &[WorkingHours]) -> Vec<Range> {
        let Some(first) = self.days.first() else {
            return Vec::new();
        };
        let ranges = self.hours_of(first.date, week).into_iter();
        ranges
            .map(|(start, end)| (start, end.min(self.horizon())))
            .filter(|(start, end)| start < end)
            .collect()
    }

    /// Ranges of work, in order, merged where they touch.
    fn hours_of(&self, first: NaiveDate, week: &[WorkingHours]) -> Vec<Range> {
        let last = self.last;
        let mut found = Vec::new();
        // The shift of the day before may end on the first day.
        let mut date = first.pred_opt().unwrap_or(first);
        while date <= last {
            for hours in week.iter().filter(|hours| is_on(hours.weekday, date)) {
                let until = if hours.end > hours.start { date } else { next(date) };
                let start = self.ceil(self.wall(date, hours.start)).max(0);
                let end = self.floor(self.wall(until, hours.end));
                if start < end {
                    found.push((start, end));
                }
            }
            date = next(date);
        }
        found.sort_unstable();
        let mut merged: Vec<Range> = Vec::new();
        for range in found {
            match merged.last_mut() {
                Some(before) if before.1 >= range.0 => before.1 = before.1.max(range.1),
                _ => merged.push(range),
            }
        }
        merged
    }

    fn wall(&self, date: NaiveDate, time: NaiveTime) -> Instant {
        let local = zones::local_from_chrono(date.and_time(time));
        zones::to_chrono(zones::to_utc(local, &self.zone))
    }

    /// How little each slot suits work that needs the given energy, by the hours in which a person has most.
    pub fn discomfort(&self, peak: EnergyPeriod, inside: i64, outside: i64) -> Vec<i64> {
        let hours = match peak {
            EnergyPeriod::Morning => 5..12,
            EnergyPeriod::Afternoon => 12..17,
            EnergyPeriod::Evening => 17..24,
        };
        self.by_clock(|time| {
            if hours.contains(&time.hour()) {
                inside
            } else {
                outside
            }
        })
    }

    /// A value for each slot, by the clock on the wall.
    pub fn by_clock(&self, value: impl Fn(NaiveTime) -> i64) -> Vec<i64> {
        let at = |slot: i64| {
            let local = zones::local_of(zones::from_chrono(self.instant(slot)), &self.zone);
            zones::local_to_chrono(local).time()
        };
        (0..self.horizon()).map(|slot| value(at(slot))).collect()
    }
}

/// The first instant of a day.
pub fn midnight(day: NaiveDate, zone: &TimeZone) -> Instant {
    let start = zones::date_from_chrono(day).to_datetime(jiff::civil::Time::midnight());
    zones::to_chrono(zones::to_utc(start, zone))
}

/// The day that an instant is in.
pub fn date_of(at: Instant, zone: &TimeZone) -> NaiveDate {
    zones::date_to_chrono(zones::local_of(zones::from_chrono(at), zone).date())
}

fn next(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

/// Whether a date is this day of the week.
pub fn is_on(weekday: Weekday, date: NaiveDate) -> bool {
    let named = match date.weekday() {
        chrono::Weekday::Mon => Weekday::Monday,
        chrono::Weekday::Tue => Weekday::Tuesday,
        chrono::Weekday::Wed => Weekday::Wednesday,
        chrono::Weekday::Thu => Weekday::Thursday,
        chrono::Weekday::Fri => Weekday::Friday,
        chrono::Weekday::Sat => Weekday::Saturday,
        chrono::Weekday::Sun => Weekday::Sunday,
    };
    named == weekday
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(weekday: Weekday, start: &str, end: &str) -> WorkingHours {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        WorkingHours {
            weekday,
            start: time(start),
            end: time(end),
        }
    }

    fn window(first: &str, last: &str, week: &[WorkingHours]) -> Window {
        let zone = zones::zone("Europe/Berlin").unwrap();
        Window::new(zone, day(first), day(last), week, 15)
    }

    #[test]
    fn days_of_23_and_25_hours_have_as_many_slots() {
        let spring = window("2026-03-28", "2026-03-30", &[]);
        let lengths: Vec<i64> = spring.days.iter().map(|day| day.end - day.start).collect();
        assert_eq!(lengths, [96, 92, 96]);
        let autumn = window("2026-10-25", "2026-10-25", &[]);
        assert_eq!(autumn.horizon(), 100);
    }

    #[test]
    fn hours_keep_their_wall_time_when_clocks_change() {
        let week = [
            hours(Weekday::Saturday, "09:00", "12:00"),
            hours(Weekday::Monday, "09:00", "12:00"),
        ];
        let window = window("2026-03-28", "2026-03-30", &week);
        let starts: Vec<String> = window
            .hours
            .iter()
            .map(|range| window.instant(range.0).to_rfc3339())
            .collect();
        assert_eq!(starts, ["2026-03-28T08:00:00+00:00", "2026-03-30T07:00:00+00:00"]);
    }

    #[test]
    fn a_shift_past_midnight_belongs_to_the_day_on_which_it_begins() {
        let week = [hours(Weekday::Monday, "22:00", "06:00")];
        let monday = window("2026-03-02", "2026-03-02", &week);
        assert_eq!(monday.hours, [(88, 120)]);
        assert_eq!(monday.days.len(), 2);
        assert_eq!(monday.horizon(), 120);
        let tuesday = window("2026-03-03", "2026-03-03", &week);
        assert_eq!(tuesday.hours, [(0, 24)]);
    }

    #[test]
    fn the_night_shift_of_a_task_makes_room_for_its_end() {
        let night = [hours(Weekday::Monday, "22:00", "06:00")];
        let office = window(
            "2026-03-02",
            "2026-03-02",
            &[hours(Weekday::Monday, "09:00", "17:00")],
        );
        assert_eq!((office.horizon(), office.open(&night)), (96, vec![(88, 96)]));
        let longer = office.reaching(&night);
        assert_eq!((longer.horizon(), longer.days.len()), (120, 2));
        assert_eq!(longer.open(&night), [(88, 120)]);
        assert_eq!(longer.hours, [(36, 68)], "the person's hours are what they were");
        // The person's own morning grows, or stays when it is long enough.
        let evening = [hours(Weekday::Monday, "23:00", "02:00")];
        let both = window("2026-03-02", "2026-03-02", &evening).reaching(&night);
        assert_eq!((both.horizon(), both.days.len()), (120, 2));
        assert_eq!(both.reaching(&evening).horizon(), 120);
    }

    #[test]
    fn several_ranges_of_a_day_stay_apart_and_touching_ones_become_one() {
        let week = [
            hours(Weekday::Monday, "13:00", "17:00"),
            hours(Weekday::Monday, "08:00", "10:00"),
            hours(Weekday::Monday, "10:00", "12:00"),
        ];
        assert_eq!(
            window("2026-03-02", "2026-03-02", &week).hours,
            [(32, 48), (52, 68)]
        );
    }

    #[test]
    fn energy_follows_the_clock_on_the_wall() {
        let window = window("2026-03-28", "2026-03-29", &[]);
        let low = window.discomfort(EnergyPeriod::Morning, 0, 2);
        assert_eq!(
            (low[96 + 28], low[96 + 43], low[96 + 44]),
            (0, 0, 2),
            "eleven of summer time is an hour earlier"
        );
    }
}
