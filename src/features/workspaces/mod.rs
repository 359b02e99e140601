//! Workspaces and who belongs to them.
//!
//! Invariants: everyone has one personal workspace; a workspace always has an owner; its counter row is made with it.

mod read;

pub use read::{find_by_slug, get, get_many};
