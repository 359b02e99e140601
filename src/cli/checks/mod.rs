//! Checks of an installation: one real try of everything that the settings name. Promises: each ends within seconds, and one that fails says
//! why and what to do about it, without secrets.

mod cures;
mod services;
mod storage;

use dialoguer::console::style;

use crate::config::Config;

use cures::cure;

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It works.
    Fine(String),
    /// It is not set up, and does not have to be.
    Absent(&'static str),
    /// It does not work.
    Failed(String),
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Check {
    /// What.
    pub(super) name: &'static str,
    /// With what result.
    pub(super) found: Found,
}

/// The reason of a failure, in words.
type Tried = Result<String, Box<dyn std::error::Error + Send + Sync>>;

impl Check {
    fn new(name: &'static str, tried: Tried) -> Self {
        let found = match tried {
            Ok(detail) => Found::Fine(detail),
            Err(error) => Found::Failed(error.to_string()),
        };
        Self { name, found }
    }

    fn absent(name: &'static str, why: &'static str) -> Self {
        Self {
            name,
            found: Found::Absent(why),
        }
    }

    /// Whether something has to be done.
    pub(super) fn is_failed(&self) -> bool {
        matches!(self.found, Found::Failed(_))
    }

    /// Prints it, coloured where the terminal likes that.
    pub(super) fn print(&self) {
        let name = self.name;
        match &self.found {
            Found::Fine(detail) => println!("  {name:14} {}    {detail}", style("ok").green()),
            Found::Absent(why) => println!("  {name:14} {}     {why}", style("-").dim()),
            Found::Failed(why) => {
                println!("  {name:14} {}  {why}", style("FAIL").red().bold());
                for line in cure(name, why).lines() {
                    println!("  {:14} {}  {line}", "", style("cure").yellow());
                }
            }
        }
    }
}

/// Whether the keys are those that sealed what is in the database.
pub(super) async fn sealed(config: &Config) -> Check {
    Check::new("sealed values", storage::sealed(config).await)
}

/// Everything, in the order in which one thing needs another.
pub(super) async fn all(config: &Config) -> Vec<Check> {
    let mut checks = vec![
        if config.keeps_files() {
            Check::new("data directory", storage::data_dir(config).await)
        } else {
            Check::absent("data directory", "nothing is kept in files")
        },
        Check::new("secret key", storage::secret_key(config)),
        Check::new("database", storage::database(config).await),
    ];
    // Without a database there is nothing more to say about it.
    if checks
        .iter()
        .all(|check| check.name != "database" || !check.is_failed())
    {
        let migrations = Check::new("migrations", storage::migrations(config).await);
        let is_current = !migrations.is_failed();
        let has_tables = migrations.found == Found::Fine(storage::UP_TO_DATE.into());
        checks.push(migrations);
        if is_current && !config.database.is_sqlite() {
            checks.push(Check::new("roles", storage::roles(config).await));
        }
        if has_tables && !checks.iter().any(Check::is_failed) {
            checks.push(sealed(config).await);
        }
    }
    checks.push(match &config.redis {
        None => Check::absent("redis", "not set: everything runs in this process"),
        Some(settings) => Check::new("redis", services::redis(settings).await),
    });
    checks.push(Check::new("listener", services::listener(config.listen).await));
    if let Some(listen) = config.admin.listen {
        checks.push(Check::new("operators", services::listener(listen).await));
    }
    // TLS ends somewhere else, and whoever ends it is the only client that is seen unless it is named.
    if config.public_url.scheme() == "https" && config.trusted_proxies.is_empty() {
        let why = "MERIDIAN_PUBLIC_URL is https, MERIDIAN_TRUSTED_PROXIES names no proxy: all people share one budget";
        checks.push(Check::absent("proxy", why));
    }
    checks.push(match &config.mail.smtp_url {
        Some(_) => Check::new("mail", services::mail(config).await),
        None if config.mail.enabled => Check::absent("mail", "not set: letters become files in `outbox`"),
        None => Check::absent("mail", "not set: no e-mail is sent"),
    });
    for issuer in &config.sign_in.issuers {
        checks.push(Check::new("sign-in", services::issuer(config, issuer).await));
    }
    checks.push(match &config.reports {
        None => Check::absent("sentry", "not set: nothing is reported"),
        Some(reports) => Check::new("sentry", services::reports(reports).await),
    });
    if config.persisted_documents.is_some() {
        checks.push(Check::new("documents", services::documents(config)));
    }
    checks.push(Check::new("open files", services::open_files()));
    checks
}
