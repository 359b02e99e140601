//! Full-text search over what a workspace holds.
//!
//! Invariants: what a viewer may not read in detail is never found; every word must be there, the last letters of each may be missing.

mod read;

pub use read::{Found, search};
