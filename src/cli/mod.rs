//! Commands. Each reads the settings, opens what it needs, does one thing and says what came of it. Prints; everybody else logs.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to its terminal"
)]

mod audit;
mod backup;
mod checks;
mod database;
mod doctor;
mod expand;
mod installation;
mod jobs;
mod mail;
mod person;
mod plan;
mod seed;
mod server;
mod setup;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::graphql;

/// A command ends with nothing to say or with the reason why it failed.
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Self-hosted GraphQL backend for an AI calendar agent.
#[derive(Parser)]
#[command(name = "meridian", version = crate::kernel::VERSION, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the API and the workers in one process.
    Serve {
        /// Create two people with full workspaces and print a token for each.
        #[arg(long)]
        demo: bool,
    },
    /// Run the API only.
    Api,
    /// Run background workers only.
    Worker,
    /// Bring the database to the version of this program, back, or say where it stands.
    Migrate {
        #[command(subcommand)]
        direction: database::Direction,
    },
    /// Print the GraphQL schema.
    Schema {
        /// Fail when this file is not the schema instead of printing it.
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
    /// Expand the recurrence rules of a file of test vectors, or the events of a calendar file, one JSON line each.
    Expand {
        /// A JSON list of cases, one case a line, or a calendar (`.ics`).
        file: PathBuf,
        #[command(flatten)]
        window: expand::Window,
        /// What happens to times that a change of clocks leaves out.
        #[arg(long, value_enum, default_value_t = expand::GapPolicy::Shift)]
        gap: expand::GapPolicy,
    },
    /// Look at the letters that people get.
    Mail {
        #[command(subcommand)]
        action: mail::Action,
    },
    /// Create two people with full workspaces, once, and print a fresh token for each.
    Seed {
        /// Print JSON for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Look after API tokens.
    Token {
        #[command(subcommand)]
        action: token::Action,
    },
    /// Look after audit logs.
    Audit {
        #[command(subcommand)]
        action: audit::Action,
    },
    /// Hand out or erase what is known about a person.
    Person {
        #[command(subcommand)]
        action: person::Action,
    },
    /// Write the whole database into a new file, while the server runs.
    Backup {
        /// Where to.
        file: PathBuf,
    },
    /// Put a backup into an empty database of either kind.
    Restore {
        /// What `backup` wrote.
        file: PathBuf,
        /// Only check that the file is whole.
        #[arg(long)]
        check: bool,
    },
    /// Look after background jobs.
    Jobs {
        #[command(subcommand)]
        action: jobs::Action,
    },
    /// Look after the administrators of the installation.
    Admin {
        #[command(subcommand)]
        action: installation::Action,
    },
    /// Look after the keys that seal secrets.
    Keys {
        #[command(subcommand)]
        action: installation::KeyAction,
    },
    /// Plan the tasks of an instance file and print where they go, as JSON.
    Plan(plan::Arguments),
    /// Write a .env, migrate and try every service: from a bare machine to a server that can start.
    Setup(setup::Arguments),
    /// Show the settings in use, try every service, and say what cures each failure.
    Doctor,
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let is_server = matches!(
        arguments.command,
        Command::Serve { .. } | Command::Api | Command::Worker
    );
    if !is_server {
        let_readers_leave();
    }
    if let Command::Schema { check } = &arguments.command {
        return end(schema(check.as_ref()));
    }
    if let Command::Expand { file, gap, window } = &arguments.command {
        return end(expand::run(file, *gap, window));
    }
    if let Command::Plan(arguments) = &arguments.command {
        return end(plan::run(arguments));
    }
    if let Command::Mail { action } = &arguments.command {
        return end(mail::run(action));
    }
    // TLS of every outgoing connection: chosen once, before any of them.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return end(Err("the TLS provider was installed twice".into()));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(error.into())),
    };
    if let Command::Setup(arguments) = arguments.command {
        return end(runtime.block_on(setup::run(arguments)));
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return end(Err(error.into())),
    };
    let outcome = runtime.block_on(execute(arguments.command, config));
    // What does not end when it is asked to is not waited for: it would keep the process alive for as long as it likes.
    runtime.shutdown_background();
    end(outcome)
}

async fn execute(command: Command, config: Config) -> Outcome {
    match command {
        Command::Serve { demo } => server::serve(config, demo).await,
        Command::Api => server::api(config).await,
        Command::Worker => server::worker(config).await,
        Command::Migrate { direction } => database::migrate(&config, direction).await,
        Command::Seed { json } => seed::run(config, json).await,
        Command::Token { action } => token::run(config, action).await,
        Command::Audit { action } => audit::run(config, action).await,
        Command::Person { action } => person::run(config, action).await,
        Command::Backup { file } => backup::backup(&config, &file).await,
        Command::Restore { file, check } => backup::restore(&config, &file, check).await,
        Command::Jobs { action } => jobs::run(config, action).await,
        Command::Admin { action } => installation::admin(config, action).await,
        Command::Keys { action } => installation::keys(config, action).await,
        Command::Doctor => doctor::run(config).await,
        Command::Setup(arguments) => setup::run(arguments).await,
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Mail { action } => mail::run(&action),
        Command::Schema { check } => schema(check.as_ref()),
        Command::Expand { file, gap, window } => expand::run(&file, gap, &window),
    }
}

fn schema(check: Option<&PathBuf>) -> Outcome {
    let sdl = graphql::sdl(&graphql::builder().finish());
    let Some(file) = check else {
        print!("{sdl}");
        return Ok(());
    };
    let stored = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if stored == sdl {
        return Ok(());
    }
    Err(format!(
        "{} is stale. Write it again with `meridian schema > {0}`.",
        file.display()
    )
    .into())
}

/// What shells tell of a program that ended because nobody reads what it prints.
const NO_READER: i32 = 128 + 13;

/// Ends quietly when whoever reads has seen enough, as in `meridian schema | head`; a print that nobody takes is a panic otherwise. It is no
/// success: a command that changes things may have more to do. A server has other work than its reader.
fn let_readers_leave() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>();
        let has_no_reader =
            |said: &String| said.starts_with("failed printing to") && said.contains("Broken pipe");
        if said.is_some_and(has_no_reader) {
            std::process::exit(NO_READER);
        }
        usual(panic);
    }));
}

fn end(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
