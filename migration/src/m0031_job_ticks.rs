//! Which tick of each recurring job was taken last, so that replicas take each once and know what they missed.

use crate::schema::table::Kind::{Text, Time};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    let ticks = Table::bare("job_ticks")
        .cols(Text, &["name"])
        .cols(Time, &["last_tick"])
        .key(&["name"]);
    vec![ticks]
}
