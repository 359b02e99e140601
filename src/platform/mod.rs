//! Machines: each hides an outside system behind one small type and knows nothing about calendars.

pub mod http;
