//! One run over the changes of a calendar: list, then fetch batch by batch.
//!
//! Promises: the cursor comes with the last page only, so that nothing is skipped when a run breaks off; a full run skips
//! what the caller already holds, so that a broken one goes on where it stopped; the memory held is the list of
//! addresses and one batch. A lost token turns the run into a full one, once.

use std::collections::{HashMap, HashSet, VecDeque};

use async_trait::async_trait;
use url::Url;

use super::listing::{self, Changes, Listed};
use super::session::Session;
use super::{fetch, href};
use crate::features::integrations::providers::{
    ChangePage, ChangeReader, ChangeRequest, KnownObjects, ProviderError, SyncCursor,
};

/// A server that hands out its list in more parts than this is not getting anywhere.
const MAX_PARTS: u32 = 10_000;
/// Objects asked for again next time; a server that fails for more has another problem.
const MAX_RETRY: usize = 500;

/// What is left to list.
enum Next {
    /// Nothing was asked yet.
    Start(SyncCursor),
    /// The server has more changes after this token.
    Part(String),
    /// Everything is listed.
    Complete,
    /// The last page is out.
    Over,
}

pub(super) struct Reader<'a> {
    session: &'a Session,
    /// `None` when the id is not one of ours.
    calendar: Option<Url>,
    known: &'a dyn KnownObjects,
    next: Next,
    /// In a full run: what the caller holds and the listing has not confirmed yet.
    unconfirmed: Option<HashMap<String, String>>,
    to_fetch: VecDeque<String>,
    gone: Vec<String>,
    total: u64,
    parts: u32,
    restarted: bool,
    cursor: SyncCursor,
}

impl<'a> Reader<'a> {
    pub(super) fn new(session: &'a Session, request: ChangeRequest<'a>) -> Self {
        Self {
            session,
            calendar: href::resolve(session.base(), request.calendar),
            known: request.known,
            next: Next::Start(request.cursor),
            unconfirmed: None,
            to_fetch: VecDeque::new(),
            gone: Vec::new(),
            total: 0,
            parts: 0,
            restarted: false,
            cursor: SyncCursor::default(),
        }
    }

    /// Does the listing that comes next.
    async fn list(&mut self, calendar: &Url) -> Result<(), ProviderError> {
        match std::mem::replace(&mut self.next, Next::Complete) {
            Next::Start(cursor) => {
                self.queue(cursor.retry.into_iter().map(|href| Listed {
                    href,
                    etag: String::new(),
                }));
                match cursor.token {
                    Some(token) => self.by_token(calendar, Some(token)).await,
                    None => self.start(calendar, cursor.ctag).await,
                }
            }
            Next::Part(token) => self.by_token(calendar, Some(token)).await,
            done => {
                self.next = done;
                Ok(())
            }
        }
    }

    /// A run without a token: a first one, or a server without tokens.
    async fn start(&mut self, calendar: &Url, ctag: Option<String>) -> Result<(), ProviderError> {
        let description = listing::describe(self.session, calendar).await?;
        let unchanged = ctag.is_some() && ctag == description.ctag;
        self.cursor.ctag = description.ctag;
        if description.supports_sync {
            self.compare_everything().await?;
            return self.by_token(calendar, None).await;
        }
        if unchanged {
            Ok(())
        } else {
            self.by_etags(calendar).await
        }
    }

    async fn by_token(&mut self, calendar: &Url, token: Option<String>) -> Result<(), ProviderError> {
        self.parts += 1;
        match listing::since(self.session, calendar, token.as_deref()).await? {
            Changes::Since {
                changed,
                gone,
                token: new,
                is_part,
            } => {
                // A part that neither brings nor moves anything would come again for ever.
                if is_part && (self.parts > MAX_PARTS || token.as_ref() == Some(&new)) {
                    return Err(ProviderError::Protocol(
                        "The server's list of changes does not end.".into(),
                    ));
                }
                self.add(changed, gone);
                self.next = if is_part {
                    Next::Part(new.clone())
                } else {
                    Next::Complete
                };
                self.cursor.token = Some(new);
                Ok(())
            }
            Changes::TokenLost if self.restarted => Err(ProviderError::TokenLost),
            Changes::TokenLost => {
                self.restarted = true;
                self.compare_everything().await?;
                Box::pin(self.by_token(calendar, None)).await
            }
            Changes::Unsupported => {
                self.cursor.token = None;
                self.by_etags(calendar).await
            }
        }
    }

    async fn by_etags(&mut self, calendar: &Url) -> Result<(), ProviderError> {
        let listed = listing::all(self.session, calendar).await?;
        self.compare_everything().await?;
        self.add(listed, Vec::new());
        Ok(())
    }

    /// Makes this a full run, from the beginning.
    async fn compare_everything(&mut self) -> Result<(), ProviderError> {
        self.to_fetch.clear();
        self.gone.clear();
        self.total = 0;
        self.unconfirmed = Some(self.known.etags().await.map_err(ProviderError::Local)?);
        Ok(())
    }

    fn add(&mut self, mut changed: Vec<Listed>, mut gone: Vec<String>) {
        if let Some(unconfirmed) = &mut self.unconfirmed {
            changed.retain(|item| {
                let held = unconfirmed.remove(&item.href);
                item.etag.is_empty() || held.is_none_or(|etag| etag != item.etag)
            });
            // Some servers name what vanished long ago in a full list too. What an earlier part still had is news.
            gone.retain(|href| unconfirmed.remove(href).is_some() || self.parts > 1);
        }
        self.gone.extend(gone);
        self.queue(changed);
    }

    /// Puts objects in line, once each. What exists again is not gone.
    fn queue(&mut self, items: impl IntoIterator<Item = Listed>) {
        let mut queued: HashSet<String> = self.to_fetch.iter().cloned().collect();
        let fresh: Vec<String> = items
            .into_iter()
            .map(|item| item.href)
            .filter(|href| queued.insert(href.clone()))
            .collect();
        self.gone.retain(|href| !queued.contains(href));
        self.total += fresh.len() as u64;
        self.to_fetch.extend(fresh);
    }
}

#[async_trait]
impl ChangeReader for Reader<'_> {
    async fn next(&mut self) -> Result<Option<ChangePage>, ProviderError> {
        if matches!(self.next, Next::Over) {
            return Ok(None);
        }
        let calendar = self.calendar.clone().ok_or(ProviderError::NotFound)?;
        while self.to_fetch.is_empty() && matches!(self.next, Next::Start(_) | Next::Part(_)) {
            self.list(&calendar).await?;
        }
        let batch: Vec<String> = self
            .to_fetch
            .drain(..self.to_fetch.len().min(fetch::BATCH_SIZE))
            .collect();
        let fetched = fetch::objects(self.session, &calendar, batch).await?;
        let room = MAX_RETRY.saturating_sub(self.cursor.retry.len());
        self.cursor.retry.extend(fetched.retry.into_iter().take(room));
        let mut page = ChangePage {
            upserts: fetched.objects,
            removed: fetched.gone,
            problems: fetched.problems,
            is_full: self.unconfirmed.is_some(),
            total: matches!(self.next, Next::Complete).then_some(self.total),
            cursor: None,
        };
        page.removed.append(&mut self.gone);
        if self.to_fetch.is_empty() && matches!(self.next, Next::Complete) {
            page.removed.extend(
                self.unconfirmed
                    .take()
                    .into_iter()
                    .flatten()
                    .map(|(href, _)| href),
            );
            page.cursor = Some(std::mem::take(&mut self.cursor));
            self.next = Next::Over;
        }
        Ok(Some(page))
    }
}
