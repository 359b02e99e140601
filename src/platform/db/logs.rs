//! The end of a transaction that has something to tell: its entries in the audit log and its changes in the change log get the workspace's
//! next numbers. Promises: the counter row is held until the commit, so the order of numbers is the order of commits, and each entry's hash
//! chains to the one before it. On PostgreSQL all that, with whatever else is left to store, is one statement: the counter is held for one
//! flight, and others wait less for it.

use entity::enums::ChangeAction;
use entity::ids::{AuditLogId, CalendarId, WorkspaceId};
use entity::{audit_log, change_log};
use sea_orm::{ConnectionTrait as _, Set};
use uuid::Uuid;

use super::audit::{Audit, hash_of_new, words_of_new};
use super::bulk::MAX_BINDS;
use super::part::{Part, Row};
use super::scope::Scope;
use super::together::named;
use super::tx::Tx;
use crate::kernel::changes::{Change, Committed, ObjectType};
use crate::kernel::{Error, Result};

/// More changes than this travel as a hint only; readers catch up from the log.
const INLINE_CHANGES: usize = 64;
/// Most entries whose hashes PostgreSQL computes: each makes the statement longer, and another one to prepare.
const LINKS: usize = 8;

/// A change that has no number yet: what happened to which object, and the calendar of an event.
pub(super) type NewChange = (ChangeAction, ObjectType, Uuid, Option<CalendarId>);

/// What a transaction tells.
pub(super) struct Entries {
    pub(super) audits: Vec<Audit>,
    pub(super) changes: Vec<NewChange>,
}

/// Where the logs of a workspace stood.
struct Counter {
    change_seq: i64,
    audit_seq: i64,
    audit_hash: Vec<u8>,
}

impl Tx {
    /// Stores the entries, and `beside` with them.
    pub(super) async fn log(
        &self,
        workspace: WorkspaceId,
        entries: Entries,
        beside: Vec<Part>,
    ) -> Result<Committed> {
        let binds: usize = beside.iter().map(Part::binds).sum();
        let is_small = entries.audits.len() <= LINKS
            && entries.changes.len() <= INLINE_CHANGES
            // Half of what there may be is more than the entries need.
            && binds <= MAX_BINDS / 2;
        if self.is_postgres() && is_small {
            self.log_at_once(workspace, entries, beside).await
        } else {
            self.log_by_steps(workspace, entries, beside).await
        }
    }

    /// Takes the numbers with one statement and stores with the next.
    async fn log_by_steps(
        &self,
        workspace: WorkspaceId,
        entries: Entries,
        beside: Vec<Part>,
    ) -> Result<Committed> {
        let counter = self.counter(workspace).await?;
        let changes = self.changes(counter.change_seq, &entries.changes);
        let last_seq = counter.change_seq + changes.len() as i64;
        let last_entry = counter.audit_seq + entries.audits.len() as i64;
        let rows = changes.iter().map(|change| self.change_row(workspace, change));
        let mut parts = self.storing(rows.collect());

        let mut previous = counter.audit_hash;
        let mut rows = Vec::with_capacity(entries.audits.len());
        for (entry, seq) in entries.audits.into_iter().zip(counter.audit_seq + 1..) {
            let hash = hash_of_new(&previous, seq, &entry, self.actor(), self.now());
            let mut row = self.audit_row(workspace, entry);
            row.seq = Set(seq);
            row.prev_hash = Set(previous);
            row.hash = Set(hash.clone());
            rows.push(row);
            previous = hash;
        }
        parts.extend(self.storing(rows));
        parts.extend(beside);

        let update = "UPDATE \"workspace_counters\" SET \"change_seq\" = ?, \"audit_seq\" = ?, \"audit_hash\" = ? \
            WHERE \"workspace_id\" = ?";
        let values = vec![
            last_seq.into(),
            last_entry.into(),
            previous.into(),
            workspace.into(),
        ];
        parts.push(Part::new(update, values));
        self.together(parts).await?;
        Ok(committed(last_seq, changes))
    }

    async fn counter(&self, workspace: WorkspaceId) -> Result<Counter> {
        let mut select = Part::default();
        select.say("SELECT \"change_seq\", \"audit_seq\", \"audit_hash\" FROM \"workspace_counters\"");
        select.say(" WHERE \"workspace_id\" = ");
        select.bind(workspace);
        if self.is_postgres() {
            select.say(" FOR UPDATE");
        }
        let select = select.into_statement(self.get_database_backend());
        let row = self.conn().query_one_raw(select).await?;
        let row = row.ok_or_else(Error::not_found)?;
        Ok(Counter {
            change_seq: row.try_get_by_index(0)?,
            audit_seq: row.try_get_by_index(1)?,
            audit_hash: row.try_get_by_index(2)?,
        })
    }

    /// Takes the numbers and stores with one statement. `stand` holds the counter; each `link` is the place of one entry in the chain.
    async fn log_at_once(
        &self,
        workspace: WorkspaceId,
        entries: Entries,
        beside: Vec<Part>,
    ) -> Result<Committed> {
        // Where there was nothing to read, this is all that the transaction does.
        let is_alone = self.conn().is_untouched()
            && self.conn().scope() == Scope::Workspace(workspace)
            && beside.iter().all(Part::is_insertion);
        let mut whole = Part::default();
        if is_alone {
            stand_alone(&mut whole, workspace);
        } else {
            whole.say(&format!("WITH stand AS MATERIALIZED ({COUNTER}"));
            whole.bind(workspace);
            whole.say(" FOR UPDATE)");
        }
        let mut end = "stand".to_owned();
        for (index, entry) in entries.audits.into_iter().enumerate() {
            let link = format!("link{index}");
            let words = words_of_new(&entry, self.actor(), self.now());
            whole.say(&format!(
                ", {link} AS MATERIALIZED (SELECT seq + 1 AS seq, hash AS previous, \
                 sha256(hash || convert_to('[' || CAST(seq + 1 AS text) || "
            ));
            whole.bind(words);
            whole.say(&format!(", 'UTF8')) AS hash FROM {end}), entry{index} AS ("));
            let row = Row::of(self.audit_row(workspace, entry));
            whole.insert_into(&row);
            let of_link = |name: &str| match name {
                "seq" | "hash" => Some(name.to_owned()),
                "prev_hash" => Some("previous".to_owned()),
                _ => None,
            };
            whole.select(row, of_link, &link);
            whole.say(")");
            end = link;
        }
        // The numbers are not known yet, but how far each is from where the log stands.
        let changes = self.changes(0, &entries.changes);
        if !changes.is_empty() {
            let rows = changes
                .iter()
                .map(|change| Row::of(self.change_row(workspace, change)));
            let of_stand = |name: &str| (name == "seq").then_some("stand.change_seq + given.seq");
            whole.say(", told AS (");
            whole.insert_each(rows.collect(), of_stand, "stand");
            whole.say(")");
        }
        for (index, part) in beside.into_iter().enumerate() {
            whole.say(", ");
            if is_alone {
                whole.say(&format!("part{index} AS ("));
                whole.add_where(part, "stand");
                whole.say(")");
            } else {
                named(&mut whole, index, part);
            }
        }
        let count = changes.len();
        // The row is there and held, so this always takes the second way; an update would look for it before the scope is known.
        whole.say(
            " INSERT INTO workspace_counters AS kept (workspace_id, change_seq, audit_seq, audit_hash, created_at, updated_at) SELECT ",
        );
        whole.bind(workspace);
        whole.say(&format!(
            ", stand.change_seq + {count}, {end}.seq, {end}.hash, stand.created_at, stand.updated_at FROM stand"
        ));
        if end != "stand" {
            whole.say(", ");
            whole.say(&end);
        }
        whole.say(
            " ON CONFLICT (workspace_id) DO UPDATE SET change_seq = excluded.change_seq, audit_seq = excluded.audit_seq, \
             audit_hash = excluded.audit_hash RETURNING kept.change_seq",
        );
        let statement = whole.into_statement(self.get_database_backend());
        let row = if is_alone {
            self.conn().query_alone(statement).await?
        } else {
            self.conn().query_one_raw(statement).await?
        };
        let last_seq: i64 = row.ok_or_else(Error::not_found)?.try_get_by_index(0)?;
        let stand = last_seq - changes.len() as i64;
        let place = |change: Change| Change {
            seq: change.seq + stand,
            ..change
        };
        let changes: Vec<Change> = changes.into_iter().map(place).collect();
        Ok(committed(last_seq, changes))
    }

    /// The changes with the numbers after this one.
    fn changes(&self, stand: i64, changes: &[NewChange]) -> Vec<Change> {
        let changes = changes.iter().copied().zip(stand + 1..);
        let numbered = changes.map(|((action, object_type, object_id, calendar_id), seq)| Change {
            seq,
            action,
            object_type,
            object_id,
            calendar_id,
            at: self.now(),
        });
        numbered.collect()
    }

    fn change_row(&self, workspace: WorkspaceId, change: &Change) -> change_log::ActiveModel {
        change_log::ActiveModel {
            workspace_id: Set(workspace),
            seq: Set(change.seq),
            action: Set(change.action),
            object_type: Set(change.object_type.as_str().to_owned()),
            object_id: Set(change.object_id),
            calendar_id: Set(change.calendar_id),
            actor_id: Set(self.actor().user_id),
            created_at: Set(change.at),
        }
    }

    /// An entry that has no place in the chain yet.
    fn audit_row(&self, workspace: WorkspaceId, entry: Audit) -> audit_log::ActiveModel {
        let actor = self.actor();
        audit_log::ActiveModel {
            id: Set(self.ids().next::<AuditLogId>()),
            workspace_id: Set(workspace),
            seq: Set(0),
            actor_kind: Set(actor.kind),
            actor_id: Set(actor.user_id),
            api_token_id: Set(actor.api_token_id),
            action: Set(entry.action.to_owned()),
            entity_type: Set(entry.entity_type.to_owned()),
            entity_id: Set(entry.entity_id),
            changes: Set(entry.changes),
            ip_address: Set(actor.origin.ip_address.clone()),
            user_agent: Set(actor.origin.user_agent.clone()),
            request_id: Set(actor.origin.request_id.clone()),
            prev_hash: Set(Vec::new()),
            hash: Set(Vec::new()),
            created_at: Set(self.now()),
        }
    }
}

/// What is read of a counter.
const COUNTER: &str = "SELECT change_seq, audit_seq AS seq, audit_hash AS hash, created_at, updated_at FROM workspace_counters \
    WHERE workspace_id = ";
/// How long a statement waits that is a transaction by itself. Whoever asked may give up meanwhile, and it would be carried out all the same.
/// After this a transaction waits instead, which ends with whoever waits for it.
const PATIENCE: &str = "2s";

/// The beginning of a statement that is a transaction by itself: it names the workspace to row-level security. Everything else in it hangs
/// on the row of `stand`, and that on `scope`, so whatever the order in which PostgreSQL goes about it, the name is known by then. Were
/// it ever otherwise, the policies would find no workspace, and nothing would be written.
fn stand_alone(whole: &mut Part, workspace: WorkspaceId) {
    whole.say("WITH scope AS MATERIALIZED (SELECT set_config('app.workspace_id', ");
    whole.bind(workspace.0.to_string());
    whole.say(&format!(
        ", true) AS id, set_config('lock_timeout', '{PATIENCE}', true) AS patience), stand AS MATERIALIZED (\
         SELECT held.* FROM scope CROSS JOIN LATERAL ({COUNTER}"
    ));
    whole.bind(workspace);
    whole.say(" AND scope.id IS NOT NULL AND scope.patience IS NOT NULL OFFSET 0 FOR UPDATE) AS held)");
}

fn committed(last_seq: i64, changes: Vec<Change>) -> Committed {
    let changes = if changes.len() <= INLINE_CHANGES {
        changes
    } else {
        Vec::new()
    };
    Committed { last_seq, changes }
}
