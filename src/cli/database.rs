//! `migrate`: the database's version. Runs with the rights of the URL itself, not with those of the application.

use clap::Subcommand;
use migration::{MigrationStatus, Migrator, MigratorTrait as _};

use super::Outcome;
use crate::config::Config;
use crate::platform::db::{lock_migrations, open_as_owner};

/// Where to go.
#[derive(Subcommand)]
pub(super) enum Direction {
    /// Apply what is missing.
    Up,
    /// Take the newest migrations back, with the data they hold.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List all migrations and whether they are applied.
    Status,
}

pub(super) async fn migrate(config: &Config, direction: Direction) -> Outcome {
    crate::app::prepare_data_dir(config)?;
    let connection = open_as_owner(config.database.url.expose()).await?;
    lock_migrations(&connection).await?;
    let pending = Migrator::get_pending_migrations(&connection).await?.len();
    match direction {
        Direction::Up => {
            Migrator::up(&connection, None).await?;
            println!("{pending} migrations applied; the database is up to date.");
        }
        Direction::Down { steps } => {
            let applied = Migrator::get_applied_migrations(&connection).await?;
            let count = usize::try_from(steps)?;
            // A slip of the finger must not empty the database.
            if count > applied.len() {
                let message = format!(
                    "only {} migrations are applied; nothing was taken back",
                    applied.len()
                );
                return Err(message.into());
            }
            Migrator::down(&connection, Some(steps)).await?;
            for migration in applied.iter().rev().take(count) {
                println!("taken back {}", migration.name());
            }
            println!("{steps} migrations taken back.");
        }
        Direction::Status => {
            for migration in Migrator::get_migration_with_status(&connection).await? {
                let state = match migration.status() {
                    MigrationStatus::Applied => "applied",
                    MigrationStatus::Pending => "pending",
                };
                println!("{state:8} {}", migration.name());
            }
        }
    }
    connection.close().await?;
    Ok(())
}
