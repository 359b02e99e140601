//! Meridian: a self-hosted GraphQL backend for an AI calendar agent.
//!
//! Read the house from the top down; every room may use the rooms below it, never one above (a test reads the `use` lines):
//!
//! - `cli` · `app`: commands, and the place where everything is put together
//! - [`web`]: how HTTP comes in
//! - [`graphql`]: how clients ask
//! - [`features`]: what Meridian does, one room per concept
//! - [`access`]: who is calling, and the door to workspaces
//! - [`platform`]: machines, each with an embedded and a production twin
//! - [`config`] has the settings
//! - [`kernel`] has the words
//! - `entity`: tables (a crate of its own)

#![recursion_limit = "256"]

pub mod access;
pub mod app;
pub mod cli;
pub mod config;
pub mod features;
pub mod graphql;
pub mod kernel;
pub mod platform;
pub mod web;
