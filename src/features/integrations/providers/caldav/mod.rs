//! CalDAV (RFC 4791) with WebDAV Sync (RFC 6578): any server that speaks it, pulled through the one HTTP client.
//!
//! Promises: see the parent. Servers without `sync-collection` are compared by ctag and etags.

mod calendar;
mod changes;
mod discover;
mod fetch;
mod href;
mod listing;
mod multistatus;
mod session;

pub(super) use calendar::color;

use async_trait::async_trait;

use self::session::Session;
use super::{ChangeReader, ChangeRequest, Credentials, Provider, ProviderError, RemoteCalendar};
use crate::platform::http::HttpClient;

/// One account on a CalDAV server.
pub struct CalDav {
    session: Session,
}

impl CalDav {
    /// An account at an address: that of the server, of a principal, a home set or a single calendar. Sends nothing yet.
    ///
    /// # Errors
    /// [`ProviderError::NotACalendar`] when the address is not a URL of the web.
    pub fn new(
        http: HttpClient,
        address: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let (mut base, in_address) = super::web_address(address)?;
        base.set_query(None);
        Ok(Self {
            session: Session::new(http, base, credentials.or(in_address.as_ref())),
        })
    }
}

#[async_trait]
impl Provider for CalDav {
    async fn list_calendars(&self) -> Result<Vec<RemoteCalendar>, ProviderError> {
        discover::calendars(&self.session).await
    }

    fn changes<'a>(&'a self, request: ChangeRequest<'a>) -> Box<dyn ChangeReader + 'a> {
        Box::new(changes::Reader::new(&self.session, request))
    }
}
