//! The operations of one socket: what runs, and what each of them yields. Promises: an operation that panics ends alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, once};
use futures_util::{FutureExt as _, StreamExt as _};
use tracing::Span;

use super::fanout::{Ending, Joined, Joiner, News, Payload, Place};
use crate::access::Membership;
use crate::features::changes;
use crate::graphql::live::Plan;
use crate::platform::metrics::Open;
use crate::web::graphql_answer::panicked;
use crate::web::graphql_http::execute;
use crate::web::graphql_operation::Operation;
use crate::web::reports;

/// What an operation yields.
pub(super) enum Event {
    /// A result of its own.
    Result(Box<Response>),
    /// A result that it shares with others.
    Shared(Arc<Payload>),
    /// The end, with these errors.
    Failed(Vec<ServerError>),
    /// The end of one that was too slow, with the cursor to go on from, if it has one.
    Overflow(Option<String>),
    /// There will be no more.
    End,
}

/// A running operation.
pub(super) struct Running {
    pub(super) id: Box<str>,
    /// Counted on its socket, to name its request.
    pub(super) number: u32,
    pub(super) is_subscription: bool,
    /// Memberships changed while it had no seat yet: it has to ask again when it has one.
    is_doubtful: bool,
    state: State,
    /// What reports of its errors say about it.
    place: Option<reports::Known>,
    _counted: Option<Open>,
}

enum State {
    /// By itself; what comes of it belongs to a request in the log.
    Alone(BoxStream<'static, Response>, Span),
    /// On its way to a seat.
    Joining(BoxFuture<'static, Joined>),
    /// Reading what it missed.
    Reading(Box<Missed>),
    Seated(Place),
}

struct Missed {
    answers: BoxStream<'static, Response>,
    until: i64,
    then: Then,
}

enum Then {
    Sit(Place),
    Join(Arc<Plan>),
}

impl Running {
    /// Starts an operation.
    pub(super) fn start(
        joiner: &Joiner,
        id: String,
        number: u32,
        mut operation: Operation,
        span: Span,
    ) -> Self {
        let is_subscription = operation.kind == OperationType::Subscription;
        let counted = is_subscription.then(|| joiner.web.platform.metrics.subscription());
        let plan = is_subscription
            .then(|| Plan::of(&mut operation.request))
            .flatten();
        let state = if let Some(plan) = plan {
            State::Joining(joiner.clone().join(Arc::new(plan), operation.request).boxed())
        } else if is_subscription {
            State::Alone(alone(joiner.web.schema.execute_stream(operation.request)), span)
        } else {
            let web = joiner.web.clone();
            let answer = async move { execute(&web, operation).await };
            State::Alone(alone(once(answer).boxed()), span)
        };
        Self {
            id: id.into(),
            number,
            is_subscription,
            is_doubtful: false,
            state,
            place: reports::here(),
            _counted: counted,
        }
    }

    /// What it yields next.
    pub(super) fn poll(&mut self, joiner: &Joiner, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            match &mut self.state {
                State::Alone(answers, span) => {
                    let next = || span.in_scope(|| answers.poll_next_unpin(cx));
                    let answer = reports::inside(self.place.as_ref(), next);
                    return answer.map(|answer| answer.map_or(Event::End, result));
                }
                State::Joining(joining) => self.state = arrived(ready!(joining.poll_unpin(cx))),
                State::Reading(missed) => match ready!(missed.answers.poll_next_unpin(cx)) {
                    Some(answer) => return Poll::Ready(result(answer)),
                    None => self.go_on(joiner),
                },
                State::Seated(_) if self.is_doubtful => {
                    self.is_doubtful = false;
                    self.rejoin(joiner);
                }
                State::Seated(place) => match place.seat.take() {
                    None => return Poll::Pending,
                    Some(News::Payload(payload)) => return Poll::Ready(Event::Shared(payload)),
                    Some(News::Recheck) => self.rejoin(joiner),
                    Some(News::Overflow) => {
                        let position = place.seat.position();
                        let log = place.plan.log();
                        let cursor = log.map(|(workspace_id, _)| changes::cursor_of(workspace_id, position));
                        return Poll::Ready(Event::Overflow(cursor));
                    }
                    Some(News::Over(ending)) => {
                        return Poll::Ready(match &*ending {
                            Ending::Failed(errors) => Event::Failed(errors.clone()),
                            Ending::Complete => Event::End,
                        });
                    }
                },
            }
        }
    }

    /// Everything that was missed is read.
    fn go_on(&mut self, joiner: &Joiner) {
        let nothing = State::Joining(futures_util::future::pending().boxed());
        let State::Reading(missed) = std::mem::replace(&mut self.state, nothing) else {
            return;
        };
        self.state = match missed.then {
            Then::Sit(mut place) => {
                place.seat.advance(missed.until);
                State::Seated(place)
            }
            Then::Join(plan) => State::Joining(joiner.clone().rejoin(plan, missed.until).boxed()),
        };
    }

    fn rejoin(&mut self, joiner: &Joiner) {
        if let State::Seated(place) = &self.state {
            let (plan, position) = (place.plan.clone(), place.seat.position());
            self.state = State::Joining(joiner.clone().rejoin(plan, position).boxed());
        }
    }

    /// The person's memberships may have changed: gives up a seat that they no longer cover.
    pub(super) fn recheck(&mut self, memberships: &[Membership]) {
        self.is_doubtful = match &self.state {
            // Such streams ask by themselves before each change.
            State::Alone(..) => false,
            State::Joining(_) | State::Reading(_) => true,
            State::Seated(place) => {
                let covers = |known: &Membership| {
                    place.home.workspace_id == Some(known.workspace_id) && place.home.role == Some(known.role)
                };
                place.home.workspace_id.is_some() && !memberships.iter().any(covers)
            }
        };
    }

    /// Whether the peer takes what is sent.
    pub(super) fn stall(&mut self, is_stalled: bool) {
        if let State::Seated(place) = &mut self.state {
            place.seat.stall(is_stalled);
        }
    }
}

fn arrived(joined: Joined) -> State {
    match joined {
        Joined::Alone(answers) => State::Alone(alone(answers), Span::none()),
        Joined::Behind { missed, until, plan } => State::Reading(Box::new(Missed {
            answers: alone(missed),
            until,
            then: Then::Join(plan),
        })),
        Joined::Seated { missed, until, place } => match missed {
            None => State::Seated(place),
            Some(missed) => State::Reading(Box::new(Missed {
                answers: alone(missed),
                until,
                then: Then::Sit(place),
            })),
        },
    }
}

fn alone(answers: BoxStream<'static, Response>) -> BoxStream<'static, Response> {
    let answers = AssertUnwindSafe(answers).catch_unwind();
    answers
        .map(|answer| answer.unwrap_or_else(|_| panicked()))
        .boxed()
}

fn result(response: Response) -> Event {
    Event::Result(Box::new(response))
}
