//! Reading in a scope. Each statement takes a pooled connection. On PostgreSQL the statement itself tells row-level security its
//! workspace, in the same flight, and the setting ends with the statement: nothing is left on the connection for whoever comes next.

use std::any::TypeId;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use entity::ids::WorkspaceId;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryFilter as _, QueryResult,
    Select, Statement, Value, Values,
};

use super::columns::Partial;
use super::flight::Flight;
use super::scope::{Global, Scope, WorkspaceOwned, scope_filter};
use super::source::Source;
use super::texts::Texts;
use crate::kernel::{Error, Result};

/// Where statements can be heard, without their values: `RUST_LOG=meridian::sql=trace`.
const HEARD: &str = "meridian::sql";

static STATEMENTS: AtomicU64 = AtomicU64::new(0);

/// How many statements this process has run in scopes so far: what a question costs can be told by the difference.
pub fn statements() -> u64 {
    STATEMENTS.load(Ordering::Relaxed)
}

/// Counts a statement that is about to run, and tells it to whoever listens.
fn note(sql: &str, scope: &'static str) {
    STATEMENTS.fetch_add(1, Ordering::Relaxed);
    tracing::trace!(target: HEARD, scope, sql);
}

/// An open read. Dropping it ends it.
#[derive(Debug)]
pub struct Read {
    handle: Handle,
    scope: Scope,
}

#[derive(Debug)]
pub(super) enum Handle {
    /// Statements go as they are: SQLite, or PostgreSQL in the system role.
    Pool(Source),
    /// Statements name the workspace themselves.
    Scoped(Source, WorkspaceId),
    Transaction(DatabaseTransaction),
    /// A transaction on PostgreSQL.
    Flight(Flight),
}

impl Read {
    pub(super) fn open(source: &Source, scope: Scope) -> Self {
        let handle = match scope {
            Scope::Workspace(id) if source.backend() == DbBackend::Postgres => {
                Handle::Scoped(source.clone(), id)
            }
            _ => Handle::Pool(source.clone()),
        };
        Self { handle, scope }
    }

    pub(super) fn inside(transaction: DatabaseTransaction, scope: Scope) -> Self {
        Self {
            handle: Handle::Transaction(transaction),
            scope,
        }
    }

    pub(super) fn aboard(flight: Flight, scope: Scope) -> Self {
        Self {
            handle: Handle::Flight(flight),
            scope,
        }
    }

    /// Ends a transaction with what it did.
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        match self.handle {
            Handle::Transaction(transaction) => transaction.commit().await,
            Handle::Flight(flight) => flight.commit().await,
            Handle::Pool(_) | Handle::Scoped(..) => Err(only_reads()),
        }
    }

    /// Ends a transaction as if it had not been.
    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        match self.handle {
            Handle::Transaction(transaction) => transaction.rollback().await,
            Handle::Flight(flight) => flight.rollback().await,
            Handle::Pool(_) | Handle::Scoped(..) => Err(only_reads()),
        }
    }

    /// The scope that every finder applies.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether statements run on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.get_database_backend() == DbBackend::Postgres
    }

    /// Whether statements run inside an open transaction.
    pub(super) fn is_transaction(&self) -> bool {
        matches!(self.handle, Handle::Transaction(_) | Handle::Flight(_))
    }

    /// Opens a transaction that would be opened by its first statement.
    pub(super) async fn open_now(&self) -> Result<(), DbErr> {
        match &self.handle {
            Handle::Flight(flight) => flight.open().await,
            Handle::Transaction(_) | Handle::Pool(_) | Handle::Scoped(..) => Ok(()),
        }
    }

    /// Whether this is a transaction that no statement opened yet.
    pub(super) fn is_untouched(&self) -> bool {
        matches!(&self.handle, Handle::Flight(flight) if flight.is_untouched())
    }

    /// Runs a statement as the whole of an untouched transaction. It has to name the workspace itself.
    pub(super) async fn query_alone(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        note(&statement.sql, self.scope.name());
        match &self.handle {
            Handle::Flight(flight) => flight.query_alone(statement).await,
            Handle::Transaction(_) | Handle::Pool(_) | Handle::Scoped(..) => Err(only_reads()),
        }
    }

    /// Rows that a statement finds in all workspaces, on the connection of this transaction.
    pub(super) async fn query_all_beside(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        note(&statement.sql, Scope::System.name());
        match (&self.handle, self.scope) {
            (Handle::Flight(flight), Scope::Workspace(_)) => flight.query_all_beside(statement).await,
            (Handle::Flight(flight), Scope::System) => flight.query_all(statement).await,
            (Handle::Transaction(transaction), _) => transaction.query_all_raw(statement).await,
            (Handle::Pool(_) | Handle::Scoped(..), _) => {
                Err(DbErr::Custom("a read beside a transaction that is none".into()))
            }
        }
    }

    /// The statement as it goes out.
    fn named(&self, statement: Statement) -> Statement {
        let statement = match &self.handle {
            Handle::Scoped(_, id) => naming(statement, *id),
            Handle::Pool(_) | Handle::Transaction(_) | Handle::Flight(_) => statement,
        };
        note(&statement.sql, self.scope.name());
        statement
    }

    /// Rows of a workspace-owned table: those of the scope's workspace, or all in the system scope.
    #[expect(
        clippy::disallowed_methods,
        reason = "the scoped finder is built on the unscoped one"
    )]
    pub fn find<E: WorkspaceOwned>(&self) -> Select<E> {
        E::find().filter(scope_filter::<E>(self.scope))
    }

    /// Rows of a table that belongs to people or to the installation.
    #[expect(clippy::disallowed_methods, reason = "these tables have no workspace")]
    pub fn find_global<E: Global>(&self) -> Select<E> {
        E::find()
    }
}

/// The statement as one that first names its workspace to row-level security.
///
/// `LATERAL` over a column of `scope` makes PostgreSQL compute `scope`, and so set the setting, before it opens the inner statement;
/// `OFFSET 0` keeps the inner statement from being merged into the outer one. Were it ever otherwise, the policies would find no
/// setting and the answer would be empty, never foreign. The third argument of `set_config` ends the setting with the statement.
fn naming(statement: Statement, id: WorkspaceId) -> Statement {
    within(
        statement,
        id.0.to_string(),
        "WITH scope AS MATERIALIZED (SELECT set_config('app.workspace_id', $",
        ", true) AS id) SELECT found.* FROM scope",
    )
}

/// As [`naming`], once for each workspace of a caller: the statement runs inside one after the other, and may call it `place.id`. `list`
/// has them as PostgreSQL writes an array.
///
/// One setting with a list and a second policy for it would be shorter, but two policies are joined by OR, and with an OR
/// PostgreSQL reads and sorts whole workspaces where one equality lets it walk an index.
fn naming_each(statement: Statement, list: String) -> Statement {
    within(
        statement,
        list,
        "SELECT found.* FROM unnest(CAST(CAST($",
        " AS text) AS uuid[])) AS place(id) CROSS JOIN LATERAL \
         (SELECT set_config('app.workspace_id', CAST(place.id AS text), true) AS id OFFSET 0) AS scope",
    )
}

fn array(ids: &[WorkspaceId]) -> String {
    let list: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    format!("{{{}}}", list.join(","))
}

/// The statement inside `scope`, whose text surrounds the number of a new parameter.
fn within(mut statement: Statement, value: String, before: &str, after: &str) -> Statement {
    let values = statement
        .values
        .get_or_insert_with(|| Values(Vec::with_capacity(1)));
    values.0.push(value.into());
    let number = values.0.len().to_string();
    let inner = statement.sql.trim_end_matches(';');
    let pieces = [
        before,
        &number,
        after,
        " CROSS JOIN LATERAL (SELECT inside.* FROM (",
        inner,
        ") AS inside WHERE scope.id IS NOT NULL OFFSET 0) AS found",
    ];
    statement.sql = pieces.concat();
    statement
}

/// Statements of [`find_in`] by table, columns, and the number of workspaces where each is a value of its own.
static FOUND: LazyLock<Texts<(TypeId, u64, Option<usize>)>> = LazyLock::new(Texts::default);

/// The row with this id in one of these workspaces.
pub(super) async fn find_in<E: WorkspaceOwned + Partial>(
    source: &Source,
    workspaces: &[WorkspaceId],
    id: Value,
    columns: &[E::Column],
) -> Result<Option<E::Model>> {
    let is_postgres = source.backend() == DbBackend::Postgres;
    let mut given = vec![id.clone()];
    if is_postgres {
        given.push(array(workspaces).into());
    } else {
        given.extend(workspaces.iter().map(|id| Value::from(*id)));
    }
    let count = (!is_postgres).then_some(workspaces.len());
    let key = (TypeId::of::<E>(), E::mask_of(columns), count);
    let statement = FOUND.statement(key, &given, || {
        finding::<E>(source.backend(), workspaces, id, columns)
    })?;
    note(&statement.sql, "workspace");
    let row = source.query_one(statement).await?;
    Ok(row.map(|row| E::read_columns(&row, columns)).transpose()?)
}

fn finding<E: WorkspaceOwned>(
    backend: DbBackend,
    workspaces: &[WorkspaceId],
    id: Value,
    columns: &[E::Column],
) -> Result<Statement> {
    use sea_orm::{
        ColumnTrait as _, Iterable as _, PrimaryKeyToColumn as _, QuerySelect as _, QueryTrait as _,
    };
    let key = E::PrimaryKey::iter()
        .next()
        .ok_or_else(|| Error::internal("a table without a key"))?;
    let inside = match backend {
        DbBackend::Postgres => ExprTrait::eq(E::WORKSPACE.into_expr(), Expr::cust("place.id")),
        _ => E::WORKSPACE.is_in(workspaces.iter().copied()),
    };
    #[expect(clippy::disallowed_methods, reason = "the filter by workspaces follows")]
    let select = E::find()
        .filter(key.into_column().eq(id))
        .filter(inside)
        .select_only()
        .columns(columns.iter().copied());
    let statement = select.build(backend);
    Ok(match backend {
        DbBackend::Postgres => naming_each(statement, array(workspaces)),
        _ => statement,
    })
}

#[async_trait::async_trait]
impl ConnectionTrait for Read {
    fn get_database_backend(&self) -> DbBackend {
        match &self.handle {
            Handle::Pool(source) | Handle::Scoped(source, _) => source.backend(),
            Handle::Transaction(transaction) => transaction.get_database_backend(),
            Handle::Flight(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        note(&statement.sql, self.scope.name());
        match &self.handle {
            Handle::Transaction(transaction) => transaction.execute_raw(statement).await,
            Handle::Flight(flight) => flight.execute(statement).await,
            Handle::Pool(_) | Handle::Scoped(..) => Err(only_reads()),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        note(sql, self.scope.name());
        match &self.handle {
            Handle::Transaction(transaction) => transaction.execute_unprepared(sql).await,
            Handle::Flight(flight) => flight.execute_unprepared(sql).await,
            Handle::Pool(_) | Handle::Scoped(..) => Err(only_reads()),
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let statement = self.named(statement);
        match &self.handle {
            Handle::Pool(source) | Handle::Scoped(source, _) => source.query_one(statement).await,
            Handle::Transaction(transaction) => transaction.query_one_raw(statement).await,
            Handle::Flight(flight) => flight.query_one(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.named(statement);
        match &self.handle {
            Handle::Pool(source) | Handle::Scoped(source, _) => source.query_all(statement).await,
            Handle::Transaction(transaction) => transaction.query_all_raw(statement).await,
            Handle::Flight(flight) => flight.query_all(statement).await,
        }
    }
}

fn only_reads() -> DbErr {
    DbErr::Custom("a read does not execute; open a transaction".into())
}
