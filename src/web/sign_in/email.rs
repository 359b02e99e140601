//! Signing in with a one-time link: `GET /auth/email` shows a form, `POST /auth/email` sends the link, `GET /auth/email/link` ends the sign-in.
//! The answer to the form is the same for every address.

use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::super::Web;
use super::super::auth::csrf_failed;
use super::super::body::Small;
use super::super::client::Client;
use super::super::failure::Failure;
use super::{
    BROWSER_SECONDS, browser_cookie, browser_secret, come_back, failed, no_such_provider, page, query,
    regret, return_address, spend, unknown_sign_in, welcome,
};
use crate::access;
use crate::features::accounts;
use crate::kernel::{Error, text};

const SENT: &str = "If mail can be delivered to this address, a link is on its way. Open it in this browser within 15 minutes.";

/// What the form or a front end sends.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    email: String,
    return_to: Option<String>,
}

/// A form for installations without a front end.
pub(in super::super) async fn form(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    RawQuery(text): RawQuery,
) -> Response {
    let shown = || -> Result<Response, Failure> {
        require_enabled(&web)?;
        let return_to = return_address(&web, query(text.as_deref(), "returnTo").as_deref())?;
        let body = format!(
            "<form method=\"post\" action=\"/auth/email\"><label>E-mail address <input name=\"email\" type=\"email\" \
             autocomplete=\"email\" required autofocus></label> <input type=\"hidden\" name=\"returnTo\" value=\"{}\">\
             <button>Send a link</button></form>",
            page::escaped(return_to.as_str()),
        );
        Ok(page::page(StatusCode::OK, "Sign in by e-mail", &body))
    };
    shown().unwrap_or_else(|failure| failed(failure, &client))
}

/// Sends the link.
pub(in super::super) async fn request(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Small(body): Small,
) -> Response {
    send(&web, &client, &headers, &body)
        .await
        .unwrap_or_else(|failure| failed(failure, &client))
}

async fn send(web: &Web, client: &Client, headers: &HeaderMap, body: &[u8]) -> Result<Response, Failure> {
    require_enabled(web)?;
    spend(web, client).await?;
    // A page of another origin must not make this browser wait for somebody's link.
    if !web.origins().is_intended(headers) {
        return Err(csrf_failed());
    }
    let wanted = read(headers, body)?;
    let email =
        text::email(&wanted.email).ok_or_else(|| Failure::bad_request("This is not an e-mail address."))?;
    let return_to = return_address(web, wanted.return_to.as_deref())?;
    let config = &web.platform.config;
    let browser = match browser_secret(headers, config) {
        Some(browser) => browser,
        None => access::secret()?,
    };
    accounts::request_link(&web.platform, &email, &browser, &return_to).await?;
    let wants_page = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.contains("text/html"));
    let mut response = if wants_page {
        page::message(StatusCode::ACCEPTED, "Look into your mailbox", SENT, None)
    } else {
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
        (
            StatusCode::ACCEPTED,
            headers,
            json!({ "message": SENT }).to_string(),
        )
            .into_response()
    };
    let cookie = browser_cookie(config, &browser, BROWSER_SECONDS);
    response
        .headers_mut()
        .insert(SET_COOKIE, cookie.parse().map_err(Error::internal)?);
    Ok(response)
}

/// JSON of a front end or the fields of the form.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Wanted, Failure> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("application/json") {
        return serde_json::from_slice(body)
            .map_err(|_| Failure::bad_request("Send {\"email\": \"…\"} as JSON."));
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let mut wanted = Wanted::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "email" => wanted.email = value.into_owned(),
                "returnTo" => wanted.return_to = Some(value.into_owned()),
                _ => {}
            }
        }
        return Ok(wanted);
    }
    Err(Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        crate::kernel::ErrorCode::BadUserInput,
        "Send JSON or a form.",
    ))
}

/// Ends the sign-in of a link.
pub(in super::super) async fn link(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Response {
    finish(&web, &client, text.as_deref(), &headers)
        .await
        .unwrap_or_else(|failure| failed(failure, &client))
}

async fn finish(
    web: &Web,
    client: &Client,
    text: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    require_enabled(web)?;
    come_back(web, client).await?;
    let config = &web.platform.config;
    let found = match (query(text, "token"), browser_secret(headers, config)) {
        (Some(token), Some(browser)) => accounts::redeem_link(&web.platform, &token, &browser).await?,
        _ => None,
    };
    let Some((who, return_to)) = found else {
        // Guessing costs.
        spend(web, client).await?;
        return Ok(unknown_sign_in(config));
    };
    let return_to = Url::parse(&return_to).map_err(Error::internal)?;
    match accounts::sign_in(&web.platform, &who, client.origin()).await? {
        Ok(session) => welcome(web, client, headers, &session, &return_to).await,
        Err(refusal) => Ok(regret(&return_to, refusal.code())),
    }
}

fn require_enabled(web: &Web) -> Result<(), Failure> {
    if web.platform.config.sign_in.email {
        Ok(())
    } else {
        Err(no_such_provider())
    }
}
