//! Tells the program which commit it is built from, so that a log line or a report can be traced to its source. Development builds do not ask:
//! they would be built anew after every commit.

use std::process::Command;

/// Set by those who build without a repository, such as containers. What the program is told has another name: Cargo hands it to programs that
/// it runs, where a name that begins like a setting would be taken for one.
const GIVEN: &str = "MERIDIAN_COMMIT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={GIVEN}");
    let commit = commit();
    let version = env!("CARGO_PKG_VERSION");
    println!("cargo:rustc-env=BUILT_COMMIT={commit}");
    println!("cargo:rustc-env=BUILT_VERSION={version} ({commit})");
}

fn commit() -> String {
    if let Some(given) = variable(GIVEN).filter(|given| is_short_word(given)) {
        return given;
    }
    if variable("PROFILE").as_deref() != Some("release") {
        return "development".into();
    }
    // Every commit and checkout adds to this file.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| is_short_word(commit))
    else {
        return "unknown".into();
    };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit}-changed"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is how Cargo tells a build script what it builds"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What git says, or nothing without git or a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn is_short_word(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=40).contains(&text.len()) && text.chars().all(allowed)
}
