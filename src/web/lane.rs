//! The short way to `/graphql`, where most requests go: around the router, which boxes and copies what it hands on. Promises: answers as the
//! router gives them, to the byte; what this does not know is left to the router.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::{BoxError, Router};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    CONTENT_LENGTH, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
use tower::Service;

use super::Web;
use super::client::{Client, Named, Peer, repeated};
use super::graphql_http::{is_upgrade, respond};
use super::routes::{GRAPHQL, panicked};

const BY_ORIGIN: HeaderValue = HeaderValue::from_static("origin");
const CREDENTIALS: HeaderValue = HeaderValue::from_static("true");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after,idempotency-replayed,ratelimit,ratelimit-policy,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset,x-request-id",
);

/// What serves the requests of one connection.
#[derive(Clone)]
pub(super) struct Lane(Arc<Inner>);

struct Inner {
    web: Web,
    peer: Peer,
    router: Router,
}

impl Lane {
    /// For a connection with this client.
    pub(super) fn new(web: Web, peer: Peer, router: Router) -> Self {
        Self(Arc::new(Inner { web, peer, router }))
    }
}

impl<B> Service<Request<B>> for Lane
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<RouteFuture<Infallible>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !is_short(&request) {
            request.extensions_mut().insert(self.0.peer.clone());
            return Either::Left(self.0.router.clone().call(request));
        }
        let inner = self.0.clone();
        let (parts, body) = request.into_parts();
        let body = Body::new(body);
        let answer = async move { Ok(inner.serve(&parts, body).await) };
        Either::Right(answer.boxed())
    }
}

/// Whether a request can be answered here. The router knows what the other methods want, and how a connection becomes a socket.
fn is_short<B>(request: &Request<B>) -> bool {
    let method = request.method();
    (method == Method::POST || method == Method::GET)
        && request.uri().path() == GRAPHQL
        && !is_upgrade(method, request.headers())
}

impl Inner {
    async fn serve(&self, parts: &Parts, body: Body) -> Response {
        let named = Named::new(&self.web, self.peer.asks(), GRAPHQL, &parts.headers);
        let answer = self.answer(&named.client, parts, body);
        let mut response = named.run(&parts.method, answer).await;
        if let Some(length) = response.body().size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        response
    }

    async fn answer(&self, client: &Client, parts: &Parts, body: Body) -> Response {
        if let Some(failure) = repeated(&parts.headers) {
            return failure.answer(client);
        }
        let answering = AssertUnwindSafe(respond(&self.web, client, parts, body)).catch_unwind();
        let mut response = answering.await.unwrap_or_else(panicked);
        let is_allowed = |origin: &HeaderValue| self.web.origins().allows_header(origin);
        share(response.headers_mut(), parts.headers.get(ORIGIN), is_allowed);
        response
    }
}

/// Says to browsers which pages may read an answer, as the layer of the router does.
fn share(
    headers: &mut HeaderMap,
    origin: Option<&HeaderValue>,
    is_allowed: impl FnOnce(&HeaderValue) -> bool,
) {
    headers.append(VARY, BY_ORIGIN);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, CREDENTIALS);
    if let Some(origin) = origin.filter(|&origin| is_allowed(origin)) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

#[cfg(test)]
mod tests {
    use tower::{Layer as _, ServiceExt as _, service_fn};

    use super::super::routes::shared;
    use super::*;

    #[tokio::test]
    async fn pages_are_told_the_same_as_by_the_router() {
        let is_allowed = |origin: &HeaderValue| origin == "https://app.example.org";
        for origin in [
            None,
            Some("https://app.example.org"),
            Some("https://evil.example"),
        ] {
            let mut request = Request::new(Body::empty());
            if let Some(origin) = origin {
                let origin = HeaderValue::from_static(origin);
                request.headers_mut().insert(ORIGIN, origin);
            }
            let mut told = HeaderMap::new();
            told.insert(VARY, HeaderValue::from_static("Accept"));
            let mut response = Response::new(Body::empty());
            *response.headers_mut() = told.clone();
            share(&mut told, request.headers().get(ORIGIN), is_allowed);
            let mut response = Some(response);
            let inner = service_fn(move |_: Request<Body>| {
                let response = response.take();
                async move { Ok::<_, Infallible>(response.unwrap()) }
            });
            let routed = shared(is_allowed).layer(inner).oneshot(request).await.unwrap();
            let list = |headers: &HeaderMap| -> Vec<_> {
                headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            };
            assert_eq!(list(&told), list(routed.headers()), "{origin:?}");
        }
    }
}
