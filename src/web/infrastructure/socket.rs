//! The try of sockets: a person who exists for a moment subscribes over a real connection, and a change that is committed meanwhile has to
//! arrive there by way of change log and messages.

use entity::enums::{ApiTokenScope, EnergyLevel, TaskPriority};
use entity::ids::WorkspaceId;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use super::{Failed, PATIENCE, Tried, Worked};
use crate::access::{Ctx, NewToken, create_token};
use crate::features::people::{self, NewPerson};
use crate::features::tasks::{self, NewTask};
use crate::features::{privacy, workspaces};
use crate::kernel::Error;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::web::Web;
use crate::web::client::Peer;
use crate::web::routes::router;
use crate::web::serve::connection;

/// Nobody can have this address (RFC 2606).
const EMAIL: &str = "infrastructure@meridian.invalid";
const SUBPROTOCOL: &str = "graphql-transport-ws";
const CURSOR: &str = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
const CHANGES: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) { task { title } } }";

/// Somebody subscribes, something changes, and it is heard of.
pub(super) async fn change(web: &Web, nonce: Uuid) -> Tried {
    let platform = &web.platform;
    // One whose try was interrupted.
    leave(platform).await?;
    let heard = hear(web, nonce).await;
    leave(platform).await?;
    heard?;
    let way = if platform.redis.is_some() {
        "a socket heard of a change; messages to other replicas go through Redis"
    } else {
        "a socket heard of a change"
    };
    Ok(Worked::Passed(way.into()))
}

async fn leave(platform: &Platform) -> Result<(), Error> {
    if let Some(person) = people::find_by_email(platform, EMAIL).await? {
        privacy::erase(platform, person.id).await?;
    }
    Ok(())
}

async fn hear(web: &Web, nonce: Uuid) -> Result<(), Failed> {
    let platform = &web.platform;
    let new = NewPerson {
        name: "Test of the infrastructure".into(),
        email: EMAIL.into(),
        is_email_verified: false,
        is_admin: false,
        time_zone: "UTC".into(),
        locale: "en".into(),
    };
    let (person, home) = workspaces::create_personal(platform, new).await?;
    let new = NewToken {
        name: "infrastructure".into(),
        scopes: vec![ApiTokenScope::Read],
        workspace_id: None,
        expires_at: Some(platform.clock.now() + chrono::Duration::minutes(5)),
    };
    let token = create_token(platform, Actor::system(), person.id, new).await?;
    let mut socket = Socket::open(web).await?;
    let bearer = format!("Bearer {}", token.secret);
    socket
        .say(json!({ "type": "connection_init", "payload": { "authorization": bearer } }))
        .await?;
    socket.until("connection_ack").await?;
    let id = home.id.to_string();
    socket.ask("1", CURSOR, json!({ "id": id })).await?;
    let cursor = socket.until("next").await?["workspace"]["changeCursor"].clone();
    socket.until("complete").await?;
    // From the cursor on, so that it does not matter whether the server has subscribed when the change is made.
    socket
        .ask("2", CHANGES, json!({ "id": id, "after": cursor }))
        .await?;
    let title = nonce.simple().to_string();
    make(platform, home.id, &title).await?;
    let heard = socket.until("next").await?;
    if heard["taskChanged"]["task"]["title"] != title.as_str() {
        return Err("The socket heard of something else.".into());
    }
    socket.stream.close(None).await.ok();
    Ok(())
}

async fn make(platform: &Platform, home: WorkspaceId, title: &str) -> Result<(), Error> {
    let new = NewTask {
        title: title.into(),
        description: None,
        priority: TaskPriority::Low,
        energy: EnergyLevel::Low,
        duration_minutes: Some(15),
        min_chunk_minutes: None,
        max_chunk_minutes: None,
        start_after: None,
        due_at: None,
        is_hard_deadline: false,
        is_auto_scheduled: false,
        labels: Vec::new(),
        assignee_id: None,
        parent_id: None,
        dependency_ids: Vec::new(),
        recurrence_rule: None,
        working_hours: None,
    };
    tasks::create(&Ctx::system(platform, home), new).await.map(drop)
}

/// A client of this server, over a connection that is served like those of the listener.
struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    async fn open(web: &Web) -> Result<Self, Failed> {
        let broken =
            |error: std::io::Error| Failed(format!("There is no connection to this machine: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let server = web.clone();
        web.platform.spawn(async move {
            let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
            if let Ok(Ok((stream, address))) = accepted {
                connection(stream, Peer::new(address), router(server.clone()), server).await;
            }
        });
        let refused = |error: tokio_tungstenite::tungstenite::Error| {
            Failed(format!("The upgrade to a WebSocket failed: {error}"))
        };
        let mut request = format!("ws://{address}/graphql")
            .into_client_request()
            .map_err(refused)?;
        let subprotocol = http::HeaderValue::from_static(SUBPROTOCOL);
        request
            .headers_mut()
            .insert("sec-websocket-protocol", subprotocol);
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        let (stream, _) = client_async(request, stream).await.map_err(refused)?;
        Ok(Self { stream })
    }

    async fn ask(&mut self, id: &str, query: &str, variables: Value) -> Result<(), Failed> {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await
    }

    async fn say(&mut self, message: Value) -> Result<(), Failed> {
        let sent = self.stream.send(Message::text(message.to_string())).await;
        sent.map_err(|error| Failed(format!("The socket broke: {error}")))
    }

    /// The data of the next message of this type; pings are passed over.
    async fn until(&mut self, wanted: &str) -> Result<Value, Failed> {
        loop {
            let message = match self.stream.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(Failed(format!("The socket was closed with {}.", frame.code)));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(Failed(format!("The socket broke: {error}"))),
                None => return Err("The socket was closed.".into()),
            };
            let message: Value =
                serde_json::from_str(&message).map_err(|_| "The socket said something unreadable.")?;
            let kind = message["type"].as_str().unwrap_or_default();
            if kind == "ping" || kind == "pong" {
                continue;
            }
            if kind != wanted || message["payload"].get("errors").is_some() {
                let payload = &message["payload"];
                return Err(Failed(format!(
                    "The socket said `{kind}` instead of `{wanted}`: {payload}"
                )));
            }
            return Ok(message["payload"]["data"].clone());
        }
    }
}
