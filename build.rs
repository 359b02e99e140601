//! Tells the program which commit it is built from, so that a log line or a report can be traced to its source. Development builds do not ask:
//! they would be built anew after every commit. Also says how a release is linked.

use std::{path::Path, process::Command};

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
    for flag in flags_of_the_linker() {
        println!("cargo:rustc-link-arg-bins=-Wl,{flag}");
    }
}

/// Makes a release smaller, where the linker is the one that Rust brings along for this platform and nobody asked for another: functions that
/// came out equal are kept once, and where the C library can read it, the list of addresses to put right at the start is packed (a bit each
/// instead of 24 bytes, all of which would be read into memory).
fn flags_of_the_linker() -> Vec<&'static str> {
    let is = |name: &str, value: &str| variable(name).as_deref() == Some(value);
    let native = variable("HOST").is_some_and(|host| is("TARGET", &host));
    // `-Clinker=…`, `-C link-arg=…`; folders in other flags may be called anything.
    let names_linker = |flag: &str| flag.trim_start_matches("-C").trim_start().starts_with("link");
    let chosen = variable("RUSTC_LINKER").is_some()
        || variable("CARGO_ENCODED_RUSTFLAGS").is_some_and(|flags| flags.split('\u{1f}').any(names_linker));
    if !is("PROFILE", "release") || !native || !is("TARGET", "x86_64-unknown-linux-gnu") || chosen {
        return Vec::new();
    }
    let rustc = variable("RUSTC").unwrap_or_else(|| "rustc".into());
    let Some(linkers) = said(&rustc, &["--print", "target-libdir"]) else {
        return Vec::new();
    };
    if !Path::new(&linkers).with_file_name("bin/gcc-ld/ld.lld").exists() {
        return Vec::new();
    }
    let mut flags = vec!["--icf=all", "-O2"];
    let version = said("getconf", &["GNU_LIBC_VERSION"]);
    let minor = version.and_then(|text| text.strip_prefix("glibc 2.")?.parse::<u32>().ok());
    if minor.is_some_and(|minor| minor >= 36) {
        flags.push("-z,pack-relative-relocs");
    }
    flags
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
    said("git", arguments)
}

/// What a program prints, or nothing where it is missing or fails.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn is_short_word(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=40).contains(&text.len()) && text.chars().all(allowed)
}
