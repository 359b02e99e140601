//! Transfers: files that bring data into a workspace, and files that take it out.
//!
//! Invariants: a file lies in the database in pieces, so that any replica can work on it, and is gone after its time; a job reads it object
//! by object and keeps no more than some of them in memory; an object that cannot be stored is a problem with its line and never stops the
//! others; importing a file twice changes nothing; a transfer is its requester's and shows what they may see.

mod formats;
mod jobs;
mod model;
mod read;
mod rules;
mod split;
mod tables;
mod write;

pub use jobs::{prune, run};
pub use model::{Download, NewExport, NewImport, Problem};
pub use read::{download, download_url, get, get_many, problems_of};
pub use write::{Upload, begin_upload, start_export, start_import};
