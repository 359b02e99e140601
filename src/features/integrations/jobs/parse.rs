//! From the texts of a page to objects that can be stored. Pure.

use std::collections::{HashMap, HashSet};

use entity::ids::CalendarId;

use crate::features::events::ical::{self, ParsedObject, Problem};
use crate::features::integrations::model::StoredProblem;
use crate::features::integrations::providers::{FEED, ObjectProblem, RemoteObject};

/// One event or series with where it came from.
pub(super) struct Item {
    /// Address of the object at the provider.
    pub(super) address: String,
    /// Version of the object; feeds have none for each event.
    pub(super) etag: Option<String>,
    /// Whether other events share the address.
    pub(super) is_shared: bool,
    pub(super) object: ParsedObject,
}

impl Item {
    /// What the event is found by again: its address, with the UID when the address holds several.
    pub(super) fn key(&self) -> String {
        if self.is_shared {
            format!("{}#{}", self.address, self.object.uid)
        } else {
            self.address.clone()
        }
    }
}

/// What a page holds.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) items: Vec<Item>,
    /// For each address that was read to its end: the UIDs that are there but cannot be read. Of what came from there before, these and
    /// the items stay.
    pub(super) present: HashMap<String, HashSet<String>>,
    pub(super) problems: Vec<StoredProblem>,
    /// Objects that could not be read at all.
    pub(super) unread: u32,
}

/// Reads the objects of one page of a calendar.
pub(super) fn page(
    calendar_id: CalendarId,
    zone: &str,
    objects: Vec<RemoteObject>,
    problems: Vec<ObjectProblem>,
) -> Parsed {
    let mut parsed = Parsed {
        unread: u32::try_from(problems.len()).unwrap_or(u32::MAX),
        ..Parsed::default()
    };
    for problem in problems {
        parsed.problems.push(StoredProblem {
            calendar_id: Some(calendar_id),
            object: problem.href,
            line: None,
            message: problem.message,
        });
    }
    for object in objects {
        parsed.read(calendar_id, zone, object);
    }
    parsed
}

impl Parsed {
    fn read(&mut self, calendar_id: CalendarId, zone: &str, remote: RemoteObject) {
        let address = remote.href;
        let feed = match ical::read(&remote.text, zone) {
            Ok(feed) => feed,
            Err(reason) => {
                self.unread += 1;
                self.problems.push(StoredProblem {
                    calendar_id: Some(calendar_id),
                    object: address,
                    line: None,
                    message: reason.to_string(),
                });
                return;
            }
        };
        let mut note = |problem: Problem| {
            self.problems.push(StoredProblem {
                calendar_id: Some(calendar_id),
                object: problem.uid.unwrap_or_else(|| address.clone()),
                line: problem.line,
                message: problem.message,
            });
        };
        feed.problems.into_iter().for_each(&mut note);
        let is_feed = address == FEED;
        let is_shared = is_feed || feed.objects.len() > 1;
        self.unread += u32::try_from(feed.unreadable.len()).unwrap_or(u32::MAX);
        let unreadable: HashSet<String> = feed.unreadable.into_iter().collect();
        let etag = (!is_feed && !remote.etag.is_empty()).then_some(remote.etag);
        for mut object in feed.objects {
            std::mem::take(&mut object.warnings)
                .into_iter()
                .for_each(&mut note);
            self.items.push(Item {
                address: address.clone(),
                etag: etag.clone(),
                is_shared,
                object,
            });
        }
        if feed.is_complete {
            self.present.insert(address, unreadable);
        } else {
            self.unread += 1;
        }
    }
}

#[cfg(test)]
mod tests;
