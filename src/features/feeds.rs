//! Published feeds: what whoever knows the secret address of a calendar reads.
//!
//! Promises: private events are busy blocks without words; guests, alarms and unknown properties stay inside; a text is written once for
//! each state of the calendar, whatever the number of readers. Must not know HTTP.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use entity::ids::CalendarId;
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use sha2::{Digest as _, Sha256};

use crate::access::Ctx;
use crate::features::events::{Audience, calendar_text};
use crate::features::{calendars, upkeep};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::cache::{Group, Kept};

/// Longest secret that is looked up.
const MAX_SECRET: usize = 100;

/// A feed in its present state.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Name of the state; equal texts have equal ones.
    pub etag: String,
    /// When something changed last, or later.
    pub changed: Instant,
    text: Arc<Packed>,
}

#[derive(Debug)]
struct Packed {
    hash: String,
    gzip: Bytes,
}

impl Feed {
    /// The text, compressed with gzip.
    pub fn gzip(&self) -> Bytes {
        self.text.gzip.clone()
    }

    /// The text.
    pub fn plain(&self) -> Result<Vec<u8>> {
        let mut plain = GzDecoder::new(Vec::new());
        plain.write_all(&self.text.gzip).map_err(Error::internal)?;
        plain.finish().map_err(Error::internal)
    }
}

/// One state of one calendar: the last change of its events and its own version.
struct FeedTexts;

impl Kept for FeedTexts {
    const NAME: &'static str = "feeds";
    type Key = (CalendarId, i64, i32);
    type Value = Arc<Packed>;
    const CAPACITY: u64 = 64;
    const TIME_TO_LIVE: Duration = Duration::from_secs(600);
}

/// The feed with this secret; NOT_FOUND when there is none, or none any more.
pub async fn get(platform: &Platform, secret: &str) -> Result<Feed> {
    if secret.len() > MAX_SECRET {
        return Err(Error::not_found());
    }
    let calendar = calendars::of_feed(platform, secret).await?;
    let calendar = calendar.ok_or_else(Error::not_found)?;
    let ctx = Ctx::system(platform, calendar.workspace_id);
    let last = calendars::last_change(&ctx, calendar.id).await?;
    let (seq, changed) = match last {
        Some((seq, at)) => (seq, at),
        // Nothing changed for as long as the log remembers.
        None => (0, platform.clock.now() - upkeep::KEEP_CHANGES),
    };
    let changed = changed.max(calendar.updated_at);
    let key = (calendar.id, seq, calendar.version);
    let group = Group::Workspace(calendar.workspace_id);
    let load = async {
        let written = calendar_text(&ctx, std::slice::from_ref(&calendar), None, Audience::Anybody).await?;
        let hash = Sha256::digest(written.text.as_bytes());
        let hash = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(written.text.as_bytes()).map_err(Error::internal)?;
        let gzip = gzip.finish().map_err(Error::internal)?.into();
        Ok(Arc::new(Packed { hash, gzip }))
    };
    let text = platform.cache.get::<FeedTexts, _>(key, group, load).await?;
    Ok(Feed {
        etag: format!("W/\"{}\"", text.hash),
        changed,
        text,
    })
}
