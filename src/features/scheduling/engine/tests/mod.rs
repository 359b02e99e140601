//! Tests of the engine from outside: against the reference plans, for all kinds of problems, with bad data, and for what people expect.

mod bad_data;
mod build;
mod explaining;
mod mending;
mod properties;
mod reference;
mod stories;
