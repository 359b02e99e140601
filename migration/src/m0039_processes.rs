//! Which processes live, so that those that do see one that died.

use crate::schema::table::Kind::Text;
use crate::schema::table::Table;

/// What a process runs, by the command that started it.
const ROLES: &[&str] = &["serve", "api", "worker"];

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    // A handful of rows, all of which are read.
    let processes = Table::bare("processes")
        .cols(Text, &["name"])
        .word("role", ROLES)
        .key(&["name"]);
    vec![processes]
}
