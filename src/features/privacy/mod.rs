//! Privacy: what is known about a person, told to them and erased with them.
//!
//! Invariants: the registry says for every column of every table whether it is about a person; what is exported and what is erased follows
//! from it and from nothing else; what is kept has its reason there.

mod read;
mod registry;
mod write;

pub use read::export;
pub use registry::{Class, Concern, SHADOWS, Shadow, TABLES, Table};
pub use write::{delete_viewer, erase};
