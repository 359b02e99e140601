//! A fresh migrated database for each test, copied from a template that is migrated once for each build of the tests.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::Duration;

use meridian::platform::db::migration_connection;
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

/// What the tests run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, everything in process.
    Embedded,
    /// PostgreSQL and Redis.
    Production { pg_admin_url: String, redis_url: String },
}

impl Backend {
    /// The backend that the environment names.
    pub fn from_env() -> Self {
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set; tests/run does it"))
        };
        match std::env::var("MERIDIAN_TEST_BACKEND").as_deref() {
            Err(_) | Ok("embedded") => Self::Embedded,
            Ok("production") => Self::Production {
                pg_admin_url: variable("MERIDIAN_TEST_PG_ADMIN_URL"),
                redis_url: variable("MERIDIAN_TEST_REDIS_URL"),
            },
            Ok(other) => panic!("MERIDIAN_TEST_BACKEND is `{other}`; use `embedded` or `production`"),
        }
    }
}

/// A database that nobody else uses. It is removed when the value is dropped (files) or with the test's PostgreSQL server.
pub struct Database {
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    /// Copies the template.
    pub async fn create() -> Self {
        match Backend::from_env() {
            Backend::Embedded => Self::sqlite().await,
            Backend::Production { pg_admin_url, .. } => Self::postgres(&pg_admin_url).await,
        }
    }

    /// An empty database that is somewhere else, on PostgreSQL.
    pub async fn at(url: String) -> Self {
        let connection = migration_connection(&url).await.unwrap();
        Migrator::up(&connection, None).await.unwrap();
        connection.close().await.unwrap();
        Self { url, _folder: None }
    }

    async fn sqlite() -> Self {
        let template =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{:016x}.sqlite", build_key()));
        if !template.exists() {
            let building = template.with_extension(uuid::Uuid::now_v7().simple().to_string());
            let url = format!("sqlite://{}", building.display());
            let connection = migration_connection(&url).await.unwrap();
            Migrator::up(&connection, None).await.unwrap();
            connection
                .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
                .await
                .unwrap();
            connection.close().await.unwrap();
            // Whoever comes last wins; all of them are equal.
            std::fs::rename(&building, &template).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meridian.sqlite");
        std::fs::copy(&template, &file).unwrap();
        Self {
            url: format!("sqlite://{}", file.display()),
            _folder: Some(folder),
        }
    }

    async fn postgres(admin_url: &str) -> Self {
        let admin = migration_connection(admin_url).await.unwrap();
        let template = format!("meridian_template_{:016x}", build_key());
        // One process at a time makes the template; the others wait for it.
        admin
            .execute_unprepared("SELECT pg_advisory_lock(7264)")
            .await
            .unwrap();
        let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{template}'");
        let exists = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, exists);
        if admin.query_one_raw(exists).await.unwrap().is_none() {
            let building = format!("{template}_building");
            admin
                .execute_unprepared(&format!("DROP DATABASE IF EXISTS {building}"))
                .await
                .unwrap();
            admin
                .execute_unprepared(&format!("CREATE DATABASE {building}"))
                .await
                .unwrap();
            let connection = migration_connection(&with_database(admin_url, &building))
                .await
                .unwrap();
            Migrator::up(&connection, None).await.unwrap();
            connection.close().await.unwrap();
            retry(&admin, &format!("ALTER DATABASE {building} RENAME TO {template}")).await;
        }
        let name = format!("meridian_test_{}", uuid::Uuid::now_v7().simple());
        retry(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        admin
            .execute_unprepared("SELECT pg_advisory_unlock(7264)")
            .await
            .unwrap();
        admin.close().await.unwrap();
        Self {
            url: with_database(admin_url, &name),
            _folder: None,
        }
    }
}

/// PostgreSQL needs a moment to notice that the last connection to a template is gone.
async fn retry(admin: &DatabaseConnection, sql: &str) {
    for _ in 0..50 {
        if admin.execute_unprepared(sql).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    admin.execute_unprepared(sql).await.unwrap();
}

fn with_database(url: &str, name: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_path(name);
    url.to_string()
}

/// Changes with each build of the tests, so that a template never outlives the migrations it was made with.
fn build_key() -> u64 {
    let binary = std::env::current_exe().unwrap();
    let metadata = std::fs::metadata(&binary).unwrap();
    let mut hasher = DefaultHasher::new();
    (binary, metadata.len(), metadata.modified().unwrap()).hash(&mut hasher);
    hasher.finish()
}
