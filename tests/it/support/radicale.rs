//! A real CalDAV server for tests: Radicale on a free port of the loopback address, with its own folder and users.
//!
//! Promises: started with nothing but what the test gives it; gone, by process id, when the value is dropped. Calendars and
//! objects are written straight into its storage folder, which Radicale reads on every request and which is far faster
//! than thousands of PUTs. `MERIDIAN_TEST_RADICALE` is the path of the executable (`tests/run` sets it).

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

/// A running server.
pub struct Radicale {
    process: Child,
    folder: tempfile::TempDir,
    /// `127.0.0.1:port`, also the entry for the outbound allow-list.
    pub address: String,
}

impl Radicale {
    /// Starts a server that knows these users and passwords.
    pub async fn start(users: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let passwords: String = users
            .iter()
            .map(|(name, password)| format!("{name}:{password}\n"))
            .collect();
        std::fs::write(folder.path().join("users"), passwords).expect("the user file can be written");
        let address = free_address();
        let process = Command::new(executable())
            .args(["--config", "", "--hosts", &address])
            .args([
                "--auth-type",
                "htpasswd",
                "--auth-htpasswd-encryption",
                "plain",
                "--auth-delay",
                "0",
            ])
            .arg("--auth-htpasswd-filename")
            .arg(folder.path().join("users"))
            .arg("--storage-filesystem-folder")
            .arg(folder.path().join("storage"))
            .args(["--logging-level", "error", "--server-max-connections", "20"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Radicale starts");
        let server = Self {
            process,
            folder,
            address,
        };
        server.wait().await;
        server
    }

    async fn wait(&self) {
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(&self.address).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Radicale did not answer within 30 seconds");
    }

    /// Creates a calendar and returns its path on the server.
    pub fn add_calendar(&self, user: &str, name: &str) -> String {
        let properties = json!({
            "tag": "VCALENDAR",
            "D:displayname": format!("{name} of {user}"),
            "ICAL:calendar-color": "#33AA66FF",
            "C:supported-calendar-component-set": "VEVENT",
        });
        self.add_collection(user, name, &properties)
    }

    /// Creates a collection with Radicale's own properties and returns its path on the server.
    pub fn add_collection(&self, user: &str, name: &str, properties: &serde_json::Value) -> String {
        let folder = self.collection(user, name);
        std::fs::create_dir_all(&folder).expect("the collection folder can be made");
        std::fs::write(folder.join(".Radicale.props"), properties.to_string())
            .expect("properties can be written");
        format!("/{user}/{name}/")
    }

    /// Creates or replaces one object, given the text of the file.
    pub fn put(&self, user: &str, calendar: &str, object: &str, text: &str) {
        std::fs::write(self.collection(user, calendar).join(object), text)
            .expect("the object can be written");
    }

    /// Deletes one object.
    pub fn delete(&self, user: &str, calendar: &str, object: &str) {
        std::fs::remove_file(self.collection(user, calendar).join(object))
            .expect("the object can be deleted");
    }

    /// Deletes a whole calendar.
    pub fn delete_calendar(&self, user: &str, calendar: &str) {
        std::fs::remove_dir_all(self.collection(user, calendar)).expect("the calendar can be deleted");
    }

    fn collection(&self, user: &str, name: &str) -> PathBuf {
        self.folder
            .path()
            .join("storage/collection-root")
            .join(user)
            .join(name)
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A small, complete object: one event that starts at the given hour count after the start of 2026.
pub fn event(uid: &str, summary: &str, hour: u32) -> String {
    let (day, hour) = (hour / 24, hour % 24);
    let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Meridian//Tests//EN",
        "BEGIN:VEVENT",
        &format!("UID:{uid}"),
        "DTSTAMP:20260101T000000Z",
        &format!("DTSTART:2026{month:02}{day:02}T{hour:02}0000Z"),
        "DURATION:PT1H",
        &format!("SUMMARY:{summary}"),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join("\r\n")
}

fn executable() -> PathBuf {
    #[allow(
        clippy::disallowed_methods,
        reason = "the path of a test tool is no setting of the product"
    )]
    let path = std::env::var_os("MERIDIAN_TEST_RADICALE");
    path.expect("MERIDIAN_TEST_RADICALE is the path of a Radicale 3.9 executable (tests/run installs one)")
        .into()
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .to_string()
}
