//! The pages of one calendar: while one is stored, the next is fetched.

use std::collections::HashMap;
use std::time::Duration;

use entity::calendar;

use super::apply::{Applied, Batch, Last, apply};
use super::known::{Known, address_of};
use super::lease::{self, Asked, Lease};
use super::parse::{self, Parsed};
use super::run::Run;
use super::sweep::Doomed;
use crate::features::events::Twin;
use crate::features::integrations::providers::{ChangePage, ChangeRequest, FEED, Provider, ProviderError};
use crate::features::integrations::rules;
use crate::kernel::Error;

/// Events of one transaction.
const BATCH: usize = 100;
/// Least pause between two messages to watchers.
const PACE: Duration = Duration::from_millis(100);

/// Which calendar of how many this is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Calendars before it.
    pub(super) done: usize,
    /// All calendars.
    pub(super) of: usize,
}

/// How a calendar ended.
pub(super) enum Pulled {
    Done,
    /// Deletions wait for a decision.
    Held {
        doomed: u64,
        stored: u64,
    },
    /// Another run works on it.
    Busy,
    /// It is no longer mirrored.
    Gone,
    Cancelled,
}

/// Why a calendar could not be pulled to its end.
pub(super) enum Stop {
    Provider(ProviderError),
    Internal(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Internal(error)
    }
}

/// What is known of a calendar while its pages come.
struct Work<'a> {
    calendar: &'a calendar::Model,
    place: Place,
    lease: Lease,
    doomed: Doomed,
    /// Objects that wait for the one with their UID to go.
    twins: Vec<Twin>,
    is_full: bool,
    created: u64,
    processed: u64,
    total: Option<u64>,
}

/// Pulls one calendar.
pub(super) async fn pull(
    run: &mut Run,
    provider: &dyn Provider,
    calendar: &calendar::Model,
    place: Place,
) -> Result<Pulled, Stop> {
    let lease = match lease::acquire(&run.ctx, calendar.id, run.id()).await? {
        Asked::Granted(lease) => lease,
        Asked::Busy => return Ok(Pulled::Busy),
        Asked::Gone => return Ok(Pulled::Gone),
    };
    let work = Work {
        calendar,
        place,
        lease: lease.clone(),
        doomed: Doomed::default(),
        twins: Vec::new(),
        is_full: false,
        created: 0,
        processed: 0,
        total: None,
    };
    let result = pages(run, provider, work).await;
    let left = match &result {
        Ok(Pulled::Cancelled) => Some(None),
        Err(Stop::Provider(error)) => Some(Some(error.to_string())),
        _ => None,
    };
    if let Some(error) = left {
        lease.give_back(&run.ctx, error.as_deref()).await?;
    }
    result
}

async fn pages(run: &mut Run, provider: &dyn Provider, mut work: Work<'_>) -> Result<Pulled, Stop> {
    let known = Known {
        ctx: run.ctx.clone(),
        calendar_id: work.calendar.id,
    };
    let mut reader = provider.changes(ChangeRequest {
        calendar: work.calendar.external_id.as_deref().unwrap_or_default(),
        cursor: work.lease.cursor.clone(),
        known: &known,
    });
    let mut page = reader.next().await.map_err(Stop::Provider)?;
    while let Some(current) = page {
        if run.cancel.is_cancelled() {
            return Ok(Pulled::Cancelled);
        }
        let is_last = current.cursor.is_some();
        let fetch = async {
            match is_last {
                true => Ok(None),
                false => reader.next().await,
            }
        };
        let (next, stored) = tokio::join!(fetch, step(run, &mut work, current));
        if let Some(end) = stored? {
            return Ok(end);
        }
        page = next.map_err(Stop::Provider)?;
    }
    Ok(Pulled::Done)
}

/// Stores one page. `Some` when the calendar is over.
async fn step(run: &mut Run, work: &mut Work<'_>, page: ChangePage) -> Result<Option<Pulled>, Error> {
    if page.is_full && !work.is_full {
        // The run began anew: what it found gone before is listed again.
        work.is_full = true;
        work.doomed = Doomed::default();
    }
    let cursor = page.cursor;
    work.doomed.addresses.extend(page.removed);
    for object in &page.upserts {
        work.doomed.addresses.remove(&object.href);
        // Listed again in the same run: what came before is outdated.
        work.twins
            .retain(|twin| address_of(&twin.object.key) != object.href);
    }
    work.twins
        .retain(|twin| !work.doomed.addresses.contains(address_of(&twin.object.key)));
    let fetched = (page.upserts.len() + page.problems.len()) as u64;
    let is_feed = page.upserts.iter().any(|object| object.href == FEED);
    let (id, zone) = (work.calendar.id, work.calendar.time_zone.clone());
    let (upserts, problems) = (page.upserts, page.problems);
    // A feed may hold a hundred thousand events: other work goes on while it is read.
    let mut parsed = tokio::task::spawn_blocking(move || parse::page(id, &zone, upserts, problems))
        .await
        .map_err(Error::internal)?;
    run.unread += parsed.unread;
    if is_feed {
        work.total = Some(parsed.items.len() as u64);
        // Of a feed that breaks off nothing is taken for gone.
        work.doomed.kept = parsed.present.remove(FEED).map(|mut kept| {
            kept.extend(parsed.items.iter().map(|item| item.object.uid.clone()));
            kept
        });
    } else {
        work.total = page.total.or(work.total);
    }
    // A feed counts its events, an account its objects.
    let extra = if is_feed {
        0
    } else {
        fetched.saturating_sub(parsed.items.len() as u64)
    };
    let Parsed {
        items,
        present,
        problems,
        ..
    } = parsed;
    let mut batches: Vec<_> = items.chunks(BATCH).collect();
    if batches.is_empty() && (cursor.is_some() || !problems.is_empty() || !present.is_empty()) {
        batches.push(&[]);
    }
    let count = batches.len();
    let (nothing, no_problems) = (HashMap::new(), Vec::new());
    for (index, items) in batches.into_iter().enumerate() {
        let (is_first, is_last) = (index == 0, index + 1 == count);
        let processed = items.len() as u64 + if is_first { extra } else { 0 };
        work.processed += processed;
        let Place { done, of } = work.place;
        let ends = is_last && cursor.is_some();
        let total = if ends { Some(work.processed) } else { work.total };
        let percent = rules::percent(done, of, work.processed, total);
        let announce = ends || run.announced.is_none_or(|at| at.elapsed() >= PACE);
        let batch = Batch {
            lease: &work.lease,
            calendar: work.calendar,
            run: &run.row,
            items,
            present: if is_first { &present } else { &nothing },
            problems: if is_first { &problems } else { &no_problems },
            processed,
            percent,
            announce,
            doomed: &work.doomed,
            twins: &work.twins,
            last: cursor.as_ref().filter(|_| ends).map(|cursor| Last {
                cursor,
                created: work.created,
                accept_deletes: run.accept_deletes,
            }),
        };
        let applied = run.ctx.write(|tx| {
            let batch = &batch;
            async move { apply(&tx, batch).await }
        });
        match applied.await? {
            Applied::Lost => return Ok(Some(Pulled::Busy)),
            Applied::Gone => return Ok(Some(Pulled::Gone)),
            Applied::Stored {
                run: row,
                created,
                vanished,
                twins,
                held,
            } => {
                run.row = *row;
                work.created += created;
                work.doomed.keys.extend(vanished);
                work.twins.extend(twins);
                if let Some(swept) = held {
                    return Ok(Some(Pulled::Held {
                        doomed: swept.doomed,
                        stored: swept.stored,
                    }));
                }
            }
        }
        if announce {
            run.announced = Some(tokio::time::Instant::now());
        }
        if let Some(percent) = percent {
            run.progress.percent(percent);
        }
    }
    Ok(cursor.is_some().then_some(Pulled::Done))
}
