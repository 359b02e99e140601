//! Full-text search over events and tasks.
//!
//! PostgreSQL: GIN indexes over an expression that holds the workspace as a word, so that one index lookup finds the words of one workspace.
//! SQLite: one table of FTS5, kept by triggers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Adds the indexes.
pub(crate) struct Search;

/// A searched table with its kind and the columns behind the title.
pub(crate) const TABLES: [(&str, &str, &[&str]); 2] = [
    ("calendar_events", "event", &["description", "location"]),
    ("tasks", "task", &["description"]),
];

impl MigrationName for Search {
    fn name(&self) -> &str {
        "m0016_search"
    }
}

/// Long texts are found by their beginnings, so that no text is too long to be stored.
pub(crate) fn postgres(table: &str, body: &[&str]) -> String {
    let words = |text: String| {
        format!("to_tsvector('simple'::regconfig, regexp_replace({text}, '[[:punct:]]+', ' ', 'g'))")
    };
    let body: Vec<String> = body.iter().map(|name| format!("coalesce({name}, '')")).collect();
    let title = words("left(title, 2000)".to_owned());
    let body = words(format!("left({}, 50000)", body.join(" || ' ' || ")));
    format!(
        "CREATE INDEX ix_{table}_search ON {table} USING gin ((array_to_tsvector(ARRAY['#' || workspace_id::text]) \
         || setweight({title}, 'A') || setweight({body}, 'C')))"
    )
}

fn sqlite(table: &str, kind: &str, body: &[&str]) -> Vec<String> {
    let values = |row: &str| {
        let body: Vec<String> = body
            .iter()
            .map(|name| format!("coalesce({row}{name}, '')"))
            .collect();
        format!(
            "'w' || hex({row}workspace_id) || ' o' || hex({row}id), {row}title, {}, '{kind}', {row}id",
            body.join(" || ' ' || ")
        )
    };
    let columns = "search_texts (scope, title, body, kind, object)";
    let forget = "DELETE FROM search_texts WHERE search_texts MATCH 'scope:o' || hex(old.id);";
    let differs: Vec<String> = ["title"]
        .iter()
        .chain(body)
        .map(|name| format!("old.{name} IS NOT new.{name}"))
        .collect();
    let learn = format!("INSERT INTO {columns} VALUES ({});", values("new."));
    vec![
        format!("INSERT INTO {columns} SELECT {} FROM {table}", values("")),
        format!("CREATE TRIGGER search_{table}_insert AFTER INSERT ON {table} BEGIN {learn} END"),
        format!("CREATE TRIGGER search_{table}_delete AFTER DELETE ON {table} BEGIN {forget} END"),
        format!(
            "CREATE TRIGGER search_{table}_update AFTER UPDATE ON {table} WHEN {} BEGIN {forget} {learn} END",
            differs.join(" OR ")
        ),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Search {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            for (table, _, body) in TABLES {
                db.execute_unprepared(&postgres(table, body)).await?;
            }
            return Ok(());
        }
        let table = "CREATE VIRTUAL TABLE search_texts USING fts5(scope, title, body, kind UNINDEXED, object UNINDEXED, \
                     tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3')";
        db.execute_unprepared(table).await?;
        for (table, kind, body) in TABLES {
            for statement in sqlite(table, kind, body) {
                db.execute_unprepared(&statement).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        for (table, ..) in TABLES {
            if is_postgres {
                db.execute_unprepared(&format!("DROP INDEX IF EXISTS ix_{table}_search"))
                    .await?;
                continue;
            }
            for event in ["insert", "delete", "update"] {
                db.execute_unprepared(&format!("DROP TRIGGER IF EXISTS search_{table}_{event}"))
                    .await?;
            }
        }
        if !is_postgres {
            db.execute_unprepared("DROP TABLE IF EXISTS search_texts").await?;
        }
        Ok(())
    }
}
