//! Enough rows for PostgreSQL to mind how it reads them: those of one workspace again and again, and others beside it. SQLite chooses its
//! ways without looking at the rows, so it needs none.

use entity::ids::TypedId as _;
use meridian::platform::db::migration_connection;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};

use crate::support::{Person, TestApp};

/// Fills every table that has a row of this person's workspace, or of themselves.
pub async fn multiply(app: &TestApp, person: &Person) {
    let connection = migration_connection(app.database_url()).await.unwrap();
    if connection.get_database_backend() != DbBackend::Postgres {
        return;
    }
    // Copies refer to nobody; the owner of the database may store such rows.
    run(&connection, "SET session_replication_role = replica").await;
    run(
        &connection,
        "CREATE TEMPORARY TABLE others AS SELECT gen_random_uuid() AS id, number FROM generate_series(1, 70) AS number",
    )
    .await;
    let tables = "SELECT table_name::text AS name, max(CASE WHEN column_name = 'workspace_id' THEN 1 ELSE 0 END) AS owned, \
        max(CASE WHEN column_name = 'user_id' THEN 1 ELSE 0 END) AS personal \
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) \
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY table_name";
    let tables = all(&connection, tables).await;
    for table in tables {
        let name: String = table.try_get("", "name").unwrap();
        let (owned, personal): (i32, i32) = (
            table.try_get("", "owned").unwrap(),
            table.try_get("", "personal").unwrap(),
        );
        let place = if owned == 1 {
            "workspace_id"
        } else if personal == 1 {
            "user_id"
        } else if name == "users" || name == "workspaces" {
            "id"
        } else {
            continue;
        };
        let own = if place == "workspace_id" || name == "workspaces" {
            person.workspace_id.uuid()
        } else {
            person.user_id.uuid()
        };
        fill(&connection, &name, place, &own.to_string()).await;
    }
    run(&connection, "ANALYZE").await;
    connection.close().await.unwrap();
}

async fn fill(connection: &DatabaseConnection, table: &str, place: &str, own: &str) {
    let columns = format!(
        "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name = '{table}' AND is_generated = 'NEVER' ORDER BY ordinal_position"
    );
    let columns: Vec<(String, String)> = all(connection, &columns)
        .await
        .iter()
        .map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "kind").unwrap()))
        .collect();
    // Of each unique key some column must differ. Ids always do; columns that only take certain words cannot.
    let keys = format!(
        "SELECT (SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY(indkey::int2[]) \
           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = indrelid AND contype = 'c' AND attnum = ANY(conkey)) \
           ORDER BY array_position(indkey::int2[], attnum) DESC LIMIT 1) AS last \
         FROM pg_index WHERE indrelid = 'public.\"{table}\"'::regclass AND indisunique"
    );
    let keys: Vec<String> = all(connection, &keys)
        .await
        .iter()
        .filter_map(|row| row.try_get("", "last").unwrap())
        .collect();
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let values = |elsewhere: bool| {
        let values: Vec<String> = columns
            .iter()
            .map(|(name, kind)| {
                let quoted = format!("base.\"{name}\"");
                let differs = name == "id" || keys.contains(name);
                if name == place && (elsewhere || !differs) {
                    return if elsewhere { "copy.id".to_owned() } else { quoted };
                }
                match kind.as_str() {
                    "uuid" if differs => "gen_random_uuid()".to_owned(),
                    "text" | "character varying" if differs => {
                        format!("{quoted} || '-' || copy.number || random()")
                    }
                    "bigint" | "integer" if differs => format!("{quoted} + 100000 * copy.number"),
                    "bytea" if differs => "decode(md5(random()::text), 'hex')".to_owned(),
                    "timestamp with time zone" => format!("{quoted} + copy.number * interval '7 hours'"),
                    _ => quoted,
                }
            })
            .collect();
        values.join(", ")
    };
    let base =
        |most: usize| format!("(SELECT * FROM \"{table}\" WHERE \"{place}\" = '{own}' LIMIT {most}) AS base");
    let names = names.join(", ");
    // Those that hang together with each other, and are listed without pages below each other.
    let copies = if ["calendars", "integrations"].contains(&table) {
        5
    } else {
        60
    };
    if place != "id" {
        let again = format!(
            "INSERT INTO \"{table}\" ({names}) SELECT {} FROM {} CROSS JOIN \
             (SELECT gen_random_uuid() AS id, number FROM generate_series(1, {copies}) AS number) AS copy ON CONFLICT DO NOTHING",
            values(false),
            base(4)
        );
        run(connection, &again).await;
    }
    let elsewhere = format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {} FROM {} CROSS JOIN others AS copy ON CONFLICT DO NOTHING",
        values(true),
        base(90)
    );
    run(connection, &elsewhere).await;
}

async fn run(connection: &DatabaseConnection, sql: &str) {
    let done = connection.execute_unprepared(sql).await;
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

async fn all(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    connection.query_all_raw(statement).await.unwrap()
}
