//! People: who can sign in, with their personal settings. A person belongs to no workspace; memberships connect the two.

mod read;

pub use read::{find, find_by_email, get_many, preferences, sharing_workspace};
