//! Signing in with OpenID Connect: the authorization code flow with PKCE, state and nonce.
//!
//! - `provider`: what an issuer says about itself, fetched through the guarded client and kept for a while
//! - `pending`: a sign-in that waits for its browser to come back: one use, bound to that browser
//! - `verify`: from the code to claims that are proven
//!
//! Promises: nothing is believed that is not signed by the issuer for us and for this very sign-in; a provider that is away, slow or
//! hostile costs a bounded time and never leaves a session. Must not know which person somebody becomes.

mod outgoing;
mod pending;
mod provider;
mod verify;

use entity::ids::UserId;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod};
use openidconnect::{
    AuthType, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use url::Url;

use super::secrets::secret;
use crate::config::{Config, Issuer};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use pending::Pending;
pub use pending::is_browser_secret;
pub use provider::Directory;
use provider::Provider;
pub use verify::Verified;

/// The client of one sign-in, as discovery describes it.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What a sign-in is for.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Address to end at; it was checked.
    pub return_to: String,
    /// Person whom the account is linked to; otherwise whoever the account belongs to signs in.
    pub link: Option<UserId>,
}

/// A sign-in that has begun. Like what comes back it has no `Debug`: both hold secrets.
pub struct Begun {
    /// Where the browser goes.
    pub authorize_url: Url,
    /// Value of the cookie that binds the sign-in to this browser.
    pub browser: String,
}

/// What the browser brings back.
#[derive(Clone, Default)]
pub struct Returned {
    /// Names the sign-in.
    pub state: String,
    /// To be exchanged for tokens.
    pub code: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
}

/// A sign-in that has come back.
#[derive(Debug)]
pub struct Ended {
    /// What it was for.
    pub intent: Intent,
    /// Who it is, or why nobody.
    pub who: std::result::Result<Verified, Refusal>,
}

/// Why a sign-in ends without a session. The words are public; causes are in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The person or the provider said no.
    Denied,
    /// The provider did not answer in time, or not at all.
    ProviderAway,
    /// What the provider sent cannot be trusted.
    ProviderInvalid,
    /// The provider does not vouch for an e-mail address.
    EmailNotVerified,
    /// The address belongs to somebody who has not proven it.
    EmailTaken,
    /// The account is linked to somebody else.
    AccountTaken,
    /// Whoever wanted to link an account is not signed in any more.
    SessionChanged,
    /// Nobody here has the account, and newcomers are not taken.
    SignUpClosed,
}

impl Refusal {
    /// The word in the address that the browser is sent to.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Denied => "ACCESS_DENIED",
            Self::ProviderAway => "PROVIDER_UNAVAILABLE",
            Self::ProviderInvalid => "PROVIDER_INVALID",
            Self::EmailNotVerified => "EMAIL_NOT_VERIFIED",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::AccountTaken => "ACCOUNT_TAKEN",
            Self::SessionChanged => "SESSION_CHANGED",
            Self::SignUpClosed => "SIGN_UP_CLOSED",
        }
    }
}

/// Begins a sign-in. `browser` is the cookie of an earlier one that has not ended, so that two tabs do not disturb each other.
pub async fn begin(
    platform: &Platform,
    directory: &Directory,
    issuer: &Issuer,
    browser: Option<String>,
    intent: Intent,
) -> Result<Begun> {
    let provider = directory.provider(platform, issuer).await.map_err(|refusal| {
        let message = format!(
            "{} cannot be reached for signing in. Try again in a moment.",
            issuer.label
        );
        Error::unavailable(message, format!("{refusal:?}"))
    })?;
    let client = client(&platform.config, issuer, &provider)?;
    let pending = Pending::new(&issuer.name, intent)?;
    let state = secret()?;
    let browser = match browser {
        Some(browser) => browser,
        None => secret()?,
    };
    let challenge =
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(pending.verifier.clone()));
    let (state_for_url, nonce) = (state.clone(), pending.nonce.clone());
    let scopes = issuer.scopes.iter().filter(|scope| *scope != "openid");
    let (authorize_url, ..) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state_for_url),
            move || Nonce::new(nonce),
        )
        .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
        .set_pkce_challenge(challenge)
        .url();
    pending.store(platform, &state, &browser).await?;
    Ok(Begun {
        authorize_url,
        browser,
    })
}

/// Ends a sign-in: at most once, and only in the browser that began it. TOKEN_INVALID-like failures are NOT_FOUND.
pub async fn end(
    platform: &Platform,
    directory: &Directory,
    browser: Option<&str>,
    returned: Returned,
) -> Result<Ended> {
    let browser = browser.ok_or_else(Error::not_found)?;
    let pending = Pending::redeem(platform, &returned.state, browser).await?;
    let pending = pending.ok_or_else(Error::not_found)?;
    let who = match platform.config.sign_in.issuer(&pending.provider) {
        Some(issuer) => verify::identity(platform, directory, issuer, &pending, returned).await,
        // The operator has removed it since.
        None => Err(Refusal::ProviderAway),
    };
    if let Err(refusal) = &who {
        tracing::warn!(
            provider = pending.provider,
            refusal = refusal.code(),
            "a sign-in was refused"
        );
    }
    Ok(Ended {
        intent: pending.intent,
        who,
    })
}

/// Where the browser signs out at the provider too, when the provider has such a place.
pub async fn end_session_url(platform: &Platform, directory: &Directory, provider_name: &str) -> Option<Url> {
    let issuer = platform.config.sign_in.issuer(provider_name)?;
    let provider = directory.provider(platform, issuer).await.ok()?;
    let mut url = provider.end_session_endpoint()?.clone();
    url.query_pairs_mut()
        .append_pair("client_id", &issuer.client_id)
        .append_pair(
            "post_logout_redirect_uri",
            platform.config.sign_in.app_url.as_str(),
        );
    Some(url)
}

/// The address that providers send browsers back to.
fn redirect_url(config: &Config) -> Result<RedirectUrl> {
    let url = config.public_url.join("auth/callback").map_err(Error::internal)?;
    Ok(RedirectUrl::from_url(url))
}

fn client(config: &Config, issuer: &Issuer, provider: &Provider) -> Result<Client> {
    let secret = issuer.client_secret.as_ref();
    let client = CoreClient::from_provider_metadata(
        provider.metadata.clone(),
        ClientId::new(issuer.client_id.clone()),
        secret.map(|secret| ClientSecret::new(secret.expose().clone())),
    );
    // Basic authentication is what a provider supports that says nothing.
    let methods = provider.metadata.token_endpoint_auth_methods_supported();
    let by_body = methods.is_some_and(|methods| {
        methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
    });
    let auth = if by_body {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    };
    Ok(client.set_redirect_uri(redirect_url(config)?).set_auth_type(auth))
}
