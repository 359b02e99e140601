//! The language of apalis-redis over our own Redis connection, so that there is one client with one set of time limits and TLS. While Redis is
//! away a command takes a moment to fail, which paces the restarts of the workers.

use std::time::Duration;

use ::redis::aio::ConnectionLike;
use ::redis::{Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, ServerErrorKind, Value};
use bytes::Bytes;
use fred::error::Error as FredError;
use fred::interfaces::ClientLike as _;
use fred::types::{ClusterHash, CustomCommand, Value as FredValue};
use tokio::time::sleep;

use crate::platform::redis::Redis;

/// How long a failing command takes at least.
const PACE: Duration = Duration::from_secs(1);

/// A connection as apalis-redis wants it.
#[derive(Clone, Debug)]
pub(in crate::platform::jobs) struct Connection(pub(super) Redis);

impl Connection {
    async fn run(&self, command: &Cmd) -> Result<Value, RedisError> {
        let mut words = command.args_iter().map(|arg| match arg {
            Arg::Simple(bytes) => Bytes::copy_from_slice(bytes),
            // A cursor starts at zero; there are no other kinds of words.
            _ => Bytes::from_static(b"0"),
        });
        let name = words.next().unwrap_or_default();
        let name = String::from_utf8_lossy(&name).into_owned();
        let arguments: Vec<_> = words.map(FredValue::Bytes).collect();
        let custom = CustomCommand::new(name, ClusterHash::FirstKey, false);
        let answer = self
            .0
            .raw(|client| async move { client.custom::<FredValue, _>(custom, arguments).await })
            .await;
        match answer.map_err(translate).and_then(convert) {
            Err(error) if error.kind() != ErrorKind::Server(ServerErrorKind::NoScript) => {
                sleep(PACE).await;
                Err(error)
            }
            other => other,
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.run(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(count);
            for command in pipeline.cmd_iter() {
                answers.push(self.run(command).await?);
            }
            Ok(answers.into_iter().skip(offset).take(count).collect())
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// Scripts are loaded again when Redis does not know them, so that kind must survive the translation.
fn translate(error: FredError) -> RedisError {
    let details = error.details().to_owned();
    if details.starts_with("NOSCRIPT") {
        return (
            ErrorKind::Server(ServerErrorKind::NoScript),
            "the script is not loaded",
            details,
        )
            .into();
    }
    match error.kind() {
        fred::error::ErrorKind::IO | fred::error::ErrorKind::Timeout | fred::error::ErrorKind::Canceled => {
            (ErrorKind::Io, "Redis is away", details).into()
        }
        _ => (
            ErrorKind::Server(ServerErrorKind::ResponseError),
            "Redis refused",
            details,
        )
            .into(),
    }
}

fn convert(value: FredValue) -> Result<Value, RedisError> {
    Ok(match value {
        FredValue::Null => Value::Nil,
        FredValue::Integer(number) => Value::Int(number),
        FredValue::Double(number) => Value::Double(number),
        FredValue::Boolean(flag) => Value::Boolean(flag),
        FredValue::String(text) => Value::BulkString(text.as_bytes().to_vec()),
        FredValue::Bytes(bytes) => Value::BulkString(bytes.to_vec()),
        FredValue::Array(values) => Value::Array(values.into_iter().map(convert).collect::<Result<_, _>>()?),
        FredValue::Map(_) | FredValue::Queued => {
            return Err((
                ErrorKind::UnexpectedReturnType,
                "an answer that the protocol does not allow here",
            )
                .into());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_script_is_recognised() {
        let error = FredError::new(fred::error::ErrorKind::Unknown, "NOSCRIPT No matching script.");
        assert_eq!(
            translate(error).kind(),
            ErrorKind::Server(ServerErrorKind::NoScript)
        );
    }

    #[test]
    fn answers_keep_their_shape() {
        let nested = FredValue::Array(vec![
            FredValue::Null,
            FredValue::Array(vec![FredValue::from_static_str("x")]),
        ]);
        let inner = Value::Array(vec![Value::BulkString(b"x".to_vec())]);
        assert_eq!(convert(nested).unwrap(), Value::Array(vec![Value::Nil, inner]));
    }
}
