//! The `Idempotency-Key` of a request. Who sends a mutation again with the same key and body gets the first answer.

use http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

use crate::access::{self, Caller, Claim};
use crate::kernel::actor::ReplyKey;
use crate::web::Web;
use crate::web::auth;
use crate::web::failure::Failure;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The key of a request. Guests have none, whatever they send.
pub(super) fn key(headers: &HeaderMap, caller: &Caller) -> Result<Option<ReplyKey>, Failure> {
    let Some(value) = auth::only(headers, HEADER)? else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= LONGEST);
    let Some(key) = key else {
        let message = format!("`Idempotency-Key` is 1 to {LONGEST} printable ASCII characters.");
        return Err(Failure::bad_request(message));
    };
    Ok(caller.reply_key(key))
}

/// Claims the key for a body, or finds the answer that was given. What tells the body from others is its hash.
pub(super) async fn claim(web: &Web, key: &ReplyKey, body: &[u8]) -> Result<Claim, Failure> {
    Ok(access::claim(&web.platform, key, Sha256::digest(body).to_vec()).await?)
}

/// Keeps what is answered now; `None` when the operation has broken off.
pub(super) async fn keep(web: &Web, key: &ReplyKey, answer: Option<&[u8]>, failed: bool) {
    let kept = match answer.map(String::from_utf8_lossy) {
        Some(text) => access::keep(&web.platform, key, &text, failed).await,
        None => access::give_back(&web.platform, key).await,
    };
    if let Err(error) = kept {
        tracing::warn!(
            cause = error.cause(),
            "an answer could not be kept for repeated requests"
        );
    }
}
