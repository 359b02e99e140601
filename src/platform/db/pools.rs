//! How busy the connections are, for metrics.

use sea_orm::sqlx::SqlitePool;

use super::source::Source;
use super::{Db, DbBackend};

/// One pool of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// What it is for.
    pub name: &'static str,
    /// Open connections.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// Most that are opened.
    pub max: u32,
}

impl Db {
    /// The pools as they are now.
    pub fn pools(&self) -> Vec<PoolState> {
        let pools = &self.0;
        let (first, second) = match pools.backend {
            DbBackend::Postgres => ("app", pools.system_read.state("system")),
            _ => ("read", writer(pools.write.get_sqlite_connection_pool())),
        };
        vec![pools.read.state(first), second]
    }
}

impl Source {
    fn state(&self, name: &'static str) -> PoolState {
        match self {
            Self::Postgres(ready) => state(name, ready.open(), ready.idle(), ready.most()),
            Self::Sqlite(ready) => state(name, ready.open(), ready.idle(), ready.most()),
        }
    }
}

fn writer(pool: &SqlitePool) -> PoolState {
    let most = pool.options().get_max_connections();
    state("write", pool.size(), pool.num_idle(), most)
}

fn state(name: &'static str, open: u32, idle: usize, max: u32) -> PoolState {
    PoolState {
        name,
        open,
        idle: u32::try_from(idle).unwrap_or(u32::MAX),
        max,
    }
}
