//! What the databases say about themselves, against what the entities say.

use std::collections::{BTreeMap, BTreeSet};

use entity::enums::text_enum_words;
use meridian::features::privacy::SHADOWS;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ColumnType, ConnectionTrait, DatabaseConnection, Statement};

use super::{on_postgres, on_sqlite, texts};

/// Tables, their columns, and whether a column may be null.
type Shape = BTreeMap<String, BTreeMap<String, bool>>;

fn declared() -> Shape {
    let column = |column: entity::Column| (column.name, column.nullable);
    entity::catalog()
        .into_iter()
        .map(|table| (table.name, table.columns.into_iter().map(column).collect()))
        .collect()
}

async fn found(db: &DatabaseConnection, sql: &str) -> Shape {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let mut shape = Shape::new();
    for row in db.query_all_raw(statement).await.unwrap() {
        let table: String = row.try_get_by_index(0).unwrap();
        let nullable: bool = row.try_get_by_index(2).unwrap();
        shape
            .entry(table)
            .or_default()
            .insert(row.try_get_by_index(1).unwrap(), nullable);
    }
    shape
}

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, c.\"notnull\" = 0 FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'search_texts%' AND m.name <> 'seaql_migrations'";

const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text, is_nullable = 'YES' FROM information_schema.columns \
     WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";

async fn equals_the_entities_after_up_down_and_up(db: DatabaseConnection, columns: &str) {
    assert_eq!(found(&db, columns).await, declared());
    Migrator::down(&db, None).await.unwrap();
    assert_eq!(found(&db, columns).await, Shape::new());
    assert!(Migrator::get_applied_migrations(&db).await.unwrap().is_empty());
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(found(&db, columns).await, declared());
    assert!(Migrator::get_pending_migrations(&db).await.unwrap().is_empty());
}

/// What `SQLITE_COLUMNS` leaves out has personal data too.
#[tokio::test]
async fn what_sqlite_has_beside_the_entities_is_in_the_registry_and_follows_them() {
    on_sqlite(|db| async move {
        let beside = "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                      WHERE m.type = 'table' AND m.sql LIKE 'CREATE VIRTUAL TABLE%'";
        let found: BTreeSet<String> = texts(&db, beside).await.into_iter().collect();
        let registered = SHADOWS.iter().flat_map(|shadow| {
            let columns = shadow.columns.iter();
            columns.map(move |(column, _)| format!("{}.{column}", shadow.name))
        });
        assert_eq!(found, registered.collect());
        for shadow in SHADOWS {
            for event in ["INSERT", "UPDATE", "DELETE"] {
                let followed = format!(
                    "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%AFTER {event} ON%{}%'",
                    shadow.name
                );
                let followed: BTreeSet<String> = texts(&db, &followed).await.into_iter().collect();
                let expected = shadow.follows.iter().map(|name| (*name).to_owned());
                assert_eq!(followed, expected.collect(), "{event}");
            }
            let forgets = format!("SELECT k FROM {}_config WHERE k = 'secure-delete' AND v = 1", shadow.name);
            assert_eq!(texts(&db, &forgets).await, ["secure-delete"]);
        }
    })
    .await;
}

#[tokio::test]
async fn sqlite_has_the_tables_of_the_entities() {
    on_sqlite(|db| equals_the_entities_after_up_down_and_up(db, SQLITE_COLUMNS)).await;
}

#[tokio::test]
async fn postgres_has_the_tables_of_the_entities() {
    on_postgres(|db| equals_the_entities_after_up_down_and_up(db, POSTGRES_COLUMNS)).await;
}

#[tokio::test]
async fn postgres_has_the_column_types_of_the_entities() {
    on_postgres(|db| async move {
        let sql = "SELECT table_name || '.' || column_name || ' ' || udt_name FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";
        let found: BTreeSet<String> = texts(&db, sql).await.into_iter().collect();
        let declared = entity::catalog().into_iter().flat_map(|table| {
            let name = table.name;
            table.columns.into_iter().map(move |column| format!("{name}.{} {}", column.name, postgres_type(&column.kind)))
        });
        assert_eq!(found, declared.collect());
    })
    .await;
}

fn postgres_type(kind: &ColumnType) -> &'static str {
    match kind {
        ColumnType::Uuid => "uuid",
        ColumnType::Text | ColumnType::String(_) => "text",
        ColumnType::SmallInteger => "int2",
        ColumnType::Integer => "int4",
        ColumnType::BigInteger => "int8",
        ColumnType::Boolean => "bool",
        ColumnType::TimestampWithTimeZone => "timestamptz",
        ColumnType::DateTime => "timestamp",
        ColumnType::Date => "date",
        ColumnType::Json | ColumnType::JsonBinary => "jsonb",
        ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob => "bytea",
        other => panic!("no column has the type {other:?}"),
    }
}

#[tokio::test]
async fn word_columns_accept_exactly_the_words_of_an_enum() {
    on_sqlite(|db| async move {
        let lists: BTreeSet<String> = text_enum_words()
            .into_iter()
            .map(|(_, words)| {
                words
                    .iter()
                    .map(|word| format!("'{word}'"))
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .collect();
        let sql = "SELECT sql FROM sqlite_master WHERE type = 'table'";
        let mut checked = 0;
        for table in texts(&db, sql).await {
            for rest in table.split(" IN (").skip(1) {
                let list = rest.split(')').next().unwrap();
                assert!(lists.contains(list), "no enum has the words {list}");
                checked += 1;
            }
        }
        assert!(checked > 30, "only {checked} word columns were found");
    })
    .await;
}

#[tokio::test]
async fn every_foreign_key_of_postgres_has_an_index_that_starts_with_it() {
    on_postgres(|db| async move {
        // A composite key is served by an index on its columns, or on the row's part alone.
        let sql = "SELECT c.conrelid::regclass || '.' || c.conname FROM pg_constraint c WHERE c.contype = 'f' \
                   AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid \
                   AND (i.indkey[0] = c.conkey[cardinality(c.conkey)] \
                   OR i.indkey[0] = c.conkey[1] AND i.indkey[1] = c.conkey[2]))";
        assert_eq!(texts(&db, sql).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn no_name_is_cut_by_postgres() {
    on_postgres(|db| async move {
        let sql = "SELECT conname::text FROM pg_constraint WHERE length(conname) >= 63 \
                   UNION SELECT relname::text FROM pg_class WHERE length(relname) >= 63";
        assert_eq!(texts(&db, sql).await, Vec::<String>::new());
    })
    .await;
}
