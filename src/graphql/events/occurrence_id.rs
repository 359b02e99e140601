//! The id of an occurrence as text: the event and the original start. Lists have thousands of them, so it is put together by hand where the
//! start is an ordinary one. Promises: the same text as the general form gives. Knows no rows.

use std::borrow::Cow;
use std::io::Write as _;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value};
use chrono::{Datelike as _, Timelike as _};
use entity::ids::{self, CalendarEventId};

use crate::graphql::shape::WriteJson;
use crate::kernel::time::Instant;

/// An id with the longest prefix, `:`, and an instant in microseconds.
const LENGTH: usize = 32 + 1 + 23;

/// The id of the occurrence of an event with this original start. To clients it is an `ID`.
pub struct OccurrenceId {
    pub(super) event: CalendarEventId,
    pub(super) original_start: Instant,
}

impl OccurrenceId {
    fn append(&self, text: &mut Vec<u8>) {
        ids::append(self.event, text);
        text.push(b':');
        add_start(self.original_start, text);
    }

    fn id(&self) -> ID {
        let mut text = Vec::with_capacity(LENGTH);
        self.append(&mut text);
        // Letters, digits and signs of ASCII.
        ID(String::from_utf8(text).unwrap_or_default())
    }
}

impl WriteJson for OccurrenceId {
    fn write_json(&self, out: &mut Vec<u8>) {
        // Nothing in it needs an escape.
        out.push(b'"');
        self.append(out);
        out.push(b'"');
    }
}

impl OutputType for OccurrenceId {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        OutputType::resolve(&self.id(), ctx, field).await
    }
}

fn add_start(start: Instant, text: &mut Vec<u8>) {
    // Without its zone, which is added anew for each part that one asks for.
    let at = start.naive_utc();
    let (year, nanos) = (at.year(), at.nanosecond());
    // Years of other lengths, leap seconds and parts of a second are written in other ways.
    let (Ok(year), 0) = (u32::try_from(year), nanos) else {
        return add_any(start, text);
    };
    if year > 9_999 {
        return add_any(start, text);
    }
    let mut digits = *b"00000000T000000Z";
    let parts = [
        (year, 0, 4),
        (at.month(), 4, 6),
        (at.day(), 6, 8),
        (at.hour(), 9, 11),
        (at.minute(), 11, 13),
        (at.second(), 13, 15),
    ];
    for (number, from, to) in parts {
        let mut rest = number;
        for place in digits[from..to].iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    text.extend_from_slice(&digits);
}

/// Any instant, at leisure.
fn add_any(start: Instant, text: &mut Vec<u8>) {
    // Writing to memory does not fail.
    write!(text, "{}", start.format("%Y%m%dT%H%M%S%.fZ")).ok();
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeZone as _, Utc};
    use entity::ids::TypedId as _;

    use super::*;
    use crate::graphql::ids::global;

    #[test]
    fn ids_are_written_as_the_general_form_writes_them() {
        let event =
            CalendarEventId::from_uuid(uuid::Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057));
        let instants = [
            (0, 0),
            (1_764_288_061, 0),
            (1_764_288_061, 120_000_000),
            (1_764_288_061, 1_000),
            (1_764_288_061, 1),
            // A leap second.
            (1_483_228_799, 1_500_000_000),
            (951_782_400, 999_999_000),
            (-62_135_596_800, 0),
            (-62_167_219_201, 0),
            (253_402_300_799, 0),
            (253_402_300_800, 0),
            (-70_000_000_000, 0),
        ];
        let instants = instants.map(|(seconds, nanos)| Utc.timestamp_opt(seconds, nanos).unwrap());
        let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
        for start in instants.into_iter().chain(ends) {
            let general = format!("{}:{}", global(event).as_str(), start.format("%Y%m%dT%H%M%S%.fZ"));
            let id = OccurrenceId {
                event,
                original_start: start,
            };
            assert_eq!(id.id().as_str(), general);
            let mut json = Vec::new();
            id.write_json(&mut json);
            assert_eq!(json, serde_json::to_vec(&general).unwrap());
        }
    }
}
