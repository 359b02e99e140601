//! What a database says about itself, for those who set up an installation or look for what is wrong with one.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

use super::errors::database_code;

/// A database server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// Name and version.
    pub text: String,
    /// Major version of PostgreSQL.
    pub postgres: Option<i64>,
}

/// Asks a connection for its version, which is also a round trip.
pub async fn server_version(connection: &DatabaseConnection) -> Result<ServerVersion, DbErr> {
    let backend = connection.get_database_backend();
    let is_postgres = backend == DbBackend::Postgres;
    let sql = if is_postgres {
        "SELECT current_setting('server_version') AS version"
    } else {
        "SELECT sqlite_version() AS version"
    };
    let row = connection
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    let version: String = match row {
        Some(row) => row.try_get("", "version")?,
        None => return Err(DbErr::RecordNotFound("the version of the database".into())),
    };
    if !is_postgres {
        return Ok(ServerVersion {
            text: format!("SQLite {version}"),
            postgres: None,
        });
    }
    let major = version.split(|c: char| !c.is_ascii_digit()).next();
    Ok(ServerVersion {
        text: format!("PostgreSQL {}", version.split(' ').next().unwrap_or_default()),
        postgres: major.and_then(|major| major.parse().ok()),
    })
}

/// What the database says is wrong, its code in parentheses at the end.
pub fn told(error: &DbErr) -> String {
    let text = error.to_string();
    match database_code(error) {
        Some(code) => format!("{text} ({code})"),
        None => text,
    }
}
