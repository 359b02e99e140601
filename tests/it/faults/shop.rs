//! A front end: it reads a workspace, follows it live over one socket, and keeps what it shows in a store of its own. When its connection
//! breaks it comes back, to any replica, and goes on after the last cursor that it heard.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::process::User;

const PAGE: &str = "query ($id: ID!, $tasks: String, $events: String) { workspace(id: $id) { changeCursor
    tasks(first: 100, after: $tasks) { nodes { id version title status } pageInfo { hasNextPage endCursor } }
    calendarEvents(first: 100, after: $events) { nodes { id version title } pageInfo { hasNextPage endCursor } } } }";
const TASKS: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) {
    cursor action taskId task { id version title status } } }";
const EVENTS: &str =
    "subscription ($id: ID!, $after: String) { calendarEventChanged(workspaceId: $id, after: $after) {
    cursor action calendarEventId calendarEvent { id version title } } }";

/// What a front end shows.
pub type Shown = BTreeMap<String, Value>;

/// One of the two streams.
#[derive(Clone, Debug, Default)]
struct Stream {
    cursor: String,
    /// Positions in the order in which they were heard.
    heard: Vec<i64>,
}

/// A front end's store.
#[derive(Clone, Debug, Default)]
pub struct Shop {
    pub shown: Shown,
    tasks: Stream,
    events: Stream,
    /// How often it had to read everything again because its cursor was too old.
    pub reloads: usize,
    /// How often it came back.
    pub returns: usize,
}

/// A socket of a front end.
pub struct Line(WebSocketStream<TcpStream>);

impl Line {
    /// Connects and signs in; nothing when that fails.
    pub async fn open(port: u16, token: &str) -> Option<Self> {
        let opening = async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
            let mut request = format!("ws://127.0.0.1:{port}/graphql")
                .into_client_request()
                .ok()?;
            let protocol = "graphql-transport-ws".parse().ok()?;
            request.headers_mut().insert("sec-websocket-protocol", protocol);
            let mut line = Self(client_async(request, stream).await.ok()?.0);
            let payload = json!({ "authorization": format!("Bearer {token}") });
            line.say(json!({ "type": "connection_init", "payload": payload }))
                .await?;
            (line.hear(Duration::from_secs(5)).await?["type"] == "connection_ack").then_some(line)
        };
        timeout(Duration::from_secs(8), opening).await.ok().flatten()
    }

    pub async fn say(&mut self, message: Value) -> Option<()> {
        self.0.send(Message::text(message.to_string())).await.ok()
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) -> Option<()> {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await
    }

    /// The next message; nothing when the connection is gone or nobody says anything for this long.
    pub async fn hear(&mut self, patience: Duration) -> Option<Value> {
        loop {
            match timeout(patience, self.0.next()).await.ok()?? {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code with which the other end closes; nothing when it does not for this long.
    pub async fn closes(&mut self, patience: Duration) -> Option<u16> {
        let closing = async {
            loop {
                if let Message::Close(frame) = self.0.next().await?.ok()? {
                    return frame.map(|frame| u16::from(frame.code));
                }
            }
        };
        timeout(patience, closing).await.ok().flatten()
    }
}

/// The position that a cursor stands for.
pub fn position(cursor: &str) -> i64 {
    cursor.split_once('.').unwrap().1.parse().unwrap()
}

impl Shop {
    /// Reads everything; nothing when nobody answers.
    pub async fn load(user: &User, port: u16) -> Option<Self> {
        let mut shop = Self::default();
        let (mut tasks, mut events) = (Value::Null, Value::Null);
        loop {
            let mut variables = json!({ "id": user.person.workspace() });
            // `null` and left out are not the same to a cursor.
            for (name, cursor) in [("tasks", &tasks), ("events", &events)] {
                if !cursor.is_null() {
                    variables[name] = cursor.clone();
                }
            }
            let answer = user.ask(port, PAGE, variables, None).await?.json();
            if !answer["errors"].is_null() {
                return None;
            }
            let workspace = &answer["data"]["workspace"];
            if shop.tasks.cursor.is_empty() {
                let cursor = workspace["changeCursor"].as_str()?.to_owned();
                shop.tasks.cursor.clone_from(&cursor);
                shop.events.cursor = cursor;
            }
            for list in ["tasks", "calendarEvents"] {
                for node in workspace[list]["nodes"].as_array()? {
                    shop.shown.insert(node["id"].as_str()?.to_owned(), node.clone());
                }
            }
            let next = |list: &str| {
                let info = &workspace[list]["pageInfo"];
                (info["hasNextPage"] == true).then(|| info["endCursor"].clone())
            };
            match (next("tasks"), next("calendarEvents")) {
                (None, None) => return Some(shop),
                (more_tasks, more_events) => {
                    // A list that has ended gives its last page again, which changes nothing.
                    tasks = more_tasks.unwrap_or(tasks);
                    events = more_events.unwrap_or(events);
                }
            }
        }
    }

    /// Follows the workspace until the connection breaks, an error sends it away, or nothing was said for this long.
    pub async fn follow(&mut self, user: &User, port: u16, quiet: Duration) {
        let Some(mut line) = Line::open(port, &user.token).await else {
            sleep(Duration::from_millis(50)).await;
            return;
        };
        self.returns += 1;
        let id = user.person.workspace();
        for (name, query, cursor) in [
            ("t", TASKS, &self.tasks.cursor),
            ("e", EVENTS, &self.events.cursor),
        ] {
            let variables = json!({ "id": id, "after": cursor });
            if line.subscribe(name, query, variables).await.is_none() {
                return;
            }
        }
        while let Some(message) = line.hear(quiet).await {
            if message["type"] == "error" {
                match message["payload"][0]["extensions"]["code"].as_str() {
                    Some("CURSOR_EXPIRED") => {
                        if let Some(fresh) = Self::load(user, port).await {
                            let (reloads, returns) = (self.reloads + 1, self.returns);
                            *self = fresh;
                            (self.reloads, self.returns) = (reloads, returns);
                        }
                    }
                    Some("SERVICE_UNAVAILABLE") => {}
                    _ => panic!("{message}"),
                }
                return;
            }
            assert_eq!(message["type"], "next", "{message}");
            assert!(message["payload"]["errors"].is_null(), "{message}");
            self.apply(&message);
        }
    }

    fn apply(&mut self, message: &Value) {
        let data = &message["payload"]["data"];
        let (stream, change, id, object) = match message["id"].as_str() {
            Some("t") => (&mut self.tasks, &data["taskChanged"], "taskId", "task"),
            _ => (
                &mut self.events,
                &data["calendarEventChanged"],
                "calendarEventId",
                "calendarEvent",
            ),
        };
        let cursor = change["cursor"].as_str().unwrap();
        assert!(
            position(cursor) > position(&stream.cursor),
            "again, or out of order: {message} after {}",
            stream.cursor
        );
        stream.cursor = cursor.to_owned();
        stream.heard.push(position(cursor));
        let id = change[id].as_str().unwrap().to_owned();
        match &change[object] {
            Value::Null => drop(self.shown.remove(&id)),
            object => {
                let known = self.shown.get(&id).and_then(|known| known["version"].as_i64());
                // An object is sent as it was a moment ago, and may have been read newer since; what is newer comes again too.
                if known.is_some_and(|known| object["version"].as_i64().is_some_and(|new| new < known)) {
                    return;
                }
                self.shown.insert(id, object.clone());
            }
        }
    }

    /// Whether it has heard everything up to these positions, the last of tasks and of events.
    pub fn has_heard(&self, last_task: i64, last_event: i64) -> bool {
        position(&self.tasks.cursor) >= last_task && position(&self.events.cursor) >= last_event
    }

    /// What it heard of tasks and of events, in order. Only of one that never had to read everything again.
    pub fn heard(&self) -> [&[i64]; 2] {
        [&self.tasks.heard, &self.events.heard]
    }
}

/// The positions of all changes of tasks and of events after a cursor, as the change log has them.
pub async fn log_after(user: &User, port: u16, cursor: &str) -> [Vec<i64>; 2] {
    const LOG: &str =
        "query ($id: ID!, $after: String!) { workspace(id: $id) { changes(after: $after, first: 500) {
        nodes { cursor objectType } endCursor hasMore } } }";
    let (mut after, mut found) = (cursor.to_owned(), [Vec::new(), Vec::new()]);
    loop {
        let variables = json!({ "id": user.person.workspace(), "after": after });
        let data = User::data(user.ask(port, LOG, variables, None).await);
        let page = &data["workspace"]["changes"];
        for node in page["nodes"].as_array().unwrap() {
            let at = position(node["cursor"].as_str().unwrap());
            match node["objectType"].as_str() {
                Some("Task") => found[0].push(at),
                Some("CalendarEvent") => found[1].push(at),
                _ => {}
            }
        }
        if page["hasMore"] == false {
            return found;
        }
        after = page["endCursor"].as_str().unwrap().to_owned();
    }
}

/// Where the log stands now.
pub async fn cursor_now(user: &User, port: u16) -> String {
    let query = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let data = user
        .ask(port, query, json!({ "id": user.person.workspace() }), None)
        .await;
    User::data(data)["workspace"]["changeCursor"]
        .as_str()
        .unwrap()
        .to_owned()
}
