//! What issuers say about themselves: endpoints and keys. Fetched once, refreshed every hour or when a key is missing, and used for a day
//! longer when the issuer is away. Many sign-ins at once wait for one fetch.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Duration;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::Refusal;
use super::outgoing::Outgoing;
use crate::config::{Config, Issuer};
use crate::kernel::time::Instant;
use crate::platform::Platform;

/// After this time an issuer is asked again.
const FRESH: Duration = Duration::hours(1);
/// So long old answers help when the issuer is away.
const USABLE: Duration = Duration::hours(24);
/// After a failure, or for a missing key, an issuer is not asked again sooner.
const PAUSE: Duration = Duration::seconds(10);

/// What the discovery document says beyond the basic ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct More {
    /// RP-initiated logout.
    end_session_endpoint: Option<Url>,
    /// RFC 9207: every answer names its issuer.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// An issuer's own description, keys included.
pub(super) struct Provider {
    pub(super) metadata: Metadata,
    fetched_at: Instant,
}

impl Provider {
    /// Where a browser signs out; only web addresses.
    pub(super) fn end_session_endpoint(&self) -> Option<&Url> {
        let url = self.metadata.additional_metadata().end_session_endpoint.as_ref();
        url.filter(|url| matches!(url.scheme(), "https" | "http"))
    }
}

#[derive(Default)]
struct Known {
    provider: Option<Arc<Provider>>,
    failed_at: Option<Instant>,
}

/// All issuers of the settings, as far as they were asked.
pub struct Directory(HashMap<String, Mutex<Known>>);

impl Directory {
    /// Knows the names; asks nobody yet.
    pub fn new(config: &Config) -> Self {
        let names = config.sign_in.issuers.iter().map(|issuer| issuer.name.clone());
        Self(names.map(|name| (name, Mutex::default())).collect())
    }

    /// The issuer's description, fetched when there is none or it is old.
    pub(super) async fn provider(
        &self,
        platform: &Platform,
        issuer: &Issuer,
    ) -> Result<Arc<Provider>, Refusal> {
        self.at_most(platform, issuer, FRESH).await
    }

    /// The description with keys as new as may be, because one was missing.
    pub(super) async fn newest(
        &self,
        platform: &Platform,
        issuer: &Issuer,
    ) -> Result<Arc<Provider>, Refusal> {
        self.at_most(platform, issuer, PAUSE).await
    }

    async fn at_most(
        &self,
        platform: &Platform,
        issuer: &Issuer,
        age: Duration,
    ) -> Result<Arc<Provider>, Refusal> {
        let known = self.0.get(&issuer.name).ok_or(Refusal::ProviderAway)?;
        // Held while fetching, so that all who come at once wait for one answer.
        let mut known = known.lock().await;
        let now = platform.clock.now();
        if let Some(provider) = known
            .provider
            .as_ref()
            .filter(|known| now - known.fetched_at < age)
        {
            return Ok(provider.clone());
        }
        let usable = known
            .provider
            .clone()
            .filter(|known| now - known.fetched_at < USABLE);
        if known.failed_at.is_some_and(|failed| now - failed < PAUSE) {
            return usable.ok_or(Refusal::ProviderAway);
        }
        match fetch(platform, issuer, now).await {
            Ok(provider) => {
                let provider = Arc::new(provider);
                *known = Known {
                    provider: Some(provider.clone()),
                    failed_at: None,
                };
                Ok(provider)
            }
            Err((refusal, cause)) => {
                tracing::warn!(
                    provider = issuer.name,
                    error = cause,
                    "the issuer could not be asked"
                );
                known.failed_at = Some(now);
                usable.ok_or(refusal)
            }
        }
    }
}

async fn fetch(platform: &Platform, issuer: &Issuer, now: Instant) -> Result<Provider, (Refusal, String)> {
    let invalid = |cause: String| (Refusal::ProviderInvalid, cause);
    let url = IssuerUrl::new(issuer.issuer.clone()).map_err(|error| invalid(error.to_string()))?;
    let http = Outgoing(&platform.http);
    let metadata = Metadata::discover_async(url, &http)
        .await
        .map_err(|error| match error {
            DiscoveryError::Request(error) => (Refusal::ProviderAway, error.to_string()),
            DiscoveryError::Response(status, ..) if status.is_server_error() => {
                (Refusal::ProviderAway, format!("status {status}"))
            }
            DiscoveryError::Response(status, ..) => invalid(format!("status {status}")),
            // The text of other errors may quote the answer, which is the issuer's to write.
            DiscoveryError::Parse(_) => invalid("its document cannot be read".into()),
            DiscoveryError::Validation(_) => invalid("it is another issuer than the settings say".into()),
            _ => invalid("its document cannot be used".into()),
        })?;
    // The browser is sent there: as safe as the issuer itself.
    let authorize = metadata.authorization_endpoint().url();
    if authorize.scheme() != "https" && !issuer.issuer.starts_with("http://") {
        return Err(invalid("its authorization endpoint is not https".into()));
    }
    Ok(Provider {
        metadata,
        fetched_at: now,
    })
}
