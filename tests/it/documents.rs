//! The guides tell the truth: every command, setting, file and query in README.md and SETUP.md exists, and the lists of codes are the
//! program's own. `UPDATE=1 cargo nextest run --workspace documents` writes the lists again.

mod codes;
mod markdown;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use futures_util::StreamExt as _;
use meridian::config::Config;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::repository::{report, root};
use markdown::{code_blocks, code_texts, links};

const GUIDES: [&str; 2] = ["README.md", "SETUP.md"];

/// What is copied to run the program elsewhere.
const SHIPPED: [&str; 8] = [
    "Dockerfile",
    "compose.yml",
    "operations/prometheus.yml",
    "operations/proxy/Caddyfile",
    "operations/proxy/nginx.conf",
    "operations/systemd/meridian-api@.service",
    "operations/systemd/meridian-backup.service",
    "operations/systemd/meridian-worker.service",
];
/// Tells the build which commit it is of; no setting of the program.
const BUILT_FROM: &str = "MERIDIAN_COMMIT";

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_lists_of_codes_are_current() {
    let stored = read("SETUP.md");
    let current = codes::refreshed(&stored);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join("SETUP.md"), &current).unwrap();
        return;
    }
    assert!(
        stored == current,
        "the lists of codes in SETUP.md are stale; write them with `UPDATE=1 cargo nextest run --workspace documents`"
    );
}

#[test]
fn every_setting_that_is_mentioned_exists() {
    let example = read(".env.example");
    let known: BTreeSet<&str> = markdown::settings(&example).collect();
    let mut problems = Vec::new();
    for guide in GUIDES.into_iter().chain(SHIPPED) {
        let text = read(guide);
        for name in markdown::settings(&text) {
            if !known.contains(name)
                && name != BUILT_FROM
                && !name.starts_with("MERIDIAN_TEST_")
                && !is_of_a_provider(name, &example)
            {
                problems.push(format!("{guide}: there is no setting {name}"));
            }
        }
    }
    report(&problems);
}

/// Whether this is a setting that each sign-in provider has under its own name.
fn is_of_a_provider(name: &str, example: &str) -> bool {
    let rest = name
        .strip_prefix("MERIDIAN_OIDC_")
        .and_then(|rest| rest.split_once('_'));
    rest.is_some_and(|(_, part)| example.contains(&format!("#MERIDIAN_OIDC_<NAME>_{part}=")))
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    let mut problems = Vec::new();
    for guide in ["README.md", "SETUP.md", "CHANGELOG.md"] {
        let text = read(guide);
        for target in links(&text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            if file.contains("://") {
                continue;
            }
            let linked = if file.is_empty() { guide } else { file };
            if !root().join(linked).exists() {
                problems.push(format!("{guide}: there is no file {linked}"));
            } else if !heading.is_empty() && !markdown::anchors(&read(linked)).any(|anchor| anchor == heading)
            {
                problems.push(format!("{guide}: {linked} has no heading #{heading}"));
            }
        }
    }
    report(&problems);
}

/// The help of a command, or nothing when there is no such command.
fn help(command: &[&str]) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(command)
        .arg("--help")
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_command_that_is_mentioned_exists() {
    let mut problems = Vec::new();
    for guide in GUIDES {
        let text = read(guide);
        for command in code_texts(&text).flat_map(markdown::commands) {
            let words: Vec<&str> = command
                .iter()
                .copied()
                .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()))
                .collect();
            let shown = format!("meridian {}", command.join(" "));
            let Some(help) = help(&words) else {
                problems.push(format!("{guide}: `{shown}` is no command"));
                continue;
            };
            for option in command.iter().filter(|word| word.starts_with("--")) {
                if !help.contains(option.split('=').next().unwrap_or_default()) {
                    problems.push(format!("{guide}: `{shown}` has no option {option}"));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn every_command_that_is_shipped_exists() {
    for file in SHIPPED
        .into_iter()
        .filter(|file| file.starts_with("operations/systemd/"))
    {
        let text = read(file);
        let command = text
            .split_once("/usr/local/bin/meridian ")
            .and_then(|(_, rest)| rest.split_whitespace().next());
        let command = command.unwrap_or_else(|| panic!("{file} starts nothing"));
        assert!(help(&[command]).is_some(), "{file}: {command}");
    }
    // As lists: `CMD ["serve"]`, `command: [api]`.
    let (image, compose) = (read("Dockerfile"), read("compose.yml"));
    let lists = image.lines().filter_map(|line| line.strip_prefix("CMD [\""));
    let lists = lists.chain(
        compose
            .lines()
            .filter_map(|line| line.strip_prefix("    command: [")),
    );
    let commands: Vec<&str> = lists
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next())
        .filter(|command| *command != "redis")
        .collect();
    assert_eq!(commands, ["serve", "api", "worker"]);
    for command in commands {
        assert!(help(&[command]).is_some(), "{command}");
    }
}

/// A process that does not find its services ends. Whoever supervises it must not lose patience while they are away.
#[test]
fn the_units_never_give_up() {
    for name in ["meridian-api@", "meridian-worker"] {
        let text = read(&format!("operations/systemd/{name}.service"));
        let (head, service) = text.split_once("[Service]").unwrap();
        assert!(head.contains("\nStartLimitIntervalSec=0\n"), "{name}");
        assert!(service.contains("\nRestart=always\n"), "{name}");
    }
    let compose = read("compose.yml");
    assert_eq!(compose.matches("restart: unless-stopped").count(), 4);
}

/// What cargo needs goes into the image, the flags for SQLite among it; secrets and what people keep stay out, and out of the repository too.
#[test]
fn the_image_is_built_from_everything_but_secrets() {
    assert!(read("Dockerfile").contains("\nCOPY . .\n"));
    let (image, repository) = (read(".dockerignore"), read(".gitignore"));
    for needed in [".cargo", "Cargo.lock", "build.rs", "entity", "migration", "src"] {
        let is_left_out = |line: &str| line.trim_matches('/') == needed;
        assert!(!image.lines().any(is_left_out), "{needed}");
    }
    for kept in [".env", ".env.[0-9]*", "*.gz", "data", "target"] {
        for file in [&image, &repository] {
            assert!(
                file.lines().any(|line| line.trim_start_matches('/') == kept),
                "{kept}"
            );
        }
    }
}

/// A value of the compose file, with this for secrets that `.env` has.
fn filled(value: &str, secret: &str) -> String {
    let (mut out, mut rest) = (String::new(), value.trim_matches('"'));
    while let Some((before, after)) = rest.split_once("${") {
        let (variable, behind) = after.split_once('}').unwrap();
        out += before;
        out += variable.split_once(":-").map_or(secret, |(_, default)| default);
        rest = behind;
    }
    out + rest
}

#[test]
fn the_settings_of_the_containers_can_be_used() {
    let (image, compose) = (read("Dockerfile"), read("compose.yml"));
    let mut settings: BTreeMap<String, String> = image
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .filter(|(name, _)| name.starts_with("MERIDIAN_") && *name != BUILT_FROM)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (_, block) = compose.split_once("    MERIDIAN_ENV: ").unwrap();
    let block = format!("    MERIDIAN_ENV: {block}");
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    settings.extend(
        block
            .lines()
            .map_while(|line| line.strip_prefix("    ")?.split_once(": "))
            .map(|(name, value)| (name.to_owned(), filled(value, secret))),
    );
    for name in [
        "MERIDIAN_LISTEN",
        "DATABASE_URL",
        "REDIS_URL",
        "MERIDIAN_EMAIL_SIGN_IN",
    ] {
        assert!(settings.contains_key(name), "{name}: {settings:?}");
    }
    if let Err(problems) = Config::parse(&settings) {
        panic!("{problems}");
    }
}

#[tokio::test]
async fn every_query_that_is_shown_fits_the_schema() {
    let app = TestApp::start().await;
    let mut problems = Vec::new();
    let mut count = 0;
    for guide in GUIDES {
        let text = read(guide);
        for document in code_blocks(&text, "graphql") {
            count += 1;
            let answer = run(&app, document).await;
            for error in answer["errors"].as_array().into_iter().flatten() {
                // An error with a path came from a resolver: the example's ids are nobody's.
                if error.get("path").is_none() {
                    problems.push(format!("{guide}: {}\n{document}", error["message"]));
                }
            }
        }
    }
    assert!(count > 0, "the guides show no query");
    report(&problems);
}

/// The answer of an operation, or the first of a stream.
async fn run(app: &TestApp, document: &str) -> Value {
    let parsed = parse_query(document).unwrap_or_else(|error| panic!("{error}\n{document}"));
    let is_stream = parsed
        .operations
        .iter()
        .any(|(_, operation)| operation.node.ty == OperationType::Subscription);
    if !is_stream {
        return app.ana().gql(document, json!({})).await.0;
    }
    app.ana()
        .subscribe(document, json!({}))
        .next()
        .await
        .map_or(Value::Null, |answer| answer.0)
}
