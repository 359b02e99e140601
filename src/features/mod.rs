//! WHAT Meridian does: one room per concept. Inside, `model` has the words, `rules` the pure decisions, `read` the questions and `write`
//! the commands, which alone open write transactions. A room uses only rooms listed before it. No GraphQL, no HTTP.

pub mod changes;

pub mod upkeep;

pub mod letters;

pub mod people;

pub mod notifications;

pub mod workspaces;

pub mod presence;

pub mod accounts;

pub mod calendars;

pub mod audit;

pub mod invitations;

pub mod privacy;

pub mod events;

pub mod feeds;
pub mod language;

pub mod tasks;

pub mod search;

pub mod jobs;

pub mod scheduling;

pub mod focus;

pub mod integrations;

pub mod assistant;

pub mod transfers;
