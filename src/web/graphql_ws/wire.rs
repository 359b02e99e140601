//! The socket itself and what waits to be written to it. Promises: writing never blocks the connection, a burst is flushed once, and a full
//! box is noticed before more is put in. Must not know what the messages mean.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{Sink as _, Stream as _};

/// Messages that may wait for a slow reader.
const MOST_MESSAGES: usize = 64;
/// Bytes that may wait for a slow reader.
const MOST_BYTES: usize = 1024 * 1024;
/// Room that a quiet socket keeps.
const KEPT: usize = 4;

/// A socket.
pub(super) struct Wire {
    socket: WebSocket,
    waiting: VecDeque<Message>,
    bytes: usize,
    /// Whether something was handed to the socket since it was last flushed.
    unflushed: bool,
    is_broken: bool,
}

impl Wire {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self {
            socket,
            waiting: VecDeque::new(),
            bytes: 0,
            unflushed: false,
            is_broken: false,
        }
    }

    /// Puts a message where it will be written from.
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += size(&message);
        self.waiting.push_back(message);
    }

    /// The same from inside the task of the socket, which saves a message that can be taken at once the wait.
    pub(super) fn send(&mut self, message: Message, cx: &mut Context<'_>) {
        let is_ready = self.waiting.is_empty()
            && matches!(Pin::new(&mut self.socket).poll_ready(cx), Poll::Ready(Ok(())));
        if !is_ready {
            self.push(message);
        } else {
            self.unflushed = true;
            self.is_broken |= Pin::new(&mut self.socket).start_send(message).is_err();
        }
    }

    /// Whether results no longer fit.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_MESSAGES || self.bytes >= MOST_BYTES
    }

    /// Writes everything. Not ready: the peer does not take it; what is not written stays.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.is_broken {
            return Poll::Ready(Err(Broken));
        }
        if self.waiting.is_empty() && !self.unflushed {
            return Poll::Ready(Ok(()));
        }
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(|_| Broken)?;
            if let Some(message) = self.waiting.pop_front() {
                self.bytes -= size(&message);
                self.unflushed = true;
                Pin::new(&mut self.socket)
                    .start_send(message)
                    .map_err(|_| Broken)?;
            }
        }
        ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(|_| Broken)?;
        self.unflushed = false;
        // A burst must not leave its buffer behind on thousands of quiet sockets.
        if self.waiting.capacity() > KEPT {
            self.waiting = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }

    /// The next message of the peer.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, axum::Error>>> {
        Pin::new(&mut self.socket).poll_next(cx)
    }
}

/// The peer is gone.
#[derive(Debug)]
pub(super) struct Broken;

fn size(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}
