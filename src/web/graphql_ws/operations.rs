//! The operations of one socket: what runs, and what each of them yields. Promises: an operation that panics ends alone.

use std::panic::AssertUnwindSafe;

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, once};
use tokio_stream::StreamMap;

use crate::kernel::{Error, ErrorCode};
use crate::web::Web;
use crate::web::graphql_answer::coded;
use crate::web::graphql_http::execute;
use crate::web::graphql_operation::Operation;

/// What an operation yields.
pub(super) enum Event {
    /// A result.
    Result(Box<Response>),
    /// There will be no more.
    End,
}

/// A running operation.
pub(super) struct Running {
    pub(super) request_id: String,
    pub(super) is_subscription: bool,
    /// Position of the last event that was put into the outbox.
    pub(super) cursor: Option<String>,
    events: BoxStream<'static, Event>,
}

impl futures_util::Stream for Running {
    type Item = Event;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

/// The operations of one socket by the id that the client gave them.
pub(super) type Operations = StreamMap<String, Running>;

/// Starts an operation.
pub(super) fn start(web: &Web, operation: Operation, request_id: String) -> Running {
    let is_subscription = operation.kind == OperationType::Subscription;
    let results = if is_subscription {
        web.schema.execute_stream(operation.request).boxed()
    } else {
        let web = web.clone();
        once(async move { execute(&web, operation.request).await }).boxed()
    };
    let results = AssertUnwindSafe(results)
        .catch_unwind()
        .map(|result| result.unwrap_or_else(|_| panicked()));
    let events = results
        .map(|response| Event::Result(Box::new(response)))
        .chain(once(async { Event::End }))
        .boxed();
    Running {
        request_id,
        is_subscription,
        cursor: None,
        events,
    }
}

/// Whether any operation runs that is not a subscription and so will end by itself.
pub(super) fn any_finite(operations: &Operations) -> bool {
    operations.values().any(|running| !running.is_subscription)
}

fn panicked() -> Response {
    tracing::error!("a subscription panicked");
    Response::from_errors(vec![coded(
        ErrorCode::Internal,
        Error::internal("panic").to_string(),
    )])
}
