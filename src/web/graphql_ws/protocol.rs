//! The messages of `graphql-transport-ws`. Promises: what is not exactly a message of a client is refused with the reason. Must not
//! know connections.

use async_graphql::ServerError;
use serde::Serialize;
use serde_json::{Map, Value};

/// Name of the WebSocket subprotocol.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";
/// A control frame carries two bytes of code and at most this much reason.
const LONGEST_REASON: usize = 123;

/// Why the server ends a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        while reason.len() > LONGEST_REASON {
            reason.pop();
        }
        Self { code, reason }
    }

    pub(super) fn going_away() -> Self {
        Self::new(1001, "The server is shutting down")
    }

    pub(super) fn internal() -> Self {
        Self::new(1011, "Internal error")
    }

    pub(super) fn too_large() -> Self {
        Self::new(1009, "Message too large")
    }

    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::new(4400, reason)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    pub(super) fn revoked() -> Self {
        Self::new(4401, "Session revoked")
    }

    pub(super) fn forbidden() -> Self {
        Self::new(4403, "Forbidden")
    }

    pub(super) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn duplicate(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub(super) fn second_init() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub(super) fn too_many_messages() -> Self {
        Self::new(4429, "Too many requests")
    }
}

/// What a client may say.
#[derive(Debug, PartialEq)]
pub(super) enum ClientMessage {
    Init { authorization: Option<String> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, parameters: Value },
    Complete { id: String },
}

impl ClientMessage {
    /// Reads a text message; the error is the reason for closing with 4400.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err("Invalid message: expected a JSON object".into());
        };
        let Some(Value::String(kind)) = message.remove("type") else {
            return Err("Invalid message: `type` is missing".into());
        };
        match kind.as_str() {
            "connection_init" => {
                let payload = optional_object(&mut message)?.unwrap_or_default();
                let text = ["authorization", "Authorization"]
                    .iter()
                    .find_map(|name| payload.get(*name));
                match text {
                    None | Some(Value::Null) => Ok(Self::Init { authorization: None }),
                    Some(Value::String(text)) => Ok(Self::Init {
                        authorization: Some(text.clone()),
                    }),
                    Some(_) => Err("Invalid message: `authorization` must be a string".into()),
                }
            }
            "ping" => Ok(Self::Ping {
                payload: optional_object(&mut message)?.map(Value::Object),
            }),
            "pong" => optional_object(&mut message).map(|_| Self::Pong),
            "subscribe" => {
                let id = id(&mut message)?;
                match message.remove("payload") {
                    Some(parameters @ Value::Object(_)) => Ok(Self::Subscribe { id, parameters }),
                    _ => Err("Invalid message: `payload` must be an object".into()),
                }
            }
            "complete" => Ok(Self::Complete {
                id: id(&mut message)?,
            }),
            other => Err(format!("Invalid message: unexpected type `{other}`")),
        }
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err("Invalid message: `id` must be a non-empty string".into()),
    }
}

fn optional_object(message: &mut Map<String, Value>) -> Result<Option<Map<String, Value>>, String> {
    match message.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(payload)) => Ok(Some(payload)),
        Some(_) => Err("Invalid message: `payload` must be an object".into()),
    }
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// A `next` message around a result that is JSON already.
pub(super) fn next_message(id: &str, payload: &str) -> String {
    let mut message = String::with_capacity(id.len() + payload.len() + 40);
    message.push_str("{\"id\":");
    // An id is any text that the client liked.
    message.push_str(&Value::from(id).to_string());
    message.push_str(",\"type\":\"next\",\"payload\":");
    message.push_str(payload);
    message.push('}');
    message
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: Value) -> Result<ClientMessage, String> {
        ClientMessage::read(&message.to_string())
    }

    #[test]
    fn messages_of_the_protocol_are_read() {
        let init = |payload: Value| read(json!({ "type": "connection_init", "payload": payload })).unwrap();
        assert_eq!(
            read(json!({ "type": "connection_init" })),
            Ok(ClientMessage::Init { authorization: None })
        );
        let token = ClientMessage::Init {
            authorization: Some("Bearer t".into()),
        };
        assert_eq!(init(json!({ "authorization": "Bearer t" })), token);
        assert_eq!(init(json!({ "Authorization": "Bearer t", "more": 1 })), token);
        assert_eq!(
            read(json!({ "type": "ping", "payload": { "a": 1 } })),
            Ok(ClientMessage::Ping {
                payload: Some(json!({ "a": 1 }))
            })
        );
        assert_eq!(read(json!({ "type": "pong" })), Ok(ClientMessage::Pong));
        assert_eq!(
            read(json!({ "type": "complete", "id": "1" })),
            Ok(ClientMessage::Complete { id: "1".into() })
        );
        let subscribe = ClientMessage::Subscribe {
            id: "1".into(),
            parameters: json!({ "query": "{ a }" }),
        };
        assert_eq!(
            read(json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ a }" } })),
            Ok(subscribe)
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for wrong in [
            json!(1),
            json!([]),
            json!({}),
            json!({ "type": 1 }),
            json!({ "type": "next", "id": "1", "payload": {} }),
            json!({ "type": "connection_ack" }),
            json!({ "type": "start", "id": "1", "payload": {} }),
            json!({ "type": "connection_init", "payload": [] }),
            json!({ "type": "ping", "payload": "x" }),
            json!({ "type": "subscribe", "payload": { "query": "{ a }" } }),
            json!({ "type": "subscribe", "id": "", "payload": { "query": "{ a }" } }),
            json!({ "type": "subscribe", "id": 1, "payload": { "query": "{ a }" } }),
            json!({ "type": "subscribe", "id": "1" }),
            json!({ "type": "complete" }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(ClientMessage::read("not json").is_err());
    }

    #[test]
    fn a_result_is_put_into_its_message_as_it_is() {
        let message = next_message("a\"b", r#"{"data":{"x":1}}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&message).unwrap(),
            json!({ "type": "next", "id": "a\"b", "payload": { "data": { "x": 1 } } })
        );
    }

    #[test]
    fn a_reason_fits_into_its_frame() {
        let close = Close::duplicate(&"é".repeat(100));
        assert!(close.reason.len() <= LONGEST_REASON && close.reason.starts_with("Subscriber for é"));
    }
}
