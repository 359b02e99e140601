//! Troubles that stop a program from starting: each is caused on purpose, and the program says the words that the guide lists.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use meridian::platform::db::migration_connection;
use sea_orm::ConnectionTrait as _;

use crate::support::machines::free_port;
use crate::support::process::{Process, settings};
use crate::support::{Backend, Database};

/// Runs a command that fails with these words, which begin a row of the guide. `…` stands for anything.
#[track_caller]
fn fails(folder: &Path, command: &[&str], more: &[(&str, &str)], words: &str) {
    let url = format!("sqlite://{}", folder.join("meridian.db").display());
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(command)
        .env_clear()
        .envs(settings(&url, folder))
        .env("MERIDIAN_LISTEN", format!("127.0.0.1:{}", free_port()))
        .env("MERIDIAN_ADMIN_LISTEN", "off")
        .envs(more.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let says = words.split('…').all(|part| text.contains(part.trim()));
    assert!(!output.status.success() && says, "{words}\n{text}");
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/SETUP.md")).unwrap();
    let row = format!("| `{words}` |");
    assert!(guide.contains(&row), "the guide has no row {row}");
}

#[test]
fn a_server_that_cannot_start_says_the_words_of_the_guide() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fails(
        path,
        &["serve"],
        &[("MERIDIAN_LISTN", "127.0.0.1:1")],
        "The settings cannot be used:",
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(
        path,
        &["serve"],
        &[("MERIDIAN_LISTEN", &address)],
        "Address already in use",
    );
    let file = path.join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("data");
    fails(
        path,
        &["jobs", "list"],
        &[("MERIDIAN_DATA_DIR", below.to_str().unwrap())],
        "… (MERIDIAN_DATA_DIR): …",
    );
    // SQLite is migrated at the start unless somebody wants to do it.
    let empty = format!("sqlite://{}", path.join("empty.db").display());
    fails(
        path,
        &["serve"],
        &[("DATABASE_URL", &empty), ("MERIDIAN_AUTO_MIGRATE", "false")],
        "the database is not at the version of this program",
    );
}

/// `head` closes its end once it has its lines. The command says nothing of it, but shells are told that it did not print everything.
#[test]
fn a_reader_that_has_seen_enough_ends_a_command_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .arg("schema")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.as_str()), (Some(141), ""));
}

/// Whoever searches a file for words should not have to know how terminals are told colours.
#[tokio::test]
async fn a_log_that_nobody_reads_at_a_terminal_has_no_colours() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let mut process = Process::start(
        "serve",
        &database.url,
        folder.path(),
        &[("MERIDIAN_LOG_FORMAT", "pretty")],
    );
    process.ready().await;
    process.end().await;
    let log = process.log().join("\n");
    assert!(
        log.contains("shutting down") && !log.contains('\u{1b}'),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let connection = migration_connection(&database.url).await.unwrap();
    connection
        .execute_unprepared(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_tomorrow', 0)",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
    for command in [&["serve"][..], &["migrate", "up"]] {
        fails(
            folder.path(),
            command,
            &[("DATABASE_URL", &database.url)],
            "Migration file of version … is missing",
        );
    }
}

#[tokio::test]
async fn a_database_that_is_not_ready_says_what_it_lacks() {
    let Backend::Production { pg_admin_url, .. } = Backend::from_env() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // Makes the roles, which belong to the whole server.
    let _migrated = Database::create().await;
    let name = format!("meridian_login_{}", uuid::Uuid::now_v7().simple());
    let admin = migration_connection(&pg_admin_url).await.unwrap();
    for sql in [
        format!("CREATE DATABASE {name}_empty"),
        format!("CREATE ROLE {name} LOGIN PASSWORD 'hunter2'"),
        format!("CREATE DATABASE {name} OWNER {name}"),
    ] {
        admin.execute_unprepared(&sql).await.unwrap();
    }
    let mut url = url::Url::parse(&pg_admin_url).unwrap();
    url.set_path(&format!("{name}_empty"));
    fails(
        folder.path(),
        &["serve"],
        &[("DATABASE_URL", url.as_str())],
        "the database is not at the version of this program",
    );
    // A login that nobody gave the roles to.
    url.set_path(&name);
    url.set_username(&name).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    fails(
        folder.path(),
        &["migrate", "up"],
        &[("DATABASE_URL", url.as_str())],
        "may not switch to the role meridian_app",
    );
    for sql in [
        format!("DROP DATABASE {name}_empty WITH (FORCE)"),
        format!("DROP DATABASE {name} WITH (FORCE)"),
        format!("DROP ROLE {name}"),
    ] {
        admin.execute_unprepared(&sql).await.unwrap();
    }
    admin.close().await.unwrap();
}
