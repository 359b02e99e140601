//! The schema of both databases: it equals the entities, keeps tenants apart and refuses what may never happen.
//!
//! PostgreSQL is tested when `MERIDIAN_TEST_PG_ADMIN_URL` names a server where databases may be created. Everything
//! here works below the application, on purpose: what is tested must hold whatever the application does.
#![allow(
    clippy::disallowed_methods,
    reason = "the tables themselves are under test, below the scoped finders"
)]

mod catalog;
mod rows;
mod rules;
mod tenancy;

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

/// Runs the test on a fresh SQLite file.
async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(DatabaseConnection) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.db");
    let db = Database::connect(format!("sqlite://{}?mode=rwc", file.display()))
        .await
        .unwrap();
    Migrator::up(&db, None).await.unwrap();
    test(db).await;
}

/// Runs the test on a fresh PostgreSQL database that is dropped afterwards, or not at all without a server.
async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(DatabaseConnection) -> F) {
    let Ok(admin_url) = std::env::var("MERIDIAN_TEST_PG_ADMIN_URL") else {
        return;
    };
    let admin = Database::connect(&admin_url).await.unwrap();
    let name = format!("meridian_test_{}", uuid::Uuid::now_v7().simple());
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();

    let mut url = url::Url::parse(&admin_url).unwrap();
    url.set_path(&name);
    let db = Database::connect(url.as_str()).await.unwrap();
    let outcome = AssertUnwindSafe(async {
        Migrator::up(&db, None).await.unwrap();
        test(db.clone()).await;
    })
    .catch_unwind()
    .await;

    db.close().await.unwrap();
    admin
        .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// All values of the first column of a query.
async fn texts<C: ConnectionTrait>(db: &C, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// The number in the first column of a query's only row.
async fn count<C: ConnectionTrait>(db: &C, from: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), format!("SELECT count(*) FROM {from}"));
    db.query_one_raw(statement)
        .await
        .unwrap()
        .unwrap()
        .try_get_by_index(0)
        .unwrap()
}

/// Asserts that a statement fails with a message that contains the words.
async fn refused<C: ConnectionTrait>(db: &C, sql: &str, words: &str) {
    let error = db.execute_unprepared(sql).await.expect_err(sql).to_string();
    assert!(error.to_lowercase().contains(words), "{sql}\n{error}");
}

/// How a UUID is written in the SQL of a database.
fn literal(db: &impl ConnectionTrait, id: uuid::Uuid) -> String {
    match db.get_database_backend() {
        DbBackend::Postgres => format!("'{id}'"),
        _ => format!("x'{}'", id.simple()),
    }
}
