//! The program itself as a process of its own, on a database of the test, listening on ports of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Backend;
use super::machines::free_port;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running program. It is killed with the value.
pub struct Process {
    child: Child,
    /// Port of the API, when it has one.
    pub port: u16,
    /// Port of the listener for operators.
    pub admin: u16,
    log: Arc<Mutex<Vec<String>>>,
    prefix: String,
}

/// The settings that every process of a test has.
pub fn settings(url: &str, folder: &Path) -> Vec<(String, String)> {
    let mut settings = vec![
        ("DATABASE_URL".to_owned(), url.to_owned()),
        ("MERIDIAN_ENV".into(), "development".into()),
        (
            "MERIDIAN_SECRET_KEY".into(),
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into(),
        ),
        ("MERIDIAN_DATA_DIR".into(), folder.display().to_string()),
    ];
    if let Backend::Production { redis_url, .. } = Backend::from_env() {
        let prefix = folder.file_name().unwrap().to_string_lossy().replace('.', "");
        settings.push(("REDIS_URL".into(), redis_url));
        settings.push(("MERIDIAN_REDIS_PREFIX".into(), format!("process-{prefix}")));
    }
    settings
}

impl Process {
    /// Starts `meridian COMMAND` in a folder; later settings win.
    pub fn start(command: &str, url: &str, folder: &Path, more: &[(&str, &str)]) -> Self {
        let (port, admin) = (free_port(), free_port());
        let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .arg(command)
            .env_clear()
            .envs(settings(url, folder))
            .env("MERIDIAN_LISTEN", format!("127.0.0.1:{port}"))
            .env("MERIDIAN_ADMIN_LISTEN", format!("127.0.0.1:{admin}"))
            .env("MERIDIAN_LOG_FORMAT", "json")
            .envs(more.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()), log.clone());
        // Ends with the process.
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            port,
            admin,
            log,
            prefix: command.to_owned(),
        }
    }

    /// Waits until the listener for operators says that all is well.
    pub async fn ready(&mut self) {
        let began = Instant::now();
        loop {
            if let Some((200, _)) = get(self.admin, "/api/health").await {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "{} is not ready ({ended:?}): {:#?}",
                self.prefix,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Asks it to end, and waits until it has.
    pub async fn end(&mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(asked.unwrap().success());
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(
                began.elapsed() < PATIENCE,
                "{} does not end: {:#?}",
                self.prefix,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Status and body of a page, or nothing when nobody answers.
pub async fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    };
    tokio::time::timeout(PATIENCE, asking).await.ok()?
}
