//! The guides tell the truth: every command, setting, file and query in README.md and SETUP.md exists, and the lists of codes are the
//! program's own. `UPDATE=1 cargo nextest run --workspace documents` writes the lists again.

mod codes;
mod markdown;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::support::TestApp;
use markdown::{code_blocks, code_texts, links};

const GUIDES: [&str; 2] = ["README.md", "SETUP.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn report(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
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
    for guide in GUIDES {
        let text = read(guide);
        for name in markdown::settings(&text) {
            if !known.contains(name)
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
