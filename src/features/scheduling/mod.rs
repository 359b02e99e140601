//! Plans: which task is worked on when. So far the engine alone; it knows nothing of calendars, people or the database.

pub mod engine;
