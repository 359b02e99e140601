//! What waits to be written to one socket. Promises: writing never blocks the connection, and a full box is noticed before more is
//! put in. Must not know what the messages mean.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::ws::{Message, WebSocket};
use futures_util::Sink as _;
use futures_util::stream::SplitSink;

/// Messages that may wait for a slow reader.
const MOST_MESSAGES: usize = 64;
/// Bytes that may wait for a slow reader.
const MOST_BYTES: usize = 1024 * 1024;

/// Messages in the order in which they will be written.
pub(super) struct Outbox {
    sink: SplitSink<WebSocket, Message>,
    waiting: VecDeque<Message>,
    bytes: usize,
    /// Whether something was handed to the socket since it was last flushed.
    unflushed: bool,
}

impl Outbox {
    pub(super) fn new(sink: SplitSink<WebSocket, Message>) -> Self {
        Self {
            sink,
            waiting: VecDeque::new(),
            bytes: 0,
            unflushed: false,
        }
    }

    pub(super) fn push(&mut self, message: Message) {
        self.bytes += size(&message);
        self.waiting.push_back(message);
    }

    /// Whether events of subscriptions no longer fit.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_MESSAGES || self.bytes >= MOST_BYTES
    }

    /// Whether there is something to write.
    pub(super) fn is_busy(&self) -> bool {
        self.unflushed || !self.waiting.is_empty()
    }

    /// Writes everything. May be dropped and called again at any time: what is not written stays in the box.
    pub(super) async fn drive(&mut self) -> Result<(), axum::Error> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut self.sink).poll_ready(cx))?;
            if let Some(message) = self.waiting.pop_front() {
                self.bytes -= size(&message);
                self.unflushed = true;
                Pin::new(&mut self.sink).start_send(message)?;
            }
        }
        ready!(Pin::new(&mut self.sink).poll_flush(cx))?;
        self.unflushed = false;
        // A burst must not leave its buffer behind on thousands of quiet sockets.
        if self.waiting.capacity() > MOST_MESSAGES {
            self.waiting = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}
