//! What is written, before it is put into words.

use serde::{Deserialize, Serialize};

/// A letter to one person. Stored sealed, so kinds and fields may only be added.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// The link that signs in.
    SignIn {
        /// Where it leads.
        link: String,
        /// How long it works.
        minutes: i64,
    },
    /// The link that proves an address.
    VerifyEmail {
        /// Where it leads.
        link: String,
    },
    /// An invitation to a workspace.
    Invitation {
        /// Where it leads.
        link: String,
        /// Name of the workspace.
        workspace: String,
        /// Name of whoever invites.
        inviter: Option<String>,
        /// How long it works.
        days: i64,
    },
}

/// A letter ready to travel: nobody reads it in the ledger of jobs.
#[derive(Clone, Debug)]
pub struct Sealed(pub(super) String);
