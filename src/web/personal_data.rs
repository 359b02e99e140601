//! `GET /auth/personal-data`: everything that is known about the person who is signed in, as a file.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};

use super::Web;
use super::auth::{caller, credentials};
use super::client::Client;
use super::failure::Failure;
use crate::features::privacy;
use crate::platform::limits::{Charge, Key, Limit};
use entity::enums::ApiTokenScope;

pub(super) async fn download(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    collect(&web, &client, &headers)
        .await
        .unwrap_or_else(|failure| failure.answer(&client))
}

async fn collect(web: &Web, client: &Client, headers: &HeaderMap) -> Result<Response, Failure> {
    let caller = caller(web, client, credentials(headers, &web.platform.config)?).await?;
    let user_id = caller.require_personal(ApiTokenScope::Admin)?;
    // Reading every table is dear, so it has the small budget.
    let name = format!("personal-data:{user_id}");
    let key = Key::Name(&name);
    let kind = Limit::SignIns;
    let [decision] = web.platform.limits.spend([Charge { kind, key, cost: 1 }]).await;
    decision.into_result()?;
    let known = privacy::export(&web.platform, user_id).await?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"personal-data.json\""),
        (CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, known.to_string()).into_response())
}
