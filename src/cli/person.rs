//! `person`: what an operator does for a person who asks: hand out what is known about them, or erase them.

use clap::Subcommand;

use super::Outcome;
use crate::app;
use crate::config::Config;
use crate::features::{people, privacy};
use crate::kernel::text;

/// What to do for a person.
#[derive(Subcommand)]
pub(super) enum Action {
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
    let email = match &action {
        Action::Export { email } => email,
        Action::Delete { email, confirm } if email == confirm => email,
        Action::Delete { .. } => return Err("--confirm is not the same address".into()),
    };
    let address = text::email(email).ok_or_else(|| format!("`{email}` is not an e-mail address"))?;
    let platform = app::open(config).await?;
    let person = people::find_by_email(&platform, &address).await?;
    let person = person.ok_or_else(|| format!("nobody has the address {address}"))?;
    match action {
        Action::Export { .. } => {
            let known = privacy::export(&platform, person.id).await?;
            println!("{}", serde_json::to_string_pretty(&known)?);
        }
        Action::Delete { .. } => {
            privacy::erase(&platform, person.id).await?;
            println!("{} was deleted", person.id);
        }
    }
    app::close(&platform).await;
    Ok(())
}
