//! Entries of the audit log and the hash that chains them. Knows what an entry must prove, not what the entries are about.

use entity::audit_log;
use entity::enums::ActorKind;
use entity::ids::{ApiTokenId, UserId};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::kernel::actor::Actor;
use crate::kernel::time::Instant;

/// An entry for the audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Dotted lower case, for example `task.updated`.
    pub action: &'static str,
    /// GraphQL type of the object.
    pub entity_type: &'static str,
    /// The object.
    pub entity_id: Uuid,
    /// Changed fields as `{field: {from, to}}`; opaque ids and plain values only.
    pub changes: Option<Value>,
}

/// What the hash of one entry covers: opaque ids and plain values, so that erasing a person's name or address keeps the chain whole.
struct Facts<'a> {
    at: Instant,
    actor_kind: ActorKind,
    actor_id: Option<UserId>,
    api_token_id: Option<ApiTokenId>,
    action: &'a str,
    entity_type: &'a str,
    entity_id: Uuid,
    changes: Option<&'a Value>,
}

/// The hash of a new entry behind `previous`.
pub(super) fn hash_of_new(previous: &[u8], seq: i64, entry: &Audit, actor: &Actor, at: Instant) -> Vec<u8> {
    hash(previous, seq, &words_of_new(entry, actor, at))
}

/// What the hash of a new entry covers beside what comes before it: the text after its number. PostgreSQL computes the hash itself where
/// it gives the number, as `sha256(previous || '[' || number || words)`.
pub(super) fn words_of_new(entry: &Audit, actor: &Actor, at: Instant) -> String {
    let facts = Facts {
        at,
        actor_kind: actor.kind,
        actor_id: actor.user_id,
        api_token_id: actor.api_token_id,
        action: entry.action,
        entity_type: entry.entity_type,
        entity_id: entry.entity_id,
        changes: entry.changes.as_ref(),
    };
    words(&facts)
}

/// The hash that a stored entry must have behind `previous`.
pub fn audit_hash(previous: &[u8], row: &audit_log::Model) -> Vec<u8> {
    let facts = Facts {
        at: row.created_at,
        actor_kind: row.actor_kind,
        actor_id: row.actor_id,
        api_token_id: row.api_token_id,
        action: &row.action,
        entity_type: &row.entity_type,
        entity_id: row.entity_id,
        changes: row.changes.as_ref(),
    };
    hash(previous, row.seq, &words(&facts))
}

fn hash(previous: &[u8], seq: i64, words: &str) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(format!("[{seq}{words}"));
    hasher.finalize().to_vec()
}

/// The facts as the rest of a JSON array that begins with the number of the entry.
fn words(facts: &Facts<'_>) -> String {
    let changes = facts.changes.map(canonical);
    let mut text = serde_json::json!([
        facts.at.timestamp_micros(),
        facts.actor_kind,
        facts.actor_id,
        facts.api_token_id,
        facts.action,
        facts.entity_type,
        facts.entity_id,
        changes,
    ])
    .to_string();
    text.replace_range(..1, ",");
    text
}

/// One spelling for equal documents: PostgreSQL keeps the values of a document, not the order of its keys.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
