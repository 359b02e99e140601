//! `admin` and `keys`: who looks after the installation, and the keys that seal its secrets.

use clap::Subcommand;

use super::Outcome;
use crate::app;
use crate::config::Config;
use crate::features::{calendars, integrations, people};
use crate::kernel::text;
use crate::platform::Platform;
use crate::platform::db::{Scope, sealed_columns};

/// What to do with administrators.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Let a person look after the whole installation.
    Promote {
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Take that away again.
    Demote {
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
    },
}

/// What to do with keys.
#[derive(Subcommand)]
pub(super) enum KeyAction {
    /// Seal everything with the first key of MERIDIAN_SECRET_KEY, so that older ones can be taken out.
    Rotate,
}

pub(super) async fn admin(config: Config, action: Action) -> Outcome {
    let (email, is_admin) = match &action {
        Action::Promote { email } => (email, true),
        Action::Demote { email } => (email, false),
    };
    let address = text::email(email).ok_or_else(|| format!("`{email}` is not an e-mail address"))?;
    let platform = app::open(config).await?;
    let person = people::find_by_email(&platform, &address).await?;
    let person = person.ok_or_else(|| format!("nobody has the address {address}"))?;
    let is_new = people::set_admin(&platform, person.id, is_admin).await?;
    let now = if is_admin {
        "an administrator"
    } else {
        "no administrator"
    };
    let already = if is_new { "is now" } else { "was already" };
    println!("{address} {already} {now} of this installation.");
    app::close(&platform).await;
    Ok(())
}

pub(super) async fn keys(config: Config, KeyAction::Rotate: KeyAction) -> Outcome {
    let platform = app::open(config).await?;
    let rotated = rotate(&platform).await;
    app::close(&platform).await;
    rotated
}

async fn rotate(platform: &Platform) -> Outcome {
    let resealed = integrations::reseal(platform).await?;
    println!("{} credentials sealed with the current key.", resealed.done);
    if resealed.lost > 0 {
        println!(
            "{} credentials cannot be opened with any key; their integrations have to be connected again.",
            resealed.lost
        );
    }
    let feeds = calendars::reseal_feeds(platform).await?;
    println!(
        "{} addresses of published calendars sealed with the current key.",
        feeds.done
    );
    if feeds.lost > 0 {
        println!(
            "{} addresses of published calendars cannot be opened with any key; these calendars have to be published again.",
            feeds.lost
        );
    }
    let read = platform.db.read(Scope::System).await?;
    let left = sealed_columns(&read, |sealed| !platform.secrets.is_current(sealed)).await?;
    if left.is_empty() {
        println!(
            "Letters and sign-ins that are on their way and kept answers need the older key for one more day; then it can go."
        );
        return Ok(());
    }
    Err(format!(
        "another key is still needed for: {}. Write the one that sealed them behind the first one in MERIDIAN_SECRET_KEY, after a comma, and \
         rotate again",
        left.join(", ")
    )
    .into())
}
