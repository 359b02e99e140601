//! WHO. Turns credentials into a [`Caller`] and a caller into a [`Ctx`]: somebody inside one workspace, membership already checked.
//! No feature can be called without a `Ctx`, and there is no other way to get one.

mod caller;
mod credentials;
mod ctx;
mod tokens;

pub use caller::{Access, Caller, Identity};
pub use credentials::{Credentials, authenticate};
pub use ctx::Ctx;
pub use tokens::{NewSession, create_session, create_token, revoke_session, token_hash};
