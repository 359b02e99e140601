//! The server of a test on a port of its own, and a client that sends exactly the bytes it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use entity::enums::ApiTokenScope;
use meridian::access::{NewToken, create_token};
use meridian::graphql;
use meridian::kernel::actor::Actor;
use meridian::web::{
    self, Documents, Parts, Web,
    health::{Health, Probe},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Person, TestApp};

const PATIENCE: Duration = Duration::from_secs(15);

/// A listening server. It stops with the value.
pub struct Server {
    pub app: TestApp,
    pub address: SocketAddr,
    pub web: Web,
}

impl Server {
    /// A server with the usual settings of tests.
    pub async fn start() -> Self {
        Self::with_settings(&[]).await
    }

    /// A server with more settings.
    pub async fn with_settings(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::with_settings(settings).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let db = app.platform.db.clone();
        let ping = move || {
            let db = db.clone();
            async move { db.ping().await }
        };
        let introspection = app.platform.config.introspection;
        let mut schema = graphql::builder();
        if !introspection {
            schema = schema.disable_introspection().disable_suggestions();
        }
        let web = Web::new(Parts {
            documents: Documents::load(&app.platform.config).unwrap(),
            platform: app.platform.clone(),
            schema: schema.finish(),
            health: Health::new(vec![Probe::new("database", "test", ping)]),
        });
        tokio::spawn(web::serve(listener, web.clone()));
        Self { app, address, web }
    }

    /// An API token of this person.
    pub async fn token(&self, person: &Person) -> String {
        let new = NewToken {
            name: "test".into(),
            scopes: vec![ApiTokenScope::Admin],
            workspace_id: None,
            expires_at: None,
        };
        let platform = &self.app.platform;
        create_token(platform, Actor::system(), person.user_id, new)
            .await
            .unwrap()
            .secret
    }

    /// Sends a request; headers are lines such as `Accept: */*`.
    pub async fn send(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Reply {
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.address
        );
        for header in headers {
            request += &format!("{header}\r\n");
        }
        if method == "POST" {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body;
        self.send_raw(request.as_bytes()).await
    }

    /// Sends these bytes and reads until the server closes.
    pub async fn send_raw(&self, bytes: &[u8]) -> Reply {
        exchange(self.address, bytes).await
    }

    /// Sends a GraphQL request by POST; `headers` come on top of the content type.
    pub async fn post(&self, headers: &[&str], body: &Value) -> Reply {
        let headers: Vec<&str> = ["Content-Type: application/json"]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        self.send("POST", "/graphql", &headers, &body.to_string()).await
    }

    /// Sends a query that everybody may ask.
    pub async fn ask(&self, headers: &[&str]) -> Reply {
        self.post(headers, &json!({ "query": "{ serverInfo { version } }" }))
            .await
    }
}

/// Sends these bytes to a server and reads until it closes.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses a body closes while it is still being sent; what it said before that counts.
    stream.write_all(bytes).await.ok();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("an answer in time")
        .ok();
    Reply::parse(&answer)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.app.platform.shutdown.cancel();
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    fn parse(answer: &[u8]) -> Self {
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or_else(|| {
                panic!("no HTTP answer: {:?}", String::from_utf8_lossy(answer));
            });
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let body = String::from_utf8_lossy(&answer[end + 4..]).into_owned();
        Self {
            status,
            headers: headers.collect(),
            body,
        }
    }

    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of the first error.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no code: {self:?}"))
            .to_owned()
    }
}
