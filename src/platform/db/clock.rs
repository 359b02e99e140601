//! One time for all processes of an installation: PostgreSQL's. Leases, ticks and delays are written by one process and judged by another, so
//! a machine whose clock is wrong would take the living for dead, or be taken for dead. SQLite is on this machine, whose clock is the only one.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{DbErr, Statement};

use super::Db;
use crate::kernel::time::{Clock, Instant};
use crate::kernel::{Error, Result};

/// An answer that took longer says too little about the moment at which it was given.
const PROMPT: Duration = Duration::from_millis(500);
/// How often a late answer is asked for again: the first may have waited for a connection.
const TRIES: usize = 3;
/// Less than this may be the way of the answer, and harms nobody.
const ENOUGH: TimeDelta = TimeDelta::milliseconds(500);

impl Db {
    /// How far the database's clock is ahead of this one. `None` where there is no other clock, or no prompt answer.
    pub async fn skew(&self, clock: &Clock) -> Result<Option<TimeDelta>> {
        if !self.is_postgres() {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let statement = Statement::from_string(self.0.backend, "SELECT clock_timestamp()");
            let (asked, began) = (clock.now(), tokio::time::Instant::now());
            let row = self.0.system_read.query_one(statement).await?;
            let took = began.elapsed();
            if took <= PROMPT {
                let row = row.ok_or_else(|| Error::internal(DbErr::RecordNotFound("the time".into())))?;
                let there: Instant = row.try_get_by_index(0)?;
                let here = asked + TimeDelta::from_std(took / 2).unwrap_or_default();
                return Ok(Some(there - here));
            }
        }
        Ok(None)
    }

    /// Puts a clock right that shows another time than the database's. Asked for every few seconds, it also lets go of connections that
    /// nobody needed lately.
    pub async fn set_clock(&self, clock: &Clock) -> Result<()> {
        let _alone = self.0.clock.lock().await;
        self.0.read.tidy();
        self.0.system_read.tidy();
        if let Some(skew) = self.skew(clock).await?
            && skew.abs() >= ENOUGH
        {
            clock.correct(skew);
            let milliseconds = skew.num_milliseconds();
            tracing::warn!(
                milliseconds,
                "this machine's clock is not that of the database, which is used from now on"
            );
        }
        Ok(())
    }
}
