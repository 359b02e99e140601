//! Signing in and out, and what a request says about who sends it. Sessions live in a cookie that scripts cannot read.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use entity::ids::{SessionId, UserId};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Web;
use super::body::Small;
use super::client::Client;
use super::failure::Failure;
use crate::access::{self, Caller, Credentials, Identity};
use crate::config::Config;
use crate::features::people;
use crate::kernel::{Error, ErrorCode, text};
use crate::platform::limits::{Charge, Limit};

const BEARER: &str = "bearer ";
pub(super) const SESSION_SECONDS: u32 = 30 * 24 * 60 * 60;

/// Reads the token of `Authorization` and the session cookie; a token wins over a cookie.
pub(super) fn credentials(headers: &HeaderMap, config: &Config) -> Result<Credentials, Failure> {
    if let Some(value) = only(headers, AUTHORIZATION)? {
        let text = value.to_str().unwrap_or_default();
        let token = bearer(text).ok_or_else(Error::unauthenticated)?;
        return Ok(Credentials {
            bearer: Some(token.into()),
            session: None,
        });
    }
    let name = cookie_name(config);
    let session = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name && !value.is_empty()).then(|| value.to_owned())
        });
    Ok(Credentials {
        bearer: None,
        session,
    })
}

/// The one value of a header; whoever sends it twice may mean either.
pub(super) fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Failure> {
    let mut values = headers.get_all(&name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Failure::bad_request(format!(
            "The header `{name}` was sent more than once. Send it once."
        ))),
        (value, None) => Ok(value),
    }
}

/// The token of `Bearer …`, as headers and connection parameters have it.
pub(super) fn bearer(text: &str) -> Option<&str> {
    let scheme = text.get(..BEARER.len())?;
    let token = text[BEARER.len()..].trim();
    (scheme.eq_ignore_ascii_case(BEARER) && !token.is_empty()).then_some(token)
}

/// Finds out who is calling. Wrong credentials cost the budget of the address, so that guessing ends soon.
pub(super) async fn caller(web: &Web, client: &Client, credentials: Credentials) -> Result<Caller, Failure> {
    match access::authenticate(&web.platform, credentials, client.origin()).await {
        Ok(caller) => Ok(caller),
        Err(error) => {
            Box::pin(pay(web, client, Limit::GuestRequests)).await?;
            Err(error.into())
        }
    }
}

/// Takes one from a budget of the address.
pub(super) async fn pay(web: &Web, client: &Client, kind: Limit) -> crate::kernel::Result<()> {
    if client.is_internal {
        return Ok(());
    }
    let key = client.budget_key();
    let [decision] = web.platform.limits.spend([Charge { kind, key, cost: 1 }]).await;
    decision.into_result().map(drop)
}

/// The `__Host-` prefix makes browsers insist on https and on this very host; it cannot be used without https.
fn cookie_name(config: &Config) -> &'static str {
    if is_https(config) {
        "__Host-meridian"
    } else {
        "meridian"
    }
}

pub(super) fn is_https(config: &Config) -> bool {
    config.public_url.scheme() == "https"
}

/// The cookie that carries a session.
pub(super) fn session_cookie(config: &Config, value: &str, seconds: u32) -> String {
    let secure = if is_https(config) { "; Secure" } else { "" };
    format!(
        "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        cookie_name(config)
    )
}

#[derive(Deserialize)]
struct DevLogin {
    email: String,
}

/// `POST /auth/dev-login` with `{"email": …}`: signs in somebody who exists, without any proof. The route only exists in development.
pub(super) async fn dev_login(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Small(body): Small,
) -> Response {
    sign_in(&web, &client, &headers, &body)
        .await
        .unwrap_or_else(|failure| failure.answer(&client))
}

async fn sign_in(web: &Web, client: &Client, headers: &HeaderMap, body: &[u8]) -> Result<Response, Failure> {
    pay(web, client, Limit::SignIns).await?;
    if !web.origins().allows_request(headers) {
        return Err(csrf_failed());
    }
    // Pages of other origins cannot send this type without being allowed to.
    let is_json = |value: &http::HeaderValue| {
        value
            .to_str()
            .is_ok_and(|text| text.starts_with("application/json"))
    };
    if !headers.get(CONTENT_TYPE).is_some_and(is_json) {
        let message = "Send JSON with `Content-Type: application/json`.";
        return Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::BadUserInput,
            message,
        ));
    }
    let login: DevLogin =
        serde_json::from_slice(body).map_err(|_| Failure::bad_request("Send {\"email\": \"…\"} as JSON."))?;
    let email =
        text::email(&login.email).ok_or_else(|| Failure::bad_request("This is not an e-mail address."))?;
    let user = people::find_by_email(&web.platform, &email).await?;
    let user = user.ok_or_else(|| {
        Error::coded(
            ErrorCode::NotFound,
            "Nobody has this address. `meridian seed` makes two people.",
        )
    })?;
    let session = access::create_session(&web.platform, user.id, client.origin()).await?;
    let body = json!({ "user": { "id": user.id.to_string(), "name": user.name, "email": user.email } });
    let cookie = session_cookie(&web.platform.config, &session.secret, SESSION_SECONDS);
    let headers = [
        (SET_COOKIE, cookie),
        (CONTENT_TYPE, "application/json".into()),
        (http::header::CACHE_CONTROL, "no-store".into()),
    ];
    Ok((headers, body.to_string()).into_response())
}

/// `POST /auth/logout`: ends the session of the cookie, if there is one, and removes the cookie. When the session came from a provider where
/// one signs out too, the answer says where: `{"endSessionUrl": …}`.
pub(super) async fn logout(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    sign_out(&web, &client, &headers)
        .await
        .unwrap_or_else(|failure| failure.answer(&client))
}

async fn sign_out(web: &Web, client: &Client, headers: &HeaderMap) -> Result<Response, Failure> {
    if !web.origins().is_intended(headers) {
        return Err(csrf_failed());
    }
    let found = caller(web, client, credentials(headers, &web.platform.config)?);
    let mut provider = None;
    match found.await {
        Ok(Caller {
            identity: Identity::Session {
                user_id, session_id, ..
            },
            ..
        }) => {
            provider = access::session_provider(&web.platform, session_id).await?;
            end_session(web, client, user_id, session_id).await?;
        }
        // Nobody, or a session that is over already: the cookie goes all the same.
        Ok(_) => {}
        Err(failure) if failure.error.code() == ErrorCode::Unauthenticated => {}
        Err(failure) => return Err(failure),
    }
    let cookie = [(SET_COOKIE, session_cookie(&web.platform.config, "", 0))];
    let elsewhere = match provider {
        Some(name) => access::oidc::end_session_url(&web.platform, web.directory(), &name).await,
        None => None,
    };
    Ok(match elsewhere {
        Some(url) => (cookie, axum::Json(json!({ "endSessionUrl": url }))).into_response(),
        None => (StatusCode::NO_CONTENT, cookie).into_response(),
    })
}

/// Ends a session. One that has ended since its cookie was looked at is as it should be.
pub(super) async fn end_session(
    web: &Web,
    client: &Client,
    user_id: UserId,
    session_id: SessionId,
) -> crate::kernel::Result<()> {
    match access::revoke_session(&web.platform, user_id, session_id, client.origin()).await {
        Err(error) if error.is_not_found() => Ok(()),
        ended => ended,
    }
}

/// The answer to a request that a page may have sent behind somebody's back.
pub(super) fn csrf_failed() -> Failure {
    let message = "This request relies on a cookie but does not come from an allowed page. Send the header `X-Meridian-Csrf: 1`.";
    Error::coded(ErrorCode::CsrfFailed, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_read_strictly() {
        assert_eq!(bearer("Bearer mrd_x"), Some("mrd_x"));
        assert_eq!(bearer("bearer  mrd_x "), Some("mrd_x"));
        for text in ["", "Bearer", "Bearer ", "Basic abc", "mrd_x", "éééééééé"] {
            assert!(bearer(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_cookie_is_as_strict_as_the_url_allows() {
        let config =
            |url: &str| Config::parse(&[("MERIDIAN_PUBLIC_URL".to_owned(), url.to_owned())].into()).unwrap();
        let https = session_cookie(&config("https://m.example.org"), "v", 9);
        assert_eq!(
            https,
            "__Host-meridian=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure"
        );
        let local = session_cookie(&config("http://localhost:8000"), "v", 9);
        assert_eq!(local, "meridian=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        let config = Config::parse(&Default::default()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "a=b; meridian=secret; c=d".parse().unwrap());
        assert_eq!(
            credentials(&headers, &config).unwrap().session.as_deref(),
            Some("secret")
        );
        headers.insert(AUTHORIZATION, "Bearer t".parse().unwrap());
        let both = credentials(&headers, &config).unwrap();
        assert_eq!((both.bearer.as_deref(), both.session), (Some("t"), None));
    }
}
