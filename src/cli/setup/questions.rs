//! What is asked, and when. Each answer is read by the same code that every start uses, so what is wrong is said at once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ask::Ask;
use super::{Failure, Values};
use crate::config::{self, Config, ConfigError};
use crate::kernel::ids::random_bytes;

const ENV: &str = "MERIDIAN_ENV";
const SECRET_KEY: &str = "MERIDIAN_SECRET_KEY";
const PROVIDERS: &str = "MERIDIAN_OIDC_PROVIDERS";
/// Typed instead of an answer: without one.
const NOTHING: &str = "-";
const KEY_BYTES: usize = 32;

struct Question {
    name: &'static str,
    prompt: &'static str,
    /// What stands for an empty answer when nothing is set yet.
    shown: &'static str,
    is_secret: bool,
    is_asked: fn(&Values) -> bool,
}

const fn question(
    name: &'static str,
    prompt: &'static str,
    shown: &'static str,
    is_asked: fn(&Values) -> bool,
) -> Question {
    Question {
        name,
        prompt,
        shown,
        is_secret: false,
        is_asked,
    }
}

fn always(_: &Values) -> bool {
    true
}

fn is_production(values: &Values) -> bool {
    values.get(ENV).is_some_and(|env| env == "production")
}

fn has_mail(values: &Values) -> bool {
    values.contains_key("MERIDIAN_SMTP_URL")
}

fn has_postgres(values: &Values) -> bool {
    values
        .get("DATABASE_URL")
        .is_some_and(|url| url.starts_with("postgres"))
}

const QUESTIONS: [Question; 9] = [
    question(
        "MERIDIAN_LISTEN",
        "Address and port to listen on",
        "127.0.0.1:8000",
        always,
    ),
    question(
        "MERIDIAN_PUBLIC_URL",
        "URL at which browsers reach it",
        "http:// and the address above",
        is_production,
    ),
    question(
        "DATABASE_URL",
        "PostgreSQL, as postgres://user:password@host:5432/name",
        "none: SQLite in ./data",
        always,
    ),
    question(
        "REDIS_URL",
        "Redis, as redis://host:6379; needed for more than one process",
        "none",
        has_postgres,
    ),
    question(
        "MERIDIAN_TRUSTED_PROXIES",
        "Addresses of your reverse proxies, with commas between them",
        "none",
        is_production,
    ),
    question(
        PROVIDERS,
        "OpenID Connect providers to sign in with, such as google",
        "none: links by e-mail",
        is_production,
    ),
    Question {
        name: "MERIDIAN_SMTP_URL",
        prompt: "Mail server, as smtps://user:password@host:465",
        shown: "none: no e-mail is sent",
        is_secret: true,
        is_asked: is_production,
    },
    question(
        "MERIDIAN_MAIL_FROM",
        "Sender of e-mails, as Meridian <meridian@example.org>",
        "",
        has_mail,
    ),
    Question {
        name: "SENTRY_DSN",
        prompt: "Sentry DSN for reports of errors",
        shown: "none: nothing is sent",
        is_secret: true,
        is_asked: is_production,
    },
];

/// The settings to write: those that were there, those that are given, and the answers.
pub(super) fn settings(ask: &mut dyn Ask, old: Option<&Values>, given: &Values) -> Result<Values, Failure> {
    let environment = config::environment();
    let mut values = old.cloned().unwrap_or_default();
    values.extend(environment.clone());
    values.extend(given.clone());
    known(given)?;
    let ways = ["Development on this machine", "Production, reachable by others"];
    let default = usize::from(is_production(&values));
    let way = ask.choose("What is it for?", &ways, default)?;
    let env = if way == 0 { "development" } else { "production" };
    values.insert(ENV.into(), env.into());
    key(&mut values)?;
    for question in &QUESTIONS {
        if (question.is_asked)(&values) {
            answer(ask, &mut values, question.name, question)?;
        }
        if question.name == PROVIDERS {
            providers(ask, &mut values)?;
        }
    }
    Config::parse(&values)?;
    for (name, value) in &environment {
        if values.get(name) != Some(value) {
            println!("  {name} is also set in your environment, which wins over .env: unset it there.");
        }
    }
    Ok(values)
}

/// Whether these are settings at all; those that begin like ours are told by the reader, with the nearest name.
fn known(given: &Values) -> Result<(), Failure> {
    let all = config::effective(given);
    let unknown = |name: &&String| !name.starts_with("MERIDIAN_") && all.iter().all(|own| own.name != **name);
    match given.keys().find(unknown) {
        None => Ok(()),
        Some(name) => Err(match config::nearest(name) {
            Some(nearest) => format!("there is no setting {name}. Did you mean {nearest}?").into(),
            None => format!("there is no setting {name}. See .env.example for all of them.").into(),
        }),
    }
}

/// A key that has sealed something stays: that of the settings, or that of a development machine's file. Otherwise a new one.
fn key(values: &mut Values) -> Result<(), Failure> {
    if values.get(SECRET_KEY).is_some_and(|key| !key.is_empty()) {
        return Ok(());
    }
    let mut development = values.clone();
    development.insert(ENV.into(), "development".into());
    let file = Config::parse(&development)
        .ok()
        .filter(Config::has_key_file)
        .map(|config| config.secret_keys());
    let bytes: [u8; KEY_BYTES] = match file.transpose()?.as_deref() {
        Some([key, ..]) => *key.expose(),
        _ => random_bytes()?,
    };
    values.insert(SECRET_KEY.into(), STANDARD.encode(bytes));
    Ok(())
}

/// Asks until the answer can be used.
fn answer(ask: &mut dyn Ask, values: &mut Values, name: &str, question: &Question) -> Result<(), Failure> {
    loop {
        let current = values.get(name).cloned();
        let typed = if question.is_secret {
            ask.secret(question.prompt, current.is_some())?
        } else {
            let shown = config::effective(values)
                .into_iter()
                .find(|setting| setting.name == name && setting.is_set);
            let shown = shown.map_or(question.shown.to_owned(), |setting| setting.value);
            ask.text(question.prompt, &shown)?
        };
        match typed.as_str() {
            "" => {}
            NOTHING => {
                values.remove(name);
            }
            text => {
                values.insert(name.to_owned(), text.to_owned());
            }
        }
        let Some(problem) = problem(values, name) else {
            return Ok(());
        };
        if !ask.again(&problem) {
            return Err(problem.into());
        }
        match current {
            Some(current) => values.insert(name.to_owned(), current),
            None => values.remove(name),
        };
    }
}

fn problem(values: &Values, name: &str) -> Option<String> {
    let Err(ConfigError(problems)) = Config::parse(values) else {
        return None;
    };
    let own = problems.into_iter().find(|problem| problem.setting == name);
    own.map(|problem| problem.to_string())
}

/// What each of the providers needs.
fn providers(ask: &mut dyn Ask, values: &mut Values) -> Result<(), Failure> {
    let names = values.get(PROVIDERS).cloned().unwrap_or_default();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let is_google = name == config::GOOGLE;
        println!("  {name}:");
        for (part, prompt, is_secret) in [
            (
                "ISSUER",
                "Issuer, exactly as its discovery document has it",
                false,
            ),
            ("CLIENT_ID", "Client ID", false),
            ("CLIENT_SECRET", "Client secret; empty for a public client", true),
        ] {
            if part == "ISSUER" && is_google {
                continue;
            }
            let setting = format!("MERIDIAN_OIDC_{}_{part}", name.to_ascii_uppercase());
            let question = Question {
                name: PROVIDERS,
                prompt,
                shown: "",
                is_secret,
                is_asked: always,
            };
            answer(ask, values, &setting, &question)?;
        }
    }
    Ok(())
}
