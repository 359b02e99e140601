//! Signing in by a browser: what starts a sign-in, what ends it, and the few pages that this server shows itself.
//!
//! - `email`: asking for a link and opening it
//! - `oidc`: leaving for a provider and coming back
//! - `returning`: which addresses a sign-in may end at
//! - `page`: plain pages without scripts
//!
//! Promises: a sign-in ends in the browser that began it, at an allowed address, and a failed one leaves no session.

pub(super) mod email;
pub(super) mod oidc;
pub(super) mod page;
mod returning;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use url::Url;

use super::Web;
use super::auth::{SESSION_SECONDS, caller, credentials, end_session, is_https, pay, session_cookie};
use super::client::Client;
use super::failure::Failure;
use crate::access::NewSession;
use crate::access::oidc::is_browser_secret;
use crate::config::Config;
use crate::kernel::Error;
use crate::platform::limits::Limit;

pub(super) use returning::return_address;

/// Time to come back, a little longer than what waits in the database.
const BROWSER_SECONDS: u32 = 20 * 60;

/// Spends one sign-in of the address.
async fn spend(web: &Web, client: &Client) -> Result<(), Failure> {
    Ok(pay(web, client, Limit::SignIns).await?)
}

/// Spends one request of the address, before anything is looked up for somebody who says that they come back from a sign-in: the budget of
/// sign-ins is for beginning one, and what is found out later stops no work.
async fn come_back(web: &Web, client: &Client) -> Result<(), Failure> {
    Ok(pay(web, client, Limit::GuestRequests).await?)
}

/// Name of the cookie that binds a sign-in to its browser.
fn browser_cookie_name(config: &Config) -> &'static str {
    if is_https(config) {
        "__Host-meridian-signin"
    } else {
        "meridian-signin"
    }
}

/// The secret that an earlier sign-in left in this browser.
fn browser_secret(headers: &HeaderMap, config: &Config) -> Option<String> {
    let name = browser_cookie_name(config);
    let values = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = values
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(key, value)| (key == name && is_browser_secret(value)).then(|| value.to_owned()))
}

fn browser_cookie(config: &Config, secret: &str, seconds: u32) -> String {
    let secure = if is_https(config) { "; Secure" } else { "" };
    // Lax: the way back from a provider is a link from another site.
    let name = browser_cookie_name(config);
    format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// Sends the browser elsewhere, with cookies.
fn redirect(url: &Url, cookies: &[String]) -> Response {
    let mut response = (
        StatusCode::SEE_OTHER,
        [(LOCATION, url.as_str()), (CACHE_CONTROL, "no-store")],
    )
        .into_response();
    for cookie in cookies {
        if let Ok(value) = cookie.parse() {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

/// The end of a sign-in that worked: the session's cookie, and on to where it was to end. The session that this browser had ends, so that a
/// cookie never outlives the sign-in after it. Credentials that are not good are charged for and otherwise no matter: the person has proven
/// who they are.
async fn welcome(
    web: &Web,
    client: &Client,
    headers: &HeaderMap,
    session: &NewSession,
    return_to: &Url,
) -> Result<Response, Failure> {
    let config = &web.platform.config;
    if let Ok(sent) = credentials(headers, config)
        && let Ok(earlier) = caller(web, client, sent).await
        && let (Some(user_id), Some(session_id)) = (earlier.user_id(), earlier.session_id())
    {
        end_session(web, client, user_id, session_id).await?;
    }
    let cookies = [
        session_cookie(config, &session.secret, SESSION_SECONDS),
        browser_cookie(config, "", 0),
    ];
    Ok(redirect(return_to, &cookies))
}

/// The end of a sign-in that did not: the front end gets the word for it.
fn regret(return_to: &Url, code: &str) -> Response {
    let mut url = return_to.clone();
    url.query_pairs_mut().append_pair("signInError", code);
    redirect(&url, &[])
}

/// A sign-in that nobody here began: a page for the person and a status for everybody else.
fn unknown_sign_in(config: &Config) -> Response {
    page::message(
        StatusCode::BAD_REQUEST,
        "This sign-in is over",
        "It was used already, took too long, or was begun in another browser. Please begin again.",
        Some(&config.sign_in.app_url),
    )
}

/// What a handler answers when it fails before a sign-in is known.
fn failed(failure: Failure, client: &Client) -> Response {
    failure.answer(client)
}

/// The parts of a query, decoded; the first of each name counts.
pub(super) fn query(text: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn no_such_provider() -> Failure {
    Failure::from(Error::coded(
        crate::kernel::ErrorCode::NotFound,
        "There is no such way to sign in on this server.",
    ))
}
