//! Signs that something was taken from a person, or given to them, that processes keep in memory: sessions, tokens, memberships, the office of
//! an administrator. Triggers leave them, in the same transaction and whoever writes, also where rows go by the cascade of a foreign key.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::schema::table::Kind::{Big, Uuid};
use crate::schema::table::Table;

/// The step.
pub(crate) struct Withdrawals;

impl MigrationName for Withdrawals {
    fn name(&self) -> &str {
        "m0040_withdrawals"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Withdrawals {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table().create(manager).await?;
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        for watched in &WATCHED {
            let trigger = if is_postgres {
                watched.on_postgres()
            } else {
                watched.on_sqlite()
            };
            manager.get_connection().execute_unprepared(&trigger).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        for watched in &WATCHED {
            let (name, table) = (watched.name(), watched.table);
            let drop = if is_postgres {
                format!("DROP TRIGGER IF EXISTS {name} ON {table}")
            } else {
                format!("DROP TRIGGER IF EXISTS {name}")
            };
            manager.get_connection().execute_unprepared(&drop).await?;
        }
        table().drop(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// `number` is that of the transaction on PostgreSQL, where a snapshot says which transactions may still commit; SQLite has one writer, so
/// there the rows are counted. No foreign key: the sign outlives its person.
fn table() -> Table {
    Table::bare("withdrawals")
        .cols(Big, &["number"])
        .cols(Uuid, &["user_id"])
        .key(&["number", "user_id"])
        // Upkeep deletes old rows; nothing updates one.
        .append_only("SELECT, INSERT, DELETE")
        .on_postgres(&function("note_withdrawal", "user_id"))
        .on_postgres(&function("note_withdrawal_of_user", "id"))
        .after_drop_on_postgres("DROP FUNCTION note_withdrawal()")
        .after_drop_on_postgres("DROP FUNCTION note_withdrawal_of_user()")
}

/// One sign for each person and transaction, however many rows of theirs it touches.
fn function(name: &str, person: &str) -> String {
    format!(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE person uuid;
BEGIN
  IF TG_OP = 'DELETE' THEN
    person := OLD.{person};
  ELSE
    person := NEW.{person};
  END IF;
  INSERT INTO withdrawals (number, user_id, created_at) VALUES (txid_current(), person, clock_timestamp())
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$"
    )
}

/// When a row of a table leaves a sign.
struct Watched {
    table: &'static str,
    event: &'static str,
    /// Columns that leave a sign when their values change; for updates only.
    columns: &'static [&'static str],
    /// Only rows that were good for something.
    only_good: bool,
}

impl Watched {
    const fn new(table: &'static str, event: &'static str) -> Self {
        Self {
            table,
            event,
            columns: &[],
            only_good: false,
        }
    }

    const fn of(mut self, columns: &'static [&'static str]) -> Self {
        self.columns = columns;
        self
    }

    /// What was revoked has left its sign when it was.
    const fn only_good(mut self) -> Self {
        self.only_good = true;
        self
    }

    fn name(&self) -> String {
        format!("withdrawals_{}_{}", self.table, self.event.to_lowercase())
    }

    fn event(&self) -> String {
        if self.columns.is_empty() {
            self.event.to_owned()
        } else {
            format!("{} OF {}", self.event, self.columns.join(", "))
        }
    }

    /// The condition with this operator for values that differ, nulls too.
    fn condition(&self, differs: &str) -> Option<String> {
        if self.only_good {
            return Some("OLD.revoked_at IS NULL".into());
        }
        let columns = self
            .columns
            .iter()
            .map(|name| format!("OLD.{name} {differs} NEW.{name}"));
        let columns: Vec<String> = columns.collect();
        (!columns.is_empty()).then(|| columns.join(" OR "))
    }

    fn on_postgres(&self) -> String {
        let (name, event, table) = (self.name(), self.event(), self.table);
        let when = self.condition("IS DISTINCT FROM");
        let when = when.map_or_else(String::new, |condition| format!("WHEN ({condition}) "));
        let function = match table {
            "users" => "note_withdrawal_of_user",
            _ => "note_withdrawal",
        };
        format!(
            "CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {function}()"
        )
    }

    fn on_sqlite(&self) -> String {
        let (name, event, table) = (self.name(), self.event(), self.table);
        let when = self.condition("IS NOT");
        let when = when.map_or_else(String::new, |condition| format!("WHEN {condition} "));
        let row = if self.event == "DELETE" { "OLD" } else { "NEW" };
        let person = if table == "users" { "id" } else { "user_id" };
        format!(
            "CREATE TRIGGER {name} AFTER {event} ON {table} {when}BEGIN \
             INSERT INTO withdrawals (number, user_id, created_at) VALUES \
             ((SELECT coalesce(max(number), 0) + 1 FROM withdrawals), {row}.{person}, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')); \
             END"
        )
    }
}

/// Everything that is kept of a caller. New sessions and tokens leave no sign: what is not there is not kept. Their use is noted all the
/// time, in columns that are not here.
const WATCHED: [Watched; 9] = [
    Watched::new("users", "UPDATE").of(&["is_admin"]),
    Watched::new("users", "DELETE"),
    Watched::new("sessions", "UPDATE").of(&["revoked_at", "expires_at", "token_hash"]),
    Watched::new("sessions", "DELETE").only_good(),
    Watched::new("api_tokens", "UPDATE").of(&[
        "revoked_at",
        "expires_at",
        "token_hash",
        "scopes",
        "workspace_id",
    ]),
    Watched::new("api_tokens", "DELETE").only_good(),
    Watched::new("memberships", "INSERT"),
    Watched::new("memberships", "UPDATE").of(&["role", "workspace_id"]),
    Watched::new("memberships", "DELETE"),
];
