//! What the house can do, one room per concept.

pub mod integrations;
