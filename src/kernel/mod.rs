//! WORDS. The vocabulary that every other room speaks: errors, time, pages, patches, permissions, and the catalogues of
//! jobs and changes. Pure: no I/O, no async, no database, no GraphQL.

pub mod actions;
pub mod actor;
pub mod changes;
pub mod error;
pub mod ids;
pub mod jobs;
pub mod page;
pub mod patch;
pub mod presence;
pub mod text;
pub mod time;
pub mod zones;

pub use error::{Error, ErrorCode, Result, UserError, UserErrorCode};

/// The commit that this program was built from; `development` unless it is a release build.
pub const COMMIT: &str = env!("BUILT_COMMIT");

/// The version of this program and its commit, for people.
pub const VERSION: &str = env!("BUILT_VERSION");
