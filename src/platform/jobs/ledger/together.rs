//! One transaction for what many ask for at the same time: while one is under way, those who come meanwhile gather, and the next is for all
//! of them. Nobody waits for company: a lone one is written at once. It does not know what is written.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use entity::ids::JobId;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Ticket;
use crate::kernel::{Error, Result};

/// Attempts of one transaction.
const MOST: usize = 200;
/// How long one transaction may take. All who come after it wait for it, and a connection that does not answer any more would keep them
/// until the operating system gives it up, which takes a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who waits for an answer.
type Asked<A> = (Ticket, oneshot::Sender<Result<A>>);

/// Attempts that wait for the same step. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Together<A> {
    state: Arc<Mutex<State<A>>>,
    patience: Duration,
}

#[derive(Debug)]
struct State<A> {
    gathered: Vec<Asked<A>>,
    is_writing: bool,
}

impl<A> Default for Together<A> {
    fn default() -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                gathered: Vec::new(),
                is_writing: false,
            })),
            patience: PATIENCE,
        }
    }
}

impl<A: Default + Send + 'static> Together<A> {
    /// The answer to this attempt, which `write` gives to many at once; the default where it gives none. Whoever stops waiting takes nothing
    /// from the others: the transaction is a task of its own.
    pub(super) async fn ask<F, Fut>(&self, tasks: &TaskTracker, ticket: Ticket, write: F) -> Result<A>
    where
        F: Fn(Vec<Ticket>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<HashMap<Ticket, A>>> + Send + 'static,
    {
        let (told, answer) = oneshot::channel();
        if self.gather((ticket, told)) {
            let writer = Writer {
                state: self.state.clone(),
                patience: self.patience,
                is_done: false,
            };
            tasks.spawn(writer.run(write));
        }
        answer.await.unwrap_or_else(|_| Err(failed()))
    }

    /// Whether nobody writes yet.
    fn gather(&self, asked: Asked<A>) -> bool {
        let mut state = lock(&self.state);
        state.gathered.push(asked);
        !std::mem::replace(&mut state.is_writing, true)
    }
}

/// What all but the first hear of a failure, which is told once.
fn failed() -> Error {
    Error::unavailable(
        "The database did not answer. Try again in a moment.",
        "what was written together failed together",
    )
}

fn lock<A>(state: &Mutex<State<A>>) -> MutexGuard<'_, State<A>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who writes for all, until nobody waits.
struct Writer<A> {
    state: Arc<Mutex<State<A>>>,
    patience: Duration,
    is_done: bool,
}

impl<A> Drop for Writer<A> {
    fn drop(&mut self) {
        if !self.is_done {
            // It panicked, or the process ends: those who wait hear of it.
            let mut state = lock(&self.state);
            state.is_writing = false;
            state.gathered.clear();
        }
    }
}

impl<A: Default> Writer<A> {
    fn gathered(&mut self) -> Vec<Asked<A>> {
        let mut state = lock(&self.state);
        let most = state.gathered.len().min(MOST);
        if most == 0 {
            state.is_writing = false;
            self.is_done = true;
        }
        state.gathered.drain(..most).collect()
    }

    async fn run<F, Fut>(mut self, write: F)
    where
        F: Fn(Vec<Ticket>) -> Fut,
        Fut: Future<Output = Result<HashMap<Ticket, A>>>,
    {
        loop {
            let asked = self.gathered();
            if asked.is_empty() {
                return;
            }
            let tickets = asked.iter().map(|(ticket, _)| *ticket).collect();
            // Cut short, its connection is closed.
            let written = timeout(self.patience, write(tickets)).await;
            match written.unwrap_or_else(|_| Err(failed())) {
                Ok(mut answers) => {
                    for (ticket, told) in asked {
                        told.send(Ok(answers.remove(&ticket).unwrap_or_default())).ok();
                    }
                }
                Err(error) => {
                    if let Some((_, told)) = asked.into_iter().next() {
                        told.send(Err(error)).ok();
                    }
                }
            }
        }
    }
}

/// The jobs of these attempts by the number of the attempt: mostly there is one such number, and one statement.
pub(super) fn by_attempt(tickets: &[Ticket]) -> BTreeMap<i32, Vec<JobId>> {
    let mut groups: BTreeMap<i32, Vec<JobId>> = BTreeMap::new();
    for ticket in tickets {
        groups.entry(ticket.attempt).or_default().push(ticket.id);
    }
    groups
}

#[cfg(test)]
mod tests;
