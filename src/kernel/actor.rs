//! Who acts, as the audit log records it: opaque ids and where the request came from. No names, no addresses of people.

use entity::enums::ActorKind;
use entity::ids::{ApiTokenId, UserId};

/// The acting party of a transaction.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Person, token or the system.
    pub kind: ActorKind,
    /// The person; also set for their tokens.
    pub user_id: Option<UserId>,
    /// The API token that was used.
    pub api_token_id: Option<ApiTokenId>,
    /// Where the request came from.
    pub origin: Origin,
}

/// Where a request came from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Id that the answer and every log line carry.
    pub request_id: Option<String>,
    /// Address of the client.
    pub ip_address: Option<String>,
    /// User agent, cut to 200 characters.
    pub user_agent: Option<String>,
    /// Where the answer is kept, when the request must not be carried out twice.
    pub reply: Option<ReplyKey>,
}

/// What a repeated request is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyKey {
    /// Who asks, and with which credential.
    pub caller: String,
    /// The key that they chose.
    pub key: String,
}

impl Actor {
    /// A person who proves who they are by this very request: with a sign-in, or the link of a letter.
    pub fn person(user_id: UserId, origin: Origin) -> Self {
        Self {
            kind: ActorKind::User,
            user_id: Some(user_id),
            api_token_id: None,
            origin,
        }
    }

    /// The server itself: jobs, seeds, migrations.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            user_id: None,
            api_token_id: None,
            origin: Origin::default(),
        }
    }
}
