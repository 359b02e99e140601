//! The program itself in a process of its own, as an operator starts it, and what the system knows about that process.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{Backend, TestApp};

/// A running `meridian serve` on the database of a test. It ends with the value.
pub struct Program {
    pub address: SocketAddr,
    process: Child,
    // Dropped last.
    _data: tempfile::TempDir,
}

impl Program {
    /// Starts the program with these settings and waits until it listens.
    pub async fn start(app: &TestApp, settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", app.database_url())
            .env("MERIDIAN_ENV", "development")
            .env(
                "MERIDIAN_SECRET_KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            )
            .env("MERIDIAN_LISTEN", address.to_string())
            .env("MERIDIAN_ADMIN_LISTEN", "off")
            .env("MERIDIAN_DATA_DIR", data.path())
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Backend::Production { redis_url, .. } = Backend::from_env() {
            let prefix = app.platform.redis.as_ref().unwrap().prefix().to_owned();
            command
                .env("REDIS_URL", redis_url)
                .env("MERIDIAN_REDIS_PREFIX", prefix);
        }
        let program = Self {
            address,
            process: command.spawn().unwrap(),
            _data: data,
        };
        for _ in 0..400 {
            if TcpStream::connect(address).await.is_ok() {
                return program;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the program does not listen");
    }

    /// A line of the process's status, in bytes.
    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Memory in use now, in bytes; from now on [`Program::peak`] counts anew.
    pub fn resident(&self) -> u64 {
        std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5").unwrap();
        self.status("VmRSS:")
    }

    /// The most memory that was in use since [`Program::resident`], in bytes.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
