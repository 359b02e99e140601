//! Connections that are ready for the next statement. The driver's pool asks each connection that comes back whether it still works: a task
//! and a round trip after every statement, as dear as a small statement itself. Here a connection whose work ended well is lent again as
//! it is. Promises: no more connections than the pool has, in the order of who came first, within the pool's patience; what failed, was cut
//! short or rested for long goes back to the pool, which looks after it. Must not know statements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Database, Pool};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Whoever is between us and the database may have forgotten a connection that rested longer.
const RESTS: Duration = Duration::from_secs(30);
/// After so long a connection goes back to the pool once, which closes those that are old.
const LENT: Duration = Duration::from_secs(10 * 60);

/// The connections of a pool. Cheap to clone. Nobody may take connections from the pool itself: they would wait for those that rest here.
pub(super) struct Ready<D: Database>(Arc<Inner<D>>);

impl<D: Database> Clone for Ready<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Database> std::fmt::Debug for Ready<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").finish_non_exhaustive()
    }
}

struct Inner<D: Database> {
    pool: Pool<D>,
    /// One for each connection that may be lent.
    places: Semaphore,
    resting: Mutex<Resting<D>>,
}

struct Resting<D: Database> {
    /// Who came last goes first: the others may rest for long.
    connections: Vec<Rested<D>>,
    is_closed: bool,
}

struct Rested<D: Database> {
    connection: PoolConnection<D>,
    taken: Instant,
    since: Instant,
}

/// A connection on loan. Dropped, it goes back to the pool.
pub(super) struct Loan<D: Database> {
    connection: PoolConnection<D>,
    /// When it came from the pool.
    taken: Instant,
    // The last field: whoever gets the place next may look for the connection.
    place: Place<D>,
}

/// The right to one connection.
struct Place<D: Database>(Arc<Inner<D>>);

impl<D: Database> Drop for Place<D> {
    fn drop(&mut self) {
        self.0.places.add_permits(1);
    }
}

impl<D: Database> Ready<D> {
    pub(super) fn new(pool: Pool<D>) -> Self {
        let most = pool.options().get_max_connections();
        Self(Arc::new(Inner {
            pool,
            places: Semaphore::new(most as usize),
            resting: Mutex::new(Resting {
                connections: Vec::new(),
                is_closed: false,
            }),
        }))
    }

    /// Lends a connection as soon as there is one.
    pub(super) async fn take(&self) -> Result<Loan<D>, DbErr> {
        let patience = self.0.pool.options().get_acquire_timeout();
        match timeout(patience, self.wait()).await {
            Ok(taken) => taken,
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    async fn wait(&self) -> Result<Loan<D>, DbErr> {
        let Ok(permit) = self.0.places.acquire().await else {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
        };
        permit.forget();
        let place = Place(self.0.clone());
        if let Some(Rested {
            connection, taken, ..
        }) = self.0.last_rested()
        {
            return Ok(Loan {
                connection,
                taken,
                place,
            });
        }
        let connection = self.0.pool.acquire().await.map_err(not_acquired)?;
        Ok(Loan {
            connection,
            taken: Instant::now(),
            place,
        })
    }

    /// Gives what nobody needed lately to the pool, which closes what nobody needs for longer.
    pub(super) fn tidy(&self) {
        let mut resting = self.0.resting();
        resting
            .connections
            .retain(|rested| rested.since.elapsed() < RESTS);
    }

    /// Gives all that rest to the pool, which finds out whether they still work.
    pub(super) fn doubt(&self) {
        self.0.resting().connections.clear();
    }

    /// Closes every connection, those on loan as soon as they come back.
    pub(super) async fn close(&self) {
        // Marks the pool at once, so that it closes what comes back.
        let closing = self.0.pool.close();
        self.0.places.close();
        let rested = {
            let mut resting = self.0.resting();
            resting.is_closed = true;
            std::mem::take(&mut resting.connections)
        };
        drop(rested);
        closing.await;
    }

    /// Open connections.
    pub(super) fn open(&self) -> u32 {
        self.0.pool.size()
    }

    /// Those of them that nobody uses.
    pub(super) fn idle(&self) -> usize {
        self.0.pool.num_idle() + self.0.resting().connections.len()
    }

    /// Most that are opened.
    pub(super) fn most(&self) -> u32 {
        self.0.pool.options().get_max_connections()
    }
}

impl<D: Database> Inner<D> {
    fn resting(&self) -> MutexGuard<'_, Resting<D>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_rested(&self) -> Option<Rested<D>> {
        let mut resting = self.resting();
        let last = resting.connections.pop()?;
        if last.since.elapsed() < RESTS {
            return Some(last);
        }
        // All others rested longer still.
        resting.connections.clear();
        None
    }
}

impl<D: Database> Drop for Inner<D> {
    fn drop(&mut self) {
        // The way back to the pool needs a runtime; after its end the connections are simply dropped.
        if tokio::runtime::Handle::try_current().is_err() {
            let resting = self.resting.get_mut().unwrap_or_else(PoisonError::into_inner);
            for rested in resting.connections.drain(..) {
                drop(rested.connection.leak());
            }
        }
    }
}

impl<D: Database> Loan<D> {
    pub(super) fn connection(&mut self) -> &mut D::Connection {
        &mut self.connection
    }

    /// Gives it back. Only for connections whose work ended well: nothing runs on them and no transaction is open.
    pub(super) fn give_back(self) {
        let Self {
            connection,
            taken,
            place,
        } = self;
        let mut resting = place.0.resting();
        if !resting.is_closed && taken.elapsed() < LENT {
            resting.connections.push(Rested {
                connection,
                taken,
                since: Instant::now(),
            });
        }
    }

    /// Closes it, for a connection in a state that nobody knows.
    pub(super) fn close(mut self) {
        self.connection.close_on_drop();
    }
}

/// As sea-orm tells it.
fn not_acquired(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
    }
}
