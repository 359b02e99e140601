//! `token`: API tokens for scripts and first steps, made by whoever runs the server.

use chrono::Duration;
use clap::{Subcommand, ValueEnum};
use entity::enums::ApiTokenScope;

use super::Outcome;
use crate::access::{NewToken, create_token};
use crate::app;
use crate::config::Config;
use crate::features::people;
use crate::kernel::actor::Actor;
use crate::kernel::text;

/// What to do with tokens.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Make a token for a person and print it; it is shown only once.
    Create {
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
        /// Label of the token.
        #[arg(long, default_value = "command line")]
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = Scope::Write)]
        scope: Scope,
        /// Days until it expires.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=365))]
        days: i64,
    },
}

/// Scopes on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Scope {
    /// Read everything its user can read.
    Read,
    /// Change workspace data.
    Write,
    /// Manage members, integrations and tokens.
    Admin,
}

impl From<Scope> for ApiTokenScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(config: Config, action: Action) -> Outcome {
    let Action::Create {
        email,
        name,
        scope,
        days,
    } = action;
    let platform = app::open(config).await?;
    let address = text::email(&email).ok_or_else(|| format!("`{email}` is not an e-mail address"))?;
    let person = people::find_by_email(&platform, &address).await?;
    let person = person.ok_or_else(|| format!("nobody has the address {address}"))?;
    let expires_at = Some(platform.clock.now() + Duration::days(days));
    let new = NewToken {
        name,
        scopes: vec![scope.into()],
        workspace_id: None,
        expires_at,
    };
    let created = create_token(&platform, Actor::system(), person.id, new).await?;
    println!("{}", created.secret);
    app::close(&platform).await;
    Ok(())
}
