//! A sign-in between leaving for the provider and coming back. Its secrets are sealed in a one-use row; the row is found only with the
//! state from the address and the cookie of the same browser together.

use chrono::Duration;
use entity::enums::VerificationPurpose;
use serde::{Deserialize, Serialize};

use super::Intent;
use crate::access::one_use::{self, NewOneUse};
use crate::access::secrets::secret;
use crate::kernel::{Error, Result};
use crate::platform::Platform;

/// Time to sign in at the provider.
const LIFE: Duration = Duration::minutes(15);
/// Place of the sealed payload.
const CONTEXT: &[u8] = b"verification_tokens.payload/oidc_login";
/// Characters of a secret as text.
const SECRET_LENGTH: usize = 43;

/// What the second half of a sign-in needs from the first.
pub(super) struct Pending {
    pub(super) provider: String,
    pub(super) nonce: String,
    /// Of PKCE.
    pub(super) verifier: String,
    pub(super) intent: Intent,
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
struct Sealed {
    provider: String,
    nonce: String,
    verifier: String,
    return_to: String,
}

/// Whether a cookie can be the browser's half, so that it may be used again for a second tab.
pub fn is_browser_secret(text: &str) -> bool {
    text.len() == SECRET_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl Pending {
    pub(super) fn new(provider: &str, intent: Intent) -> Result<Self> {
        Ok(Self {
            provider: provider.to_owned(),
            nonce: secret()?,
            verifier: secret()?,
            intent,
        })
    }

    pub(super) async fn store(&self, platform: &Platform, state: &str, browser: &str) -> Result<()> {
        let sealed = Sealed {
            provider: self.provider.clone(),
            nonce: self.nonce.clone(),
            verifier: self.verifier.clone(),
            return_to: self.intent.return_to.clone(),
        };
        let new = NewOneUse {
            purpose: VerificationPurpose::OidcLogin,
            user_id: self.intent.link,
            email: None,
            secret: one_use::bound(state, browser),
            payload: Some(one_use::seal(platform, &sealed, CONTEXT)?),
            life: LIFE,
        };
        one_use::store(platform, new).await
    }

    /// Takes the sign-in, once. `None` when it is unknown, over, used, or another browser's.
    pub(super) async fn redeem(platform: &Platform, state: &str, browser: &str) -> Result<Option<Self>> {
        let secret = one_use::bound(state, browser);
        let Some(row) = one_use::redeem(platform, VerificationPurpose::OidcLogin, &secret).await? else {
            return Ok(None);
        };
        let payload = row
            .payload
            .ok_or_else(|| Error::internal("a sign-in without its secrets"))?;
        let sealed: Sealed = one_use::open(platform, &payload, CONTEXT)?;
        Ok(Some(Self {
            provider: sealed.provider,
            nonce: sealed.nonce,
            verifier: sealed.verifier,
            intent: Intent {
                return_to: sealed.return_to,
                link: row.user_id,
            },
        }))
    }
}
