//! What the dashboard of the jobs asks and commands, as JSON. Promises: each request names an administrator of the installation by an API
//! token in `Authorization`. Nothing is done on the strength of a cookie or of where a request comes from, so no other page, no name that
//! resolves to this machine and no program without a token can act here; and what is done is in the same audit log as through the API, with
//! the address at the other end and the id that the answer carries.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use entity::job;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Admin;
use crate::access::{Access, Credentials, authenticate};
use crate::features::jobs::{self, JobFilter};
use crate::kernel::actor::Origin;
use crate::kernel::page::PageArgs;
use crate::kernel::{Error, ErrorCode, Result};
use crate::platform::Platform;
use crate::platform::limits::{Charge, Key, Limit};
use crate::web::auth::bearer;
use crate::web::client::REQUEST_ID;
use crate::web::failure::status;

/// Longest kept user agent.
const AGENT: usize = 200;
/// Jobs of one page of the list.
const PAGE: i32 = 50;

/// The routes of the dashboard's data.
pub(super) fn routes(admin: &Admin) -> Router<Admin> {
    Router::new()
        .route("/admin/api/queues", get(queues))
        .route("/admin/api/queues/{queue}/{action}", post(act_on_queue))
        .route("/admin/api/jobs", get(list))
        .route("/admin/api/jobs/{id}/{action}", post(act_on_job))
        .layer(from_fn_with_state(admin.clone(), only_administrators))
}

/// A failed request.
struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(error) = self;
        if let Some(cause) = error.cause() {
            tracing::error!(error = %cause, "a request of the dashboard failed");
        }
        let (code, retry_after) = match &error {
            Error::User(_) => (StatusCode::CONFLICT, None),
            Error::Coded {
                code, retry_after, ..
            } => (status(*code), *retry_after),
        };
        let message = match &error {
            Error::User(problems) => problems
                .iter()
                .map(|one| one.message.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            Error::Coded { .. } => error.to_string(),
        };
        let body = json!({ "error": { "code": error.code().as_str(), "message": message } });
        let mut response = (code, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if code == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

type Answer = std::result::Result<Json<Value>, Refusal>;

/// Lets only administrators through; the handlers find who it is in the request.
async fn only_administrators(State(admin): State<Admin>, mut request: Request<Body>, next: Next) -> Response {
    let platform = &admin.0.platform;
    let id = platform.ids.uuid().simple().to_string();
    // This listener is private: there is no proxy whose word about addresses would count.
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let origin = Origin {
        request_id: Some(id.clone()),
        ip_address: peer.map(|ConnectInfo(address)| address.ip().to_canonical().to_string()),
        user_agent: user_agent(request.headers()),
        reply: None,
    };
    let entered: BoxFuture<'_, Result<Access>> = Box::pin(enter(platform, request.headers(), origin));
    let mut response = match entered.await {
        Ok(access) => {
            request.extensions_mut().insert(Arc::new(access));
            next.run(request).await
        }
        Err(error) => Refusal(error).into_response(),
    };
    let no_store = HeaderValue::from_static("private, no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    agent.map(|text| text.chars().take(AGENT).collect())
}

async fn enter(platform: &Platform, headers: &HeaderMap, origin: Origin) -> Result<Access> {
    // Browsers say where a request comes from. A page elsewhere has no token; should it ever have one, it still may not.
    let is_foreign = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none");
    if is_foreign {
        let message = "Requests from other pages are refused.";
        return Err(Error::coded(ErrorCode::CsrfFailed, message));
    }
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (Some(value), None) => value.to_str().ok().and_then(bearer),
        _ => None,
    };
    let token = token.ok_or_else(Error::unauthenticated)?;
    let credentials = Credentials {
        bearer: Some(token.to_owned()),
        session: None,
    };
    match authenticate(platform, credentials, origin).await {
        Ok(caller) => {
            caller.require_admin()?;
            Ok(Access::new(platform.clone(), caller))
        }
        Err(error) => {
            if error.code() == ErrorCode::Unauthenticated {
                // Guessing ends soon; whoever has a token is not kept out by those who guess.
                let guess = Charge {
                    kind: Limit::GuestRequests,
                    key: Key::Name("operators"),
                    cost: 1,
                };
                let [decision] = platform.limits.spend([guess]).await;
                decision.into_result()?;
            }
            Err(error)
        }
    }
}

/// `GET /admin/api/queues`: numbers and rates of every queue.
async fn queues(Extension(access): Extension<Arc<Access>>) -> Answer {
    let stats = jobs::queues(&access).await?;
    let (minutes, ended) = jobs::ended_lately(&access).await?;
    let per_minute = |queue: JobQueueName, state: JobStatus| {
        let row = ended.iter().find(|row| row.0 == queue && row.1 == state);
        row.map_or(0.0, |row| row.2 as f64 / minutes as f64)
    };
    let rows: Vec<Value> = stats
        .iter()
        .map(|one| {
            let oldest = one.oldest_queued_at.map(|since| (one.at - since).num_seconds());
            json!({
                "name": one.queue,
                "queued": one.queued,
                "running": one.running,
                "retrying": one.retrying,
                "dead": one.dead,
                "succeededLastDay": one.succeeded_last_day,
                "donePerMinute": per_minute(one.queue, JobStatus::Succeeded),
                "diedPerMinute": per_minute(one.queue, JobStatus::Dead),
                "oldestSeconds": oldest,
                "workers": one.workers,
                "isPaused": one.is_paused,
            })
        })
        .collect();
    Ok(Json(json!({ "queues": rows })))
}

/// Conditions of the list, all optional.
#[derive(Debug, Deserialize)]
struct Wanted {
    queue: Option<String>,
    status: Option<String>,
    after: Option<String>,
}

/// `GET /admin/api/jobs`: one page of the jobs, newest first. Payloads are not shown: letters are among them.
async fn list(Extension(access): Extension<Arc<Access>>, Query(wanted): Query<Wanted>) -> Answer {
    let filter = JobFilter {
        queues: wanted
            .queue
            .map(|text| word(&text))
            .transpose()?
            .map(|one| vec![one]),
        statuses: wanted
            .status
            .map(|text| word(&text))
            .transpose()?
            .map(|one| vec![one]),
        ..JobFilter::default()
    };
    let request = PageArgs {
        after: wanted.after,
        ..PageArgs::default()
    }
    .check(PAGE, false)?;
    let page = jobs::page(&access, &filter, &request).await?;
    let now = access.platform().clock.now();
    let next = page.items.last().and_then(|(cursor, _)| cursor.as_ref());
    let next = next.filter(|_| page.has_next).map(|cursor| cursor.encode());
    let rows: Vec<Value> = page
        .items
        .iter()
        .map(|(_, row)| {
            let mut shown = shown(row);
            shown["ageSeconds"] = (now - row.created_at).num_seconds().into();
            shown
        })
        .collect();
    Ok(Json(json!({ "jobs": rows, "next": next })))
}

fn shown(row: &job::Model) -> Value {
    json!({
        "id": row.id.to_string(),
        "queue": row.queue,
        "kind": row.kind,
        "status": row.status,
        "workspaceId": row.workspace_id.map(|id| id.to_string()),
        "isUrgent": row.priority > 0,
        "attempts": row.attempts,
        "maxAttempts": row.max_attempts,
        "progressPercent": row.progress_percent,
        "lastError": row.last_error,
        "cancelRequested": row.cancel_requested,
        "createdAt": row.created_at,
        "runAt": row.run_at,
        "startedAt": row.started_at,
        "finishedAt": row.finished_at,
    })
}

/// `POST /admin/api/jobs/{id}/{action}`.
async fn act_on_job(
    Extension(access): Extension<Arc<Access>>,
    Path((id, action)): Path<(String, String)>,
) -> Answer {
    let id: JobId = id.parse().map_err(|_| Error::not_found())?;
    match action.as_str() {
        "requeue" => Ok(Json(json!({ "job": shown(&jobs::requeue(&access, id).await?) }))),
        "cancel" => Ok(Json(json!({ "job": shown(&jobs::cancel(&access, id).await?) }))),
        "discard" => {
            jobs::discard(&access, id).await?;
            Ok(Json(json!({ "discarded": id.to_string() })))
        }
        _ => Err(Error::not_found().into()),
    }
}

/// `POST /admin/api/queues/{queue}/{action}`.
async fn act_on_queue(
    Extension(access): Extension<Arc<Access>>,
    Path((queue, action)): Path<(String, String)>,
) -> Answer {
    let queue: JobQueueName = word(&queue).map_err(|_| Error::not_found())?;
    match action.as_str() {
        "pause" | "resume" => {
            let stats = jobs::set_paused(&access, queue, action == "pause").await?;
            Ok(Json(json!({ "isPaused": stats.is_paused })))
        }
        "requeue-dead" => Ok(Json(
            json!({ "requeued": jobs::requeue_dead(&access, queue).await? }),
        )),
        _ => Err(Error::not_found().into()),
    }
}

/// Reads a word as the database has it.
fn word<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_value(text.into())
        .map_err(|_| Error::bad_input(format!("`{text}` is not a word of the list.")))
}
