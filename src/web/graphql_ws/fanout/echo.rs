//! The task of a circle that follows no change log: presence, progress, and what one person hears. The document runs once, in the name of one
//! of those who sit there, and what it yields is handed round. Promises: who may not hear it any more is sent away before it is sent; when
//! that is the one in whose name it runs, it goes on in the name of another.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::Response;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::sleep;

use super::circle::Ending;
use super::driver::{AGAIN, Driver, End, LEAVING, failed, is_away};
use super::payload::{Outcome, Payload};
use crate::access::Caller;
use crate::graphql::live::Source;
use crate::web::graphql_answer::panicked;

/// Answers that are handed round after one look at who may hear them.
const AT_ONCE: usize = 32;

/// Why a document has to be started again.
enum Again {
    /// The one in whose name it ran may not hear it any more.
    Orphaned,
    /// The database is away.
    Later,
}

impl Driver {
    /// Runs until nobody is left or the document ends.
    pub(super) async fn echo(&self) -> Result<Infallible, End> {
        let mut sent = 0;
        loop {
            let caller = self.representative().await?;
            let mut answers = self.answers(&caller);
            let again = self.pass_on(&caller, &mut answers, &mut sent).await?;
            // It may hold what is heard.
            drop(answers);
            if let Again::Later = again {
                sleep(AGAIN).await;
            }
            // What was in their hands when they went is told again; who is here is a state, not a history.
            if let Some(crowd) = &self.crowd {
                crowd.lock().await.tell_all();
            }
        }
    }

    /// Somebody who may sit here.
    async fn representative(&self) -> Result<Arc<Caller>, End> {
        loop {
            if let Some(caller) = self.look(None).await?.staying.into_iter().next() {
                return Ok(caller);
            }
            if self.group.circle.close_if_empty() {
                return Err(None);
            }
            sleep(LEAVING).await;
        }
    }

    fn answers(&self, caller: &Arc<Caller>) -> BoxStream<'static, Response> {
        let source = Source::Shared(self.crowd.clone());
        let caller = Caller::clone(caller);
        let request = self.group.plan.request(&self.web.platform, caller, source);
        AssertUnwindSafe(self.web.schema.execute_stream(request))
            .catch_unwind()
            .map(|answer| answer.unwrap_or_else(|_| panicked()))
            .boxed()
    }

    /// Hands round what the document yields, for as long as that is possible.
    async fn pass_on(
        &self,
        caller: &Arc<Caller>,
        answers: &mut BoxStream<'static, Response>,
        sent: &mut i64,
    ) -> Result<Again, End> {
        let circle = &self.group.circle;
        loop {
            let first = tokio::select! {
                biased;
                // The sockets say goodbye by themselves.
                () = self.web.platform.shutdown.cancelled() => return Err(None),
                () = circle.emptied() => {
                    if circle.close_if_empty() {
                        return Err(None);
                    }
                    continue;
                }
                answer = answers.next() => answer,
            };
            let Some(first) = first else {
                return Err(Some(Ending::Complete));
            };
            let mut ready = vec![first];
            let mut is_over = false;
            while ready.len() < AT_ONCE && !is_over {
                match answers.next().now_or_never() {
                    Some(Some(answer)) => ready.push(answer),
                    Some(None) => is_over = true,
                    None => break,
                }
            }
            // Looked at after the answers were made, so that nobody hears of anything later than their removal.
            if !self.look(Some(caller)).await?.is_good {
                return Ok(Again::Orphaned);
            }
            for answer in ready {
                let is_passing = answer.errors.iter().any(is_away);
                *sent += 1;
                match Payload::of(*sent, answer) {
                    Outcome::Payload(payload) => circle.send(payload).await,
                    Outcome::Failed(_) if is_passing => return Ok(Again::Later),
                    Outcome::Failed(errors) => return Err(failed(errors)),
                }
            }
            if is_over {
                return Err(Some(Ending::Complete));
            }
        }
    }
}
