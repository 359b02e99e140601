//! Runs a provider to the end of its pages and collects what came, as a sync would.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use meridian::features::integrations::providers::{
    ChangeRequest, KnownObjects, ObjectProblem, Provider, ProviderError, SyncCursor,
};
use meridian::platform::http::{HttpClient, OutboundAllow};

/// What one run brought.
#[derive(Debug, Default)]
pub struct Pulled {
    pub texts: BTreeMap<String, String>,
    pub etags: HashMap<String, String>,
    pub removed: Vec<String>,
    pub problems: Vec<ObjectProblem>,
    pub cursor: SyncCursor,
    pub is_full: bool,
    pub pages: usize,
    /// Whether the provider asked for what is stored.
    pub compared: bool,
}

impl Pulled {
    /// The last part of each address, sorted.
    pub fn names(&self) -> Vec<String> {
        self.texts.keys().map(|href| last_part(href)).collect()
    }

    /// The last part of each removed address, sorted.
    pub fn removed_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.removed.iter().map(|href| last_part(href)).collect();
        names.sort();
        names
    }
}

struct Held<'a>(&'a HashMap<String, String>, AtomicU32);

#[async_trait]
impl KnownObjects for Held<'_> {
    async fn etags(&self) -> Result<HashMap<String, String>, Box<dyn std::error::Error + Send + Sync>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(self.0.clone())
    }
}

/// Pulls all pages.
pub async fn pull(
    provider: &impl Provider,
    calendar: &str,
    cursor: &SyncCursor,
    held: &HashMap<String, String>,
) -> Result<Pulled, ProviderError> {
    let known = Held(held, AtomicU32::new(0));
    let mut pulled = Pulled::default();
    let mut reader = provider.changes(ChangeRequest {
        calendar,
        cursor: cursor.clone(),
        known: &known,
    });
    while let Some(page) = reader.next().await? {
        pulled.pages += 1;
        assert!(page.upserts.len() <= 100, "a page is small");
        for object in page.upserts {
            pulled.etags.insert(object.href.clone(), object.etag);
            let before = pulled.texts.insert(object.href, object.text);
            assert_eq!(before, None, "each object comes once");
        }
        pulled.removed.extend(page.removed);
        pulled.problems.extend(page.problems);
        pulled.is_full |= page.is_full;
        if let Some(cursor) = page.cursor {
            pulled.cursor = cursor;
            assert!(
                reader.next().await?.is_none(),
                "the page with the cursor is the last"
            );
        }
    }
    drop(reader);
    pulled.compared = known.1.into_inner() > 0;
    Ok(pulled)
}

/// A client that may reach these addresses.
pub fn client(allowed: &[&str]) -> HttpClient {
    HttpClient::new(OutboundAllow::new(allowed)).expect("the client can be built")
}

fn last_part(href: &str) -> String {
    href.rsplit('/').next().unwrap_or_default().to_owned()
}
