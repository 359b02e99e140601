//! `person`: what an operator does for people: let somebody in, hand out what is known about them, or erase them.

use std::error::Error;

use clap::Subcommand;
use entity::ids::UserId;

use super::Outcome;
use crate::app;
use crate::config::Config;
use crate::features::people::{self, NewPerson};
use crate::features::{privacy, workspaces};
use crate::kernel::{text, zones};
use crate::platform::Platform;

/// What to do for a person.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Make a person with a personal workspace, also when nobody may sign up. You vouch that the address is theirs: whoever proves it,
    /// by a link or at a provider, signs in as them.
    Create {
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// Their time zone, such as Europe/Berlin.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
    },
    /// Print everything that is known about a person as JSON.
    Export {
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Delete a person, their personal workspace and their memberships, for good.
    Delete {
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
        /// The same address again, to confirm.
        #[arg(long, value_name = "EMAIL")]
        confirm: String,
    },
}

pub(super) async fn run(config: Config, action: Action) -> Outcome {
    let (Action::Create { email, .. } | Action::Export { email } | Action::Delete { email, .. }) = &action;
    if matches!(&action, Action::Delete { confirm, .. } if confirm != email) {
        return Err("--confirm is not the same address".into());
    }
    let address = text::email(email).ok_or_else(|| format!("`{email}` is not an e-mail address"))?;
    let platform = app::open(config).await?;
    match action {
        Action::Create { name, time_zone, .. } => {
            let known = zones::canonical_name(&time_zone);
            let new = NewPerson {
                name,
                email: address,
                is_email_verified: true,
                is_admin: false,
                time_zone: known.ok_or_else(|| format!("`{time_zone}` is not a time zone"))?,
                locale: "en".into(),
            };
            let (person, _) = workspaces::create_personal(&platform, new).await?;
            println!("{} was made", person.id);
        }
        Action::Export { .. } => {
            let known = privacy::export(&platform, find(&platform, &address).await?).await?;
            println!("{}", serde_json::to_string_pretty(&known)?);
        }
        Action::Delete { .. } => {
            let id = find(&platform, &address).await?;
            privacy::erase(&platform, id).await?;
            println!("{id} was deleted");
        }
    }
    app::close(&platform).await;
    Ok(())
}

async fn find(platform: &Platform, address: &str) -> Result<UserId, Box<dyn Error + Send + Sync>> {
    let person = people::find_by_email(platform, address).await?;
    Ok(person
        .ok_or_else(|| format!("nobody has the address {address}"))?
        .id)
}
