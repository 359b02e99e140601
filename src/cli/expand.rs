//! `expand`: recurrence rules from a file, expanded, for comparison with other programs.
//!
//! The file is a JSON list of cases, or has one case a line: `id`, `dtstart`, `tzid` (null for floating times and days), `rrule`,
//! `exdate`, `rdate` and `limit`. Each case gives a line `{"id": …, "starts": […]}`: instants in UTC, or what is written when
//! there is no zone. A case that cannot be read gives no starts and an `error`; one that needs too much work says `truncated`.
//!
//! A calendar file is expanded as well: each of its objects gives such a line with its UID as `id`, overrides applied, and what was wrong
//! with it as `problems`.

use std::io::Write as _;
use std::path::Path;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Outcome;
use crate::features::events::recurrence::{Addition, Budget, Gap, Moment, Parts, Rule, Series, Start};
use crate::features::events::{self, ical};
use crate::kernel::time::Span;
use crate::kernel::zones;

/// Starts of a case that does not say how many it wants.
const USUAL_LIMIT: usize = 400;
/// Most starts of one object of a calendar file.
const MOST_OF_FILE: usize = 10_000;
/// A command may work longer than a request.
const BUDGET: Budget = Budget {
    steps: 2_000_000,
    starts: 100_000,
};

/// What happens to times that a change of clocks leaves out.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum GapPolicy {
    /// They move forward by the gap.
    Shift,
    /// They do not take place.
    Skip,
}

impl From<GapPolicy> for Gap {
    fn from(policy: GapPolicy) -> Self {
        match policy {
            GapPolicy::Shift => Self::Shift,
            GapPolicy::Skip => Self::Skip,
        }
    }
}

/// One case of the file.
#[derive(Deserialize)]
struct Case {
    id: Value,
    dtstart: String,
    tzid: Option<String>,
    rrule: Option<String>,
    #[serde(default)]
    exdate: Vec<String>,
    #[serde(default)]
    rdate: Vec<String>,
    limit: Option<usize>,
}

/// Which occurrences of a calendar file are printed.
#[derive(clap::Args)]
pub(super) struct Window {
    /// First instant, for calendar files.
    #[arg(long, value_name = "INSTANT", default_value = "1970-01-01T00:00:00Z")]
    from: chrono::DateTime<chrono::Utc>,
    /// Instant just after the last, for calendar files.
    #[arg(long, value_name = "INSTANT", default_value = "2100-01-01T00:00:00Z")]
    until: chrono::DateTime<chrono::Utc>,
    /// Zone of times that have none that can be found out, for calendar files.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
}

/// Prints a line for each case of a file.
pub(super) fn run(file: &Path, gap: GapPolicy, window: &Window) -> Outcome {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| wrong(&error))?;
    let text = ical::decode(&bytes).text;
    let is_calendar = text.trim_start_matches('\u{feff}').trim_start().get(..6);
    if is_calendar.is_some_and(|word| word.eq_ignore_ascii_case("BEGIN:")) {
        return calendar(&text, window).map_err(|error| wrong(&error).into());
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for case in cases(&text).map_err(|error| wrong(&error))? {
        let line = match starts(&case, gap.into()) {
            Ok((starts, false)) => json!({ "id": case.id, "starts": starts }),
            Ok((starts, true)) => json!({ "id": case.id, "starts": starts, "truncated": true }),
            Err(error) => json!({ "id": case.id, "starts": [], "error": error }),
        };
        if let Err(error) = writeln!(out, "{line}") {
            return closed(error);
        }
    }
    out.flush().or_else(closed)
}

/// Prints a line for each object of a calendar.
fn calendar(text: &str, window: &Window) -> Outcome {
    let span = Span::new(window.from, window.until).ok_or("`--until` must be after `--from`")?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for object in events::file_starts(text, &window.zone, span)? {
        let starts = object.starts.iter().take(MOST_OF_FILE).map(ToString::to_string);
        let mut line = json!({ "id": object.uid, "starts": starts.collect::<Vec<_>>() });
        if object.truncated || object.starts.len() > MOST_OF_FILE {
            line["truncated"] = true.into();
        }
        if !object.problems.is_empty() {
            line["problems"] = object.problems.into();
        }
        if let Err(error) = writeln!(out, "{line}") {
            return closed(error);
        }
    }
    out.flush().or_else(closed)
}

/// Whoever reads the lines may have seen enough.
fn closed(error: std::io::Error) -> Outcome {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error.into()),
    }
}

fn cases(text: &str) -> Result<Vec<Case>, serde_json::Error> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(serde_json::from_str).collect()
}

/// The first starts, and whether the budget cut them short.
fn starts(case: &Case, gap: Gap) -> Result<(Vec<String>, bool), String> {
    let moment = |text: &String| {
        text.parse::<Moment>()
            .map_err(|_| format!("`{text}` is not a date or time"))
    };
    let zone = match &case.tzid {
        Some(name) => zones::zone(name).ok_or_else(|| format!("`{name}` is not a time zone"))?,
        None => TimeZone::UTC,
    };
    let start = match moment(&case.dtstart)? {
        Moment::Day(date) => Start::Day(date),
        Moment::Local(local) if case.tzid.is_some() => Start::Zoned(local),
        Moment::Local(local) => Start::Floating(local),
        Moment::Instant(at) => Start::Zoned(zone.to_datetime(at)),
    };
    let rule = case
        .rrule
        .as_deref()
        .filter(|rule| !rule.is_empty())
        .map(Rule::read);
    let rule = rule
        .transpose()
        .map_err(|error| error.to_string())?
        .map(|(rule, _)| rule);
    let exclusions = case.exdate.iter().map(moment).collect::<Result<Vec<_>, _>>()?;
    let addition = |text: &String| {
        text.parse::<Addition>()
            .map_err(|_| format!("`{text}` is not a date, time or period"))
    };
    let additions = case.rdate.iter().map(addition).collect::<Result<Vec<_>, _>>()?;
    let series = Series::new(&Parts {
        rule: rule.as_ref(),
        additions: &additions,
        exclusions: &exclusions,
        gap,
        ..Parts::new(start, &zone)
    });
    let expansion = series.take(Timestamp::MIN, case.limit.unwrap_or(USUAL_LIMIT), BUDGET);
    let starts = expansion.occurrences.iter().map(|occurrence| {
        match start {
            Start::Day(_) => Moment::Day(occurrence.local.date()),
            Start::Floating(_) => Moment::Local(occurrence.local),
            Start::Zoned(_) => Moment::Instant(occurrence.start),
        }
        .to_string()
    });
    Ok((starts.collect(), expansion.truncated))
}
