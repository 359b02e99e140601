//! Which worker processes live, for whoever looks after the queues.

use crate::m0004_work::QUEUES;
use crate::schema::table::Kind::{Int, Text};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    let workers = Table::bare("job_workers")
        .cols(Text, &["name"])
        .word("queue", QUEUES)
        .cols(Int, &["slots"])
        .key(&["name", "queue"])
        // Those that live, and those that are forgotten.
        .index(&["updated_at"]);
    vec![workers]
}
