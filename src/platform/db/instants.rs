//! Times as SQLite keeps them: texts of one form each. The driver tries one form after the other and reads what each says anew; that takes
//! longer than all else that is read of a row. Here the forms that are written are read by their places. Promises: gives what the driver
//! would give, or nothing, and then the driver reads the text. Knows no rows.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// An instant, such as `2026-03-02T08:00:00.123+00:00`.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.as_bytes().strip_suffix(b"+00:00")?;
    Some(wall_time(text, b'T')?.and_utc())
}

/// A wall time, such as `2026-03-02 09:00:00`.
pub(super) fn local(text: &str) -> Option<NaiveDateTime> {
    wall_time(text.as_bytes(), b' ')
}

/// A day, such as `2026-03-02`.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    date(text.as_bytes().try_into().ok()?)
}

fn wall_time(text: &[u8], between: u8) -> Option<NaiveDateTime> {
    let (day, time) = text.split_first_chunk::<10>()?;
    let (&[separator, h1, h2, b':', m1, m2, b':', s1, s2], fraction) = time.split_first_chunk::<9>()? else {
        return None;
    };
    if separator != between {
        return None;
    }
    let [hour, minute, second] = [[h1, h2], [m1, m2], [s1, s2]].map(|digits| number(&digits));
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] => match digits.len() {
            3 => number(digits)? * 1_000_000,
            6 => number(digits)? * 1_000,
            9 => number(digits)?,
            _ => return None,
        },
        _ => return None,
    };
    // A leap second is none of these.
    date(day)?.and_hms_nano_opt(hour?, minute?, second?, nanos)
}

fn date(text: &[u8; 10]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else {
        return None;
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)
}

/// At most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u32::from(digit))
    })
}

#[cfg(test)]
mod tests;
