//! Reading beside all workspaces while a transaction of one of them may be open: then on the connection of that transaction.
//!
//! A second connection would have to be waited for while the first is held, and as many transactions as the pools have connections would
//! wait for each other until all of them give up.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Select, Statement};

use super::Db;
use super::read::Read;
use super::scope::{Scope, WorkspaceOwned};

/// A read of rows of all workspaces. What it hands out must be told apart by whoever asks.
#[derive(Debug)]
pub struct Beside<'a>(Way<'a>);

#[derive(Debug)]
enum Way<'a> {
    /// Each statement takes a connection from the pool of the machinery.
    Pool(Read),
    /// Statements go through this transaction, and see what it wrote.
    Inside(&'a Read),
}

impl Db {
    /// Opens a read beside `read`.
    pub fn beside<'a>(&self, read: &'a Read) -> Beside<'a> {
        if read.is_transaction() {
            return Beside(Way::Inside(read));
        }
        Beside(Way::Pool(Read::open(self.0.source(Scope::System), Scope::System)))
    }
}

impl Beside<'_> {
    /// Rows of all workspaces.
    #[expect(
        clippy::disallowed_methods,
        reason = "this read has no workspace, as its name says"
    )]
    pub fn find<E: WorkspaceOwned>(&self) -> Select<E> {
        E::find()
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Beside<'_> {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Way::Pool(read) => read.get_database_backend(),
            Way::Inside(read) => read.get_database_backend(),
        }
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(only_reads())
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(only_reads())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Way::Pool(read) => read.query_all_raw(statement).await,
            Way::Inside(read) => read.query_all_beside(statement).await,
        }
    }
}

fn only_reads() -> DbErr {
    DbErr::Custom("what is read beside all workspaces is not changed there".into())
}
