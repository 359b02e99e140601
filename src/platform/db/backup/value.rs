//! One cell of a table as JSON, and back. The declared type of the column decides, so both databases give and take the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sea_orm::prelude::{Date, DateTime, DateTimeUtc, Uuid};
use sea_orm::{ColumnType, QueryResult, Value};
use serde_json::{Value as Json, json};

use super::Failure;

/// Key around a JSON value, which tells a stored `null` from a missing one.
const JSON: &str = "json";

pub(super) fn encode(row: &QueryResult, index: usize, kind: &ColumnType) -> Result<Json, Failure> {
    Ok(match kind {
        ColumnType::Uuid => json!(row.try_get_by_index::<Option<Uuid>>(index)?),
        ColumnType::Text | ColumnType::String(_) => json!(row.try_get_by_index::<Option<String>>(index)?),
        ColumnType::SmallInteger => json!(row.try_get_by_index::<Option<i16>>(index)?),
        ColumnType::Integer => json!(row.try_get_by_index::<Option<i32>>(index)?),
        ColumnType::BigInteger => json!(row.try_get_by_index::<Option<i64>>(index)?),
        ColumnType::Boolean => json!(row.try_get_by_index::<Option<bool>>(index)?),
        ColumnType::TimestampWithTimeZone => {
            let time = row.try_get_by_index::<Option<DateTimeUtc>>(index)?;
            json!(time.map(|time| time.timestamp_micros()))
        }
        ColumnType::DateTime => {
            let time = row.try_get_by_index::<Option<DateTime>>(index)?;
            json!(time.map(|time| time.and_utc().timestamp_micros()))
        }
        ColumnType::Date => json!(row.try_get_by_index::<Option<Date>>(index)?),
        ColumnType::Json | ColumnType::JsonBinary => match row.try_get_by_index::<Option<Json>>(index)? {
            Some(value) => json!({ JSON: value }),
            None => Json::Null,
        },
        ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob => {
            let bytes = row.try_get_by_index::<Option<Vec<u8>>>(index)?;
            json!(bytes.map(|bytes| STANDARD.encode(bytes)))
        }
        other => return Err(unknown(other)),
    })
}

pub(super) fn decode(cell: Json, kind: &ColumnType) -> Result<Value, Failure> {
    Ok(match kind {
        ColumnType::Uuid => Value::from(read::<Uuid>(cell)?),
        ColumnType::Text | ColumnType::String(_) => Value::from(read::<String>(cell)?),
        ColumnType::SmallInteger => Value::from(read::<i16>(cell)?),
        ColumnType::Integer => Value::from(read::<i32>(cell)?),
        ColumnType::BigInteger => Value::from(read::<i64>(cell)?),
        ColumnType::Boolean => Value::from(read::<bool>(cell)?),
        ColumnType::TimestampWithTimeZone => Value::from(time(cell)?),
        ColumnType::DateTime => Value::from(time(cell)?.map(|time| time.naive_utc())),
        ColumnType::Date => Value::from(read::<Date>(cell)?),
        ColumnType::Json | ColumnType::JsonBinary => Value::from(match cell {
            Json::Object(mut object) => object.remove(JSON),
            _ => None,
        }),
        ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob => {
            let text = read::<String>(cell)?;
            Value::from(text.map(|text| STANDARD.decode(text)).transpose()?)
        }
        other => return Err(unknown(other)),
    })
}

fn read<T: serde::de::DeserializeOwned>(cell: Json) -> Result<Option<T>, Failure> {
    Ok(serde_json::from_value(cell)?)
}

fn time(cell: Json) -> Result<Option<DateTimeUtc>, Failure> {
    let Some(micros) = read::<i64>(cell)? else {
        return Ok(None);
    };
    let time = DateTimeUtc::from_timestamp_micros(micros);
    time.map(Some).ok_or_else(|| "a time is out of range".into())
}

/// A new kind of column has to be taught here; a test goes through all tables.
fn unknown(kind: &ColumnType) -> Failure {
    format!("backups do not know columns of the type {kind:?}").into()
}
