//! The jobs of this room: pulling an integration, and starting the pulls that are due.
//!
//! Reading order: `run` (one attempt from begin to end) → `begin` → `calendar` (the pages of one calendar) → `parse` → `apply` (one page,
//! one transaction) → `sweep` (what is gone) → `finish` (what is told to whom). `lease` keeps two runs off one calendar; `due` is the clock.
//!
//! Promises: a page and what it counts are one transaction; the cursor is stored with the last page and never before; what broke off goes
//! on where it stopped; equal content changes nothing; a bad object is a problem on the run; bulk deletions wait for a person.

mod apply;
mod begin;
mod calendar;
mod due;
mod finish;
mod known;
mod lease;
mod parse;
mod run;
mod sweep;

pub use due::start_due;
pub use run::sync;
