//! WHO. Turns credentials into a [`Caller`] and a caller into a [`Ctx`]: somebody inside one workspace, membership already checked.
//! No feature can be called without a `Ctx`, and there is no other way to get one.

mod caller;
mod credentials;
mod ctx;
mod errands;
pub mod oidc;
pub mod one_use;
mod replies;
mod roles;
mod secrets;
mod sessions;
mod tokens;
mod withdrawals;

pub use caller::{Access, Caller, Identity, Membership, ObjectId};
pub use credentials::{Credentials, authenticate, still_valid};
pub use ctx::Ctx;
pub use errands::errand_of;
pub use replies::{Claim, claim, give_back, keep};
pub use roles::roles;
pub use secrets::{secret, token_hash};
pub use sessions::{
    NewSession, create_session, create_session_from, list_sessions, revoke_other_session,
    revoke_other_sessions, revoke_session, revoke_sessions_from_in, session_provider,
};
pub use tokens::{
    CreatedToken, NewToken, create_own_token, create_token, get_tokens, home, home_in, list_tokens,
    revoke_token, scopes_of,
};
pub use withdrawals::{Withdrawals, look_after_withdrawals};
