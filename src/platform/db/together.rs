//! Several writes that are sent as one: each flight to the database costs more than most writes do. On PostgreSQL they are parts of one
//! statement, on SQLite one text. They must not depend on each other's order, and no two may touch the same row; foreign keys between
//! them hold, because both databases look at those when the whole is done or the parts stand in their order.

use sea_orm::sea_query::{
    CommonTableExpression, InsertStatement, PostgresQueryBuilder, SubQueryStatement, UpdateStatement,
    WithClause,
};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait as _, DbBackend, EntityTrait, Iterable as _, QueryTrait as _,
    Statement, UpdateMany,
};

use super::bulk::MAX_BINDS;
use super::scope::WorkspaceOwned;
use super::tx::Tx;
use crate::kernel::Result;

/// One of several writes.
#[derive(Clone, Debug)]
pub struct Part {
    kind: Kind,
    /// How many values it binds.
    binds: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    Insert(Box<InsertStatement>),
    Update(Box<UpdateStatement>),
}

impl Part {
    /// An update of rows.
    pub(super) fn update<E: EntityTrait>(update: UpdateMany<E>) -> Self {
        Self {
            kind: Kind::Update(Box::new(update.into_query())),
            binds: E::Column::iter().count(),
        }
    }

    fn build(&self, backend: DbBackend) -> Statement {
        match &self.kind {
            Kind::Insert(insert) => backend.build(&**insert),
            Kind::Update(update) => backend.build(&**update),
        }
    }

    fn into_query(self) -> SubQueryStatement {
        match self.kind {
            Kind::Insert(insert) => (*insert).into(),
            Kind::Update(update) => (*update).into(),
        }
    }
}

impl Tx {
    /// New rows of this workspace, to be stored by [`Tx::together`].
    pub fn storing<A>(&self, rows: Vec<A>) -> Vec<Part>
    where
        A: ActiveModelTrait + Send,
        A::Entity: WorkspaceOwned,
    {
        let width = <A::Entity as EntityTrait>::Column::iter().count().max(1);
        let mut rows = rows.into_iter().peekable();
        let mut parts = Vec::with_capacity(1);
        while rows.peek().is_some() {
            // A quarter each, so that some parts fit into one statement.
            let mut chunk: Vec<A> = rows.by_ref().take(MAX_BINDS / 4 / width).collect();
            chunk.iter_mut().for_each(|row| self.stamp(row));
            let binds = chunk.len() * width;
            let insert = <A::Entity as EntityTrait>::insert_many(chunk).into_query();
            parts.push(Part {
                kind: Kind::Insert(Box::new(insert)),
                binds,
            });
        }
        parts
    }

    /// Carries these out with as few statements as there can be.
    pub async fn together(&self, parts: Vec<Part>) -> Result<()> {
        let mut waiting = Vec::with_capacity(parts.len());
        let mut binds = 0;
        for part in parts {
            if binds + part.binds > MAX_BINDS {
                self.send(std::mem::take(&mut waiting)).await?;
                binds = 0;
            }
            binds += part.binds;
            waiting.push(part);
        }
        self.send(waiting).await
    }

    async fn send(&self, parts: Vec<Part>) -> Result<()> {
        if let Some(statement) = one_statement(parts, self.get_database_backend()) {
            self.conn().execute_raw(statement).await?;
        }
        Ok(())
    }
}

fn one_statement(mut parts: Vec<Part>, backend: DbBackend) -> Option<Statement> {
    let last = parts.pop()?;
    if parts.is_empty() {
        return Some(last.build(backend));
    }
    if backend != DbBackend::Postgres {
        parts.push(last);
        let built: Vec<Statement> = parts.iter().map(|part| part.build(backend)).collect();
        let texts: Vec<&str> = built.iter().map(|part| part.sql.as_str()).collect();
        let text = texts.join("; ");
        let values = built.into_iter().filter_map(|part| part.values);
        let values = values.flat_map(|values| values.0);
        return Some(Statement::from_sql_and_values(backend, text, values));
    }
    let mut before = WithClause::new();
    for (index, part) in parts.into_iter().enumerate() {
        let mut named = CommonTableExpression::new();
        named.table_name(format!("part{index}")).query(part.into_query());
        before.cte(named);
    }
    let (text, values) = before.query(last.into_query()).build(PostgresQueryBuilder);
    Some(Statement::from_sql_and_values(backend, text, values.0))
}
