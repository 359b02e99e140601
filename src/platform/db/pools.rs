//! How busy the connections are, for metrics.

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
        let state = |name, open, idle: usize, max| PoolState {
            name,
            open,
            idle: u32::try_from(idle).unwrap_or(u32::MAX),
            max,
        };
        let (first, second) = match pools.backend {
            DbBackend::Postgres => (("app", &pools.read), ("system", &pools.system_read)),
            _ => (("read", &pools.read), ("write", &pools.write)),
        };
        [first, second]
            .into_iter()
            .map(|(name, connection)| match pools.backend {
                DbBackend::Postgres => {
                    let pool = connection.get_postgres_connection_pool();
                    state(
                        name,
                        pool.size(),
                        pool.num_idle(),
                        pool.options().get_max_connections(),
                    )
                }
                _ => {
                    let pool = connection.get_sqlite_connection_pool();
                    state(
                        name,
                        pool.size(),
                        pool.num_idle(),
                        pool.options().get_max_connections(),
                    )
                }
            })
            .collect()
    }
}
