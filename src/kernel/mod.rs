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
