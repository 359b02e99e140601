//! Connections that are ready for the next statement. The driver's pool asks each connection that comes back whether it still works: a task
//! and a round trip after every statement, as dear as a small statement itself. Here a connection whose work ended well is lent again as
//! it is. Promises: no more connections than the pool has, in the order of who came first, within the pool's patience; what failed, was cut
//! short or rested for long goes back to the pool, which looks after it. Must not know statements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Database, Pool};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Whoever is between us and the database may have forgotten a connection that rested longer.
const RESTS: Duration = Duration::from_secs(30);
/// After so long a connection goes back to the pool once, which closes those that are old.
const LENT: Duration = Duration::from_secs(10 * 60);
/// How long a connection whose work was cut short may take to finish it. One that does not answer any more would keep its place in the
/// pool until the operating system gives it up, which takes a quarter of an hour.
const FINISHES: Duration = Duration::from_secs(10);

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
    /// How many have a place and wait for the pool. What comes back meanwhile is for them: here they would not find it.
    asking: usize,
    is_closed: bool,
}

struct Rested<D: Database> {
    connection: Held<D>,
    taken: Instant,
    since: Instant,
}

/// A connection on loan. Dropped, it goes back to the pool.
pub(super) struct Loan<D: Database> {
    connection: Held<D>,
    /// When it came from the pool.
    taken: Instant,
    // The last field: whoever gets the place next may look for the connection.
    place: Place<D>,
}

/// A connection of the pool. Dropped, it goes back there.
struct Held<D: Database> {
    connection: PoolConnection<D>,
    is_spoiled: bool,
}

impl<D: Database> Drop for Held<D> {
    fn drop(&mut self) {
        match Handle::try_current() {
            // The driver sees to it.
            Ok(_) if self.is_spoiled => self.connection.close_on_drop(),
            Ok(runtime) => {
                let returning = self.connection.return_to_pool();
                // Nobody has to wait for it but the pool, which does when it is closed.
                runtime.spawn(async move {
                    timeout(FINISHES, returning).await.ok();
                });
            }
            // The way back needs a runtime; after its end the connection is simply dropped.
            Err(_) => drop(self.connection.return_to_pool()),
        }
    }
}

/// Waits for a connection of the pool.
struct Asking<'a, D: Database>(&'a Inner<D>);

impl<D: Database> Drop for Asking<'_, D> {
    fn drop(&mut self) {
        self.0.resting().asking -= 1;
    }
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
                asking: 0,
                is_closed: false,
            }),
        }))
    }

    /// Lends a connection as soon as there is one.
    pub(super) async fn take(&self) -> Result<Loan<D>, DbErr> {
        if let Some(loan) = self.take_rested() {
            return Ok(loan);
        }
        let patience = self.0.pool.options().get_acquire_timeout();
        // Boxed, so that the many who need not wait do not carry it about.
        match Box::pin(timeout(patience, self.wait())).await {
            Ok(taken) => taken,
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// What mostly happens: a connection rests, and nobody came before.
    fn take_rested(&self) -> Option<Loan<D>> {
        // There is no permit while others wait for one.
        self.0.places.try_acquire().ok()?.forget();
        let place = Place(self.0.clone());
        let Rested {
            connection, taken, ..
        } = self.0.fresh()?;
        Some(Loan {
            connection,
            taken,
            place,
        })
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
        let _asking = Asking(&self.0);
        let connection = self.0.pool.acquire().await.map_err(not_acquired)?;
        Ok(Loan {
            connection: Held {
                connection,
                is_spoiled: false,
            },
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

    /// Whether several are on loan, and not all of them.
    pub(super) fn is_shared(&self) -> bool {
        let left = self.0.places.available_permits();
        left > 0 && (self.most() as usize).saturating_sub(left) > 1
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

    /// The connection that came last, unless it rested for long.
    fn fresh(&self) -> Option<Rested<D>> {
        let mut resting = self.resting();
        resting.connections.pop_if(|last| last.since.elapsed() < RESTS)
    }

    /// The connection that came last; `None` counts whoever gets it as [`Asking`].
    fn last_rested(&self) -> Option<Rested<D>> {
        let mut resting = self.resting();
        let last = resting.connections.pop();
        let last = last.filter(|last| last.since.elapsed() < RESTS);
        if last.is_none() {
            // All others rested longer still.
            resting.connections.clear();
            resting.asking += 1;
        }
        last
    }
}

impl<D: Database> Loan<D> {
    pub(super) fn connection(&mut self) -> &mut D::Connection {
        &mut self.connection.connection
    }

    /// Gives it back. Only for connections whose work ended well: nothing runs on them and no transaction is open.
    pub(super) fn give_back(self) {
        let Self {
            connection,
            taken,
            place,
        } = self;
        let now = Instant::now();
        let mut resting = place.0.resting();
        if !resting.is_closed && resting.asking == 0 && now.duration_since(taken) < LENT {
            resting.connections.push(Rested {
                connection,
                taken,
                since: now,
            });
        }
    }

    /// Closes it, for a connection in a state that nobody knows.
    pub(super) fn close(mut self) {
        self.connection.is_spoiled = true;
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

#[cfg(test)]
mod tests;
