//! Which objects a calendar has, or which changed: addresses and etags, no contents.
//!
//! Promises: tells apart what the caller must treat differently: a token that is lost, a server that cannot answer by
//! token, an answer that is only a part. Sub-collections are left out.

use http::StatusCode;
use libdav::dav::{Propfind, SyncCollection};
use libdav::{Depth, names};
use url::Url;

use super::session::{LISTING, NO_PATH, Session};
use super::{calendar, href, multistatus};
use crate::features::integrations::providers::ProviderError;

/// An object that exists, by address. The etag is empty when the server does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) href: String,
    pub(super) etag: String,
}

/// What the server says about changes since a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changes {
    /// Changes up to `token`; more follow when `is_part`.
    Since {
        changed: Vec<Listed>,
        gone: Vec<String>,
        token: String,
        is_part: bool,
    },
    /// The server does not know the token any more.
    TokenLost,
    /// The server does not answer this question.
    Unsupported,
}

/// What a calendar says about itself.
pub(super) struct Description {
    pub(super) ctag: Option<String>,
    pub(super) supports_sync: bool,
}

/// Asks a collection how it can be synchronised.
pub(super) async fn describe(session: &Session, url: &Url) -> Result<Description, ProviderError> {
    let request = Propfind::new(NO_PATH)
        .with_properties(&calendar::STATE)
        .with_depth(Depth::Zero);
    let answer = session.send(&request, url, LISTING).await?;
    if answer.status != StatusCode::MULTI_STATUS {
        return Err(match answer.status {
            status if status.is_success() => unreadable(),
            _ => ProviderError::from_status(&answer),
        });
    }
    let text = multistatus::text(&answer.body);
    let document = multistatus::parse(&text).ok_or_else(unreadable)?;
    let response = multistatus::responses(&document)
        .next()
        .ok_or(ProviderError::NotFound)?;
    if response.status() == Some(StatusCode::NOT_FOUND) {
        return Err(ProviderError::NotFound);
    }
    if !response.property_has(&names::RESOURCETYPE, &names::CALENDAR) {
        return Err(ProviderError::NotACalendar(
            "What is at this address now is not a calendar.",
        ));
    }
    Ok(Description {
        ctag: response.property_text(&calendar::GETCTAG),
        supports_sync: calendar::supports_sync(response),
    })
}

/// Asks what changed since a token, or for everything there is without one.
pub(super) async fn since(
    session: &Session,
    url: &Url,
    token: Option<&str>,
) -> Result<Changes, ProviderError> {
    let mut request = SyncCollection::new(NO_PATH);
    if let Some(token) = token {
        request = request.with_sync_token(token);
    }
    let answer = session.send(&request, url, LISTING).await?;
    if answer.status != StatusCode::MULTI_STATUS {
        // Servers disagree on the status here: what counts is the precondition, and that a token was sent.
        let lost = multistatus::names_precondition(&answer.body, &names::VALID_SYNC_TOKEN);
        return match answer.status.as_u16() {
            _ if lost && token.is_some() => Ok(Changes::TokenLost),
            400 | 403 | 409 | 410 | 412 | 422 if token.is_some() => Ok(Changes::TokenLost),
            400 | 403 | 405 | 409 | 412 | 415 | 422 | 501 | 507 => Ok(Changes::Unsupported),
            200..300 => Err(unreadable()),
            _ => Err(ProviderError::from_status(&answer)),
        };
    }
    let text = multistatus::text(&answer.body);
    let document = multistatus::parse(&text).ok_or_else(unreadable)?;
    let (mut changed, mut gone, mut is_part) = (Vec::new(), Vec::new(), false);
    for response in multistatus::responses(&document) {
        let status = response.status();
        if status == Some(StatusCode::INSUFFICIENT_STORAGE) {
            is_part = true;
            continue;
        }
        let is_gone = matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE));
        for href in response.hrefs().filter_map(|text| object_href(url, &text)) {
            if is_gone {
                gone.push(href);
            } else {
                let etag = response.property_text(&names::GETETAG).unwrap_or_default();
                changed.push(Listed { href, etag });
            }
        }
    }
    match multistatus::sync_token(&document) {
        Some(token) => Ok(Changes::Since {
            changed,
            gone,
            token,
            is_part,
        }),
        None => Ok(Changes::Unsupported),
    }
}

/// Lists every object of the collection, the way that works everywhere.
pub(super) async fn all(session: &Session, url: &Url) -> Result<Vec<Listed>, ProviderError> {
    let wanted = [&names::RESOURCETYPE, &names::GETETAG];
    let request = Propfind::new(NO_PATH)
        .with_properties(&wanted)
        .with_depth(Depth::One);
    let answer = session.send(&request, url, LISTING).await?;
    if !answer.status.is_success() {
        return Err(ProviderError::from_status(&answer));
    }
    let text = multistatus::text(&answer.body);
    let document = multistatus::parse(&text).ok_or_else(unreadable)?;
    // The collection lists itself too: a list without it is not a list of this collection, and must not delete anything.
    let mut saw_itself = false;
    let mut listed = Vec::new();
    for response in multistatus::responses(&document) {
        let is_collection = response.property_has(&names::RESOURCETYPE, &names::COLLECTION);
        saw_itself |= is_collection;
        if is_collection {
            continue;
        }
        let etag = response.property_text(&names::GETETAG).unwrap_or_default();
        let hrefs = response.hrefs().filter_map(|text| object_href(url, &text));
        listed.extend(hrefs.map(|href| Listed {
            href,
            etag: etag.clone(),
        }));
    }
    if saw_itself { Ok(listed) } else { Err(unreadable()) }
}

fn object_href(collection: &Url, text: &str) -> Option<String> {
    href::object_key(collection, text).filter(|key| !key.ends_with('/'))
}

fn unreadable() -> ProviderError {
    ProviderError::Protocol("The server's answer cannot be read.".into())
}
