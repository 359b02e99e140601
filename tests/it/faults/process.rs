//! The program itself, as its operators run it: processes on one database and, in production, one Redis, which a test starts, asks, kills
//! and starts again.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use entity::enums::ApiTokenScope;
use meridian::access::{NewToken, create_token};
use meridian::kernel::actor::Actor;
use meridian::kernel::time::Clock;
use meridian::platform::Platform;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::support::machines::{free_port, signal};
use crate::support::{self, Backend, Database, Person, create_person};

/// Longest wait for an answer. Nothing in these tests may take as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the processes of one installation keep their data.
pub struct Install {
    database_url: String,
    /// Redis as processes reach it, unless one is told to take another way.
    redis_url: Option<String>,
    prefix: String,
    folder: tempfile::TempDir,
    /// Keeps the database as long as anybody uses it.
    _database: Option<Database>,
}

impl Install {
    /// A database of its own; Redis where the suite runs in production.
    pub async fn new() -> Self {
        let redis_url = match Backend::from_env() {
            Backend::Embedded => None,
            Backend::Production { redis_url, .. } => Some(redis_url),
        };
        Self::with_redis(redis_url).await
    }

    /// The same with this Redis.
    pub async fn with_redis(redis_url: Option<String>) -> Self {
        let database = Database::create().await;
        Self {
            database_url: database.url.clone(),
            redis_url,
            _database: Some(database),
            ..Self::at(String::new())
        }
    }

    /// An empty database that is somewhere else; the first process migrates it.
    pub fn at(database_url: String) -> Self {
        Self {
            database_url,
            redis_url: None,
            prefix: uuid::Uuid::now_v7().simple().to_string(),
            folder: tempfile::tempdir().unwrap(),
            _database: None,
        }
    }

    /// The machines of the installation in this process, to make people and to look at tables.
    pub async fn platform(&self) -> Platform {
        support::platform(&self.database_url, Clock::system(), None).await
    }

    fn command(&self, role: &str, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command
            .args(role.split(' '))
            .env_clear()
            .env("DATABASE_URL", &self.database_url)
            .env("MERIDIAN_ENV", "development")
            .env("MERIDIAN_AUTO_MIGRATE", "true")
            .env("MERIDIAN_LOG", "info,sea_orm_migration=warn")
            .env("MERIDIAN_DATA_DIR", self.folder.path())
            .env(
                "MERIDIAN_SECRET_KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            )
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for name in ["GUEST", "CALLER", "WORKSPACE"] {
            command.env(format!("MERIDIAN_RATE_{name}_REQUESTS"), "1000000");
            command.env(format!("MERIDIAN_RATE_{name}_POINTS"), "1000000000");
        }
        if let Some(url) = &self.redis_url {
            command
                .env("REDIS_URL", url)
                .env("MERIDIAN_REDIS_PREFIX", &self.prefix);
        }
        command.envs(settings.iter().copied());
        command
    }

    /// Starts a process and waits until it is ready; how long that took is in the value.
    pub async fn start(&self, role: &'static str) -> Process<'_> {
        self.start_with(role, &[]).await
    }

    /// The same with more settings.
    pub async fn start_with(&self, role: &'static str, settings: &[(&str, &str)]) -> Process<'_> {
        let port = free_port();
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut process = Process {
            install: self,
            role,
            settings: settings.collect(),
            port,
            log: self.folder.path().join(format!("{port}.log")),
            child: None,
            ready_after: Duration::ZERO,
        };
        process.again().await;
        process
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &str) -> std::process::Output {
        self.command(arguments, &[]).output().await.unwrap()
    }
}

/// One process. It is killed when the value is dropped.
pub struct Process<'a> {
    install: &'a Install,
    role: &'static str,
    settings: Vec<(String, String)>,
    pub port: u16,
    log: PathBuf,
    child: Option<Child>,
    /// How long the last start took.
    pub ready_after: Duration,
}

impl Process<'_> {
    /// Starts it on the port that it had, and waits until it is ready.
    pub async fn again(&mut self) {
        let began = Instant::now();
        let settings: Vec<(&str, &str)> = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let mut command = self.install.command(self.role, &settings);
        command
            .env("MERIDIAN_LISTEN", format!("127.0.0.1:{}", self.port))
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
        if self.role == "worker" {
            // It listens on nothing.
            return;
        }
        while !self.is_ready().await {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", self.log());
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "not ready: {}",
                self.log()
            );
            sleep(Duration::from_millis(20)).await;
        }
        self.ready_after = began.elapsed();
    }

    pub async fn is_ready(&self) -> bool {
        let answer = request(self.port, "GET", "/readyz", &[], "").await;
        answer.is_some_and(|answer| answer.status == 200)
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Asks it to end, and waits for that; how long it took, and whether it ended well.
    pub async fn stop(&mut self) -> (Duration, bool) {
        let began = Instant::now();
        let mut child = self.child.take().expect("it runs");
        signal(&child, "TERM").await;
        let status = timeout(Duration::from_secs(30), child.wait())
            .await
            .unwrap_or_else(|_| panic!("it does not end: {}", self.log()))
            .unwrap();
        (began.elapsed(), status.success())
    }

    /// The process id, to see that it is still the same one.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// An answer of a process.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// One request on a connection of its own; nothing when nobody answers completely.
pub async fn request(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if method == "POST" {
        head += &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
    }
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .await
            .ok()?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await.ok()?;
        let text = String::from_utf8(text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.parse::<usize>().ok())?
        });
        let is_whole = length.is_none_or(|length| length == body.len());
        is_whole.then_some(())?;
        Some(Answer {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    };
    timeout(PATIENCE, asking).await.ok().flatten()
}

/// Somebody with a token.
#[derive(Clone, Debug)]
pub struct User {
    pub person: Person,
    pub token: String,
}

impl User {
    pub async fn create(platform: &Platform, name: &str) -> Self {
        let person = create_person(platform, name, &format!("{}@example.org", name.to_lowercase())).await;
        let new = NewToken {
            name: "test".into(),
            scopes: vec![ApiTokenScope::Admin],
            workspace_id: None,
            expires_at: None,
        };
        let created = create_token(platform, Actor::system(), person.user_id, new).await;
        Self {
            person,
            token: created.unwrap().secret,
        }
    }

    /// Asks a process; nothing when nobody answers. With a key, a mutation happens once however often it is sent.
    pub async fn ask(&self, port: u16, query: &str, variables: Value, key: Option<&str>) -> Option<Answer> {
        let authorization = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Accept", "application/graphql-response+json"),
        ];
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        let body = json!({ "query": query, "variables": variables }).to_string();
        request(port, "POST", "/graphql", &headers, &body).await
    }

    /// The data of an answer that must come.
    #[track_caller]
    pub fn data(answer: Option<Answer>) -> Value {
        let answer = answer.expect("an answer").json();
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }
}
