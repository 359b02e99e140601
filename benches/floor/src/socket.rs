//! Subscribers: one room for each workspace, one serialisation for each change, one flush for all that waits.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use serde::Deserialize;
use tokio::sync::RwLock;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};
use uuid::Uuid;

use crate::request::Request;
use crate::{Caller, Floor, queries};

/// Who listens to which workspace.
#[derive(Default)]
pub(crate) struct Rooms(RwLock<HashMap<Uuid, Sender<Arc<str>>>>);

impl Rooms {
    /// Tells everybody in the room; the message is only written when somebody is there.
    pub(crate) async fn tell(&self, workspace: Uuid, message: impl FnOnce() -> Vec<u8>) {
        if let Some(room) = self.0.read().await.get(&workspace)
            && let Ok(text) = String::from_utf8(message())
        {
            // Nobody listens any more: nothing to do.
            room.send(text.into()).ok();
        }
    }

    async fn enter(&self, workspace: Uuid) -> Receiver<Arc<str>> {
        let mut rooms = self.0.write().await;
        rooms
            .entry(workspace)
            .or_insert_with(|| channel(256).0)
            .subscribe()
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ClientMessage<'a> {
    ConnectionInit {
        payload: Init<'a>,
    },
    Subscribe {
        id: &'a str,
        #[serde(borrow)]
        payload: Request<'a>,
    },
    Ping,
    Pong,
    Complete,
}

#[derive(Deserialize)]
struct Init<'a> {
    authorization: &'a str,
}

/// Speaks with one subscriber until either side is gone.
pub(crate) async fn talk(floor: Arc<Floor>, mut socket: WebSocket) {
    let mut caller: Option<Arc<Caller>> = None;
    let mut subscription: Option<(String, Receiver<Arc<str>>)> = None;
    loop {
        let step = match &mut subscription {
            None => Step::Heard(socket.recv().await),
            Some((_, room)) => tokio::select! {
                heard = socket.recv() => Step::Heard(heard),
                change = room.recv() => Step::Change(change),
            },
        };
        match step {
            Step::Heard(Some(Ok(Message::Text(text)))) => match serde_json::from_str(&text) {
                Ok(ClientMessage::ConnectionInit { payload }) => {
                    caller = floor.caller(payload.authorization);
                    let ack = Message::text("{\"type\":\"connection_ack\"}");
                    if caller.is_none() || socket.send(ack).await.is_err() {
                        return;
                    }
                }
                Ok(ClientMessage::Subscribe { id, payload }) => {
                    let Some(Ok(workspace)) = caller
                        .as_ref()
                        .map(|who| queries::enter(who, payload.variables.id))
                    else {
                        return;
                    };
                    subscription = Some((id.to_owned(), floor.rooms.enter(workspace).await));
                }
                Ok(ClientMessage::Ping | ClientMessage::Pong | ClientMessage::Complete) => {}
                Err(_) => return,
            },
            Step::Heard(Some(Ok(Message::Close(_)) | Err(_)) | None) => return,
            Step::Heard(Some(Ok(_))) => {}
            Step::Change(Ok(change)) => {
                let Some((id, room)) = &mut subscription else {
                    return;
                };
                let mut next = Some(change);
                while let Some(change) = next {
                    if socket.feed(message(id, &change)).await.is_err() {
                        return;
                    }
                    next = room.try_recv().ok();
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
            Step::Change(Err(RecvError::Lagged(_))) => {}
            Step::Change(Err(RecvError::Closed)) => return,
        }
    }
}

enum Step {
    Heard(Option<Result<Message, axum::Error>>),
    Change(Result<Arc<str>, RecvError>),
}

fn message(id: &str, payload: &str) -> Message {
    Message::Text(Utf8Bytes::from(format!(
        "{{\"type\":\"next\",\"id\":\"{id}\",\"payload\":{payload}}}"
    )))
}
