//! Search finds series by what single occurrences have otherwise: their own titles, descriptions and places.
//!
//! Occurrences that are private on their own are left out: the index cannot tell who may see them. Those of private series are found like
//! the series, which is left out where it is shown.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Adds the index.
pub(crate) struct SearchOccurrences;

impl MigrationName for SearchOccurrences {
    fn name(&self) -> &str {
        "m0041_search_occurrences"
    }
}

fn postgres() -> String {
    let words = |text: &str| {
        format!(
            "to_tsvector('simple'::regconfig, regexp_replace(lower({text} COLLATE meridian_letters), '[[:punct:]]+', ' ', 'g'))"
        )
    };
    let title = words("left(coalesce(patch ->> 'title', ''), 2000)");
    let body = words(
        "left(coalesce(patch ->> 'description', '') || ' ' || coalesce(patch ->> 'location', ''), 50000)",
    );
    format!(
        "CREATE INDEX ix_event_overrides_search ON event_overrides USING gin ((array_to_tsvector(ARRAY['#' || workspace_id::text]) \
         || setweight({title}, 'A') || setweight({body}, 'C'))) \
         WHERE NOT cancelled AND coalesce(patch ->> 'visibility', '') <> 'private'"
    )
}

/// What of a row is found, if anything; `row` is nothing or stands before the names of columns with a dot.
fn learn(row: &str, from: &str) -> String {
    let field = |name: &str| format!("json_extract({row}patch, '$.{name}')");
    let (title, description, location) = (field("title"), field("description"), field("location"));
    let visibility = field("visibility");
    format!(
        "INSERT INTO search_texts (scope, title, body, kind, object) \
         SELECT 'w' || hex({row}workspace_id) || ' o' || hex({row}id), coalesce({title}, ''), \
         coalesce({description}, '') || ' ' || coalesce({location}, ''), 'event', {row}event_id {from} \
         WHERE NOT {row}cancelled AND coalesce({visibility}, '') <> 'private' \
         AND coalesce({title}, {description}, {location}) IS NOT NULL"
    )
}

fn sqlite() -> [String; 4] {
    let forget = "DELETE FROM search_texts WHERE search_texts MATCH 'scope:o' || hex(old.id);";
    let learn_new = learn("new.", "");
    [
        learn("", "FROM event_overrides"),
        format!(
            "CREATE TRIGGER search_event_overrides_insert AFTER INSERT ON event_overrides BEGIN {learn_new}; END"
        ),
        format!(
            "CREATE TRIGGER search_event_overrides_delete AFTER DELETE ON event_overrides BEGIN {forget} END"
        ),
        format!(
            "CREATE TRIGGER search_event_overrides_update AFTER UPDATE ON event_overrides \
             WHEN old.patch IS NOT new.patch OR old.cancelled IS NOT new.cancelled BEGIN {forget} {learn_new}; END"
        ),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for SearchOccurrences {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            return db.execute_unprepared(&postgres()).await.map(drop);
        }
        for statement in sqlite() {
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            let drop_index = "DROP INDEX IF EXISTS ix_event_overrides_search";
            return db.execute_unprepared(drop_index).await.map(drop);
        }
        for event in ["insert", "delete", "update"] {
            let trigger = format!("DROP TRIGGER IF EXISTS search_event_overrides_{event}");
            db.execute_unprepared(&trigger).await?;
        }
        let forget = "DELETE FROM search_texts WHERE scope IN \
                      (SELECT 'w' || hex(workspace_id) || ' o' || hex(id) FROM event_overrides)";
        db.execute_unprepared(forget).await.map(drop)
    }
}
