//! A backup restores into an equal database, of the same kind and of the other, whatever happens while it is made; a file that is not
//! whole restores nothing.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use meridian::platform::db::backup::{Contents, Failure, Header, backup, restore, verify};
use meridian::platform::db::migration_connection;
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::json;

use crate::support::{Client, Database, TestApp};

async fn schema(url: &str) -> Vec<String> {
    let connection = migration_connection(url).await.unwrap();
    let applied = Migrator::get_applied_migrations(&connection).await.unwrap();
    connection.close().await.unwrap();
    applied
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}

async fn take(url: &str) -> (Contents, Vec<u8>) {
    let connection = migration_connection(url).await.unwrap();
    let header = Header::new("2026-03-02T09:00:00Z".into(), schema(url).await);
    let mut file = Vec::new();
    let contents = backup(&connection, header, &mut file).await.unwrap();
    connection.close().await.unwrap();
    (contents, file)
}

async fn put(url: &str, file: &[u8]) -> Result<Contents, Failure> {
    let connection = migration_connection(url).await.unwrap();
    let restored = restore(&connection, &schema(url).await, file).await;
    connection.close().await.unwrap();
    restored
}

/// The rows of every table, in an order that does not depend on the database.
fn tables(file: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let (mut tables, mut table) = (BTreeMap::<String, Vec<String>>::new(), String::new());
    for line in text.lines().skip(1) {
        match serde_json::from_str(line).unwrap() {
            serde_json::Value::Array(_) => tables.get_mut(&table).unwrap().push(line.to_owned()),
            head if head["table"].is_string() => {
                table = head["table"].as_str().unwrap().to_owned();
                tables.insert(table.clone(), Vec::new());
            }
            _ => {}
        }
    }
    tables.values_mut().for_each(|rows| rows.sort());
    tables
}

async fn create(client: &Client<'_>, workspace: &str, title: &str, parent: Option<&str>) -> String {
    let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
    let mut input = json!({ "workspaceId": workspace, "title": title, "labels": ["größe", "a\"b"] });
    if let Some(parent) = parent {
        input["parentId"] = parent.into();
    }
    client
        .gql(document, json!({ "input": input }))
        .await
        .text("/createTask/task/id")
}

/// Two people, tasks that refer to each other, and everything that comes with them.
async fn filled() -> TestApp {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let parent = create(&ana, &workspace, "parent 👪", None).await;
    for number in 0..20 {
        create(&ana, &workspace, &format!("child {number}"), Some(&parent)).await;
    }
    app
}

/// A migrated SQLite database that is nobody's.
async fn sqlite(folder: &Path) -> String {
    let url = format!("sqlite://{}", folder.join("other.db").display());
    let connection = migration_connection(&url).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();
    url
}

#[tokio::test]
async fn a_backup_restores_into_an_equal_database_of_either_kind() {
    let app = filled().await;
    let (contents, file) = take(app.database_url()).await;
    assert_eq!(contents.tables, entity::catalog().len());
    let before = tables(&file);
    assert_eq!(before.len(), entity::catalog().len());
    assert_eq!(before["tasks"].len(), 21);
    assert!(
        before["users"].len() == 2 && !before["audit_logs"].is_empty() && !before["change_log"].is_empty()
    );
    assert_eq!(verify(file.as_slice()).unwrap(), contents);

    // Into the same kind, and from there (on PostgreSQL) into SQLite and back: each is as the first.
    let folder = tempfile::tempdir().unwrap();
    let (same, other, back) = (
        Database::create().await,
        sqlite(folder.path()).await,
        Database::create().await,
    );
    let mut file = file;
    for url in [&same.url, &other, &back.url] {
        assert_eq!(put(url, &file).await.unwrap().rows, contents.rows);
        file = take(url).await.1;
        assert_eq!(tables(&file), before, "{url}");
    }
    // References are watched at once again.
    if back.url.starts_with("postgres") {
        let connection = migration_connection(&back.url).await.unwrap();
        let waiting = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND condeferrable";
        let waiting = Statement::from_string(DbBackend::Postgres, waiting);
        assert!(connection.query_one_raw(waiting).await.unwrap().is_none());
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_backup_under_load_is_one_moment() {
    let app = Arc::new(filled().await);
    let stop = Arc::new(AtomicBool::new(false));
    let (writer, stopped) = (app.clone(), stop.clone());
    let writing = tokio::spawn(async move {
        let (ana, workspace) = (writer.ana(), writer.ana.workspace());
        let mut number = 0;
        while !stopped.load(Ordering::Relaxed) && number < 500 {
            create(&ana, &workspace, &format!("during {number}"), None).await;
            number += 1;
        }
        number
    });
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let (_, file) = take(app.database_url()).await;
        let rows = tables(&file);
        // Each task is one transaction with one change and one entry in the audit log: a moment has all of them or none.
        let tasks = rows["tasks"].len();
        let changes = rows["change_log"]
            .iter()
            .filter(|row| row.contains("\"Task\"") && row.contains("\"created\""))
            .count();
        assert_eq!(tasks, changes);
        sizes.push(tasks);
        let empty = Database::create().await;
        put(&empty.url, &file).await.unwrap();
        assert_eq!(tables(&take(&empty.url).await.1), rows);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0 && sizes.is_sorted(), "{sizes:?}");
}

/// The file with its text changed, packed again.
fn changed(file: &[u8], change: impl Fn(String) -> String) -> Vec<u8> {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(change(text).as_bytes()).unwrap();
    out.finish().unwrap()
}

#[tokio::test]
async fn what_is_not_whole_or_does_not_fit_restores_nothing() {
    let app = filled().await;
    let (_, file) = take(app.database_url()).await;
    let empty = Database::create().await;
    let without_digest = |text: String| {
        text.lines()
            .rev()
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\n")
    };
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("cut", file[..file.len() / 2].to_vec(), "damaged"),
        (
            "edited",
            changed(&file, |text| text.replacen("child 7", "child 8", 1)),
            "digest",
        ),
        ("without its end", changed(&file, without_digest), "cut short"),
        ("longer", changed(&file, |text| text + "[]\n"), "after its digest"),
        (
            "newer layout",
            changed(&file, |text| text.replacen("\"version\":1", "\"version\":2", 1)),
            "layout 2",
        ),
        ("something else", b"hello".to_vec(), "not a backup"),
    ];
    for (what, bytes, expected) in cases {
        let error = put(&empty.url, &bytes).await.expect_err(what).to_string();
        assert!(error.contains(expected), "{what}: {error}");
        assert!(verify(bytes.as_slice()).is_err(), "{what}");
    }
    let other_schema = changed(&file, |text| text.replacen("m0001_", "m0000_", 1));
    let error = put(&empty.url, &other_schema).await.unwrap_err().to_string();
    assert!(error.contains("has the schema"), "{error}");
    assert_eq!(take(&empty.url).await.0.rows, 0, "something was left behind");

    let error = put(app.database_url(), &file).await.unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");
}

/// Runs the program on a database.
fn meridian(url: &str, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("MERIDIAN_ENV", "development")
        .env("MERIDIAN_DATA_DIR", folder)
        .env(
            "MERIDIAN_SECRET_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        )
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn the_commands_back_up_restore_and_look_after_the_installation() {
    let app = filled().await;
    let folder = tempfile::tempdir().unwrap();
    let (url, new) = (
        app.database_url(),
        format!("sqlite://{}", folder.path().join("new.db").display()),
    );
    let run = |url: &str, arguments: &[&str]| meridian(url, folder.path(), arguments);
    let (ok, text) = run(url, &["backup", "b.gz"]);
    assert!(ok && text.contains("tables"), "{text}");
    let (ok, text) = run(url, &["backup", "b.gz"]);
    assert!(!ok && text.contains("exists already"), "{text}");
    let (ok, text) = run(&new, &["restore", "b.gz", "--check"]);
    assert!(ok && text.contains("digest right"), "{text}");
    let (ok, text) = run(&new, &["backup", "c.gz"]);
    assert!(!ok && text.contains("nothing of Meridian is in"), "{text}");
    let (ok, text) = run(&new, &["restore", "none.gz"]);
    assert!(!ok && text.contains("none.gz: No such file"), "{text}");
    let (ok, text) = run(&new, &["restore", "b.gz"]);
    assert!(ok && text.contains("restored:"), "{text}");
    assert!(text.contains("a key for everything that is sealed"), "{text}");
    let (ok, text) = run(&new, &["restore", "b.gz"]);
    assert!(!ok && text.contains("not empty"), "{text}");

    for (arguments, expected) in [
        (
            vec!["admin", "promote", "--email", "ana@example.org"],
            "is now an administrator",
        ),
        (
            vec!["admin", "promote", "--email", "Ana@example.org"],
            "was already an administrator",
        ),
        (
            vec!["admin", "demote", "--email", "ana@example.org"],
            "is now no administrator",
        ),
        (vec!["jobs", "list"], "calendar_sync"),
        (vec!["jobs", "list"], "workers"),
        (vec!["jobs", "requeue", "--queue", "email"], "0 jobs"),
        (vec!["keys", "rotate"], "0 credentials"),
    ] {
        let (ok, text) = run(&new, &arguments);
        assert!(ok && text.contains(expected), "{arguments:?}: {text}");
    }
    let (ok, text) = run(&new, &["admin", "promote", "--email", "nobody@example.org"]);
    assert!(!ok && text.contains("nobody has the address"), "{text}");
}
