//! The mark that a transaction leaves on the record of a request that must not be carried out twice.

use super::part::Part;
use crate::kernel::actor::ReplyKey;

/// The answer of a request that was carried out and not answered yet. No real answer is empty.
pub const REPLY_LOST: &str = "";

/// Marks the record as carried out: whatever happens to the answer, this transaction is not run again.
pub(super) fn carried_out(reply: &ReplyKey) -> Part {
    let text = "UPDATE \"idempotency_records\" SET \"answer\" = ? WHERE \"caller\" = ? AND \"key\" = ? AND \"answer\" IS NULL";
    let values = vec![
        REPLY_LOST.into(),
        reply.caller.as_str().into(),
        reply.key.as_str().into(),
    ];
    Part::new(text, values)
}
