//! The words in which migrations are written.
//!
//! `table` describes a table once for both databases, `create` turns the description into statements, `security` adds
//! what only PostgreSQL has (roles, rights, row-level security), `area` makes a migration of several tables, `indexes` one of an index.

pub(crate) mod area;
mod create;
pub(crate) mod indexes;
pub(crate) mod security;
pub(crate) mod table;
