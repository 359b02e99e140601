//! Values of the contract as JSON text, byte for byte what the executor and its serialiser make of them.

use async_graphql::resolver_utils::EnumType;
use async_graphql::{ID, ScalarType};
use chrono::{Datelike as _, Timelike as _};
use serde::Serialize;

use crate::graphql::enums;
use crate::graphql::scalars::{
    DateTime, EmailAddress, HexColor, Json, LocalDate, LocalTime, RRule, TimeZone, Url,
};

/// A value that can be written without a selection: scalars, enums, and lists and optionals of them.
pub trait WriteJson {
    /// Appends the value as JSON.
    fn write_json(&self, out: &mut Vec<u8>);
}

/// Appends anything that serialises without failing.
pub(super) fn any(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Appends a text with quotes.
pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    // Most texts are short and plain; the serialiser looks each byte up twice. Without a way out in the middle, many bytes are looked at
    // together.
    let plain = text.bytes().fold(true, |plain, byte| {
        plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\')
    });
    if plain {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        any(text, out);
    }
}

impl<T: WriteJson + ?Sized> WriteJson for &T {
    fn write_json(&self, out: &mut Vec<u8>) {
        T::write_json(self, out);
    }
}

impl<T: WriteJson> WriteJson for Option<T> {
    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write_json(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

impl<T: WriteJson> WriteJson for Vec<T> {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            item.write_json(out);
        }
        out.push(b']');
    }
}

impl WriteJson for str {
    fn write_json(&self, out: &mut Vec<u8>) {
        text(self, out);
    }
}

impl WriteJson for String {
    fn write_json(&self, out: &mut Vec<u8>) {
        text(self, out);
    }
}

impl WriteJson for ID {
    fn write_json(&self, out: &mut Vec<u8>) {
        text(self, out);
    }
}

impl WriteJson for bool {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl WriteJson for i32 {
    fn write_json(&self, out: &mut Vec<u8>) {
        any(self, out);
    }
}

impl WriteJson for DateTime {
    fn write_json(&self, out: &mut Vec<u8>) {
        // Without its zone, which is added anew for each part that one asks for.
        let at = self.0.naive_utc();
        let (year, nanos) = (at.year(), at.nanosecond());
        // Beyond four digits, in a leap second and below microseconds the notation changes.
        if !(0..=9_999).contains(&year) || nanos >= 1_000_000_000 || nanos % 1_000 != 0 {
            return any(&self.to_value(), out);
        }
        let mut text = *b"\"0000-00-00T00:00:00.000000Z\"";
        digits(year as u32, &mut text[1..5]);
        digits(at.month(), &mut text[6..8]);
        digits(at.day(), &mut text[9..11]);
        digits(at.hour(), &mut text[12..14]);
        digits(at.minute(), &mut text[15..17]);
        digits(at.second(), &mut text[18..20]);
        let end = match nanos {
            0 => 20,
            _ if nanos % 1_000_000 == 0 => {
                digits(nanos / 1_000_000, &mut text[21..24]);
                24
            }
            _ => {
                digits(nanos / 1_000, &mut text[21..27]);
                27
            }
        };
        out.extend_from_slice(&text[..end]);
        out.extend_from_slice(b"Z\"");
    }
}

fn digits(number: u32, places: &mut [u8]) {
    // Two at a time: no part of a time has an odd number of them but milliseconds.
    let mut rest = number;
    for pair in places.rchunks_mut(2) {
        let two = (rest % 100) as u8;
        rest /= 100;
        match pair {
            [tens, ones] => (*tens, *ones) = (b'0' + two / 10, b'0' + two % 10),
            [one] => *one = b'0' + two,
            _ => {}
        }
    }
}

macro_rules! texts {
    ($($scalar:ident),+) => {
        $(impl WriteJson for $scalar {
            fn write_json(&self, out: &mut Vec<u8>) {
                text(&self.0, out);
            }
        })+
    };
}

texts!(EmailAddress, HexColor, RRule, TimeZone, Url);

macro_rules! by_value {
    ($($scalar:ident),+) => {
        $(impl WriteJson for $scalar {
            fn write_json(&self, out: &mut Vec<u8>) {
                any(&self.to_value(), out);
            }
        })+
    };
}

by_value!(Json, LocalDate, LocalTime);

macro_rules! words {
    ($($word:ident),+ $(,)?) => {
        $(impl WriteJson for enums::$word {
            fn write_json(&self, out: &mut Vec<u8>) {
                let item = Self::items().iter().find(|item| item.value == *self);
                text(item.map_or("", |item| item.name), out);
            }
        })+
    };
}

words!(
    AttendeeResponse,
    ChangeAction,
    EnergyLevel,
    EventStatus,
    EventTransparency,
    EventVisibility,
    FocusSessionStatus,
    NotificationChannel,
    NotificationType,
    ScheduleSlotKind,
    TaskPriority,
    TaskStatus,
    WorkspaceRole,
);

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::*;

    fn written(value: impl WriteJson) -> String {
        let mut out = Vec::new();
        value.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_written_as_the_scalar_writes_them() {
        for (seconds, nanos) in [
            (0, 0),
            (1_764_288_000, 120_000_000),
            (1_764_288_061, 1_000),
            (1_764_288_061, 1),
            (951_782_400, 999_999_000),
            (-62_135_596_800, 0),
            (253_402_300_799, 999_999_000),
            (-70_000_000_000, 0),
            (300_000_000_000, 0),
        ] {
            let at = DateTime(Utc.timestamp_opt(seconds, nanos).unwrap());
            assert_eq!(written(at), serde_json::to_string(&at.to_value()).unwrap());
        }
    }

    #[test]
    fn texts_are_escaped_as_the_serialiser_escapes_them() {
        for text in [
            "",
            "plain",
            "ä\u{1F600}",
            "\"",
            "\\",
            "\n\r\t\u{8}\u{c}",
            "\u{0}\u{1f}\u{7f}",
            "</script>",
        ] {
            assert_eq!(written(text), serde_json::to_string(text).unwrap());
        }
        assert_eq!(written(vec![Some("a"), None]), r#"["a",null]"#);
        assert_eq!(written(enums::TaskStatus::InProgress), "\"IN_PROGRESS\"");
    }
}
