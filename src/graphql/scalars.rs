//! The scalars of the contract. Each refuses what it is not with a sentence that says what it wants.

use async_graphql::{
    Description, InputType, InputValueError, InputValueResult, Pos, Scalar, ScalarType, Value,
};
use chrono::{NaiveDate, NaiveTime, SecondsFormat, Utc};

/// An RFC 3339 timestamp with offset. The server always returns UTC, for example `2026-11-22T09:30:00Z`.
#[derive(Description, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub chrono::DateTime<Utc>);

#[Scalar(
    use_type_description,
    name = "DateTime",
    specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "a timestamp such as `2026-11-22T09:30:00Z`")?;
        let at = chrono::DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.to_utc());
        // Years of four digits: everything a calendar can hold, and nothing a database refuses.
        let at = at.filter(|at| (1..=9_999).contains(&chrono::Datelike::year(at)));
        at.map(|at| Self(crate::kernel::time::truncate(at)))
            .ok_or_else(|| {
                InputValueError::custom(format!(
                    "`{}` is not a timestamp with offset. Send one such as `2026-11-22T09:30:00Z`.",
                    shorten(text)
                ))
            })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// A calendar date without time or zone (ISO 8601), for example `2026-11-22`. Used for all-day events and day buckets.
#[derive(Description, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalDate(pub NaiveDate);

#[Scalar(
    use_type_description,
    name = "LocalDate",
    specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html"
)]
impl ScalarType for LocalDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "a date such as `2026-11-22`")?;
        let date = (text.len() == 10)
            .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .flatten();
        date.map(Self).ok_or_else(|| {
            InputValueError::custom(format!(
                "`{}` is not a date. Send one such as `2026-11-22`.",
                shorten(text)
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

/// A wall-clock time without zone, 24-hour `HH:MM`, for example `09:30`. Interpreted in the time zone of its parent object.
#[derive(Description, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime(pub NaiveTime);

#[Scalar(
    use_type_description,
    name = "LocalTime",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
)]
impl ScalarType for LocalTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "a time such as `09:30`")?;
        let time = (text.len() == 5)
            .then(|| NaiveTime::parse_from_str(text, "%H:%M").ok())
            .flatten();
        time.map(Self).ok_or_else(|| {
            InputValueError::custom(format!(
                "`{}` is not a time. Send one such as `09:30`.",
                shorten(text)
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%H:%M").to_string())
    }
}

/// An IANA time zone name, for example `Europe/Berlin`.
#[derive(Description, Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(pub String);

#[Scalar(
    use_type_description,
    name = "TimeZone",
    specified_by_url = "https://www.iana.org/time-zones"
)]
impl ScalarType for TimeZone {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "a time zone such as `Europe/Berlin`")?;
        crate::kernel::zones::canonical_name(text)
            .map(Self)
            .ok_or_else(|| {
                InputValueError::custom(format!(
                    "`{}` is not an IANA time zone. Send one such as `Europe/Berlin`.",
                    shorten(text)
                ))
            })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An RFC 5545 recurrence rule without the `RRULE:` prefix, for example `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`.
#[derive(Description, Clone, Debug, PartialEq, Eq)]
pub struct RRule(pub String);

#[Scalar(
    use_type_description,
    name = "RRule",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc5545#section-3.8.5.3"
)]
impl ScalarType for RRule {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "a recurrence rule such as `FREQ=DAILY;COUNT=3`")?;
        Ok(Self(text.to_owned()))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An absolute `http` or `https` URL.
#[derive(Description, Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

#[Scalar(
    use_type_description,
    name = "URL",
    specified_by_url = "https://url.spec.whatwg.org/"
)]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "an absolute URL")?;
        let url = url::Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.filter(|_| text.len() <= 2_048);
        url.map(|url| Self(url.to_string())).ok_or_else(|| {
            InputValueError::custom(format!(
                "`{}` is not an absolute http or https URL. Send one such as `https://example.org/`.",
                shorten(text)
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An e-mail address (RFC 5321 mailbox), stored lower-case.
#[derive(Description, Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(pub String);

#[Scalar(
    use_type_description,
    name = "EmailAddress",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2"
)]
impl ScalarType for EmailAddress {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "an e-mail address")?;
        crate::kernel::text::email(text).map(Self).ok_or_else(|| {
            InputValueError::custom(format!(
                "`{}` is not an e-mail address. Send one such as `ana@example.org`.",
                shorten(text)
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A CSS colour as `#rrggbb`.
#[derive(Description, Clone, Debug, PartialEq, Eq)]
pub struct HexColor(pub String);

#[Scalar(
    use_type_description,
    name = "HexColor",
    specified_by_url = "https://www.w3.org/TR/css-color-4/#hex-notation"
)]
impl ScalarType for HexColor {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text(&value, "a colour such as `#3366cc`")?;
        if crate::kernel::text::is_hex_color(text) {
            return Ok(Self(text.to_lowercase()));
        }
        Err(InputValueError::custom(format!(
            "`{}` is not a colour. Send one such as `#3366cc`.",
            shorten(text)
        )))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An arbitrary JSON value. Only used where the shape depends on another field (audit changes, job payloads).
#[derive(Description, Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

#[Scalar(
    use_type_description,
    name = "JSON",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259"
)]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or(Value::Null)
    }
}

fn text<'a, T: async_graphql::InputType>(
    value: &'a Value,
    wanted: &str,
) -> Result<&'a str, InputValueError<T>> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(InputValueError::custom(format!(
            "{wanted} is wanted, as a string."
        ))),
    }
}

/// What is wrong with the value of one of these scalars.
pub fn problem(scalar: &str, value: Value) -> Option<String> {
    fn sentence<T: ScalarType + InputType>(value: Value) -> Option<String> {
        let error = <T as ScalarType>::parse(value).err()?;
        let text = error.into_server_error(Pos::default()).message;
        // The executor puts the name of the scalar in front.
        Some(match text.split_once("\": ") {
            Some((_, sentence)) => sentence.to_owned(),
            None => text,
        })
    }
    match scalar {
        "DateTime" => sentence::<DateTime>(value),
        "LocalDate" => sentence::<LocalDate>(value),
        "LocalTime" => sentence::<LocalTime>(value),
        "TimeZone" => sentence::<TimeZone>(value),
        "RRule" => sentence::<RRule>(value),
        "URL" => sentence::<Url>(value),
        "EmailAddress" => sentence::<EmailAddress>(value),
        "HexColor" => sentence::<HexColor>(value),
        _ => None,
    }
}

/// What is repeated in an error must not be long.
pub fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
