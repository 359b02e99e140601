//! `meridian setup`: from an empty folder to a database that a server can start on, without replacing or losing anything.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::machines::free_port;

/// Runs a command in a folder with nothing but these variables, and without a terminal.
fn meridian(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn set(name: &str, value: &str) -> String {
    format!("--set={name}={value}")
}

/// Arguments with ports that nothing has.
fn free() -> Vec<String> {
    let address = || format!("127.0.0.1:{}", free_port());
    vec![
        "setup".into(),
        "--yes".into(),
        set("MERIDIAN_LISTEN", &address()),
        set("MERIDIAN_ADMIN_LISTEN", &address()),
    ]
}

fn run(folder: &Path, arguments: &[String]) -> (bool, String) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    meridian(folder, &arguments, &[])
}

fn value(folder: &Path, file: &str, name: &str) -> String {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{file} lacks {name}:\n{text}"))
        .to_owned()
}

#[test]
fn an_empty_folder_becomes_an_installation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (ok, text) = run(path, &free());
    assert!(ok, "{text}");
    for part in [
        "Prerequisites",
        ".env is written",
        "the database is up to date",
        "Next steps",
        "meridian serve --demo",
        "/api/test-infrastructure",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours without a terminal:\n{text}");
    assert_eq!(value(path, ".env", "MERIDIAN_SECRET_KEY").len(), 44);
    assert!(path.join("data/meridian.db").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path.join(".env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mode = fs::metadata(path.join("data")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "the database is nobody else's to read");
    }
    let left: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        left.iter().all(|name| [".env", "data"].contains(&name.as_str())),
        "{left:?}"
    );
    // The server reads what was written.
    let (ok, text) = meridian(path, &["migrate", "status"], &[]);
    assert!(ok && !text.contains("pending"), "{text}");
}

#[test]
fn no_more_migrations_are_taken_back_than_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(meridian(path, &["migrate", "up"], &[]).0);
    let (ok, text) = meridian(path, &["migrate", "down", "--steps", "9999"], &[]);
    assert!(!ok && text.contains("nothing was taken back"), "{text}");
    let status = || meridian(path, &["migrate", "status"], &[]).1;
    assert!(!status().contains("pending"), "{}", status());
    let (ok, text) = meridian(path, &["migrate", "down"], &[]);
    let newest = status();
    let newest = newest.lines().last().unwrap().split_whitespace().last().unwrap();
    assert!(ok && text.contains(&format!("taken back {newest}")), "{text}");
    assert_eq!(status().matches("pending").count(), 1);
}

#[test]
fn what_is_there_is_replaced_only_on_demand_and_its_key_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(run(path, &free()).0);
    let before = fs::read_to_string(path.join(".env")).unwrap();
    let (ok, text) = meridian(path, &["setup", "--yes"], &[]);
    assert!(ok && text.contains("stays as it is"), "{text}");
    let (ok, text) = run(path, &free());
    assert!(!ok && text.contains("--replace"), "{text}");
    assert_eq!(fs::read_to_string(path.join(".env")).unwrap(), before);

    let mut arguments = free();
    arguments.push("--replace".into());
    arguments.push(set("MERIDIAN_LOG", "warn"));
    let (ok, text) = run(path, &arguments);
    assert!(ok, "{text}");
    let key = |file: &str| value(path, file, "MERIDIAN_SECRET_KEY");
    assert_eq!(value(path, ".env", "MERIDIAN_LOG"), "warn");
    let old = fs::read_dir(path).unwrap().find_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.starts_with(".env.2").then_some(name)
    });
    let old = old.expect("the old file");
    assert_eq!(fs::read_to_string(path.join(&old)).unwrap(), before);
    assert_eq!(key(".env"), key(&old));
}

#[test]
fn every_file_that_is_replaced_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut arguments = free();
    arguments.push("--replace".into());
    for _ in 0..4 {
        let (ok, text) = run(path, &arguments);
        assert!(ok, "{text}");
    }
    let names = fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name());
    let kept = names.filter(|name| name.to_string_lossy().starts_with(".env.2"));
    assert_eq!(kept.count(), 3);
}

#[test]
fn a_development_machine_keeps_the_key_that_it_made_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Makes the key on the way.
    assert!(meridian(path, &["seed"], &[]).0);
    let made = fs::read_to_string(path.join("data/secret.key")).unwrap();
    let (ok, text) = run(path, &free());
    assert!(ok, "{text}");
    assert_eq!(value(path, ".env", "MERIDIAN_SECRET_KEY"), made.trim());
}

#[test]
fn production_gets_what_it_needs_and_steps_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = free();
    arguments.push(set("MERIDIAN_PUBLIC_URL", "https://meridian.example.org"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (ok, text) = meridian(folder.path(), &arguments, &[("MERIDIAN_ENV", "production")]);
    assert!(ok, "{text}");
    assert_eq!(value(folder.path(), ".env", "MERIDIAN_ENV"), "production");
    assert!(
        text.contains("Nobody can sign in yet") && text.contains("meridian backup"),
        "{text}"
    );
    assert!(!text.contains("test-infrastructure"), "{text}");
    assert!(text.contains("MERIDIAN_TRUSTED_PROXIES names no proxy"), "{text}");
    let named = [("MERIDIAN_TRUSTED_PROXIES", "127.0.0.1")];
    let (_, text) = meridian(folder.path(), &["doctor"], &named);
    assert!(!text.contains("names no proxy"), "{text}");
}

#[test]
fn what_cannot_be_used_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let try_with = |name: &str, value: &str| {
        let (ok, text) = run(path, &["setup".into(), "--yes".into(), set(name, value)]);
        assert!(!ok && !path.join(".env").exists(), "{text}");
        text
    };
    assert!(try_with("MERIDIAN_LISTN", "x").contains("Did you mean MERIDIAN_LISTEN?"));
    assert!(try_with("REDIS_ULR", "x").contains("Did you mean REDIS_URL?"));
    assert!(try_with("MERIDIAN_LISTEN", "here").contains("127.0.0.1:8000"));
    let (ok, text) = meridian(path, &["setup"], &[]);
    assert!(
        !ok && text.contains("no terminal") && text.contains("--yes"),
        "{text}"
    );
    // Written, but the database is not there: the cure is told, and the file stays for the next try.
    // Held without listening, or another test may listen there meanwhile.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port();
    let url = format!("postgres://meridian:hunter2@127.0.0.1:{port}/meridian");
    let mut arguments = free();
    arguments.push(set("DATABASE_URL", &url));
    let (ok, text) = run(path, &arguments);
    assert!(
        !ok && text.contains("Nobody listens there") && !text.contains("hunter2"),
        "{text}"
    );
    assert_eq!(value(path, ".env", "DATABASE_URL"), url);
}

/// Runs `meridian setup` at a terminal, for a person who waits for a text and types something then, again and again. What the terminal
/// showed is in the answer, escape sequences included.
fn at_a_terminal(folder: &Path, steps: &[(&str, &str)], variables: &[(&str, &str)]) -> (bool, String) {
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/terminal.py");
    let address = || format!("127.0.0.1:{}", free_port());
    let output = Command::new("python3")
        .arg(driver)
        .arg(json!(steps).to_string())
        .args([env!("CARGO_BIN_EXE_meridian"), "setup"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm")
        .env("MERIDIAN_LISTEN", address())
        .env("MERIDIAN_ADMIN_LISTEN", address())
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

const DOWN: &str = "\u{1b}[B";
const GREEN: &str = "\u{1b}[32m";

#[test]
fn a_person_at_a_terminal_is_asked_until_each_answer_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Only its port is looked at.
    let sentry = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://hunter2@{}/1", sentry.local_addr().unwrap());
    let typed_dsn = format!("{dsn}\r");
    // Keys that mean nothing in a list change nothing.
    let second = format!("x{DOWN}\r");
    let (ok, text) = at_a_terminal(
        path,
        &[
            ("What is it for?", second.as_str()),
            ("listen on", "nowhere\r"),
            ("MERIDIAN_LISTEN: `nowhere` cannot be used", ""),
            ("listen on", "\r"),
            ("browsers reach it", "https://meridian.example.org\r"),
            ("PostgreSQL, as", "mysql://nowhere\r"),
            ("DATABASE_URL: the value cannot be used", ""),
            ("PostgreSQL, as", "\r"),
            ("reverse proxies", "127.0.0.1\r"),
            ("providers to sign in with", "\r"),
            ("Mail server", "\r"),
            ("Sentry DSN", "hunter2\r"),
            ("SENTRY_DSN: the value cannot be used", ""),
            ("Sentry DSN", typed_dsn.as_str()),
            ("Next steps", ""),
        ],
        &[],
    );
    assert!(ok, "{text}");
    assert!(text.contains(GREEN), "a terminal gets colours:\n{text}");
    assert!(
        !text.contains("hunter2"),
        "what is secret is not shown while it is typed:\n{text}"
    );
    let listen = value(path, ".env", "MERIDIAN_LISTEN");
    for default in [format!("[{listen}]"), "[none: SQLite in ./data]".into()] {
        assert!(text.contains(&default), "{default}\n{text}");
    }
    for (name, expected) in [
        ("MERIDIAN_ENV", "production"),
        ("MERIDIAN_PUBLIC_URL", "https://meridian.example.org"),
        ("MERIDIAN_TRUSTED_PROXIES", "127.0.0.1"),
        ("SENTRY_DSN", dsn.as_str()),
    ] {
        assert_eq!(value(path, ".env", name), expected, "{name}");
    }
    assert_eq!(value(path, ".env", "MERIDIAN_SECRET_KEY").len(), 44);
    let written = fs::read_to_string(path.join(".env")).unwrap();
    assert!(!written.contains("DATABASE_URL"), "{written}");
    assert!(path.join("data/meridian.db").exists());

    // The second time the file stays when that is what the person wants.
    let (ok, text) = at_a_terminal(path, &[("There is a .env here", "\r")], &[]);
    assert!(ok && text.contains("stays as it is"), "{text}");
    assert_eq!(fs::read_to_string(path.join(".env")).unwrap(), written);
}

#[test]
fn a_terminal_without_colours_gets_none_and_enter_takes_each_default() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let enter = [
        ("What is it for?", "\r"),
        ("listen on", "\r"),
        ("PostgreSQL, as", "\r"),
        ("Next steps", ""),
    ];
    let (ok, text) = at_a_terminal(path, &enter, &[("NO_COLOR", "1")]);
    assert!(ok, "{text}");
    // The list moves the cursor all the same.
    for colour in [GREEN, "\u{1b}[1m", "\u{1b}[33m", "\u{1b}[36m", "\u{1b}[38"] {
        assert!(!text.contains(colour), "{text}");
    }
    assert_eq!(value(path, ".env", "MERIDIAN_ENV"), "development");
    assert_eq!(value(path, ".env", "MERIDIAN_SECRET_KEY").len(), 44);
}
