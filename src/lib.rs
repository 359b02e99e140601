//! Meridian.

pub mod features;
pub mod platform;
