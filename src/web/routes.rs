//! The list of routes, and what lies around all of them.

use std::time::Duration;

use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::client::Client;
use super::failure::Failure;
use super::origins::CSRF_HEADER;
use super::{
    Web, auth, client, feed, graphiql, graphiql_page, graphql_http, health, infrastructure, personal_data,
    sign_in, transfers, unsubscribe,
};
use crate::kernel::{Error, ErrorCode};

const PREFLIGHT: Duration = Duration::from_secs(3600);

/// Where GraphQL is asked.
pub(super) const GRAPHQL: &str = "/graphql";

/// Every route of the server.
pub fn router(web: Web) -> Router {
    let mut routes = Router::new()
        .route(GRAPHQL, any(graphql_http::handle))
        .route("/api/health", get(health::health))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/ics/{file}", get(feed::download))
        .route("/api/import", post(transfers::upload))
        .route("/api/export/{secret}", get(transfers::download))
        .route("/auth/personal-data", get(personal_data::download))
        .route("/mail/unsubscribe", get(unsubscribe::ask).post(unsubscribe::stop))
        .route("/auth/callback", get(sign_in::oidc::callback))
        .route("/auth/logout", post(auth::logout))
        .route(
            "/auth/email",
            get(sign_in::email::form).post(sign_in::email::request),
        )
        .route("/auth/email/link", get(sign_in::email::link))
        .route("/auth/{provider}", get(sign_in::oidc::start).fallback(nothing));
    if web.platform.config.env.is_development() {
        routes = routes
            .route("/auth/dev-login", post(auth::dev_login))
            .route("/api/test-infrastructure", get(infrastructure::test));
    }
    if web.platform.config.graphiql {
        let assets = format!("{}{{name}}", graphiql::ASSETS_PATH);
        routes = routes
            .route("/graphiql", get(graphiql_page::page))
            .route(&assets, get(graphiql_page::asset));
    }
    if web.platform.config.introspection {
        routes = routes.route("/schema.graphql", get(graphiql_page::schema));
    }
    // The first is the first to see a request. One layer, because the router boxes and copies each for every request.
    let identify = from_fn_with_state(web.clone(), client::identify);
    routes
        .method_not_allowed_fallback(other_method)
        .fallback(nothing)
        .layer((identify, cors(&web), CatchPanicLayer::custom(panicked)))
        .with_state(web)
}

fn cors(web: &Web) -> CorsLayer {
    let allowed = web.clone();
    shared(move |origin| allowed.origins().allows_header(origin))
}

/// What pages of other origins may do here. [`super::lane`] says the same in its answers.
pub(super) fn shared(is_allowed: impl Fn(&HeaderValue) -> bool + Send + Sync + 'static) -> CorsLayer {
    let header = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_allowed(origin)))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            header(CSRF_HEADER),
            header("idempotency-key"),
            header("x-request-id"),
        ])
        .expose_headers([
            RETRY_AFTER,
            header("idempotency-replayed"),
            header("ratelimit"),
            header("ratelimit-policy"),
            header("x-ratelimit-limit"),
            header("x-ratelimit-remaining"),
            header("x-ratelimit-reset"),
            header("x-request-id"),
        ])
        .max_age(PREFLIGHT)
}

/// A method that the route does not have; those that it has are in `Allow`.
async fn other_method(Extension(client): Extension<Client>) -> Response {
    let message = "This address does not take that method.";
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
    failure.answer(&client)
}

async fn nothing(Extension(client): Extension<Client>) -> Response {
    Failure::from(Error::coded(
        ErrorCode::NotFound,
        "There is nothing at this address.",
    ))
    .answer(&client)
}

/// The message of a panic may hold anything, so nothing of it is shown; the panic hook has logged it.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
