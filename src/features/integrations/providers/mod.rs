//! Calendars elsewhere, behind one trait: what can be listed there, and what changed since a cursor.
//!
//! Promises: changes come page by page in bounded memory; one bad object is a problem on its page and never stops the
//! others; a lost token or a missing feature of the server ends in a full comparison, never in a wipe. Knows nothing of
//! the database, of workspaces or of iCalendar: an object is a text at an address.

mod caldav;
mod error;
mod ics_feed;

pub use caldav::CalDav;
pub use error::ProviderError;
pub use ics_feed::{FEED, IcsFeed};

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::platform::http::percent_decode;

/// A calendar system that can be pulled from.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The calendars that hold events, in the server's order. Also the way to test an address and a password.
    async fn list_calendars(&self) -> Result<Vec<RemoteCalendar>, ProviderError>;

    /// Opens a run over the changes of one calendar. Nothing is sent before the first page is asked for.
    fn changes<'a>(&'a self, request: ChangeRequest<'a>) -> Box<dyn ChangeReader + 'a>;
}

/// The pages of one run. After an error the run is over: start a new one with the last cursor that was stored.
#[async_trait]
pub trait ChangeReader: Send {
    /// The next page, or `None` after the last one. A run has at least one page.
    async fn next(&mut self) -> Result<Option<ChangePage>, ProviderError>;
}

/// What the caller already holds of a calendar. Asked only when a full comparison is needed.
#[async_trait]
pub trait KnownObjects: Send + Sync {
    /// Every object by its address, with the etag under which it was stored. An object whose etag still matches is not
    /// fetched again: give an empty etag to have it fetched whatever the server says.
    async fn etags(&self) -> Result<HashMap<String, String>, Box<dyn std::error::Error + Send + Sync>>;
}

/// Which calendar to read, and from where on.
pub struct ChangeRequest<'a> {
    /// [`RemoteCalendar::id`].
    pub calendar: &'a str,
    /// The cursor of the last completed run; the default one for a first or forced full run.
    pub cursor: SyncCursor,
    /// What the caller holds.
    pub known: &'a dyn KnownObjects,
}

/// How a calendar system describes one of its calendars. All texts are as the server sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteCalendar {
    /// Stable address within the connection. Opaque.
    pub id: String,
    /// Display name; the last part of the address when the server has none.
    pub name: String,
    /// Description, when there is one.
    pub description: Option<String>,
    /// `#rrggbb`, lower case.
    pub color: Option<String>,
    /// Zone name as the server tells it; not necessarily an IANA name.
    pub time_zone: Option<String>,
    /// Whether the server says that this person may not write.
    pub is_read_only: bool,
}

/// Where the last completed run ended. Store it as it is, in the transaction that applies the last page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncCursor {
    /// Token for "what changed since".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Content tag of the calendar, where there are no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctag: Option<String>,
    /// HTTP validator of a feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// HTTP validator of a feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Digest of a feed's content, for servers without validators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Objects the server could not hand out for the moment. The token has moved past them, so they are asked for again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<String>,
}

/// One step of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ChangePage {
    /// New and changed objects.
    pub upserts: Vec<RemoteObject>,
    /// Addresses of objects that are gone. In a full run they come with the last page.
    pub removed: Vec<String>,
    /// Objects that could not be read. What is stored of them stays.
    pub problems: Vec<ObjectProblem>,
    /// Whether this run compares the whole calendar.
    pub is_full: bool,
    /// How many objects the run will fetch in total, once that is known.
    pub total: Option<u64>,
    /// Where to go on next time. Only on the last page.
    pub cursor: Option<SyncCursor>,
}

/// One object as it is stored at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteObject {
    /// Address within the calendar. Opaque, compared byte by byte.
    pub href: String,
    /// Version of the object.
    pub etag: String,
    /// iCalendar text. The events in it are all that exist at this address: others that came from here before are gone.
    pub text: String,
}

/// Why one object could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectProblem {
    /// Address of the object.
    pub href: String,
    /// Public sentence.
    pub message: String,
}

/// A user name and password. Deliberately without `Debug`.
#[derive(Clone)]
pub struct Credentials {
    /// User name, as typed.
    pub username: String,
    /// Password or app password.
    pub password: String,
}

/// Reads an address as people paste it: `webcal:` and `caldavs:` mean https, and so does no scheme at all. A user name and
/// password in it are taken out.
fn web_address(address: &str) -> Result<(Url, Option<Credentials>), ProviderError> {
    const BAD: ProviderError = ProviderError::NotACalendar("This is not a web address.");
    let address = address.trim();
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" | "caldav" => "http",
        "https" | "webcal" | "webcals" | "caldavs" => "https",
        _ => return Err(BAD),
    };
    let mut url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| BAD)?;
    url.set_fragment(None);
    let credentials = (!url.username().is_empty()).then(|| Credentials {
        username: percent_decode(url.username()),
        password: percent_decode(url.password().unwrap_or_default()),
    });
    // Both only fail on URLs without a host, which did not parse.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok((url, credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_paste_them() {
        let read = |text: &str| web_address(text).map(|(url, _)| String::from(url)).ok();
        assert_eq!(
            read(" webcal://example.com/a.ics#x ").as_deref(),
            Some("https://example.com/a.ics")
        );
        assert_eq!(
            read("dav.example.com/me").as_deref(),
            Some("https://dav.example.com/me")
        );
        assert_eq!(
            read("caldavs://example.com:8443").as_deref(),
            Some("https://example.com:8443/")
        );
        assert_eq!(
            read("http://127.0.0.1:5232/").as_deref(),
            Some("http://127.0.0.1:5232/")
        );
        let (url, credentials) = web_address("https://me%40x:p%3Aw@example.com/").unwrap();
        assert_eq!(url.as_str(), "https://example.com/");
        assert!(credentials.is_some_and(|c| c.username == "me@x" && c.password == "p:w"));
        for bad in ["", "file:///etc/passwd", "mailto://x", "https://"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_cursor_survives_storage_also_when_it_is_old() {
        let cursor = SyncCursor {
            token: Some("t".into()),
            retry: vec!["/a".into()],
            ..SyncCursor::default()
        };
        let stored = serde_json::to_string(&cursor).unwrap();
        assert_eq!(stored, r#"{"token":"t","retry":["/a"]}"#);
        assert_eq!(serde_json::from_str::<SyncCursor>(&stored).unwrap(), cursor);
        assert_eq!(
            serde_json::from_str::<SyncCursor>("{}").unwrap(),
            SyncCursor::default()
        );
    }
}
