//! What a client says, and what is done about it.

use std::sync::Arc;

use axum::extract::ws::Message;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tracing::{Instrument as _, Span};

use super::connection::{Connection, End, Step, listen, refuse, say};
use super::fanout::Joiner;
use super::operations::Running;
use super::protocol::{ClientMessage, Close, ServerMessage};
use crate::access::{self, Access, Credentials, Membership};
use crate::kernel::changes::Topic;
use crate::kernel::{Error, ErrorCode};
use crate::platform::limits::Limit;
use crate::web::auth;
use crate::web::graphql_answer::refusal;
use crate::web::graphql_operation::{Budget, Parameters, prepare};
use crate::web::reports;

/// A message whose answer has to be waited for.
pub(super) enum Awaited {
    /// The greeting, with what it says about who is there.
    Init(Option<String>),
    /// An operation to start.
    Subscribe {
        /// The id that the client gives it.
        id: String,
        /// What to run.
        parameters: serde_json::Value,
    },
}

impl Connection {
    /// Takes one message. One that needs waiting is handed back.
    pub(super) fn hear(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<Awaited>, End> {
        self.unanswered = 0;
        let message = match message {
            Some(Ok(Message::Close(_))) => return Err(End::Left),
            None => return Err(End::Gone),
            Some(Ok(message)) => message,
            Some(Err(error)) if is_too_large(&error) => return close(Close::too_large()),
            Some(Err(_)) => return Err(End::Gone),
        };
        let limits = &self.web.platform.limits;
        let is_free = self.client.is_internal;
        if !is_free && !limits.check(Limit::SocketMessages, self.budget, 1).allowed {
            return close(Close::too_many_messages());
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return close(Close::invalid("Invalid message: expected text")),
            // Frames of WebSocket itself, whose answers are not ours to give.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(None),
        };
        match ClientMessage::read(&text) {
            Err(reason) => close(Close::invalid(reason)),
            Ok(ClientMessage::Init { authorization }) => Ok(Some(Awaited::Init(authorization))),
            Ok(ClientMessage::Ping { payload }) => {
                say(&mut self.wire, &ServerMessage::Pong { payload }).map(|()| None)
            }
            Ok(ClientMessage::Pong) => Ok(None),
            Ok(ClientMessage::Subscribe { id, parameters }) => {
                Ok(Some(Awaited::Subscribe { id, parameters }))
            }
            Ok(ClientMessage::Complete { id }) => {
                self.operations.retain(|running| *running.id != *id);
                Ok(None)
            }
        }
    }

    /// A quiet socket has none: they are kept by the log for as long as they live.
    fn span(&self) -> Span {
        tracing::info_span!("socket", id = %self.client.request_id)
    }

    /// Answers what [`Connection::hear`] handed back.
    pub(super) async fn attend(&mut self, message: Awaited) -> Step {
        match message {
            Awaited::Init(authorization) => self.init(authorization).await,
            Awaited::Subscribe { id, parameters } => {
                let platform = self.web.platform.clone();
                let request_id = self.client.request_id.clone();
                let starting = || {
                    let span = self.span();
                    let starting = self.subscribe(id, parameters, span.clone());
                    starting.instrument(span).boxed()
                };
                reports::apart(&platform, &request_id, starting).await
            }
        }
    }

    async fn init(&mut self, authorization: Option<String>) -> Step {
        if self.joiner.is_some() {
            return close(Close::second_init());
        }
        if let Some(text) = authorization {
            let Some(token) = auth::bearer(&text) else {
                return close(Close::forbidden());
            };
            self.credentials = Credentials {
                bearer: Some(token.to_owned()),
                session: None,
            };
        }
        let finding_out = auth::caller(&self.web, &self.client, self.credentials.clone());
        let Ok(caller) = finding_out.instrument(self.span()).await else {
            return close(Close::forbidden());
        };
        // A socket is a request of its person, or of its address, who could hold any number of them otherwise.
        let (mut budget, opened) = Budget::open(&self.web, &self.client, &caller);
        budget.settle(&self.web, &self.client, &caller).await;
        if opened.is_err() {
            return close(Close::too_many_messages());
        }
        self.revoked = caller
            .user_id()
            .map(|user| listen(self.web.platform.pubsub.subscribe(Topic::Revoked(user))));
        // What was taken away while we found out who it is was said before anybody listened.
        self.is_check_due = self.revoked.is_some();
        self.joiner = Some(Joiner {
            web: self.web.clone(),
            bell: self.bell.clone(),
            caller: caller.into(),
        });
        self.init_by = None;
        say(&mut self.wire, &ServerMessage::ConnectionAck)
    }

    async fn subscribe(&mut self, id: String, parameters: serde_json::Value, span: Span) -> Step {
        let Some(joiner) = self.joiner.clone() else {
            return close(Close::unauthorized());
        };
        // Nothing begins on the strength of credentials that have ended, whenever somebody looks at them next.
        if self.is_over() {
            return close(Close::revoked());
        }
        if self.operations.iter().any(|running| *running.id == *id) {
            return close(Close::duplicate(&id));
        }
        self.started += 1;
        let request_id = self.client.operation(self.started);
        let most = self.web.platform.config.limits.socket_subscriptions;
        if self.operations.len() >= most {
            let message = format!("At most {most} operations may run on one connection.");
            let refused = refusal(&Error::coded(ErrorCode::RateLimited, message));
            return refuse(
                &self.web.platform.metrics,
                &mut self.wire,
                &id,
                &request_id,
                refused,
            );
        }
        if self.is_leaving {
            let away = Error::coded(ErrorCode::ServiceUnavailable, "The server is shutting down.");
            return refuse(
                &self.web.platform.metrics,
                &mut self.wire,
                &id,
                &request_id,
                refusal(&away),
            );
        }
        let parameters = match Parameters::read(parameters) {
            Ok(parameters) => parameters,
            Err(message) => return close(Close::invalid(format!("Invalid message: {message}"))),
        };
        let (mut budget, opened) = Budget::open(&self.web, &self.client, &joiner.caller);
        let prepared = match opened {
            Ok(()) => prepare(&self.web, &self.client, &joiner.caller, &mut budget, parameters).await,
            Err(spent) => Err(Box::new(refusal(&spent))),
        };
        budget.settle(&self.web, &self.client, &joiner.caller).await;
        match prepared {
            Ok(operation) => {
                // Most sockets run one operation.
                self.operations.reserve_exact(1);
                let running = Running::start(&joiner, id, self.started, operation, span);
                self.operations.push(running);
                Ok(())
            }
            Err(refused) => refuse(
                &self.web.platform.metrics,
                &mut self.wire,
                &id,
                &request_id,
                *refused,
            ),
        }
    }

    /// Looks whether the credentials still hold, and the seats with them.
    pub(super) fn check_credentials(&self) -> BoxFuture<'static, Checked> {
        let (platform, credentials) = (self.web.platform.clone(), self.credentials.clone());
        let origin = self.client.origin();
        let watches = self.operations.iter().any(|running| running.is_subscription);
        let joiner = self.joiner.as_ref();
        let was_admin = joiner.is_some_and(|joiner| joiner.caller.is_admin());
        let looking = async move {
            let caller = match access::authenticate(&platform, credentials, origin).await {
                Err(error) if error.code() == ErrorCode::Unauthenticated => return Checked::Revoked,
                // A database that is away is no reason to send everybody off.
                Err(_) => return Checked::Failed,
                Ok(caller) => caller,
            };
            // What runs here was let in as an administrator of the installation.
            if was_admin && !caller.is_admin() {
                return Checked::Revoked;
            }
            if !watches {
                return Checked::Unknown;
            }
            let memberships = Access::new(platform, caller).memberships().await;
            memberships.map_or(Checked::Failed, Checked::Memberships)
        };
        looking.instrument(self.span()).boxed()
    }

    /// Acts on what was found.
    pub(super) fn checked(&mut self, found: Checked) -> Step {
        match found {
            Checked::Revoked => close(Close::revoked()),
            Checked::Unknown => Ok(()),
            Checked::Failed => {
                self.is_check_owed = true;
                Ok(())
            }
            Checked::Memberships(memberships) => {
                for running in &mut self.operations {
                    running.recheck(&memberships);
                }
                Ok(())
            }
        }
    }
}

/// What came of looking at the credentials again.
pub(super) enum Checked {
    /// They are no longer good, or no longer for what they were good for.
    Revoked,
    /// Nothing that matters.
    Unknown,
    /// Nobody could say; it is asked again.
    Failed,
    /// They are, and these are the memberships of the person.
    Memberships(Arc<[Membership]>),
}

fn close<T>(close: Close) -> Result<T, End> {
    Err(End::Close(close))
}

fn is_too_large(error: &axum::Error) -> bool {
    // The WebSocket library behind axum is not one of our dependencies, so its error is known by its words.
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().contains("too long") || error.to_string().contains("too large") {
            return true;
        }
        source = error.source();
    }
    false
}
