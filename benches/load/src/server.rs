//! The servers under test: how each is started, when it is ready, how it ends.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::documents::{Dialect, Question};
use crate::http::{Connection, Prepared, request};
use crate::options::Options;
use crate::sample::{Sample, pick};
use crate::{Result, process};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(15);

/// A running server.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    /// The PostgreSQL database it reads; SQLite otherwise.
    pub(crate) postgres: Option<String>,
    /// The database that its variables come from.
    pub(crate) data: String,
    child: Child,
}

/// What it took until the first answer.
pub(crate) struct Boot {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

impl Server {
    /// Starts the server of a row on a free port and waits for its first right answer.
    pub(crate) async fn start(row: &str, options: &Options) -> Result<(Self, Boot)> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let large = || options.large.clone().ok_or("there is no large database");
        let (dialect, postgres, mut command) = match row {
            "floor" => {
                let url = options.postgres.clone();
                let mut command = Command::new(&options.floor);
                command.arg(address.to_string()).arg(&url);
                (Dialect::Meridian, Some(url), command)
            }
            "floor-large" => {
                let url = large()?;
                let mut command = Command::new(&options.floor);
                command.arg(address.to_string()).arg(&url);
                (Dialect::Meridian, Some(url), command)
            }
            "meridian-pg" | "replica-1" | "replica-2" => {
                let url = options.postgres.clone();
                (
                    Dialect::Meridian,
                    Some(url.clone()),
                    meridian(options, address, Some(&url)),
                )
            }
            "meridian-forgetful" => {
                let url = options.postgres.clone();
                let mut command = meridian(options, address, Some(&url));
                command.env("MERIDIAN_CACHE", "false");
                (Dialect::Meridian, Some(url), command)
            }
            "meridian-large" => {
                let url = large()?;
                (
                    Dialect::Meridian,
                    Some(url.clone()),
                    meridian(options, address, Some(&url)),
                )
            }
            "meridian-sqlite" => (Dialect::Meridian, None, meridian(options, address, None)),
            "mercurius" => (
                Dialect::Mercurius,
                Some(options.postgres.clone()),
                node(options, "mercurius.mjs", address),
            ),
            "postgraphile" => (
                Dialect::PostGraphile,
                Some(options.postgres.clone()),
                node(options, "postgraphile.mjs", address),
            ),
            _ => return Err(format!("no row has the name {row}").into()),
        };
        let data = postgres.clone().unwrap_or_else(|| options.postgres.clone());
        let sample = pick(&data, 1).await?.remove(0);
        let log = std::fs::File::create(options.folder.join(format!("{row}.log")))?;
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("the server ended at once")?;
        let server = Self {
            name: row.to_owned(),
            dialect,
            address,
            pid,
            postgres,
            data,
            child,
        };
        server.ready(&sample, started).await?;
        let boot = Boot {
            cpu: process::cpu(pid)?,
            wall: started.elapsed().as_secs_f64(),
        };
        Ok((server, boot))
    }

    async fn ready(&self, sample: &Sample, started: Instant) -> Result<()> {
        let request = self.request(Question::Task, sample, 0);
        loop {
            let mut why: Box<dyn std::error::Error + Send + Sync> = "no connection".into();
            if let Ok(mut connection) = Connection::open(self.address).await {
                match request.send(&mut connection).await {
                    Ok(answer) => match crate::answers::canonical(&answer) {
                        Ok(_) => return Ok(()),
                        Err(error) => why = error,
                    },
                    Err(error) => why = error,
                }
            }
            if started.elapsed() > START {
                return Err(format!("{} did not become ready: {why}", self.name).into());
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// A question in this server's words.
    pub(crate) fn request(&self, question: Question, sample: &Sample, number: usize) -> Prepared {
        let variables = question.variables(self.dialect, sample, number);
        self.request_of(
            question.name(),
            question.document(self.dialect),
            &variables,
            sample,
        )
    }

    /// Any document.
    pub(crate) fn request_of(
        &self,
        name: &str,
        document: &str,
        variables: &serde_json::Value,
        by: &Sample,
    ) -> Prepared {
        let body = serde_json::json!({ "query": document, "operationName": name, "variables": variables });
        Prepared::new(request(self.address, &by.token, &body.to_string()))
    }

    /// Ends the server as an operator would.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.pid.to_string()).status().await?;
        if timeout(STOP, self.child.wait()).await.is_err() {
            eprintln!("{} did not stop in time", self.name);
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// The server itself, with every budget so high that it is never reached; nothing else is out of the ordinary.
fn meridian(options: &Options, address: SocketAddr, database: Option<&str>) -> Command {
    let mut command = Command::new(&options.meridian);
    let budgets = [
        "GUEST_REQUESTS",
        "CALLER_REQUESTS",
        "WORKSPACE_REQUESTS",
        "SOCKET_MESSAGES",
    ]
    .map(|name| (name, "100000000"));
    let points = ["GUEST_POINTS", "CALLER_POINTS", "WORKSPACE_POINTS"].map(|name| (name, "1000000000"));
    command
        .arg("serve")
        .env_clear()
        .env("MERIDIAN_ENV", "production")
        .env("MERIDIAN_LISTEN", address.to_string())
        .env(
            "MERIDIAN_SECRET_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        )
        .env("MERIDIAN_DATA_DIR", &options.folder)
        .env("MERIDIAN_LOG", "warn");
    for (name, value) in budgets.into_iter().chain(points) {
        command.env(format!("MERIDIAN_RATE_{name}"), value);
    }
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
        if let Some(redis) = &options.redis {
            // One Redis for all rows, each with its own part of it: the name of its database.
            let name = url.rsplit('/').next().unwrap_or_default();
            command.env("REDIS_URL", redis).env("MERIDIAN_REDIS_PREFIX", name);
        }
    }
    command
}

fn node(options: &Options, script: &str, address: SocketAddr) -> Command {
    let mut command = Command::new(options.peers.join("node_modules/.bin/node"));
    command
        .arg(options.peers.join(script))
        .arg(address.port().to_string())
        .arg(&options.postgres)
        .env("NODE_ENV", "production")
        .env("GRAPHILE_ENV", "production");
    command
}
