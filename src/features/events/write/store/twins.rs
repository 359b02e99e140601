//! Objects that share a UID. A calendar has at most one event for each UID: the object that was there first holds it, and the others are
//! left out until it is gone. What comes while the holder leaves is the same object under a new name and takes over.

use std::collections::{HashMap, HashSet};

use entity::external_event_link::{Column, Entity};
use entity::{calendar, external_event_link};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::links::Link;
use super::{CHUNK, RemoteObject, Unstored};
use crate::kernel::Result;
use crate::platform::db::Tx;

/// An object whose UID another one has.
#[derive(Clone, Debug)]
pub struct Twin {
    /// The object that is left out.
    pub object: RemoteObject,
    /// Key of the one that holds the UID.
    pub holder: String,
}

impl PartialEq for Twin {
    fn eq(&self, other: &Self) -> bool {
        (&self.object.key, &self.holder) == (&other.object.key, &other.holder)
    }
}

impl Eq for Twin {}

/// The problem of a twin whose holder stays.
pub fn leave_out(twin: &Twin) -> Unstored {
    Unstored {
        key: twin.object.key.clone(),
        uid: twin.object.object.uid.clone(),
        message:
            "Another object of the calendar has the same UID, so this one was left out. Remove one of them."
                .into(),
    }
}

/// Parts those that may be stored from the twins of others. A holder that is leaving gives its UID up to the first that asks.
pub(super) async fn part(
    tx: &Tx,
    calendar: &calendar::Model,
    objects: Vec<RemoteObject>,
    leaving: &(dyn Fn(&str) -> bool + Sync),
) -> Result<(Vec<RemoteObject>, Vec<Twin>)> {
    let stored = holders_of(tx, calendar, &objects).await?;
    // An address of this page that has another UID now holds its old one no longer.
    let now: HashMap<&str, &str> = objects
        .iter()
        .map(|object| (object.key.as_str(), object.object.uid.as_str()))
        .collect();
    let stays = |link: &&Link| {
        !leaving(&link.href)
            && now
                .get(link.href.as_str())
                .is_none_or(|uid| *uid == link.uid.as_str())
    };
    let mut holders: HashMap<String, String> = HashMap::new();
    for object in &objects {
        let uid = &object.object.uid;
        let links = stored.get(uid).map(Vec::as_slice).unwrap_or_default();
        // Its own link counts most: of two that were both stored by an older version none is taken away.
        let own = links.iter().find(|link| link.href == object.key);
        let holder = own.or_else(|| links.iter().find(stays));
        if let Some(holder) = holder {
            holders.entry(uid.clone()).or_insert_with(|| holder.href.clone());
        }
    }
    let given_up: Vec<_> = stored
        .values()
        .flatten()
        .filter(|link| {
            leaving(&link.href) && holders.get(&link.uid).is_none_or(|holder| *holder != link.href)
        })
        .map(|link| link.id)
        .collect();
    let (mut kept, mut twins) = (Vec::with_capacity(objects.len()), Vec::new());
    for object in objects {
        let holder = holders
            .entry(object.object.uid.clone())
            .or_insert_with(|| object.key.clone());
        if *holder == object.key {
            kept.push(object);
        } else {
            let holder = holder.clone();
            twins.push(Twin { object, holder });
        }
    }
    give_up(tx, given_up).await?;
    Ok((kept, twins))
}

/// Links that hold the UIDs of these objects, oldest first.
async fn holders_of(
    tx: &Tx,
    calendar: &calendar::Model,
    objects: &[RemoteObject],
) -> Result<HashMap<String, Vec<Link>>> {
    let uids: HashSet<&str> = objects.iter().map(|object| object.object.uid.as_str()).collect();
    let uids: Vec<&str> = uids.into_iter().collect();
    let mut holders: HashMap<String, Vec<Link>> = HashMap::new();
    for chunk in uids.chunks(CHUNK) {
        let select = tx
            .find::<Entity>()
            .filter(Column::CalendarId.eq(calendar.id))
            .filter(Column::ContentHash.is_not_null())
            .filter(Column::Uid.is_in(chunk.iter().copied()));
        for link in select.all(tx.conn()).await? {
            holders.entry(link.uid.clone()).or_default().push(link);
        }
    }
    holders
        .values_mut()
        .for_each(|links| links.sort_by_key(|link| link.id.0));
    Ok(holders)
}

/// Makes these links remember an address only; their events go on under another one.
async fn give_up(tx: &Tx, links: Vec<entity::ids::ExternalEventLinkId>) -> Result<()> {
    for chunk in links.chunks(CHUNK) {
        tx.update_many::<Entity>()
            .col_expr(Column::EventId, Expr::value(Option::<uuid::Uuid>::None))
            .col_expr(Column::Etag, Expr::value(Option::<String>::None))
            .col_expr(Column::ContentHash, Expr::value(Option::<Vec<u8>>::None))
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    Ok(())
}

/// Whether objects are left out although nothing holds their UID any more: a full run has to read them.
pub async fn twins_wait(tx: &Tx, calendar: &calendar::Model) -> Result<bool> {
    let held = Query::select()
        .column(Column::Uid)
        .from(external_event_link::Entity)
        .and_where(Expr::col(Column::CalendarId).eq(calendar.id))
        .and_where(Expr::col(Column::ContentHash).is_not_null())
        .take();
    let free = tx
        .find::<Entity>()
        .filter(Column::CalendarId.eq(calendar.id))
        .filter(Column::ContentHash.is_null())
        .filter(Column::Uid.not_in_subquery(held));
    Ok(free.count(tx.conn()).await? > 0)
}
