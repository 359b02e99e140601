//! Storing who is reminded of an event and of which of its occurrences, inside the transaction of a command. Reminders are personal: they
//! leave the event's version as it is.

use std::collections::{BTreeMap, HashSet};

use entity::enums::NotificationChannel;
use entity::ids::{ReminderId, UserId};
use entity::{calendar_event, reminder};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, Set};

use super::edit::Target;
use crate::features::events::model::NewReminder;
use crate::features::events::remake;
use crate::features::events::reminded::{Said, lasting_at, said_of};
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::Tx;

/// Replaces the reminders of one person for an event, or for those of its occurrences that are meant. What was said of the whole series does
/// not reach occurrences of which something else was said; says whether anything changed.
pub(super) async fn replace(
    tx: &Tx,
    row: &calendar_event::Model,
    user_id: UserId,
    target: Target,
    reminders: &[NewReminder],
) -> Result<bool> {
    let own = || {
        reminder::Column::EventId
            .eq(row.id)
            .and(reminder::Column::UserId.eq(user_id))
    };
    let rows = tx.find::<reminder::Entity>().filter(own()).all(tx.conn()).await?;
    let before: Vec<(Said, reminder::Model)> =
        rows.into_iter().map(|old| (Said::by(&old, row), old)).collect();
    let (place, start) = match target {
        Target::All(_) => (Said::Always, None),
        Target::One(at, local) => (Said::Of(at), Some(remake::identity_text(row, at, local))),
        Target::From(at, local) => (Said::From(at), Some(remake::identity_text(row, at, local))),
    };
    let is_replaced = |said: Said| match (target, said) {
        (Target::All(_), Said::Always | Said::From(_)) => true,
        // Whoever says it of this occurrence means this one too.
        (Target::All(Some((at, _))) | Target::One(at, _) | Target::From(at, _), Said::Of(one)) => one == at,
        (Target::From(at, _), Said::From(later)) => later >= at,
        _ => false,
    };
    let wanted: HashSet<NewReminder> = reminders.iter().copied().collect();
    let holding = |said: Said| -> HashSet<NewReminder> {
        let rows = before.iter().filter(|(own, old)| *own == said && !old.is_silent);
        rows.map(|(_, old)| asked(old)).collect()
    };
    let others: Vec<Said> = before
        .iter()
        .map(|(said, _)| *said)
        .filter(|said| !is_replaced(*said))
        .collect();
    let is_needed = match target {
        Target::All(_) => true,
        Target::One(at, _) | Target::From(at, _) => holding(said_of(at, &others)) != wanted,
    };
    let mut new: Vec<NewReminder> = reminders.iter().copied().filter(|_| is_needed).collect();
    let is_silent = is_needed && wanted.is_empty() && place != Said::Always;
    if is_silent {
        new.push(SILENCE);
    }
    let gone: Vec<&(Said, reminder::Model)> = before.iter().filter(|(said, _)| is_replaced(*said)).collect();
    let stays = |(said, old): &(Said, reminder::Model)| {
        *said == place && old.is_silent == is_silent && new.contains(&asked(old))
    };
    if gone.len() == new.len() && gone.iter().copied().all(stays) {
        return Ok(false);
    }
    let ids: Vec<ReminderId> = gone.iter().map(|(_, old)| old.id).collect();
    let delete = tx
        .delete_many::<reminder::Entity>()
        .filter(reminder::Column::Id.is_in(ids));
    delete.exec(tx.conn()).await?;
    let rows = new.into_iter().map(|new| reminder::ActiveModel {
        original_start: Set(start.clone()),
        holds_for_later: Set(matches!(place, Said::From(_))),
        is_silent: Set(is_silent),
        ..fresh(tx, row, user_id, new)
    });
    tx.insert_many(rows.collect()).await?;
    // The reminders that stay may be for other occurrences now, so when they fire is planned anew.
    tx.update_many::<reminder::Entity>()
        .col_expr(reminder::Column::PlannedVersion, Expr::val(None::<i32>))
        .filter(own())
        .exec(tx.conn())
        .await?;
    Ok(true)
}

/// What the row holds that says there is no reminder.
const SILENCE: NewReminder = NewReminder {
    minutes_before: 0,
    channel: NotificationChannel::InApp,
};

/// A reminder as somebody asked for it.
fn asked(row: &reminder::Model) -> NewReminder {
    NewReminder {
        minutes_before: row.minutes_before,
        channel: row.channel,
    }
}

/// A reminder for the event as it is now.
pub(super) fn fresh(
    tx: &Tx,
    row: &calendar_event::Model,
    user_id: UserId,
    new: NewReminder,
) -> reminder::ActiveModel {
    reminder::ActiveModel {
        id: Set(tx.ids().next()),
        event_id: Set(row.id),
        user_id: Set(user_id),
        minutes_before: Set(new.minutes_before),
        channel: Set(new.channel),
        event_version: Set(row.version),
        original_start: Set(None),
        holds_for_later: Set(false),
        is_silent: Set(false),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

/// Everybody's reminders of single occurrences stay with these when their series moves; when it is none any more there is nothing that
/// they could be of.
pub(super) async fn follow(
    tx: &Tx,
    before: &calendar_event::Model,
    after: &calendar_event::Model,
) -> Result<()> {
    let own = || {
        reminder::Column::EventId
            .eq(before.id)
            .and(reminder::Column::OriginalStart.is_not_null())
    };
    let rows = tx.find::<reminder::Entity>().filter(own()).all(tx.conn()).await?;
    if rows.is_empty() {
        return Ok(());
    }
    // Keys may have changed places, so all are written anew.
    tx.delete_many::<reminder::Entity>()
        .filter(own())
        .exec(tx.conn())
        .await?;
    let rows = rows.into_iter().filter(|_| after.is_recurring);
    insert(tx, rows.map(|old| moved(old, before, after)).collect()).await
}

fn moved(
    old: reminder::Model,
    before: &calendar_event::Model,
    after: &calendar_event::Model,
) -> reminder::Model {
    let start = old.original_start.as_deref();
    reminder::Model {
        original_start: start.map(|text| remake::moved_start(text, before, after)),
        planned_version: None,
        ..old
    }
}

/// Stores rows; where days replace times two occurrences may have become one, and with them their reminders.
async fn insert(tx: &Tx, rows: Vec<reminder::Model>) -> Result<()> {
    let mut seen = HashSet::new();
    let rows = rows.into_iter().filter(|row| {
        let key = (row.user_id, row.original_start.clone(), row.holds_for_later);
        seen.insert((key, asked(row)))
    });
    let rows = rows.map(|row| row.into_active_model().reset_all());
    tx.insert_many::<reminder::ActiveModel>(rows.collect()).await
}

/// What becomes of everybody's reminders when a series is split.
pub(super) struct Heirs<'a> {
    /// The series as it was.
    pub(super) before: &'a calendar_event::Model,
    /// Its later half before that was changed.
    pub(super) half: &'a calendar_event::Model,
    /// The new series.
    pub(super) later: &'a calendar_event::Model,
    /// Original start of the first occurrence that is in it.
    pub(super) at: Instant,
    /// Who says something else of the new series at once.
    pub(super) told: Option<UserId>,
}

impl Heirs<'_> {
    /// The later half has the reminders that its occurrences had; the earlier one keeps what is of its own.
    pub(super) async fn share(&self, tx: &Tx) -> Result<()> {
        let of_series = reminder::Column::EventId.eq(self.before.id);
        let rows = tx.find::<reminder::Entity>().filter(of_series);
        let mut people: BTreeMap<UserId, Vec<(Said, reminder::Model)>> = BTreeMap::new();
        for row in rows.all(tx.conn()).await? {
            let said = Said::by(&row, self.before);
            people.entry(row.user_id).or_default().push((said, row));
        }
        let (mut inherited, mut gone) = (Vec::new(), Vec::new());
        for (person, rows) in people {
            let sayings: Vec<Said> = rows.iter().map(|(said, _)| *said).collect();
            let usual = match self.later.is_recurring {
                true => lasting_at(self.at, &sayings),
                false => said_of(self.at, &sayings),
            };
            for (said, row) in rows {
                if matches!(said, Said::Of(at) | Said::From(at) if at >= self.at) {
                    gone.push(row.id);
                }
                let is_settled = said == Said::Of(self.at) && self.told == Some(person);
                inherited.extend(self.heir(tx, usual, said, row).filter(|_| !is_settled));
            }
        }
        let delete = tx
            .delete_many::<reminder::Entity>()
            .filter(reminder::Column::Id.is_in(gone));
        delete.exec(tx.conn()).await?;
        insert(tx, inherited).await
    }

    /// A reminder as the later half has it; `usual` is what holds for most of its occurrences.
    fn heir(&self, tx: &Tx, usual: Said, said: Said, row: reminder::Model) -> Option<reminder::Model> {
        let row = reminder::Model {
            id: tx.ids().next(),
            event_id: self.later.id,
            event_version: self.later.version,
            planned_version: None,
            ..row
        };
        if said == usual {
            // For the whole of the new series; without any there is nothing to write down.
            let row = reminder::Model {
                original_start: None,
                holds_for_later: false,
                ..row
            };
            return Some(row).filter(|row| !row.is_silent);
        }
        let is_later = match said {
            Said::Always => false,
            Said::Of(at) => at >= self.at,
            Said::From(at) => at > self.at,
        };
        (is_later && self.later.is_recurring).then(|| moved(row, self.half, self.later))
    }
}

/// Ties everybody's reminders to the new version of the event: what was made for an older one is stale.
pub(in crate::features::events) async fn renew(tx: &Tx, row: &calendar_event::Model) -> Result<()> {
    tx.update_many::<reminder::Entity>()
        .col_expr(reminder::Column::EventVersion, Expr::val(row.version))
        .filter(reminder::Column::EventId.eq(row.id))
        .exec(tx.conn())
        .await?;
    Ok(())
}
