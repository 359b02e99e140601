//! A series: the first start, the rule, the starts beside it and those that do not take place, made ready for questions.
//!
//! Promises: making one never fails and never expands anything. Days and floating times are taken as they are written and become
//! instants in the zone of whoever looks; times with a zone are the same instants for everybody. Starts are told apart by their
//! instants, days and floating times by what is written. Knows no tables.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::civil::{self, DAY};
use super::engine::Engine;
use super::moment::{Addition, Moment, PeriodEnd};
use super::resolve::{Resolver, timestamp};
use super::rule::{End, Rule};
use super::walk::Work;

/// The first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A whole day.
    Day(Date),
    /// A wall time that is meant wherever somebody is.
    Floating(DateTime),
    /// A wall time in the zone of the series.
    Zoned(DateTime),
}

impl Start {
    /// The wall time of the first start; of a day its midnight.
    pub fn local(self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(jiff::civil::Time::midnight()),
            Self::Floating(local) | Self::Zoned(local) => local,
        }
    }
}

/// What happens to occurrences whose wall time a change of clocks leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// They move forward by the gap.
    #[default]
    Shift,
    /// They do not take place and are not counted.
    Skip,
}

/// Everything that makes a series.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The first start.
    pub start: Start,
    /// The zone of the series; for days and floating times that of whoever looks.
    pub zone: &'a TimeZone,
    /// The rule; without one the series is its first start and the additions.
    pub rule: Option<&'a Rule>,
    /// Starts beside the rule.
    pub additions: &'a [Addition],
    /// Starts that do not take place.
    pub exclusions: &'a [Moment],
    /// What a change of clocks does.
    pub gap: Gap,
    /// Whether the first start takes place, and is counted, although the rule does not give it. RFC 5545 leaves this open.
    pub keeps_start: bool,
}

impl<'a> Parts<'a> {
    /// A series with nothing but a first start.
    pub fn new(start: Start, zone: &'a TimeZone) -> Self {
        Self {
            start,
            zone,
            rule: None,
            additions: &[],
            exclusions: &[],
            gap: Gap::Shift,
            keeps_start: false,
        }
    }
}

/// A series ready to be asked.
#[derive(Debug)]
pub struct Series {
    pub(super) zone: TimeZone,
    pub(super) kind: Kind,
    /// The part of a second that all starts have.
    pub(super) fraction: i32,
    pub(super) engine: Option<Engine>,
    pub(super) limit: Limit,
    pub(super) gap: Gap,
    /// Starts beside the rule, in order, without excluded ones.
    pub(super) extras: Vec<Found>,
    excluded: Vec<i64>,
    excluded_days: Vec<i64>,
}

/// In which terms a series speaks of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Day,
    Floating,
    Zoned,
}

/// What UNTIL allows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    None,
    Local(i64),
    Instant(i64),
}

/// A start, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) at: i64,
    /// The wall time that the rule gives, which may not exist.
    pub(super) local: i64,
    /// The end of a period with a length of its own.
    pub(super) end: Option<i64>,
}

impl Series {
    /// Makes a series ready.
    pub fn new(parts: &Parts<'_>) -> Self {
        let local = parts.start.local();
        let kind = match parts.start {
            Start::Day(_) => Kind::Day,
            Start::Floating(_) => Kind::Floating,
            Start::Zoned(_) => Kind::Zoned,
        };
        let start = civil::seconds(local);
        let mut series = Self {
            zone: parts.zone.clone(),
            kind,
            fraction: local.subsec_nanosecond(),
            engine: None,
            limit: Limit::None,
            gap: if kind == Kind::Zoned {
                parts.gap
            } else {
                Gap::Shift
            },
            extras: Vec::new(),
            excluded: Vec::new(),
            excluded_days: Vec::new(),
        };
        let mut resolver = Resolver::new(parts.zone);
        series.exclude(parts.exclusions, &mut resolver);
        let years = civil::FIRST_YEAR..=civil::LAST_YEAR;
        if let Some(rule) = parts.rule.filter(|_| years.contains(&local.year().into())) {
            series.limit = limit(kind, rule.end(), &mut resolver);
            series.engine = Some(Engine::new(rule, start, kind != Kind::Day));
        }
        let is_own = parts.rule.is_none() || (parts.keeps_start && !series.rule_gives(start));
        if is_own {
            series.extras.push(Found {
                at: resolver.resolve(start).at,
                local: start,
                end: None,
            });
            if let Some(count) = series.engine.as_mut().and_then(|engine| engine.count.as_mut()) {
                *count -= 1;
            }
        }
        series.add(parts.additions, start, &mut resolver);
        series
    }

    /// Whether the rule itself gives this wall time.
    fn rule_gives(&self, local: i64) -> bool {
        let mut is_given = false;
        if let Some(engine) = &self.engine {
            engine.walk(local, local, &mut Work(10_000), None, &mut |_| {
                is_given = true;
                std::ops::ControlFlow::Break(())
            });
        }
        is_given
    }

    fn exclude(&mut self, exclusions: &[Moment], resolver: &mut Resolver<'_>) {
        for &moment in exclusions {
            match (self.kind, moment) {
                (Kind::Day, _) | (_, Moment::Day(_)) => {
                    self.excluded_days.push(civil::day_number(moment.written_day()));
                }
                (Kind::Floating, _) => self.excluded.push(civil::seconds(moment.written())),
                (Kind::Zoned, _) => self.excluded.push(instant(moment, resolver)),
            }
        }
        self.excluded.sort_unstable();
        self.excluded_days.sort_unstable();
    }

    fn add(&mut self, additions: &[Addition], start: i64, resolver: &mut Resolver<'_>) {
        for addition in additions {
            let found = self.found(addition.start, start, resolver);
            let end = addition
                .end
                .as_ref()
                .and_then(|end| self.period_end(found, end, start, resolver));
            self.extras.push(Found { end, ..found });
        }
        let mut extras = std::mem::take(&mut self.extras);
        extras.retain(|extra| !self.is_excluded(*extra));
        // Of two with the same start the one with a length of its own stays.
        extras.sort_by_key(|extra| (extra.at, extra.local, extra.end.is_none()));
        extras.dedup_by(|later, kept| self.is_same(*later, *kept));
        self.extras = extras;
    }

    fn found(&self, moment: Moment, start: i64, resolver: &mut Resolver<'_>) -> Found {
        let (at, local) = match (self.kind, moment) {
            (Kind::Day, _) => (None, civil::day_number(moment.written_day()) * DAY),
            (_, Moment::Day(date)) => (None, civil::day_number(date) * DAY + start.rem_euclid(DAY)),
            (Kind::Zoned, Moment::Instant(at)) => {
                (Some(at.as_second()), civil::seconds(self.zone.to_datetime(at)))
            }
            _ => (None, civil::seconds(moment.written())),
        };
        let at = at.unwrap_or_else(|| resolver.resolve(local).at);
        Found { at, local, end: None }
    }

    /// The end of a period; `None` when it does not lie behind its start.
    fn period_end(
        &self,
        found: Found,
        end: &PeriodEnd,
        start: i64,
        resolver: &mut Resolver<'_>,
    ) -> Option<i64> {
        let end = match end {
            PeriodEnd::At(moment) => self.found(*moment, start, resolver).at,
            // Days of a length are days of the calendar, hours are hours (RFC 5545 3.3.6).
            PeriodEnd::After(span) => {
                let start = timestamp(found.at, 0).to_zoned(self.zone.clone());
                start.checked_add(*span).ok()?.timestamp().as_second()
            }
        };
        (end > found.at).then_some(end)
    }

    /// Whether a start does not take place.
    pub(super) fn is_excluded(&self, found: Found) -> bool {
        let key = if self.kind == Kind::Zoned {
            found.at
        } else {
            found.local
        };
        self.excluded.binary_search(&key).is_ok()
            || (!self.excluded_days.is_empty()
                && self
                    .excluded_days
                    .binary_search(&found.local.div_euclid(DAY))
                    .is_ok())
    }

    /// Whether two starts are one.
    pub(super) fn is_same(&self, one: Found, other: Found) -> bool {
        match self.kind {
            Kind::Zoned => one.at == other.at,
            Kind::Day | Kind::Floating => one.local == other.local,
        }
    }
}

/// What UNTIL means in the terms of a series. A day includes all that starts on it.
fn limit(kind: Kind, end: End, resolver: &mut Resolver<'_>) -> Limit {
    let End::Until(moment) = end else {
        return Limit::None;
    };
    match (kind, moment) {
        (Kind::Day, _) | (_, Moment::Day(_)) => {
            Limit::Local(civil::day_number(moment.written_day()) * DAY + DAY - 1)
        }
        (Kind::Floating, _) => Limit::Local(civil::seconds(moment.written())),
        (Kind::Zoned, _) => Limit::Instant(instant(moment, resolver)),
    }
}

/// The instant of a moment with a time in a series with a zone.
fn instant(moment: Moment, resolver: &mut Resolver<'_>) -> i64 {
    match moment {
        Moment::Instant(at) => floor(at),
        _ => resolver.resolve(civil::seconds(moment.written())).at,
    }
}

/// Whole seconds of an instant.
pub(super) fn floor(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond().div_euclid(1_000_000_000)).unwrap_or_default()
}
