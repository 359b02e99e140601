//! `GET /auth/{provider}` leaves for a provider, `GET /auth/callback` comes back.

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::REFERER;
use url::Url;

use super::super::Web;
use super::super::auth::{caller, credentials, csrf_failed};
use super::super::client::Client;
use super::super::failure::Failure;
use super::super::origins::Origins;
use super::{
    BROWSER_SECONDS, browser_cookie, browser_secret, come_back, failed, no_such_provider, query, redirect,
    regret, return_address, spend, unknown_sign_in, welcome,
};
use crate::access::oidc::{self, Ended, Intent, Refusal, Returned, Verified};
use crate::access::{Caller, Identity};
use crate::features::accounts;
use crate::kernel::{Error, Result as KernelResult};
use entity::ids::UserId;

/// Sends the browser to the provider. `returnTo` says where to end; with `link=true` the account is linked to the signed-in person.
pub(in super::super) async fn start(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    provider: Result<Path<String>, PathRejection>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Response {
    // What is no text is no name of a provider.
    let provider = provider.map_or_else(|_| String::new(), |Path(name)| name);
    begin(&web, &client, &provider, text.as_deref(), &headers)
        .await
        .unwrap_or_else(|failure| failed(failure, &client))
}

async fn begin(
    web: &Web,
    client: &Client,
    provider: &str,
    text: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    spend(web, client).await?;
    let config = &web.platform.config;
    let issuer = config.sign_in.issuer(provider).ok_or_else(no_such_provider)?;
    let return_to = return_address(web, query(text, "returnTo").as_deref())?;
    let link = if query(text, "link").as_deref() == Some("true") {
        Some(person_to_link(web, client, headers).await?)
    } else {
        None
    };
    let intent = Intent {
        return_to: return_to.into(),
        link,
    };
    let browser = browser_secret(headers, config);
    let begun = oidc::begin(&web.platform, web.directory(), issuer, browser, intent).await?;
    let cookie = browser_cookie(config, &begun.browser, BROWSER_SECONDS);
    Ok(redirect(&begun.authorize_url, &[cookie]))
}

/// Who is signed in and really wants to link an account: a page of another site must not start that behind their back.
async fn person_to_link(web: &Web, client: &Client, headers: &HeaderMap) -> Result<UserId, Failure> {
    if !is_meant(web.origins(), headers) {
        return Err(csrf_failed());
    }
    signed_in(web, client, headers)
        .await?
        .ok_or_else(|| Error::unauthenticated().into())
}

/// Whether a page of this server leads here, or an allowed one of the same site, which only its address in `Referer` can tell. An address
/// that was typed is not enough: browsers also say `none` when a page that was opened by hand forwards to this one. Programs and browsers
/// that are too old for the header say nothing and are let in.
fn is_meant(origins: &Origins, headers: &HeaderMap) -> bool {
    let Some(site) = headers.get("sec-fetch-site") else {
        return true;
    };
    let page = headers
        .get(REFERER)
        .and_then(|page| Url::parse(page.to_str().ok()?).ok());
    let is_allowed = page.is_some_and(|page| origins.allows(&page.origin().ascii_serialization()));
    site == "same-origin" || (site == "same-site" && is_allowed)
}

async fn signed_in(web: &Web, client: &Client, headers: &HeaderMap) -> Result<Option<UserId>, Failure> {
    let found = caller(web, client, credentials(headers, &web.platform.config)?).await?;
    Ok(match found {
        Caller {
            identity: Identity::Session { user_id, .. },
            ..
        } => Some(user_id),
        _ => None,
    })
}

/// Takes what the provider sent with the browser.
pub(in super::super) async fn callback(
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
    come_back(web, client).await?;
    let config = &web.platform.config;
    let browser = browser_secret(headers, config);
    let returned = Returned {
        state: query(text, "state").unwrap_or_default(),
        code: query(text, "code"),
        error: query(text, "error"),
        iss: query(text, "iss"),
    };
    let ended = oidc::end(&web.platform, web.directory(), browser.as_deref(), returned).await;
    let Ended { intent, who } = match ended {
        Ok(ended) => ended,
        Err(error) if error.is_not_found() => {
            // Guessing costs.
            spend(web, client).await?;
            return Ok(unknown_sign_in(config));
        }
        Err(error) => return Err(error.into()),
    };
    let return_to = Url::parse(&intent.return_to).map_err(Error::internal)?;
    let who = match who {
        Ok(who) => who,
        Err(refusal) => return Ok(regret(&return_to, refusal.code())),
    };
    match intent.link {
        Some(user_id) => {
            let now = signed_in(web, client, headers).await.ok().flatten();
            let linked = link(web, client, &who, user_id, now).await?;
            Ok(match linked {
                Ok(()) => redirect(&return_to, &[browser_cookie(config, "", 0)]),
                Err(refusal) => regret(&return_to, refusal.code()),
            })
        }
        None => match accounts::sign_in(&web.platform, &who, client.origin()).await? {
            Ok(session) => welcome(web, client, headers, &session, &return_to).await,
            Err(refusal) => Ok(regret(&return_to, refusal.code())),
        },
    }
}

/// Links for the person who began it, if they are still the one who is signed in here.
async fn link(
    web: &Web,
    client: &Client,
    who: &Verified,
    wanted: UserId,
    now: Option<UserId>,
) -> KernelResult<Result<(), Refusal>> {
    if now != Some(wanted) {
        return Ok(Err(Refusal::SessionChanged));
    }
    accounts::link(&web.platform, who, wanted, client.origin()).await
}
