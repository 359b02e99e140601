//! `setup`: from a bare machine to a server that can start: looks at what is there, asks for what is needed, writes `.env`, migrates, tries
//! every service and says what comes next. Promises: nothing that exists is replaced without a yes, a replaced file stays beside the new one,
//! a key that has sealed something is never lost, and what is written only its owner can read.

mod ask;
mod env_file;
mod next;
mod questions;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use dialoguer::console::style;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::database::{self, Direction};
use super::{Outcome, checks};
use crate::config::{self, Config};
use ask::{Ask, Defaults, Terminal};

/// The file that every start reads.
const FILE: &str = ".env";
/// Services that may run on this machine already.
const NEIGHBOURS: [(&str, u16); 2] = [("PostgreSQL", 5432), ("Redis", 6379)];
/// A service on this machine answers at once or not at all.
const NEARBY: Duration = Duration::from_millis(300);

/// Settings by name.
type Values = BTreeMap<String, String>;
/// Why it does not go on.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How to set up.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Ask nothing: take what is given, what the environment says, and defaults.
    #[arg(long)]
    yes: bool,
    /// Write this setting; may be given several times. Secrets are better put into the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Write .env anew although there is one; the old one is kept beside it.
    #[arg(long)]
    replace: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let mut ask: Box<dyn Ask> = if arguments.yes {
        Box::new(Defaults)
    } else {
        let terminal = Terminal::open();
        Box::new(terminal.ok_or("there is no terminal to ask at. Run `meridian setup --yes`, with --set NAME=VALUE for what differs from the defaults")?)
    };
    let file = Path::new(FILE);
    let old = config::env_file(file)?;
    heading("Prerequisites");
    prerequisites(file).await?;

    heading("Settings");
    if old.is_some() && !arguments.replace && is_kept(ask.as_mut())? {
        if !arguments.set.is_empty() {
            return Err(format!("{FILE} exists and is kept. Add --replace to write it anew").into());
        }
        println!("  {FILE} stays as it is.");
    } else {
        let given: Values = arguments.set.into_iter().collect();
        let values = questions::settings(ask.as_mut(), old.as_ref(), &given)?;
        let kept = env_file::write(file, &values, old.is_some())?;
        println!("  {FILE} is written; only you can read it.");
        if let Some(kept) = kept {
            println!("  The old one is {}.", kept.display());
        }
    }
    let config = Config::from_env()?;

    heading("Database");
    let migrated = database::migrate(&config, Direction::Up).await;
    if let Err(error) = &migrated {
        // The checks below say why, and what to do.
        println!("  {error}");
    }
    heading("Services");
    let checks = checks::all(&config).await;
    checks.iter().for_each(checks::Check::print);
    let failures = checks.iter().filter(|check| check.is_failed()).count();
    if failures > 0 {
        return Err(format!(
            "{failures} of the checks failed. Follow the cures, then run `meridian setup` again; {FILE} is kept"
        )
        .into());
    }
    migrated?;
    heading("Next steps");
    next::print(&config);
    Ok(())
}

fn heading(text: &str) {
    println!("\n{}", style(text).bold());
}

/// Whether the file that is there stays.
fn is_kept(ask: &mut dyn Ask) -> std::io::Result<bool> {
    let ways = [
        "Keep it, and go on with migration and checks",
        "Change it; the old one is kept beside it",
    ];
    Ok(ask.choose("There is a .env here", &ways, 0)? == 0)
}

/// What has to be there before anything else, and what is there already.
async fn prerequisites(file: &Path) -> Outcome {
    let folder = std::env::current_dir()?;
    let draft = env_file::draft(file);
    env_file::private(&draft)
        .and_then(|_| std::fs::remove_file(&draft))
        .map_err(|error| {
            format!(
                "{}: {error}. Run `meridian setup` in a folder that you can write, such as /etc/meridian or the checkout",
                folder.display()
            )
        })?;
    println!(
        "  {:14} {}    {} can be written",
        "folder",
        style("ok").green(),
        folder.display()
    );
    for (name, port) in NEIGHBOURS {
        let found = timeout(NEARBY, TcpStream::connect(("127.0.0.1", port))).await;
        match found {
            Ok(Ok(_)) => println!(
                "  {name:14} {}    something answers on 127.0.0.1:{port}",
                style("ok").green()
            ),
            _ => println!(
                "  {name:14} {}     not on this machine; only needed for more than one process",
                style("-").dim()
            ),
        }
    }
    Ok(())
}
