//! The secrets of an integration, sealed. Opened only to talk to the provider; without `Debug`, so that no log line can show them.

use entity::enums::IntegrationProvider;
use entity::ids::{TypedId as _, WorkspaceId};
use entity::integration;
use serde::{Deserialize, Serialize};

use super::model::Service;
use super::providers::{CalDav, Credentials, IcsFeed, Provider, ProviderError};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::secrets::Secrets;

/// What it takes to reach the service.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "service", rename_all = "snake_case")]
pub(super) enum Account {
    Caldav {
        server_url: String,
        username: String,
        password: String,
    },
    IcsFeed {
        url: String,
    },
}

impl Account {
    /// The part of a new service that is needed to reach it.
    pub(super) fn of(service: &Service) -> Self {
        match service {
            Service::Caldav {
                server_url,
                username,
                password,
            } => Self::Caldav {
                server_url: server_url.clone(),
                username: username.clone(),
                password: password.clone(),
            },
            Service::IcsFeed { url, .. } => Self::IcsFeed { url: url.clone() },
        }
    }

    /// Which service this is.
    pub(super) fn provider(&self) -> IntegrationProvider {
        match self {
            Self::Caldav { .. } => IntegrationProvider::Caldav,
            Self::IcsFeed { .. } => IntegrationProvider::IcsFeed,
        }
    }

    /// The way to the service. Sends nothing yet.
    pub(super) fn open(&self, platform: &Platform) -> Result<Box<dyn Provider>, ProviderError> {
        let http = platform.http.clone();
        Ok(match self {
            Self::Caldav {
                server_url,
                username,
                password,
            } => {
                let credentials = Credentials {
                    username: username.clone(),
                    password: password.clone(),
                };
                Box::new(CalDav::new(http, server_url, Some(&credentials))?)
            }
            Self::IcsFeed { url } => Box::new(IcsFeed::new(http, url, None)?),
        })
    }

    /// Tells two connections of the same account or feed apart from others without storing the address readably.
    pub(super) fn fingerprint(&self, secrets: &Secrets) -> Result<String> {
        let account = match self {
            Self::Caldav {
                server_url, username, ..
            } => format!("{server_url}\n{username}"),
            Self::IcsFeed { url } => without_user(url),
        };
        let hash = secrets.keyed_hash("integrations.account", account.as_bytes())?;
        Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The stored form; it opens only in this workspace.
    pub(super) fn seal(&self, secrets: &Secrets, workspace: WorkspaceId) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        secrets.seal(&plain, &place(workspace))
    }

    /// Opens what is stored with an integration.
    pub(super) fn unseal(secrets: &Secrets, row: &integration::Model) -> Result<Self> {
        let sealed = row.sealed_credentials.as_deref();
        let sealed = sealed.ok_or_else(|| Error::internal("an integration without credentials"))?;
        let plain = secrets.open(sealed, &place(row.workspace_id))?;
        serde_json::from_slice(&plain).map_err(|_| Error::internal("sealed credentials cannot be read"))
    }
}

/// A feed is the same with another name and password in its address.
fn without_user(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else {
        return address.to_owned();
    };
    // Both only fail on URLs without a host, which have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn place(workspace: WorkspaceId) -> Vec<u8> {
    format!("{}/integrations.sealed_credentials", workspace.uuid().simple()).into_bytes()
}
