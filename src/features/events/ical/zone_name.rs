//! Zone names as calendar programs write them, to IANA zones.
//!
//! Order (each step only when the one before found nothing): IANA name in any case, vendor prefix stripped, Windows
//! (CLDR) names and Microsoft display names. Must not know: VTIMEZONE definitions; those come later.

use std::str::FromStr as _;

use calcard::common::timezone::Tz;
use jiff::tz::TimeZone;

use crate::kernel::zones;

/// Longer names are not looked up.
const LENGTH_LIMIT: usize = 200;

/// The zone a name certainly means.
pub(super) fn by_name(name: &str) -> Option<TimeZone> {
    let name = tidy(name)?;
    if let Some(zone) = zones::zone(name) {
        return Some(zone);
    }
    if let Some(zone) = without_prefix(name) {
        return Some(zone);
    }
    // "(UTC-05:00) Eastern Time (US & Canada)": if only the offset is understood the name is a guess.
    let label = name
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .map_or(name, |(_, label)| label.trim());
    windows(label).or_else(|| windows(label.split(';').next().unwrap_or(label)))
}

/// The zone of a name that only tells an offset: `(UTC+05:30) Somewhere`, `GMT+0200`, `UTC-3`, `+01:00`.
pub(super) fn by_offset(name: &str) -> Option<i32> {
    let name = tidy(name)?;
    let name = name
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .map_or(name, |(offset, _)| offset);
    let upper = name.trim().to_ascii_uppercase();
    let offset = upper
        .strip_prefix("UTC")
        .or_else(|| upper.strip_prefix("GMT"))
        .unwrap_or(&upper)
        .trim();
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = offset[1..].chars().filter(|letter| *letter != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 {
        (number, 0)
    } else {
        (number / 100, number % 100)
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The zone of a Microsoft CDO zone number (`X-MICROSOFT-CDO-TZID`).
pub(super) fn by_cdo_number(number: &str) -> Option<TimeZone> {
    zones::zone(&Tz::from_ms_cdo_zone_id(number.trim())?.name()?)
}

fn tidy(name: &str) -> Option<&str> {
    let name = name.trim().trim_matches('"').trim();
    (!name.is_empty() && name.len() <= LENGTH_LIMIT).then_some(name)
}

/// `/freeassociation.sourceforge.net/Europe/Berlin` and `tzone://Microsoft/Utc`: the tail that is an IANA name.
fn without_prefix(name: &str) -> Option<TimeZone> {
    let starts: Vec<usize> = name.match_indices('/').map(|(at, _)| at + 1).collect();
    // Long tails first, so that America/Argentina/Salta is not cut to something shorter. A tail of one word
    // ("Japan", "Navajo") is too weak a hint unless it is UTC.
    starts.iter().rev().take(3).rev().find_map(|start| {
        let tail = &name[*start..];
        let is_utc = tail.eq_ignore_ascii_case("utc") || tail.eq_ignore_ascii_case("gmt");
        if tail.contains('/') || is_utc {
            zones::zone(tail)
        } else {
            None
        }
    })
}

/// Windows and Microsoft display names. The crate's table knows only one spelling of each, so that
/// `EASTERN STANDARD TIME` is tried with capital initials too.
fn windows(name: &str) -> Option<TimeZone> {
    let find = |name: &str| zones::zone(&Tz::from_str(name).ok()?.name()?);
    find(name).or_else(|| find(&capital_initials(name)))
}

fn capital_initials(name: &str) -> String {
    let mut starts_word = true;
    name.chars()
        .map(|letter| {
            let changed = if starts_word {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            };
            starts_word = !letter.is_alphanumeric();
            changed
        })
        .collect()
}

#[cfg(test)]
mod tests;
