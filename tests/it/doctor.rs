//! `meridian doctor`: each failure is caused on purpose, and the cure that is told is the one that helps.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::machines::free_port;
use crate::support::process::{Process, settings};
use crate::support::{Backend, Database};

/// Runs a command in a folder; later settings win, and an empty value takes one away.
fn meridian(folder: &Path, arguments: &[&str], more: &[(&str, &str)]) -> (bool, String) {
    let url = format!("sqlite://{}", folder.join("meridian.db").display());
    let (listen, admin) = (free_port(), free_port());
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(arguments)
        .env_clear()
        .envs(settings(&url, folder))
        .env("MERIDIAN_LISTEN", format!("127.0.0.1:{listen}"))
        .env("MERIDIAN_ADMIN_LISTEN", format!("127.0.0.1:{admin}"))
        .envs(more.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// The line about a check, and the cure below it.
fn about(text: &str, check: &str) -> (String, String) {
    let mut lines = text.lines();
    let line = lines.by_ref().find(|line| line.trim_start().starts_with(check));
    let line = line.unwrap_or_else(|| panic!("nothing about {check}:\n{text}"));
    (line.to_owned(), lines.next().unwrap_or_default().to_owned())
}

#[track_caller]
fn fails(folder: &Path, check: &str, more: &[(&str, &str)], why: &str, cure: &str) {
    let (ok, text) = meridian(folder, &["doctor"], more);
    let (line, told) = about(&text, check);
    assert!(!ok && line.contains("FAIL"), "{text}");
    assert!(line.to_lowercase().contains(&why.to_lowercase()), "{why}\n{text}");
    assert!(
        told.trim_start().starts_with("cure") && told.contains(cure),
        "{cure}\n{text}"
    );
    assert!(
        !text.contains("hunter2") && !text.contains('\u{1b}'),
        "secrets and colours stay out:\n{text}"
    );
}

/// Takes what somebody says, whatever it is.
fn listen(stream: &mut std::net::TcpStream) -> usize {
    stream.read(&mut [0; 4_096]).unwrap_or(0)
}

/// A server on this machine that says the same to everybody who has spoken.
fn says(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the process of the test.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            listen(&mut stream);
            stream.write_all(&answer).ok();
            listen(&mut stream);
        }
    });
    port
}

/// PostgreSQL that refuses with this code, in words of another language.
fn postgres(code: &str) -> String {
    let mut body = Vec::new();
    for (field, text) in [
        (b'S', "FATAL"),
        (b'V', "FATAL"),
        (b'C', code),
        (b'M', "geht nicht"),
    ] {
        body.push(field);
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = vec![b'E'];
    message.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    message.extend(body);
    let port = says(message);
    format!("postgres://meridian:hunter2@127.0.0.1:{port}/meridian?sslmode=disable")
}

#[test]
fn a_healthy_installation_has_nothing_to_cure() {
    let folder = tempfile::tempdir().unwrap();
    let (ok, text) = meridian(folder.path(), &["doctor"], &[]);
    assert!(ok, "{text}");
    for check in [
        "data directory",
        "secret key",
        "database",
        "migrations",
        "listener",
        "operators",
        "open files",
    ] {
        assert!(about(&text, check).0.contains(" ok "), "{check}\n{text}");
    }
    assert!(!text.contains("cure"), "{text}");
    // The flags for SQLite are found by cargo only when it is started inside the repository.
    let database = about(&text, "database").0;
    assert!(!database.contains(".cargo/config.toml"), "{database}");
    let redis = about(&text, "redis").0;
    assert_eq!(
        redis.contains(" ok "),
        Backend::from_env() != Backend::Embedded,
        "{text}"
    );
}

#[test]
fn failures_of_the_database_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let with = |url: &str, why: &str, cure: &str| {
        fails(folder, "database", &[("DATABASE_URL", url)], why, cure);
    };
    with(&postgres("28P01"), "(28P01)", "percent-encoded");
    with(&postgres("3D000"), "(3D000)", "CREATE DATABASE");
    with(&postgres("53300"), "(53300)", "MERIDIAN_DB_MAX_CONNECTIONS");
    with(&postgres("57P03"), "(57P03)", "Try again in a moment");
    with(
        &format!("postgres://meridian:hunter2@127.0.0.1:{}/meridian", free_port()),
        "refused",
        "Nobody listens there",
    );
    with(
        "postgres://meridian:hunter2@no.such.host.invalid/meridian",
        "",
        "name of the host",
    );
    let missing = format!("sqlite://{}", folder.join("no/such/folder/x.db").display());
    with(&missing, "unable to open", "its folder must exist");
    std::fs::write(
        folder.join("text.db"),
        "this is no database at all, but a text".repeat(200),
    )
    .unwrap();
    let text = format!("sqlite://{}", folder.join("text.db").display());
    with(&text, "not a database", "restore the last backup");
}

#[test]
fn commands_without_a_database_say_why_and_who_knows_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let url = postgres("28P01");
    for command in [
        &["backup", "b.gz"][..],
        &["migrate", "up"],
        &["jobs", "list"],
        &["serve"],
    ] {
        let (ok, text) = meridian(folder.path(), command, &[("DATABASE_URL", &url)]);
        let is_told = text.contains("(28P01)") && text.contains("`meridian doctor`");
        assert!(!ok && is_told && !text.contains("hunter2"), "{command:?}\n{text}");
    }
}

#[tokio::test]
async fn failures_of_postgresql_itself_are_cured() {
    let Backend::Production { pg_admin_url, .. } = Backend::from_env() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut missing = url::Url::parse(&pg_admin_url).unwrap();
    missing.set_path("no_such_database");
    fails(
        folder.path(),
        "database",
        &[("DATABASE_URL", missing.as_str())],
        "(3D000)",
        "CREATE DATABASE",
    );
    // The administrator's own database has no tables.
    fails(
        folder.path(),
        "migrations",
        &[("DATABASE_URL", &pg_admin_url)],
        "pending",
        "meridian migrate up",
    );
    let database = Database::create().await;
    let (ok, text) = meridian(folder.path(), &["doctor"], &[("DATABASE_URL", &database.url)]);
    assert!(ok && about(&text, "roles").0.contains(" ok "), "{text}");
    assert!(about(&text, "database").0.contains("PostgreSQL 1"), "{text}");
}

#[test]
fn failures_of_files_are_cured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("file"), "").unwrap();
    let below = path.join("file/data");
    let data = [("MERIDIAN_DATA_DIR", below.to_str().unwrap())];
    fails(
        path,
        "data directory",
        &data,
        "not a directory",
        "MERIDIAN_DATA_DIR must be a folder",
    );
    // With PostgreSQL in production nothing is kept there, so that nothing is wrong with it.
    let nowhere = format!("postgres://meridian@127.0.0.1:{}/meridian", free_port());
    let production = [
        data[0],
        ("MERIDIAN_ENV", "production"),
        ("DATABASE_URL", &nowhere),
    ];
    let (_, text) = meridian(path, &["doctor"], &production);
    let line = about(&text, "data directory").0;
    assert!(line.contains("nothing is kept in files"), "{text}");
    std::fs::write(path.join("secret.key"), "hunter2").unwrap();
    fails(
        path,
        "secret key",
        &[("MERIDIAN_SECRET_KEY", "")],
        "does not hold a key",
        "key of the last backup",
    );
    let documents = path.join("documents.json");
    std::fs::write(&documents, "[1]").unwrap();
    fails(
        path,
        "documents",
        &[("MERIDIAN_PERSISTED_DOCUMENTS", documents.to_str().unwrap())],
        "",
        "JSON object from name to document",
    );
}

#[test]
fn failures_of_the_network_are_cured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let nobody = free_port();
    let redis = |answer: &str| format!("redis://:hunter2@127.0.0.1:{}", says(answer.into()));
    fails(
        path,
        "redis",
        &[("REDIS_URL", &format!("redis://127.0.0.1:{nobody}"))],
        "",
        "Start Redis",
    );
    // Takes the connection and says nothing, like a Redis without TLS that is asked for it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    fails(
        path,
        "redis",
        &[("REDIS_URL", &format!("rediss://{address}"))],
        "",
        "`rediss://`",
    );
    let wrong = redis("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    fails(
        path,
        "redis",
        &[("REDIS_URL", &wrong)],
        "",
        "password: write it into REDIS_URL",
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(
        path,
        "listener",
        &[("MERIDIAN_LISTEN", &address)],
        "in use",
        "ss -ltnp",
    );
    fails(
        path,
        "operators",
        &[("MERIDIAN_ADMIN_LISTEN", &address)],
        "in use",
        "for each process its own",
    );
    fails(
        path,
        "listener",
        &[("MERIDIAN_LISTEN", "203.0.113.7:8000")],
        "assign requested address",
        "address of this machine",
    );
    let from = ("MERIDIAN_MAIL_FROM", "Meridian <meridian@example.org>");
    let mail = |url: &str, cure: &str| fails(path, "mail", &[("MERIDIAN_SMTP_URL", url), from], "", cure);
    mail(&format!("smtp://127.0.0.1:{nobody}"), "Nobody answers there");
    mail(
        &format!("smtp://127.0.0.1:{}", says(b"554 go away\r\n".to_vec())),
        "refuses this machine",
    );
    let dsn = format!("http://key@127.0.0.1:{nobody}/1");
    fails(
        path,
        "sentry",
        &[("SENTRY_DSN", &dsn)],
        "refused",
        "host of SENTRY_DSN",
    );
}

#[test]
fn failures_of_sign_in_are_cured() {
    let folder = tempfile::tempdir().unwrap();
    let with = |answer: &str, allowed: bool, why: &str, cure: &str| {
        let body = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
        let host = format!("127.0.0.1:{}", says(body.into_bytes()));
        let issuer = format!("http://{host}");
        let more = [
            ("MERIDIAN_OIDC_PROVIDERS", "acme"),
            ("MERIDIAN_OIDC_ACME_ISSUER", issuer.as_str()),
            ("MERIDIAN_OIDC_ACME_CLIENT_ID", "meridian"),
            (
                "MERIDIAN_OUTBOUND_ALLOW",
                if allowed { host.as_str() } else { "" },
            ),
        ];
        fails(folder.path(), "sign-in", &more, why, cure);
    };
    with("{}", false, "", "MERIDIAN_OUTBOUND_ALLOW");
    with("hello", true, "no JSON", "openid-configuration");
    with(
        r#"{"issuer":"https://id.acme.example/"}"#,
        true,
        "calls itself https://id.acme.example/",
        "exactly as it calls itself",
    );
}

#[test]
fn settings_that_cannot_be_used_are_told_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        ("MERIDIAN_LISTN", "127.0.0.1:1"),
        ("MERIDIAN_PUBLIC_URL", "nowhere"),
        ("DATABASE_URL", "mysql://me:hunter2@db/x"),
    ];
    let (ok, text) = meridian(folder.path(), &["doctor"], &wrong);
    assert!(!ok && !text.contains("hunter2"), "{text}");
    for told in [
        "MERIDIAN_LISTN: there is no such setting. Did you mean MERIDIAN_LISTEN?",
        "MERIDIAN_PUBLIC_URL: `nowhere` cannot be used. Write a URL",
        "DATABASE_URL: the value cannot be used. Write a URL that begins with postgres://",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[tokio::test]
async fn a_port_that_a_running_meridian_has_is_no_failure() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let mut server = Process::start("serve", &database.url, folder.path(), &[]);
    server.ready().await;
    let (listen, admin) = (
        format!("127.0.0.1:{}", server.port),
        format!("127.0.0.1:{}", server.admin),
    );
    let more = [
        ("DATABASE_URL", database.url.as_str()),
        ("MERIDIAN_LISTEN", &listen),
        ("MERIDIAN_ADMIN_LISTEN", &admin),
    ];
    let (ok, text) = meridian(folder.path(), &["doctor"], &more);
    assert!(ok, "{text}");
    for check in ["listener", "operators"] {
        assert!(
            about(&text, check).0.contains("served by a running Meridian"),
            "{text}"
        );
    }
}
