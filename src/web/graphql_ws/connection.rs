//! One socket from its first message to its last. Everything happens in one task: reading, running, writing and the clock.

use std::ops::ControlFlow;
use std::time::Duration;

use async_graphql::{Response, ServerError, Value};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tracing::Instrument as _;

use super::operations::{Event, Operations, any_finite, start};
use super::outbox::Outbox;
use super::protocol::{ClientMessage, Close, ServerMessage};
use crate::access::{self, Caller, Credentials};
use crate::kernel::changes::Topic;
use crate::kernel::{Error, ErrorCode};
use crate::platform::limits::Limit;
use crate::platform::pubsub::{Signal, Subscription};
use crate::web::client::Client;
use crate::web::graphql_answer::{Answer, coded, refusal};
use crate::web::graphql_operation::{Budget, Parameters, prepare};
use crate::web::{Web, auth};

/// Pings without any sign of life before the peer counts as gone.
const MISSED_PINGS: u8 = 2;
/// Credentials also end by themselves; every so many pings somebody looks.
const PINGS_PER_CHECK: u32 = 15;
/// Time for the last messages and the closing handshake.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why the loop ends.
enum End {
    /// With this code; the peer hears it.
    Close(Close),
    /// The peer is gone.
    Gone,
}

type Step = ControlFlow<End>;

/// The state of one socket.
pub(super) struct Connection {
    web: Web,
    client: Client,
    /// From the upgrade; a token in `connection_init` replaces them.
    credentials: Credentials,
    /// Set once the connection is acknowledged.
    caller: Option<Caller>,
    revoked: Option<Subscription>,
    operations: Operations,
    outbox: Outbox,
    /// Operations so far, to give each its own request id.
    started: u64,
    pings: u32,
    unanswered: u8,
}

impl Connection {
    /// Speaks the protocol until either side is done.
    pub(super) async fn run(socket: WebSocket, web: Web, client: Client, credentials: Credentials) {
        let span = tracing::info_span!("socket", id = %client.request_id);
        let (sink, stream) = socket.split();
        let connection = Self {
            web,
            client,
            credentials,
            caller: None,
            revoked: None,
            operations: Operations::new(),
            outbox: Outbox::new(sink),
            started: 0,
            pings: 0,
            unanswered: 0,
        };
        connection.serve(stream).instrument(span).await;
    }

    async fn serve(mut self, mut stream: SplitStream<WebSocket>) {
        let limits = self.web.platform.config.limits.clone();
        let mut clock = ticking(limits.socket_ping_interval);
        let init_by = Instant::now() + limits.socket_init_timeout;
        let shutdown = self.web.platform.shutdown.clone();
        let mut leaving = false;
        let end = loop {
            if leaving && !any_finite(&self.operations) {
                break End::Close(Close::going_away());
            }
            let step = tokio::select! {
                biased;
                written = self.outbox.drive(), if self.outbox.is_busy() => match written {
                    Ok(()) => Step::Continue(()),
                    Err(_) => Step::Break(End::Gone),
                },
                // Whoever does not read is not listened to either.
                message = stream.next(), if !self.outbox.is_full() => self.hear(message, leaving).await,
                () = shutdown.cancelled(), if !leaving => {
                    leaving = true;
                    self.end_subscriptions();
                    Step::Continue(())
                }
                signal = next_signal(&mut self.revoked) => self.check_credentials(signal).await,
                Some((id, event)) = self.operations.next() => self.emit(id, event),
                () = sleep_until(init_by), if self.caller.is_none() => Step::Break(End::Close(Close::init_timeout())),
                _ = clock.tick() => self.tick().await,
            };
            if let Step::Break(end) = step {
                break end;
            }
        };
        if let End::Close(close) = end {
            tracing::debug!(code = close.code, reason = close.reason, "closing");
            self.farewell(close, stream).await;
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>, leaving: bool) -> Step {
        self.unanswered = 0;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Step::Continue(()),
            Some(Ok(Message::Binary(_))) => return close(Close::invalid("Invalid message: expected text")),
            Some(Ok(Message::Close(_))) | None => return Step::Break(End::Gone),
            Some(Err(error)) if is_too_large(&error) => return close(Close::too_large()),
            Some(Err(_)) => return Step::Break(End::Gone),
        };
        let limits = &self.web.platform.limits;
        let is_free = self.client.is_internal;
        if !is_free
            && !limits
                .check(Limit::SocketMessages, &self.client.request_id, 1)
                .allowed
        {
            return close(Close::too_many_messages());
        }
        match ClientMessage::read(&text) {
            Err(reason) => close(Close::invalid(reason)),
            Ok(ClientMessage::Init { authorization }) => self.init(authorization).await,
            Ok(ClientMessage::Ping { payload }) => self.say(&ServerMessage::Pong { payload }),
            Ok(ClientMessage::Pong) => Step::Continue(()),
            Ok(ClientMessage::Subscribe { id, parameters }) => self.subscribe(id, parameters, leaving).await,
            Ok(ClientMessage::Complete { id }) => {
                self.operations.remove(&id);
                Step::Continue(())
            }
        }
    }

    async fn init(&mut self, authorization: Option<String>) -> Step {
        if self.caller.is_some() {
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
        let Ok(caller) = auth::caller(&self.web, &self.client, self.credentials.clone()).await else {
            return close(Close::forbidden());
        };
        self.revoked = caller
            .user_id()
            .map(|user| self.web.platform.pubsub.subscribe(Topic::Revoked(user)));
        self.caller = Some(caller);
        self.say(&ServerMessage::ConnectionAck)
    }

    async fn subscribe(&mut self, id: String, parameters: serde_json::Value, leaving: bool) -> Step {
        let Some(caller) = self.caller.clone() else {
            return close(Close::unauthorized());
        };
        if self.operations.contains_key(&id) {
            return close(Close::duplicate(&id));
        }
        self.started += 1;
        let request_id = format!("{}-{}", self.client.request_id, self.started);
        let most = self.web.platform.config.limits.socket_subscriptions;
        if self.operations.len() >= most {
            let message = format!("At most {most} operations may run on one connection.");
            return self.refuse(
                &id,
                &request_id,
                refusal(&Error::coded(ErrorCode::RateLimited, message)),
            );
        }
        if leaving {
            let away = Error::coded(ErrorCode::ServiceUnavailable, "The server is shutting down.");
            return self.refuse(&id, &request_id, refusal(&away));
        }
        let parameters = match Parameters::read(parameters) {
            Ok(parameters) => parameters,
            Err(message) => return close(Close::invalid(format!("Invalid message: {message}"))),
        };
        let (mut budget, opened) = Budget::open(&self.web, &self.client, &caller);
        let prepared = match opened {
            Ok(()) => prepare(&self.web, &self.client, &caller, &mut budget, parameters).await,
            Err(spent) => Err(Box::new(refusal(&spent))),
        };
        budget.settle(&self.web, &self.client, &caller).await;
        match prepared {
            Ok(operation) => {
                self.operations
                    .insert(id, start(&self.web, operation, request_id));
                Step::Continue(())
            }
            Err(refused) => self.refuse(&id, &request_id, *refused),
        }
    }

    /// Answers an operation that does not begin.
    fn refuse(&mut self, id: &str, request_id: &str, response: Response) -> Step {
        self.fail(id, &Answer::new(response, request_id).errors)
    }

    /// The last message of an operation.
    fn fail(&mut self, id: &str, errors: &[ServerError]) -> Step {
        self.operations.remove(id);
        self.say(&ServerMessage::Error { id, payload: errors })
    }

    fn emit(&mut self, id: String, event: Event) -> Step {
        let Some(running) = self
            .operations
            .iter_mut()
            .find_map(|(key, running)| (*key == id).then_some(running))
        else {
            return Step::Continue(());
        };
        let Event::Result(response) = event else {
            self.operations.remove(&id);
            return self.say(&ServerMessage::Complete { id: &id });
        };
        let answer = Answer::new(*response, &running.request_id);
        if answer.is_request_error() || (running.is_subscription && answer.is_only_errors()) {
            return self.fail(&id, &answer.errors);
        }
        if running.is_subscription && self.outbox.is_full() {
            let error = overflow(running.cursor.as_deref(), &running.request_id);
            return self.fail(&id, &[error]);
        }
        if let Some(cursor) = answer.data.as_ref().and_then(cursor) {
            running.cursor = Some(cursor.to_owned());
        }
        self.say(&ServerMessage::Next {
            id: &id,
            payload: &answer,
        })
    }

    async fn tick(&mut self) -> Step {
        if self.unanswered >= MISSED_PINGS {
            return Step::Break(End::Gone);
        }
        self.unanswered += 1;
        self.pings += 1;
        self.outbox.push(Message::Ping(Default::default()));
        if self.caller.is_some() && self.pings.is_multiple_of(PINGS_PER_CHECK) {
            return self.check_credentials(Signal::Resync).await;
        }
        Step::Continue(())
    }

    /// Looks whether the credentials still hold. A database that is away is no reason to send everybody off.
    async fn check_credentials(&mut self, signal: Signal) -> Step {
        if matches!(signal, Signal::Closed) {
            self.revoked = None;
            return Step::Continue(());
        }
        let found =
            access::authenticate(&self.web.platform, self.credentials.clone(), self.client.origin()).await;
        match found {
            Err(error) if error.code() == ErrorCode::Unauthenticated => close(Close::revoked()),
            _ => Step::Continue(()),
        }
    }

    /// Subscriptions have no end of their own; their clients resume elsewhere.
    fn end_subscriptions(&mut self) {
        let ids: Vec<String> = self
            .operations
            .iter()
            .filter(|(_, running)| running.is_subscription)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.operations.remove(&id);
        }
    }

    fn say(&mut self, message: &ServerMessage<'_>) -> Step {
        match serde_json::to_string(message) {
            Ok(text) => {
                self.outbox.push(Message::Text(text.into()));
                Step::Continue(())
            }
            Err(error) => {
                tracing::error!(%error, "a message could not be written as JSON");
                close(Close {
                    code: 1011,
                    reason: "Internal error".into(),
                })
            }
        }
    }

    /// Writes what waits and the close frame, then waits a moment for the peer's own.
    async fn farewell(mut self, close: Close, mut stream: SplitStream<WebSocket>) {
        self.operations.clear();
        self.outbox.push(Message::Close(Some(CloseFrame {
            code: close.code,
            reason: close.reason.into(),
        })));
        let goodbye = async {
            if self.outbox.drive().await.is_ok() {
                while let Some(Ok(_)) = stream.next().await {}
            }
        };
        timeout(FAREWELL, goodbye).await.ok();
    }
}

fn close(close: Close) -> Step {
    Step::Break(End::Close(close))
}

fn ticking(period: Duration) -> Interval {
    let mut clock = interval_at(Instant::now() + period, period);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}

/// Waits for ever when nobody can be revoked.
async fn next_signal(revoked: &mut Option<Subscription>) -> Signal {
    match revoked {
        Some(subscription) => subscription.recv().await,
        None => std::future::pending().await,
    }
}

/// The position in an event, when its type has one and the client selected it.
fn cursor(data: &Value) -> Option<&str> {
    let Value::Object(fields) = data else { return None };
    fields.values().find_map(|field| match field {
        Value::Object(event) => match event.get("cursor") {
            Some(Value::String(cursor)) => Some(cursor.as_str()),
            _ => None,
        },
        _ => None,
    })
}

/// What a reader hears that is too slow: everything before it was delivered, and from the cursor it goes on.
fn overflow(cursor: Option<&str>, request_id: &str) -> ServerError {
    let message = "Events came faster than they were read. Subscribe again `after` the cursor.";
    let mut error = coded(ErrorCode::ServiceUnavailable, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("requestId", request_id);
    if let Some(cursor) = cursor {
        extensions.set("cursor", cursor);
    }
    error
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
