//! A calendar published as one iCalendar file (RFC 5545 over HTTP, `webcal:`), read-only.
//!
//! Promises: asks with validators and compares a digest, so that an unchanged feed costs nothing further; hands on only
//! what is whole: an empty body, a web page or a file that breaks off is an error and never looks like deleted events. The
//! file is one object, [`FEED`]; splitting it into events is the caller's business. The address may be secret: it is
//! never part of an id or a message.

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

use super::{
    ChangePage, ChangeReader, ChangeRequest, Credentials, Provider, ProviderError, RemoteCalendar,
    RemoteObject, SyncCursor, caldav,
};
use crate::platform::http::{HttpClient, HttpRequest, Limits, basic_auth};

/// Id of a feed's only calendar, and address of its only object.
pub const FEED: &str = "feed";

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(60),
    max_body: 20 * 1024 * 1024,
};

/// One published feed.
pub struct IcsFeed {
    http: HttpClient,
    url: Url,
    auth: Option<HeaderValue>,
}

/// A feed that was fetched.
struct Fetched {
    text: String,
    cursor: SyncCursor,
}

impl IcsFeed {
    /// A feed at an address. Sends nothing yet.
    ///
    /// # Errors
    /// [`ProviderError::NotACalendar`] when the address is not a URL of the web.
    pub fn new(
        http: HttpClient,
        address: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let (url, in_address) = super::web_address(address)?;
        let auth = credentials
            .or(in_address.as_ref())
            .map(|given| basic_auth(&given.username, &given.password));
        Ok(Self { http, url, auth })
    }

    /// `None` when nothing changed since the cursor.
    async fn fetch(&self, cursor: &SyncCursor) -> Result<Option<Fetched>, ProviderError> {
        let mut request = HttpRequest::new(Method::GET, self.url.clone())
            .header(ACCEPT, HeaderValue::from_static("text/calendar, */*;q=0.5"))
            .limits(LIMITS);
        let validators = [
            (IF_NONE_MATCH, &cursor.etag),
            (IF_MODIFIED_SINCE, &cursor.last_modified),
        ];
        for (name, value) in validators {
            if let Some(value) = value.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
                request = request.header(name, value);
            }
        }
        if let Some(auth) = &self.auth {
            request = request.header(AUTHORIZATION, auth.clone());
        }
        let answer = self.http.send(request).await?;
        match answer.status {
            StatusCode::NOT_MODIFIED => return Ok(None),
            // A feed has no sign-in of its own: a secret address that is refused is a wrong password too.
            StatusCode::FORBIDDEN => return Err(ProviderError::Unauthorized),
            status if status.is_success() => {}
            _ => return Err(ProviderError::from_status(&answer)),
        }
        let text = decode(&answer.body);
        check(&text)?;
        let digest: String = Sha256::digest(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if cursor.digest.as_ref() == Some(&digest) {
            return Ok(None);
        }
        let header = |name: HeaderName| answer.header(name).map(str::to_owned);
        let cursor = SyncCursor {
            etag: header(ETAG),
            last_modified: header(LAST_MODIFIED),
            digest: Some(digest),
            ..SyncCursor::default()
        };
        Ok(Some(Fetched { text, cursor }))
    }
}

#[async_trait]
impl Provider for IcsFeed {
    async fn list_calendars(&self) -> Result<Vec<RemoteCalendar>, ProviderError> {
        let fetched = self.fetch(&SyncCursor::default()).await?;
        let text = fetched.map(|fetched| fetched.text).unwrap_or_default();
        Ok(vec![describe(&text, self.url.host_str().unwrap_or(FEED))])
    }

    fn changes<'a>(&'a self, request: ChangeRequest<'a>) -> Box<dyn ChangeReader + 'a> {
        Box::new(Reader {
            feed: self,
            cursor: Some(request.cursor),
        })
    }
}

struct Reader<'a> {
    feed: &'a IcsFeed,
    cursor: Option<SyncCursor>,
}

#[async_trait]
impl ChangeReader for Reader<'_> {
    async fn next(&mut self) -> Result<Option<ChangePage>, ProviderError> {
        let Some(cursor) = self.cursor.take() else {
            return Ok(None);
        };
        let Some(fetched) = self.feed.fetch(&cursor).await? else {
            return Ok(Some(ChangePage {
                total: Some(0),
                cursor: Some(cursor),
                ..ChangePage::default()
            }));
        };
        let etag = fetched.cursor.digest.clone().unwrap_or_default();
        Ok(Some(ChangePage {
            upserts: vec![RemoteObject {
                href: FEED.into(),
                etag,
                text: fetched.text,
            }],
            is_full: true,
            total: Some(1),
            cursor: Some(fetched.cursor),
            ..ChangePage::default()
        }))
    }
}

/// UTF-8 or UTF-16 by its mark, UTF-8 when it is valid, else Latin-1, which can spell any bytes.
fn decode(body: &[u8]) -> String {
    let utf16 = |body: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = body
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match body {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
            match std::str::from_utf8(body) {
                Ok(text) => text.to_owned(),
                Err(_) => body.iter().map(|byte| *byte as char).collect(),
            }
        }
    }
}

/// Whether the text is a whole calendar.
fn check(text: &str) -> Result<(), ProviderError> {
    let text = text.trim();
    let starts = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    let ends = text
        .lines()
        .next_back()
        .is_some_and(|line| line.trim().eq_ignore_ascii_case("END:VCALENDAR"));
    if text.is_empty() {
        Err(ProviderError::NotACalendar("The feed is empty."))
    } else if starts("BEGIN:VCALENDAR") {
        if ends {
            Ok(())
        } else {
            Err(ProviderError::Protocol(
                "The feed breaks off in the middle.".into(),
            ))
        }
    } else if starts("<!doctype html") || starts("<html") || starts("<head") || starts("<body") {
        Err(ProviderError::NotACalendar(
            "At this address is a web page, not a calendar feed.",
        ))
    } else {
        Err(ProviderError::NotACalendar(
            "What is at this address is not a calendar feed.",
        ))
    }
}

/// What the head of the file, before its first component, says about the calendar.
fn describe(text: &str, fallback: &str) -> RemoteCalendar {
    let head: Vec<&str> = text
        .lines()
        .skip(1)
        .take_while(|line| !starts_component(line))
        .collect();
    let value = |names: &[&str]| names.iter().find_map(|name| property(&head, name));
    RemoteCalendar {
        id: FEED.into(),
        name: value(&["X-WR-CALNAME", "NAME"]).unwrap_or_else(|| fallback.to_owned()),
        description: value(&["X-WR-CALDESC", "DESCRIPTION"]),
        color: value(&["X-APPLE-CALENDAR-COLOR", "COLOR"]).and_then(|text| caldav::color(&text)),
        time_zone: value(&["X-WR-TIMEZONE", "TIMEZONE-ID"]),
        is_read_only: true,
    }
}

fn starts_component(line: &str) -> bool {
    line.get(..6)
        .is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:"))
}

/// The text of a property with its folded lines and escapes undone.
fn property(lines: &[&str], name: &str) -> Option<String> {
    let at = lines.iter().position(|line| {
        let (head, _) = line.split_at_checked(name.len()).unwrap_or(("", ""));
        head.eq_ignore_ascii_case(name) && line[name.len()..].starts_with([':', ';'])
    })?;
    let mut line = lines[at].to_owned();
    for folded in lines[at + 1..]
        .iter()
        .take_while(|next| next.starts_with([' ', '\t']))
    {
        line.push_str(&folded[1..]);
    }
    let (_, value) = line.split_once(':')?;
    let value = value
        .replace("\\n", " ")
        .replace("\\N", " ")
        .replace("\\,", ",")
        .replace("\\;", ";")
        .replace("\\\\", "\\");
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_calendars_pass() {
        let message = |text: &str| check(text).map_err(|error| error.to_string());
        assert_eq!(message("\r\nbegin:vcalendar\r\nEND:VCALENDAR\r\n\r\n"), Ok(()));
        assert_eq!(message(" \n"), Err("The feed is empty.".into()));
        assert_eq!(
            message("BEGIN:VCALENDAR\nBEGIN:VEVENT\n"),
            Err("The feed breaks off in the middle.".into())
        );
        let page = Err("At this address is a web page, not a calendar feed.".into());
        assert_eq!(message("<!DOCTYPE html><p>Sign in</p>"), page);
        assert_eq!(
            message("{}"),
            Err("What is at this address is not a calendar feed.".into())
        );
    }

    #[test]
    fn texts_are_decoded_whatever_they_came_in() {
        assert_eq!(decode("Zoë".as_bytes()), "Zoë");
        assert_eq!(decode(b"\xEF\xBB\xBFa"), "a");
        assert_eq!(decode(b"Zo\xEB"), "Zoë");
        assert_eq!(decode(b"\xFF\xFEZ\0\xEB\0"), "Zë");
        assert_eq!(decode(b"\xFE\xFF\0Z\0\xEB"), "Zë");
    }

    #[test]
    fn the_head_of_the_file_describes_the_calendar() {
        let text = "BEGIN:VCALENDAR\r\nX-WR-CALNAME;X=1:Holidays\\, wor\r\n ld\r\nX-APPLE-CALENDAR-COLOR:#FF0000FF\r\n\
                    x-wr-timezone:Europe/Rome\r\nBEGIN:VEVENT\r\nDESCRIPTION:not this\r\nEND:VEVENT\r\nEND:VCALENDAR";
        let found = describe(text, "example.com");
        assert_eq!(found.name, "Holidays, world");
        assert_eq!(found.color.as_deref(), Some("#ff0000"));
        assert_eq!(found.time_zone.as_deref(), Some("Europe/Rome"));
        assert_eq!(found.description, None);
        assert!(found.is_read_only);
        assert_eq!(
            describe("BEGIN:VCALENDAR\nEND:VCALENDAR", "example.com").name,
            "example.com"
        );
    }
}
