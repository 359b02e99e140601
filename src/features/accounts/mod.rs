//! Accounts: the identities with which people sign in, and the act of signing in.
//!
//! Invariants: an account is (issuer, subject), for e-mail the address; it belongs to one person; a person keeps at least one. Addresses
//! join an identity to somebody who exists only when both sides have proven them.

mod read;
mod rules;
mod write;

pub use read::{get_many, list};
pub use write::{link, redeem_link, request_link, request_verification, sign_in, unlink, verify_email};
