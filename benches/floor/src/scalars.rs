//! Ids and instants between their two forms.

use std::error::Error;
use std::io::Write as _;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use uuid::Uuid;

use crate::Result;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DAY: i64 = 86_400_000_000;
/// Days from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_DAYS: i64 = 10_957;

/// Writes `prefix_` and 26 characters.
pub(crate) fn write_id(out: &mut Vec<u8>, prefix: &str, id: Uuid) {
    let mut value = id.as_u128();
    let mut text = [b'0'; 26];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    out.extend_from_slice(prefix.as_bytes());
    out.push(b'_');
    out.extend_from_slice(&text);
}

/// Reads an id with any prefix.
pub(crate) fn read_id(text: &str) -> Result<Uuid> {
    let (_, value) = text.rsplit_once('_').ok_or("an id without a prefix")?;
    let mut bits: u128 = 0;
    for byte in value.bytes() {
        let digit = ALPHABET
            .iter()
            .position(|known| *known == byte)
            .ok_or("not an id")?;
        bits = bits << 5 | digit as u128;
    }
    Ok(Uuid::from_u128(bits))
}

/// An instant as PostgreSQL sends it: microseconds since 2000.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Micros(i64);

impl Micros {
    /// Reads `2026-06-01T08:00:00Z`.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let part =
            |from: usize, to: usize| -> Result<i64> { Ok(text.get(from..to).ok_or("too short")?.parse()?) };
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let seconds = part(11, 13)? * 3600 + part(14, 16)? * 60 + part(17, 19)?;
        // Days of the civil calendar, with years that begin in March.
        let shifted = if month <= 2 { year - 1 } else { year };
        let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468;
        Ok(Self((days - EPOCH_DAYS) * DAY + seconds * 1_000_000))
    }

    /// Now, by the machine's clock.
    pub(crate) fn now() -> Result<Self> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        Ok(Self(i64::try_from(since.as_micros())? - EPOCH_DAYS * DAY))
    }

    /// Writes `2026-06-01T08:00:00Z`; every instant of the data is a whole second.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let (days, rest) = (
            self.0.div_euclid(DAY) + EPOCH_DAYS + 719_468,
            self.0.rem_euclid(DAY) / 1_000_000,
        );
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        // `write!` into a vector does not fail.
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
        .ok();
    }
}

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?)))
    }

    accepts!(TIMESTAMPTZ);
}

impl ToSql for Micros {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

/// A JSON document as text.
pub(crate) struct RawJson<'a>(pub(crate) &'a str);

impl<'a> FromSql<'a> for RawJson<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        // The first byte is the version of the format.
        Ok(Self(std::str::from_utf8(raw.get(1..).unwrap_or_default())?))
    }

    accepts!(JSONB);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_ids_come_back_as_they_were() {
        for text in [
            "1999-12-31T23:59:59Z",
            "2000-02-29T00:00:00Z",
            "2026-11-28T08:30:01Z",
        ] {
            let mut out = Vec::new();
            Micros::read(text).unwrap().write(&mut out);
            assert_eq!(out, text.as_bytes());
        }
        let mut out = Vec::new();
        write_id(&mut out, "task", Uuid::from_u128(42));
        assert_eq!(
            read_id(std::str::from_utf8(&out).unwrap()).unwrap(),
            Uuid::from_u128(42)
        );
    }
}
