//! A PostgreSQL and a Redis of a test's own, which it may stop, hang and kill, and a cable to either that it may cut. All of them listen on
//! 127.0.0.1 and end with the test.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::sleep;

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a signal, by its name, to a process that the test started.
pub async fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status().await;
    assert!(sent.unwrap().success());
}

async fn until_listening(port: u16, what: &str) {
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} does not listen");
}

/// A Redis server that ends with the test.
pub struct OwnRedis {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl OwnRedis {
    pub async fn start() -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let child = Self::spawn(port, &folder);
        until_listening(port, "redis-server").await;
        Self { child, port, folder }
    }

    fn spawn(port: u16, folder: &tempfile::TempDir) -> Child {
        Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &port.to_string()])
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is installed")
    }

    /// Kills it; everything that it knew is gone.
    pub async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again on the same port.
    pub async fn again(&mut self) {
        self.child = Self::spawn(self.port, &self.folder);
        until_listening(self.port, "redis-server").await;
    }

    pub async fn signal(&self, name: &str) {
        signal(&self.child, name).await;
    }

    pub fn url(&self) -> String {
        url(self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a command answers.
    pub async fn tell(&self, words: &[&str]) -> String {
        let said = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output()
            .await
            .unwrap();
        String::from_utf8(said.stdout).unwrap()
    }
}

fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

/// A PostgreSQL server that ends with the test.
pub struct OwnPostgres {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl OwnPostgres {
    pub async fn start() -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if is_root() {
            let given = Command::new("chown").arg("postgres").arg(&data).status().await;
            assert!(given.unwrap().success());
        }
        let mut init = as_postgres(&binary("initdb"));
        init.arg("--pgdata")
            .arg(&data)
            .args(["--auth", "trust", "--username", "postgres"])
            .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        let made = init.stdin(Stdio::null()).output().await.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let child = Self::spawn(port, &data);
        until_listening(port, "postgres").await;
        Self { child, port, folder }
    }

    fn spawn(port: u16, data: &Path) -> Child {
        // What a commit wrote survives the end of the process, which is what is tested; only the machine's end would lose it.
        as_postgres(&binary("postgres"))
            .arg("-D")
            .arg(data)
            .args(["-p", &port.to_string()])
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", "fsync=off", "-c", "max_connections=100"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Ends it at once, as a crash would.
    pub async fn crash(&mut self) {
        signal(&self.child, "QUIT").await;
        self.child.wait().await.unwrap();
    }

    /// Starts it again on the same port and waits until it has recovered.
    pub async fn again(&mut self) {
        self.child = Self::spawn(self.port, &self.folder.path().join("data"));
        for _ in 0..200 {
            let ready = Command::new(binary("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if ready.await.unwrap().success() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("postgres does not come back");
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        // A killed server would leave its children behind; they end when it is asked to.
        if let Some(pid) = self.child.id() {
            std::process::Command::new("kill")
                .args(["-s", "QUIT", &pid.to_string()])
                .status()
                .ok();
            for _ in 0..40 {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    command.arg(program).current_dir("/");
    command
}

fn binary(name: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<PathBuf> = installed.flatten().map(|entry| entry.path()).collect();
    versions.sort();
    let found = versions
        .iter()
        .rev()
        .map(|version| version.join("bin").join(name))
        .find(|path| path.exists());
    // Elsewhere it is where every other program is.
    found.unwrap_or_else(|| name.into())
}

const OPEN: u8 = 0;
const FROZEN: u8 = 1;

/// A cable to a server. Connections through it stay open when it is frozen, but nothing gets through, in either direction.
pub struct Cable {
    port: u16,
    state: Arc<(AtomicU8, Notify)>,
}

impl Cable {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new((AtomicU8::new(OPEN), Notify::new()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    // A connection that is made while it is frozen is accepted, as the kernel of a hung host would, and hears nothing.
                    thawed(&state).await;
                    let Ok(far) = TcpStream::connect(("127.0.0.1", target)).await else {
                        return;
                    };
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::select! {
                        () = pump(near_in, far_out, &state) => {}
                        () = pump(far_in, near_out, &state) => {}
                    }
                });
            }
        });
        Self { port, state }
    }

    pub fn redis_url(&self) -> String {
        url(self.port)
    }

    /// Nothing gets through any more, and nobody is told.
    pub fn freeze(&self) {
        self.state.0.store(FROZEN, Ordering::SeqCst);
    }

    /// What was on its way arrives now.
    pub fn thaw(&self) {
        self.state.0.store(OPEN, Ordering::SeqCst);
        self.state.1.notify_waiters();
    }
}

async fn thawed(state: &(AtomicU8, Notify)) {
    loop {
        let thaw = state.1.notified();
        if state.0.load(Ordering::SeqCst) == OPEN {
            return;
        }
        tokio::select! {
            () = thaw => {}
            () = sleep(Duration::from_millis(100)) => {}
        }
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    state: &(AtomicU8, Notify),
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        thawed(state).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
