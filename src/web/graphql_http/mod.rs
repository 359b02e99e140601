//! GraphQL over HTTP: `POST /graphql`, and `GET /graphql` for queries. Promises: bodies are read under a size cap and a deadline,
//! mutations never run by GET, requests are never batched, and a client learns from the status what happened where it asked for that.

mod idempotency;
mod negotiation;

use std::panic::AssertUnwindSafe;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as Executed};
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, UPGRADE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, request};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::client::Client;
use super::failure::Failure;
use super::graphql_answer::{Answer, coded, refusal};
use super::graphql_operation::{Budget, Operation, Parameters, prepare};
use super::{Web, auth, body, graphql_ws};
use crate::access::{Caller, Claim};
use crate::graphql;
use crate::kernel::actor::ReplyKey;
use crate::kernel::{Error, ErrorCode};
use negotiation::{MediaType, check_content, negotiate};

/// Tells that this is the answer to an earlier request with the same `Idempotency-Key`.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What the answer depends on.
const VARIES: HeaderValue = HeaderValue::from_static("Accept, Authorization, Cookie, Origin");
const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");
/// As many headers as an answer may get on its way out.
const HEADERS: usize = 24;

/// What is answered.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
enum Reply {
    /// The outcome of an operation, to be kept under the key.
    Fresh(Executed, Option<ReplyKey>),
    /// The body that was answered before.
    Again(String),
}

/// `/graphql`, all methods.
pub(super) async fn handle(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    request: http::Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    if is_upgrade(&parts.method, &parts.headers) {
        return graphql_ws::upgrade(web, client, parts).boxed().await;
    }
    respond(&web, &client, &parts, body).await
}

/// Whether a socket is asked for.
pub(super) fn is_upgrade(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET && headers.contains_key(UPGRADE)
}

/// Answers everything that asks for no socket.
pub(super) async fn respond(web: &Web, client: &Client, parts: &request::Parts, body: Body) -> Response {
    let Some(media_type) = negotiate(&parts.headers) else {
        let message = "Accept `application/graphql-response+json` or `application/json`.";
        return Failure::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message).answer(client);
    };
    let mut budget = None;
    let answered = answer(web, client, parts, body, &mut budget).boxed().await;
    let mut response = match answered {
        Ok(Reply::Fresh(executed, key)) => render(web, executed, key, media_type, client).await,
        Ok(Reply::Again(body)) => again(body, media_type),
        Err(failure) => Failure {
            media_type: media_type.header(),
            ..failure
        }
        .answer(client),
    };
    let headers = response.headers_mut();
    headers.insert(VARY, VARIES);
    if let Some(budget) = budget {
        budget.tell(&web.platform.limits, headers);
    }
    response
}

async fn answer(
    web: &Web,
    client: &Client,
    parts: &request::Parts,
    body: Body,
    told: &mut Option<Budget>,
) -> Result<Reply, Failure> {
    let by_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => return Err(not_allowed("Use POST, or GET for queries.", "GET, POST")),
    };
    if !by_get {
        auth::only(&parts.headers, CONTENT_TYPE)?;
        check_content(&parts.headers).map_err(|message| {
            Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ErrorCode::BadUserInput,
                message,
            )
        })?;
    }
    let credentials = auth::credentials(&parts.headers, &web.platform.config)?;
    if credentials.session.is_some() && !by_get && !web.origins().is_intended(&parts.headers) {
        return Err(auth::csrf_failed());
    }
    let caller = auth::caller(web, client, credentials).await?;
    let (mut budget, opened) = Budget::open(web, client, &caller);
    *told = Some(budget);
    opened?;
    let reply = operate(web, client, parts, body, &caller, &mut budget).await;
    budget.settle(web, client, &caller).await;
    *told = Some(budget);
    reply
}

/// Reads the operation and runs it.
async fn operate(
    web: &Web,
    client: &Client,
    parts: &request::Parts,
    body: Body,
    caller: &Caller,
    budget: &mut Budget,
) -> Result<Reply, Failure> {
    let by_get = parts.method == Method::GET;
    let key = idempotency::key(&parts.headers, caller)?;
    let (parameters, sent) = match by_get {
        true => (by_query_string(parts.uri.query()), Bytes::new()),
        false => by_body(web, parts, body).await?,
    };
    let parameters = parameters.map_err(Failure::bad_request)?;
    let once = key.as_ref().map(|key| caller.clone().once(key.clone()));
    let caller = once.as_ref().unwrap_or(caller);
    let operation = match prepare(web, client, caller, budget, parameters).await {
        Ok(operation) => operation,
        Err(refused) => return Ok(Reply::Fresh(*refused, None)),
    };
    match (operation.kind, key) {
        (OperationType::Subscription, _) => {
            let message = "Subscriptions run over WebSocket, with the subprotocol `graphql-transport-ws`.";
            Ok(Reply::Fresh(refusal(&Error::bad_input(message)), None))
        }
        (OperationType::Mutation, _) if by_get => Err(not_allowed("Mutations need POST.", "POST")),
        (OperationType::Mutation, Some(key)) => match idempotency::claim(web, &key, &sent).boxed().await? {
            Claim::First => Ok(Reply::Fresh(execute(web, operation).await, Some(key))),
            Claim::Answered(body) => Ok(Reply::Again(body)),
        },
        _ => Ok(Reply::Fresh(execute(web, operation).await, None)),
    }
}

/// Runs a query or mutation under the deadline; a panic of a resolver is a failure of this operation only.
pub(super) async fn execute(web: &Web, operation: Operation) -> Executed {
    let Operation {
        request,
        kind,
        is_known,
    } = operation;
    let (name, began) = (request.operation_name.clone(), Instant::now());
    let executed = run(web, request).await;
    web.platform.metrics.operation(
        kind == OperationType::Mutation,
        name.as_deref(),
        is_known,
        executed.is_ok(),
        began.elapsed(),
    );
    executed
}

async fn run(web: &Web, request: Request) -> Executed {
    let running = AssertUnwindSafe(graphql::execute(&web.schema, request)).catch_unwind();
    match timeout(web.platform.config.limits.operation_timeout, running).await {
        Ok(Ok(executed)) => executed,
        Ok(Err(_)) => {
            tracing::error!("a resolver panicked");
            let message = Error::internal("panic").to_string();
            Executed::from_errors(vec![coded(ErrorCode::Internal, message)])
        }
        Err(_) => {
            let message = "The operation took too long. Ask for less at once.";
            Executed::from_errors(vec![coded(ErrorCode::ServiceUnavailable, message)])
        }
    }
}

async fn render(
    web: &Web,
    executed: Executed,
    key: Option<ReplyKey>,
    media_type: MediaType,
    client: &Client,
) -> Response {
    let mut answer = Answer::new(executed, &client.request_id);
    answer.count(&web.platform.metrics);
    let status = match (media_type, answer.status()) {
        // Clients that only know `application/json` take every other status for a broken connection.
        (MediaType::Json, StatusCode::BAD_REQUEST) => StatusCode::OK,
        (_, status) => status,
    };
    let body = answer.take_json();
    if let Some(key) = key {
        // Out of time or by a defect: what was carried out by then nobody knows.
        let kept = (!answer.is_request_error()).then_some(body.as_slice());
        let keeping = idempotency::keep(web, &key, kept, !answer.errors.is_empty());
        keeping.boxed().await;
    }
    let mut response = dressed(body.into(), media_type);
    *response.status_mut() = status;
    if let Some(seconds) = answer.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// The answer that was given before. Only operations that ran are kept, so it went well as far as HTTP is concerned.
fn again(body: String, media_type: MediaType) -> Response {
    let mut response = dressed(body.into(), media_type);
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// An answer with room for all the headers that it will get.
fn dressed(body: Body, media_type: MediaType) -> Response {
    let mut response = Response::new(body);
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, media_type.value());
    headers.insert(CACHE_CONTROL, NO_STORE);
    *response.headers_mut() = headers;
    response
}

/// Reads the body and the parameters in it.
async fn by_body(
    web: &Web,
    parts: &request::Parts,
    body: Body,
) -> Result<(Result<Parameters, String>, Bytes), Failure> {
    let most = web.platform.config.limits.body_bytes;
    let bytes = body::read(web, &parts.headers, body, most).await?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::bad_request(format!("The body is not JSON: {error}.")))?;
    Ok((Parameters::read(value), bytes))
}

/// Reads the parameters of a GET request; `variables` and `extensions` are JSON there.
fn by_query_string(query: Option<&str>) -> Result<Parameters, String> {
    let mut object = serde_json::Map::new();
    for (name, text) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = match &*name {
            "query" | "operationName" | "documentId" => Value::String(text.into_owned()),
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => {
                serde_json::from_str(&text).map_err(|error| format!("`{name}` is not JSON: {error}."))?
            }
            _ => continue,
        };
        if object.insert(name.clone().into_owned(), value).is_some() {
            return Err(format!("`{name}` was sent more than once."));
        }
    }
    // An empty name is how forms leave a field out.
    object.retain(|name, value| !(name == "operationName" && value == ""));
    Parameters::read(Value::Object(object))
}

fn not_allowed(message: &str, allowed: &'static str) -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message).with_header(ALLOW, allowed)
}
