//! Fetching the contents of objects, many at a time.
//!
//! Promises: each object asked for comes back as exactly one of: text, gone, or problem. When the server cannot answer for
//! a batch because of one object in it (broken XML, an error, too much data) the batch is halved until that object stands
//! alone; a server that is simply broken is given up on after a few such failures in a row.

use std::collections::HashSet;

use http::StatusCode;
use libdav::caldav::GetCalendarResources;
use libdav::{names, xmlutils};
use url::Url;

use super::session::{BATCH, NO_PATH, Session};
use super::{href, multistatus};
use crate::features::integrations::providers::{ObjectProblem, ProviderError, RemoteObject};
use crate::platform::http::HttpResponse;

/// Objects per request. More saves nothing, and a page should be quick to apply.
pub(super) const BATCH_SIZE: usize = 100;
/// Largest text accepted for one object. Larger ones carry attachments.
const MAX_OBJECT: usize = 1024 * 1024;
/// Halving 100 down to one takes seven failures; two bad neighbours a few more.
const MAX_FAILURES: u32 = 16;

/// What came of a batch.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) objects: Vec<RemoteObject>,
    pub(super) gone: Vec<String>,
    pub(super) problems: Vec<ObjectProblem>,
    /// Those of the problems that may pass by themselves.
    pub(super) retry: Vec<String>,
}

impl Fetched {
    fn problem(&mut self, href: String, message: impl Into<String>) {
        self.problems.push(ObjectProblem {
            href,
            message: message.into(),
        });
    }

    fn may_pass(&mut self, href: String, message: impl Into<String>) {
        self.retry.push(href.clone());
        self.problem(href, message);
    }
}

/// Fetches the objects at these addresses.
pub(super) async fn objects(
    session: &Session,
    url: &Url,
    hrefs: Vec<String>,
) -> Result<Fetched, ProviderError> {
    let mut fetched = Fetched::default();
    let mut failures = 0;
    let mut batches = vec![hrefs];
    while let Some(mut batch) = batches.pop() {
        let error = match attempt(session, url, &batch, &mut fetched).await? {
            None => {
                failures = 0;
                continue;
            }
            Some(error) => error,
        };
        failures += 1;
        if failures > MAX_FAILURES {
            return Err(error);
        }
        let half = batch.len() / 2;
        if half == 0 {
            for href in batch {
                match &error {
                    ProviderError::Unavailable { message, .. } => fetched.may_pass(href, message.as_str()),
                    other => fetched.problem(href, other.to_string()),
                }
            }
        } else {
            let rest = batch.split_off(half);
            batches.extend([rest, batch]);
        }
    }
    Ok(fetched)
}

/// One request. `Some` is an error that one object of the batch may have caused; nothing was kept of the answer then.
async fn attempt(
    session: &Session,
    url: &Url,
    batch: &[String],
    fetched: &mut Fetched,
) -> Result<Option<ProviderError>, ProviderError> {
    if batch.is_empty() {
        return Ok(None);
    }
    let request = GetCalendarResources::new(NO_PATH).with_hrefs(batch);
    let answer = match session.send(&request, url, BATCH).await {
        // Only the answer can be too large or unreadable here, and a smaller question may get a better one.
        Err(error @ ProviderError::Protocol(_)) => return Ok(Some(error)),
        other => other?,
    };
    if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(Some(ProviderError::from_status(&answer)));
    }
    if !answer.status.is_success() {
        return Err(ProviderError::from_status(&answer));
    }
    if read(url, &answer, batch, fetched).is_none() {
        return Ok(Some(ProviderError::Protocol(
            "The server's answer cannot be read.".into(),
        )));
    }
    Ok(None)
}

/// Sorts the responses. `None` when the answer is not a multistatus.
fn read(url: &Url, answer: &HttpResponse, batch: &[String], fetched: &mut Fetched) -> Option<()> {
    let text = multistatus::text(&answer.body);
    let document = multistatus::parse(&text)?;
    let mut waiting: HashSet<&str> = batch.iter().map(String::as_str).collect();
    for response in multistatus::responses(&document) {
        for href in response.hrefs().filter_map(|text| href::object_key(url, &text)) {
            // What was not asked for, or was already answered, is not ours to interpret.
            if !waiting.remove(href.as_str()) {
                continue;
            }
            let Some(data) = response.property(&names::CALENDAR_DATA) else {
                let status = response
                    .status()
                    .or_else(|| response.property_status(&names::CALENDAR_DATA));
                without_data(href, status, fetched);
                continue;
            };
            let text = multistatus::whole_text(data);
            if text.len() > MAX_OBJECT {
                fetched.problem(href, "The object is larger than 1 MiB.");
                continue;
            }
            fetched.objects.push(RemoteObject {
                href,
                etag: response.property_text(&names::GETETAG).unwrap_or_default(),
                // XML turns the line ends of iCalendar into single line feeds.
                text: xmlutils::normalise_newlines(&text),
            });
        }
    }
    for href in batch.iter().filter(|href| waiting.contains(href.as_str())) {
        fetched.may_pass(
            href.clone(),
            "The server lists this object but does not hand it out.",
        );
    }
    Some(())
}

fn without_data(href: String, status: Option<StatusCode>, fetched: &mut Fetched) {
    match status {
        Some(StatusCode::NOT_FOUND | StatusCode::GONE) => fetched.gone.push(href),
        Some(status) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            let message = format!(
                "The server reports an error for this object ({}).",
                status.as_u16()
            );
            fetched.may_pass(href, message);
        }
        Some(status) if !status.is_success() => {
            fetched.problem(
                href,
                format!("The server refuses this object ({}).", status.as_u16()),
            );
        }
        _ => fetched.problem(href, "The server answers without the object's content."),
    }
}
