//! Documents that clients name instead of sending them: those that were registered when the server was installed, and those that were
//! sent with their hash before. Promises: bounded memory, and a name only ever stands for one text. Must not know who asks.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::kernel::{Error, ErrorCode, Result};

/// Bytes of documents that are remembered because somebody sent their hash.
const REMEMBERED: u64 = 16 * 1024 * 1024;

/// What a request says about its document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The text.
    pub(super) text: Option<String>,
    /// Its name: the SHA-256 of automatic persisted queries, or the id of a registered document; see [`bare`].
    pub(super) name: Option<String>,
}

/// The known documents.
#[derive(Debug)]
pub struct Documents {
    registered: HashMap<String, Arc<str>>,
    /// Texts of the registered ones, for clients that send them in full.
    texts: HashSet<Arc<str>>,
    only_registered: bool,
    remembered: Cache<String, Arc<str>>,
}

impl Documents {
    /// Reads the registered documents, a JSON object from name to text as GraphQL Code Generator writes it.
    pub fn load(config: &Config) -> Result<Self, String> {
        let registered = match &config.persisted_documents {
            Some(path) => read(path)?,
            None => HashMap::new(),
        };
        let weigh =
            |name: &String, text: &Arc<str>| u32::try_from(name.len() + text.len()).unwrap_or(u32::MAX);
        Ok(Self {
            texts: registered.values().cloned().collect(),
            registered,
            only_registered: config.persisted_only,
            remembered: Cache::builder().max_capacity(REMEMBERED).weigher(weigh).build(),
        })
    }

    /// The text of the document that a request is about.
    pub(super) fn find(&self, wanted: &Wanted) -> Result<Arc<str>> {
        let name = wanted.name.as_deref().map(bare);
        if let Some(text) = name.and_then(|name| self.registered.get(name)) {
            return Ok(text.clone());
        }
        match &wanted.text {
            Some(text) if self.only_registered => self.texts.get(text.as_str()).cloned().ok_or_else(|| {
                let message = "This server only runs documents that were registered with it.";
                Error::coded(ErrorCode::PersistedQueryRequired, message)
            }),
            Some(text) => {
                if name.is_some_and(|name| name != hash(text)) {
                    let message = "`sha256Hash` is not the SHA-256 of `query` in lower-case hex.";
                    return Err(Error::bad_input(message));
                }
                Ok(text.as_str().into())
            }
            None => name.and_then(|name| self.remembered.get(name)).ok_or_else(|| {
                let message = "This document is not known. Send it in full.";
                Error::coded(ErrorCode::PersistedQueryNotFound, message)
            }),
        }
    }

    /// Remembers a document that turned out to be sound under the hash that was sent with it.
    pub(super) fn remember(&self, wanted: &Wanted, text: &Arc<str>) {
        if let Some(name) = &wanted.name
            && wanted.text.is_some()
            && !self.only_registered
        {
            self.remembered.insert(bare(name).to_owned(), text.clone());
        }
    }
}

fn read(path: &Path) -> Result<HashMap<String, Arc<str>>, String> {
    let wrong = |what: String| format!("{}: {what} (MERIDIAN_PERSISTED_DOCUMENTS)", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let expected = "expected a JSON object whose values are GraphQL documents";
    let documents: HashMap<String, String> =
        serde_json::from_str(&text).map_err(|error| wrong(format!("{expected}: {error}")))?;
    Ok(documents
        .into_iter()
        .map(|(name, text)| (bare(&name).to_owned(), text.into()))
        .collect())
}

/// A name without the `sha256:` that document ids have in front and hashes of persisted queries have not.
fn bare(name: &str) -> &str {
    name.strip_prefix("sha256:").unwrap_or(name)
}

fn hash(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
