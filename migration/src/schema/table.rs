//! What a table is, said once for both databases. Pure description: `create` makes statements of it.
//!
//! Delete rules are words here, so that each foreign key says what happens when the other side goes:
//!
//! | word        | column   | points to            | when the other side is deleted                          |
//! |-------------|----------|----------------------|---------------------------------------------------------|
//! | `owner`     | required | a user               | the row goes too                                        |
//! | `opt_owner` | optional | a user               | the row goes too                                        |
//! | `person`    | optional | a user               | the column becomes null                                 |
//! | `belongs`   | required | a row of the tenant  | the row goes too                                        |
//! | `goes_with` | optional | a row of the tenant  | the row goes too                                        |
//! | `needs`     | required | a row of the tenant  | refused while the row exists                            |
//! | `link`      | optional | a row of the tenant  | the column becomes null; `version` does not change      |
//!
//! Keys inside a tenant are composite, `(workspace_id, x_id)`, so that a link across tenants cannot be written. Plain
//! `SET NULL` would null both columns; `create` says how `link` avoids that. Every foreign key gets an index.

/// Type of a column.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Text of any length; limits are the application's.
    Text,
    /// 16 bits.
    Small,
    /// 32 bits.
    Int,
    /// 64 bits.
    Big,
    /// True or false.
    Flag,
    /// Instant in UTC.
    Time,
    /// Wall time without a zone.
    Wall,
    /// Calendar date.
    Day,
    /// JSON document.
    Json,
    /// Bytes.
    Bytes,
    /// UUID.
    Uuid,
}

/// What happens to a row when the one it points to is deleted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OnDelete {
    /// The row goes too.
    Cascade,
    /// The column becomes null.
    Clear,
    /// The deletion is refused.
    Refuse,
}

pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

pub(crate) struct ForeignKey {
    pub(crate) column: &'static str,
    pub(crate) parent: &'static str,
    /// Whether the key is `(workspace_id, column)`.
    pub(crate) composite: bool,
    pub(crate) on_delete: OnDelete,
}

pub(crate) struct Index {
    pub(crate) columns: &'static [&'static str],
    pub(crate) unique: bool,
    pub(crate) condition: Option<String>,
}

/// Description of a table. `created_at` and `updated_at` are added unless it is a log.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: &'static [&'static str],
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<(String, String)>,
    pub(crate) append_only: bool,
    pub(crate) rights: &'static str,
    pub(crate) fill_factor: Option<u8>,
    pub(crate) postgres: Vec<String>,
    pub(crate) sqlite: Vec<String>,
    pub(crate) postgres_after_drop: Vec<String>,
}

impl Table {
    /// An empty table with a composite or borrowed primary key, see `key`.
    pub(crate) fn bare(name: &'static str) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: &[],
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            append_only: false,
            rights: "SELECT, INSERT, UPDATE, DELETE",
            fill_factor: None,
            postgres: Vec::new(),
            sqlite: Vec::new(),
            postgres_after_drop: Vec::new(),
        }
    }

    /// A table of objects with an `id` that belong to no workspace.
    pub(crate) fn new(name: &'static str) -> Self {
        Self::bare(name).cols(Kind::Uuid, &["id"]).key(&["id"])
    }

    /// A table of objects with an `id` inside a workspace, which others may point to.
    pub(crate) fn owned(name: &'static str) -> Self {
        Self::new(name).workspace().unique(&["workspace_id", "id"])
    }

    /// Required columns.
    pub(crate) fn cols(mut self, kind: Kind, names: &[&'static str]) -> Self {
        self.columns.extend(names.iter().map(|name| Column {
            name,
            kind,
            nullable: false,
        }));
        self
    }

    /// Optional columns.
    pub(crate) fn opts(mut self, kind: Kind, names: &[&'static str]) -> Self {
        self.columns.extend(names.iter().map(|name| Column {
            name,
            kind,
            nullable: true,
        }));
        self
    }

    /// A required text column that holds one of the words.
    pub(crate) fn word(self, name: &'static str, words: &[&str]) -> Self {
        self.cols(Kind::Text, &[name]).one_of(name, words)
    }

    /// An optional text column that holds one of the words.
    pub(crate) fn opt_word(self, name: &'static str, words: &[&str]) -> Self {
        self.opts(Kind::Text, &[name]).one_of(name, words)
    }

    fn one_of(self, name: &'static str, words: &[&str]) -> Self {
        let list = words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(", ");
        self.check(name, &format!("{name} IN ({list})"))
    }

    /// A named condition on rows.
    pub(crate) fn check(mut self, name: &str, condition: &str) -> Self {
        self.checks
            .push((format!("{}_{name}_check", self.name), condition.to_owned()));
        self
    }

    /// Primary key of a table made with `bare`.
    pub(crate) fn key(mut self, columns: &'static [&'static str]) -> Self {
        self.primary_key = columns;
        self
    }

    /// The tenant: the row goes with its workspace.
    pub(crate) fn workspace(self) -> Self {
        self.cols(Kind::Uuid, &["workspace_id"]).points(
            "workspace_id",
            "workspaces",
            false,
            OnDelete::Cascade,
        )
    }

    /// A workspace that some rows have: those go with it.
    pub(crate) fn opt_workspace(self) -> Self {
        self.opts(Kind::Uuid, &["workspace_id"]).points(
            "workspace_id",
            "workspaces",
            false,
            OnDelete::Cascade,
        )
    }

    /// Optional workspace of a person's choice; null when it is gone.
    pub(crate) fn favourite_workspace(self, column: &'static str) -> Self {
        self.opts(Kind::Uuid, &[column])
            .points(column, "workspaces", false, OnDelete::Clear)
    }

    /// Required user; the row goes with them.
    pub(crate) fn owner(self, column: &'static str) -> Self {
        self.cols(Kind::Uuid, &[column])
            .points(column, "users", false, OnDelete::Cascade)
    }

    /// Optional user; the row goes with them.
    pub(crate) fn opt_owner(self, column: &'static str) -> Self {
        self.opts(Kind::Uuid, &[column])
            .points(column, "users", false, OnDelete::Cascade)
    }

    /// Optional user; null when they are gone.
    pub(crate) fn person(self, column: &'static str) -> Self {
        self.opts(Kind::Uuid, &[column])
            .points(column, "users", false, OnDelete::Clear)
    }

    /// Required parent in the same workspace; the row goes with it.
    pub(crate) fn belongs(self, column: &'static str, parent: &'static str) -> Self {
        self.cols(Kind::Uuid, &[column])
            .points(column, parent, true, OnDelete::Cascade)
    }

    /// Required row in the same workspace that may not be deleted before this one.
    pub(crate) fn needs(self, column: &'static str, parent: &'static str) -> Self {
        self.cols(Kind::Uuid, &[column])
            .points(column, parent, true, OnDelete::Refuse)
    }

    /// Optional parent in the same workspace; the row goes with it.
    pub(crate) fn goes_with(self, column: &'static str, parent: &'static str) -> Self {
        self.opts(Kind::Uuid, &[column])
            .points(column, parent, true, OnDelete::Cascade)
    }

    /// Optional row in the same workspace; null when it is gone.
    pub(crate) fn link(self, column: &'static str, parent: &'static str) -> Self {
        self.opts(Kind::Uuid, &[column])
            .points(column, parent, true, OnDelete::Clear)
    }

    fn points(
        mut self,
        column: &'static str,
        parent: &'static str,
        composite: bool,
        on_delete: OnDelete,
    ) -> Self {
        self.foreign_keys.push(ForeignKey {
            column,
            parent,
            composite,
            on_delete,
        });
        self
    }

    /// No two rows share these columns.
    pub(crate) fn unique(mut self, columns: &'static [&'static str]) -> Self {
        self.indexes.push(Index {
            columns,
            unique: true,
            condition: None,
        });
        self
    }

    /// No two rows under the condition share these columns.
    pub(crate) fn unique_where(mut self, columns: &'static [&'static str], condition: &str) -> Self {
        self.indexes.push(Index {
            columns,
            unique: true,
            condition: Some(condition.to_owned()),
        });
        self
    }

    /// An index for reads.
    pub(crate) fn index(mut self, columns: &'static [&'static str]) -> Self {
        self.indexes.push(Index {
            columns,
            unique: false,
            condition: None,
        });
        self
    }

    /// An index of the rows under the condition.
    pub(crate) fn index_where(mut self, columns: &'static [&'static str], condition: &str) -> Self {
        self.indexes.push(Index {
            columns,
            unique: false,
            condition: Some(condition.to_owned()),
        });
        self
    }

    /// Rows are never updated: they have no `updated_at`, and the roles get these rights.
    pub(crate) fn append_only(mut self, rights: &'static str) -> Self {
        self.append_only = true;
        self.rights = rights;
        self
    }

    /// Leaves room in PostgreSQL's pages of a table that is updated often.
    pub(crate) fn fill_factor(mut self, percent: u8) -> Self {
        self.fill_factor = Some(percent);
        self
    }

    /// A statement after creation that only PostgreSQL needs.
    pub(crate) fn on_postgres(mut self, sql: &str) -> Self {
        self.postgres.push(sql.to_owned());
        self
    }

    /// A statement after creation that only SQLite needs.
    pub(crate) fn on_sqlite(mut self, sql: &str) -> Self {
        self.sqlite.push(sql.to_owned());
        self
    }

    /// A statement after the table was dropped, for what PostgreSQL keeps beside it.
    pub(crate) fn after_drop_on_postgres(mut self, sql: &str) -> Self {
        self.postgres_after_drop.push(sql.to_owned());
        self
    }
}
