//! The resolver behind the guarded client: what it hands out is what gets connected to, so checking here pins the address.
//!
//! Promises: a name with even one address that is not public resolves to an error, never to the other addresses (a mixed
//! answer is what a rebinding attack looks like). Knows nothing of the allow-list: listed hosts go through another client.

use std::fmt;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard;

/// Resolves through the system and refuses names that lead inside.
pub(super) struct PublicOnly;

/// The name leads to an address that is not public. Found again in the source chain of the client's error.
#[derive(Debug)]
pub(super) struct BlockedName;

/// The system could not resolve the name.
#[derive(Debug)]
pub(super) struct UnknownName;

impl fmt::Display for BlockedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name resolves to an address that is not public")
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name does not resolve")
    }
}

impl std::error::Error for BlockedName {}
impl std::error::Error for UnknownName {}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(|_| UnknownName)?
                .collect();
            if found.is_empty() {
                return Err(UnknownName.into());
            }
            if found.iter().any(|address| !guard::is_public(address.ip())) {
                return Err(BlockedName.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The system's resolver without the check, for hosts the operator listed.
pub(super) struct Listed;

impl Resolve for Listed {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(|_| UnknownName)?
                .collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
