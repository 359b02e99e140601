//! What the tests share.

pub mod fake_http;
pub mod pull;
pub mod radicale;
