//! A mail server that keeps what it gets, and the worker that brings it letters.

use std::sync::{Arc, Mutex};

use entity::enums::JobStatus;
use entity::job;
use meridian::features::letters;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, ProgressHandle, RunningJob};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::TestApp;

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// Head and body, with soft line breaks taken out.
    pub text: String,
}

impl Received {
    /// The first address of the web in it.
    #[track_caller]
    pub fn link(&self) -> url::Url {
        let start = self
            .text
            .find("http")
            .unwrap_or_else(|| panic!("no link: {}", self.text));
        let end = self.text[start..]
            .find(char::is_whitespace)
            .map_or(self.text.len(), |length| start + length);
        self.text[start..end].parse().unwrap()
    }
}

/// A mail server.
pub struct MailServer {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    /// What the server says to the next recipients instead of yes.
    refusal: Arc<Mutex<Option<&'static str>>>,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self {
            port,
            received: Arc::default(),
            refusal: Arc::default(),
        };
        let (received, refusal) = (server.received.clone(), server.refusal.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, received.clone(), refusal.clone()));
            }
        });
        server
    }

    /// Settings of a server that sends over this one.
    pub fn settings(&self) -> Vec<(String, String)> {
        vec![
            (
                "MERIDIAN_SMTP_URL".into(),
                format!("smtp://127.0.0.1:{}", self.port),
            ),
            (
                "MERIDIAN_MAIL_FROM".into(),
                "Meridian <meridian@example.org>".into(),
            ),
            ("MERIDIAN_EMAIL_SIGN_IN".into(), "true".into()),
            ("MERIDIAN_RATE_LETTERS".into(), "1000".into()),
        ]
    }

    pub fn refuse_with(&self, refusal: Option<&'static str>) {
        *self.refusal.lock().unwrap() = refusal;
    }

    /// Everything that came since the last look.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

async fn converse(
    stream: TcpStream,
    received: Arc<Mutex<Vec<Received>>>,
    refusal: Arc<Mutex<Option<&'static str>>>,
) {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let (mut from, mut to) = (String::new(), String::new());
    writing.write_all(b"220 sink\r\n").await.ok();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase()
            .as_str()
        {
            "EHLO" => "250-sink\r\n250 8BITMIME",
            "MAIL" => {
                from = line;
                "250 ok"
            }
            "RCPT" => {
                to = line;
                let refusal = *refusal.lock().unwrap();
                refusal.unwrap_or("250 ok")
            }
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await.ok();
                let mut text = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    text += line.strip_prefix('.').unwrap_or(&line);
                    text.push('\n');
                }
                if text.contains("quoted-printable") {
                    text = text.replace("=\n", "").replace("=3D", "=");
                }
                let message = Received {
                    from: from.clone(),
                    to: to.clone(),
                    text,
                };
                received.lock().unwrap().push(message);
                "250 kept"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        writing.write_all(format!("{answer}\r\n").as_bytes()).await.ok();
    }
}

/// The letters that wait.
pub async fn waiting(app: &TestApp) -> Vec<job::Model> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<job::Entity>()
        .filter(job::Column::Kind.eq("send_mail"))
        .filter(job::Column::Status.eq(JobStatus::Queued))
        .order_by_asc(job::Column::Id)
        .all(&read)
        .await
        .unwrap()
}

/// Sends every letter that waits, as a worker would; returns how each ended.
pub async fn deliver(app: &TestApp) -> Vec<Result<(), JobError>> {
    let mut results = Vec::new();
    for row in waiting(app).await {
        let payload: Payload = serde_json::from_value(row.payload.clone()).unwrap();
        let running = RunningJob {
            id: row.id,
            attempt: 1,
            payload,
            workspace_id: row.workspace_id,
            created_by: row.created_by,
            cancel: CancellationToken::new(),
            progress: ProgressHandle::channel().0,
        };
        results.push(letters::run(&app.platform, &running).await);
        let body = |tx: Tx| {
            let mut row = row.clone().into_active_model();
            row.status = Set(JobStatus::Succeeded);
            async move { tx.update(row).await.map(drop) }
        };
        app.platform
            .write(Scope::System, Actor::system(), body)
            .await
            .unwrap();
    }
    results
}
