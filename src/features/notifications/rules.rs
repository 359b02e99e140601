//! The signed links that end e-mail of one kind, and where notifications are seen. Need no database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::enums::NotificationType;
use entity::ids::UserId;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::features::people;
use crate::kernel::actor::Origin;
use crate::kernel::{Error, Result};
use crate::platform::Platform;

/// Place of a sealed ticket.
const CONTEXT: &[u8] = b"mail/unsubscribe";
/// Longest ticket that is looked at.
const LONGEST: usize = 1_000;

/// What a link stands for. It has no end: a letter may be read years later.
#[derive(Serialize, Deserialize)]
struct Ticket {
    user_id: UserId,
    /// `None` for all kinds that can be stopped.
    kind: Option<NotificationType>,
}

/// The link with which a person ends e-mail of a kind.
pub(super) fn unsubscribe_link(
    platform: &Platform,
    user_id: UserId,
    kind: Option<NotificationType>,
) -> Result<String> {
    let ticket = serde_json::to_vec(&Ticket { user_id, kind }).map_err(Error::internal)?;
    let token = URL_SAFE_NO_PAD.encode(platform.secrets.seal(&ticket, CONTEXT)?);
    let link = platform.config.public_url.join("mail/unsubscribe");
    let mut link = link.map_err(Error::internal)?;
    link.query_pairs_mut().append_pair("token", &token);
    Ok(link.into())
}

/// Ends e-mail as the link with this token says, opened from this origin; whether it is one of ours.
pub async fn unsubscribe(platform: &Platform, token: &str, origin: Origin) -> Result<bool> {
    let Some(ticket) = read(platform, token) else {
        return Ok(false);
    };
    people::stop_mail(platform, ticket.user_id, ticket.kind, origin).await?;
    Ok(true)
}

fn read(platform: &Platform, token: &str) -> Option<Ticket> {
    if token.len() > LONGEST {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain = platform.secrets.open(&sealed, CONTEXT).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// The page of the front end that lists notifications.
pub(super) fn list_link(platform: &Platform) -> String {
    let mut link: Url = platform.config.sign_in.app_url.clone();
    if let Ok(mut path) = link.path_segments_mut() {
        path.pop_if_empty().push("notifications");
    }
    link.into()
}
