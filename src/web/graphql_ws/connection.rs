//! One socket from its first message to its last. Everything happens in one task: reading, running and writing. What it hears is in
//! `talk`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_graphql::{Response, ServerError};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::{Sleep, sleep, timeout};

use super::bell::{Bell, LEAVE, NEWS, TICK};
use super::fanout::Joiner;
use super::operations::{Event, Running};
use super::protocol::{Close, ServerMessage, next_message};
use super::talk::Checked;
use super::wire::Wire;
use crate::access::Credentials;
use crate::kernel::ErrorCode;
use crate::platform::limits::Key;
use crate::platform::metrics::{Metrics, Open};
use crate::platform::pubsub::{Signal, Subscription};
use crate::web::Web;
use crate::web::client::Client;
use crate::web::graphql_answer::{Answer, coded};

/// Pings without any sign of life before the peer counts as gone.
const MISSED_PINGS: u8 = 2;
/// Credentials are also looked at every so many pings; those that are known to be over, at each.
const PINGS_PER_CHECK: u32 = 15;
/// Time for the last messages and the closing handshake.
const FAREWELL: Duration = Duration::from_secs(1);
/// Rounds of filling and flushing before the peer is listened to.
const ROUNDS: usize = 8;
/// Events that one operation may yield before the next one has its turn.
const TURN: usize = 32;

/// Why the loop ends.
pub(super) enum End {
    /// With this code; the peer hears it.
    Close(Close),
    /// The peer said goodbye.
    Left,
    /// The peer is gone.
    Gone,
}

/// What to do next.
enum Next {
    Hear(Option<Result<Message, axum::Error>>),
    End(End),
}

/// Whether the socket goes on.
pub(super) type Step = Result<(), End>;

/// Waits for word that something was taken away from the person.
pub(super) type Revoked = BoxFuture<'static, (Subscription, Signal)>;

/// The state of one socket.
pub(super) struct Connection {
    pub(super) web: Web,
    pub(super) client: Client,
    /// Whose the budget of messages is: this socket's alone. A request id may be chosen by its client, and shared.
    pub(super) budget: Key<'static>,
    /// From the upgrade; a token in `connection_init` replaces them.
    pub(super) credentials: Credentials,
    /// Set once the connection is acknowledged.
    pub(super) joiner: Option<Joiner>,
    pub(super) revoked: Option<Revoked>,
    /// The credentials may have ended.
    pub(super) is_check_due: bool,
    /// They could not be looked at; the next ping tries again.
    pub(super) is_check_owed: bool,
    checking: Option<BoxFuture<'static, Checked>>,
    pub(super) operations: Vec<Running>,
    pub(super) wire: Wire,
    pub(super) bell: Arc<Bell>,
    /// Until the connection is acknowledged.
    pub(super) init_by: Option<std::pin::Pin<Box<Sleep>>>,
    /// Operations so far, to give each its own request id.
    pub(super) started: u32,
    pings: u32,
    pub(super) unanswered: u8,
    pub(super) is_leaving: bool,
    /// Everything it waits for was looked at and will ring.
    is_asleep: bool,
    _counted: Open,
}

impl Connection {
    pub(super) fn new(socket: WebSocket, web: Web, client: Client, credentials: Credentials) -> Self {
        let bell = Arc::<Bell>::default();
        web.sockets().wheel.add(&web.platform, &bell);
        let patience = web.platform.config.limits.socket_init_timeout;
        let budget = Key::Id(web.platform.ids.uuid());
        let counted = web.platform.metrics.socket();
        Self {
            web,
            client,
            budget,
            credentials,
            joiner: None,
            revoked: None,
            is_check_due: false,
            is_check_owed: false,
            checking: None,
            operations: Vec::new(),
            wire: Wire::new(socket),
            bell,
            init_by: Some(Box::pin(sleep(patience))),
            started: 0,
            pings: 0,
            unanswered: 0,
            is_leaving: false,
            is_asleep: false,
            _counted: counted,
        }
    }

    /// Speaks the protocol until either side is done.
    pub(super) async fn run(mut self) {
        let end = loop {
            let step = match poll_fn(|cx| self.poll(cx)).await {
                // What is rare is boxed: the task of a quiet socket is as large as its largest moment.
                Next::Hear(message) => match self.hear(message) {
                    Ok(None) => Ok(()),
                    Ok(Some(message)) => self.attend(message).boxed().await,
                    Err(end) => Err(end),
                },
                Next::End(end) => Err(end),
            };
            if let Err(end) = step {
                break end;
            }
        };
        self.operations.clear();
        match end {
            End::Close(close) => {
                tracing::debug!(
                    request = self.client.request_id,
                    code = close.code,
                    reason = close.reason,
                    "closing"
                );
                Box::pin(self.farewell(close)).await;
            }
            // Its close frame is answered while we look for more.
            End::Left => {
                timeout(FAREWELL, Box::pin(self.hear_out())).await.ok();
            }
            End::Gone => {}
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let reasons = self.bell.answer(cx);
        let own = Waker::from(self.bell.clone());
        let cx = &mut Context::from_waker(&own);
        let is_only_news = reasons == NEWS && self.is_asleep;
        self.is_asleep = false;
        if reasons & LEAVE != 0 {
            self.is_leaving = true;
            // Subscriptions have no end of their own; their clients resume elsewhere.
            self.operations.retain(|running| !running.is_subscription);
        }
        if reasons & TICK != 0
            && let Err(end) = self.tick()
        {
            return Poll::Ready(Next::End(end));
        }
        if let Err(end) = self.exchange(cx) {
            return Poll::Ready(Next::End(end));
        }
        if self.is_leaving && self.operations.is_empty() {
            return Poll::Ready(Next::End(End::Close(Close::going_away())));
        }
        if is_only_news {
            self.is_asleep = true;
            return Poll::Pending;
        }
        // Whoever does not read is not listened to either.
        if !self.wire.is_full()
            && let Poll::Ready(message) = self.wire.poll_read(cx)
        {
            return Poll::Ready(Next::Hear(message));
        }
        if let Some(patience) = &mut self.init_by
            && patience.poll_unpin(cx).is_ready()
        {
            return Poll::Ready(Next::End(End::Close(Close::init_timeout())));
        }
        if self.poll_revoked(cx) {
            self.is_check_due = true;
        }
        match self.poll_check(cx) {
            Err(end) => Poll::Ready(Next::End(end)),
            Ok(()) => {
                self.is_asleep = true;
                Poll::Pending
            }
        }
    }

    /// Moves what the operations yield to the peer, for as long as it takes it.
    fn exchange(&mut self, cx: &mut Context<'_>) -> Step {
        for _ in 0..ROUNDS {
            match self.wire.poll_write(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(End::Gone),
                Poll::Pending => {
                    self.operations.iter_mut().for_each(|running| running.stall(true));
                    return Ok(());
                }
            }
            if !self.poll_operations(cx)? {
                return Ok(());
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Whether any operation yielded something.
    fn poll_operations(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let Some(joiner) = &self.joiner else {
            return Ok(false);
        };
        let metrics = &self.web.platform.metrics;
        let (mut index, mut is_moved) = (0, false);
        while let Some(running) = self.operations.get_mut(index) {
            running.stall(false);
            for turn in 1..=TURN {
                if self.wire.is_full() {
                    return Ok(true);
                }
                let Poll::Ready(event) = running.poll(joiner, cx) else {
                    index += 1;
                    break;
                };
                is_moved = true;
                if emit(metrics, &mut self.wire, &self.client, running, (event, cx))? {
                    self.operations.swap_remove(index);
                    break;
                }
                if turn == TURN {
                    index += 1;
                }
            }
        }
        Ok(is_moved)
    }

    fn tick(&mut self) -> Step {
        if self.unanswered >= MISSED_PINGS {
            return Err(End::Gone);
        }
        self.unanswered += 1;
        self.pings += 1;
        self.wire.push(Message::Ping(Default::default()));
        let is_owed = std::mem::take(&mut self.is_check_owed);
        let is_turn = self.pings.is_multiple_of(PINGS_PER_CHECK) || self.is_over();
        self.is_check_due |= self.joiner.is_some() && (is_owed || is_turn);
        Ok(())
    }

    /// Whether the credentials have ended by themselves.
    pub(super) fn is_over(&self) -> bool {
        let now = self.web.platform.clock.now();
        let over = |joiner: &Joiner| joiner.caller.is_over(now);
        self.joiner.as_ref().is_some_and(over)
    }

    /// Looks at the credentials beside the operations: an operation that was given a database connection must go on, or both would wait
    /// for each other.
    fn poll_check(&mut self, cx: &mut Context<'_>) -> Step {
        loop {
            if self.is_check_due && self.checking.is_none() {
                self.is_check_due = false;
                self.checking = Some(self.check_credentials());
            }
            let Some(checking) = &mut self.checking else {
                return Ok(());
            };
            let Poll::Ready(found) = checking.poll_unpin(cx) else {
                return Ok(());
            };
            self.checking = None;
            self.checked(found)?;
            // Operations may have something to do now.
            cx.waker().wake_by_ref();
        }
    }

    /// Whether something may have been taken away from the person.
    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(revoked) = &mut self.revoked else {
            return false;
        };
        let Poll::Ready((subscription, signal)) = revoked.poll_unpin(cx) else {
            return false;
        };
        // Without more messages there is nothing to wait for.
        let is_over = matches!(signal, Signal::Closed);
        self.revoked = (!is_over).then(|| listen(subscription));
        !is_over
    }

    /// Writes what waits and the close frame, then waits a moment for the peer's own.
    async fn farewell(&mut self, close: Close) {
        self.wire.push(Message::Close(Some(CloseFrame {
            code: close.code,
            reason: close.reason.into(),
        })));
        let goodbye = async {
            if poll_fn(|cx| self.wire.poll_write(cx)).await.is_ok() {
                self.hear_out().await;
            }
        };
        timeout(FAREWELL, goodbye).await.ok();
    }

    /// Reads until the connection is over.
    async fn hear_out(&mut self) {
        while let Some(Ok(_)) = poll_fn(|cx| self.wire.poll_read(cx)).await {}
    }
}

/// Sends what an operation yielded; true when that was the last of it.
fn emit(
    metrics: &Metrics,
    wire: &mut Wire,
    client: &Client,
    running: &Running,
    (event, cx): (Event, &mut Context<'_>),
) -> Result<bool, End> {
    let request_id = || client.operation(running.number);
    let message = match event {
        Event::Shared(payload) => payload.message(&running.id, request_id),
        Event::Result(response) => {
            let answer = Answer::new(*response, &request_id());
            if answer.is_request_error() || (running.is_subscription && answer.is_only_errors()) {
                Err(answer.errors)
            } else {
                answer.count(metrics);
                let text = answer.json().map_err(|error| vec![error]);
                text.map(|text| next_message(&running.id, &text).into())
            }
        }
        Event::Failed(errors) => Err(errors),
        Event::Overflow(cursor) => Err(vec![overflow(cursor.as_deref())]),
        Event::End => {
            return say(wire, &ServerMessage::Complete { id: &running.id }).map(|()| true);
        }
    };
    match message {
        Ok(message) => {
            wire.send(Message::Text(message), cx);
            Ok(false)
        }
        Err(errors) => {
            let response = Response::from_errors(errors);
            refuse(metrics, wire, &running.id, &request_id(), response).map(|()| true)
        }
    }
}

/// Answers an operation that does not begin, or not go on.
pub(super) fn refuse(
    metrics: &Metrics,
    wire: &mut Wire,
    id: &str,
    request_id: &str,
    response: Response,
) -> Step {
    let answer = Answer::new(response, request_id);
    answer.count(metrics);
    let payload = &answer.errors;
    say(wire, &ServerMessage::Error { id, payload })
}

pub(super) fn say(wire: &mut Wire, message: &ServerMessage<'_>) -> Step {
    match serde_json::to_string(message) {
        Ok(text) => {
            wire.push(Message::Text(text.into()));
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "a message could not be written as JSON");
            Err(End::Close(Close::internal()))
        }
    }
}

/// Waits for the next word about the person.
pub(super) fn listen(mut subscription: Subscription) -> Revoked {
    async move {
        let signal = subscription.recv().await;
        (subscription, signal)
    }
    .boxed()
}

/// What a reader hears that is too slow: everything before it was delivered, and from the cursor it goes on.
fn overflow(cursor: Option<&str>) -> ServerError {
    let message = match cursor {
        Some(_) => "Events came faster than they were read. Subscribe again `after` the cursor.",
        None => "Events came faster than they were read. Subscribe again.",
    };
    let mut error = coded(ErrorCode::ServiceUnavailable, message);
    if let Some(cursor) = cursor {
        error.extensions.get_or_insert_default().set("cursor", cursor);
    }
    error
}
