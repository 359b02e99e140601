//! A real CalDAV server for tests: Radicale on a free port of the loopback address, with its own folder and users.
//!
//! Promises: started with nothing but what the test gives it; gone, by process id, when the value is dropped. Calendars and
//! single objects are written straight into its storage folder, which Radicale reads on every request. It parses each file
//! when it first sees it (some 5 ms): thousands of objects are better given in one `put_all`, so that this happens before
//! the part under test. `MERIDIAN_TEST_RADICALE` is the path of the executable (`tests/run` sets it).

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use meridian::platform::http::{HttpClient, HttpRequest, Limits, OutboundAllow, basic_auth};
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
        // Nothing here has to survive a power cut, and waiting for the disk would take most of the time.
        let quick = folder.path().join("quick");
        std::fs::create_dir(&quick).expect("a folder can be made");
        std::fs::write(
            quick.join("sitecustomize.py"),
            "import os\nos.fsync = lambda _: None\n",
        )
        .expect("the patch can be written");
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
            .env("PYTHONPATH", &quick)
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

    /// Replaces all users and passwords.
    pub fn set_users(&self, users: &[(&str, &str)]) {
        let passwords: String = users
            .iter()
            .map(|(name, password)| format!("{name}:{password}\n"))
            .collect();
        std::fs::write(self.folder.path().join("users"), passwords).expect("the user file can be written");
    }

    /// Makes the server forget every sync token it gave out for a calendar.
    pub fn forget_tokens(&self, user: &str, calendar: &str) {
        let tokens = self.collection(user, calendar).join(".Radicale.cache/sync-token");
        std::fs::remove_dir_all(tokens).expect("the server has given out tokens");
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

    /// Replaces the whole content of a calendar in one request. `events` are VEVENT texts; each becomes an object that
    /// Radicale names after its UID. Creates the calendar.
    pub async fn put_all(&self, user: &str, password: &str, calendar: &str, events: &[String]) -> String {
        let whole = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Meridian//Tests//EN\r\n{}END:VCALENDAR\r\n",
            events.concat()
        );
        let path = format!("/{user}/{calendar}/");
        let url = format!("http://{}{path}", self.address)
            .parse()
            .expect("the address is a URL");
        let request = HttpRequest::new(Method::PUT, url)
            .header(AUTHORIZATION, basic_auth(user, password))
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("text/calendar; charset=utf-8"),
            )
            .limits(Limits {
                timeout: Duration::from_secs(300),
                ..Limits::default()
            })
            .body(whole);
        let client = HttpClient::new(OutboundAllow::new([&self.address])).expect("the client can be built");
        let answer = client.send(request).await.expect("Radicale answers");
        assert!(
            answer.status.is_success(),
            "PUT of a whole calendar: {}",
            answer.status
        );
        path
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
    let component = vevent(uid, summary, hour);
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Meridian//Tests//EN\r\n{component}END:VCALENDAR\r\n")
}

/// The event alone, for [`Radicale::put_all`].
pub fn vevent(uid: &str, summary: &str, hour: u32) -> String {
    let (day, hour) = (hour / 24, hour % 24);
    let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:2026{month:02}{day:02}T{hour:02}0000Z\r\n\
         DURATION:PT1H\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"
    )
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
