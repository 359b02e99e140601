//! The house keeps its shape: every import points down, every package stays in its room, no file grows without end.
//!
//! The sources are read as text, so a forbidden path is found wherever it stands: in a `use`, nested in braces, or inline.

mod lexer;
mod paths;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository::report;
use rules::{House, Violation};

const LONGEST_FILE: usize = 500;
const MEDIAN_LINES: usize = 120;
const NINETIETH_PERCENTILE: usize = 300;

/// One file of the program, with its path from the project's root.
struct Source {
    file: String,
    text: String,
}

impl Source {
    fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the three crates, in the order of their paths.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["src", "entity/src", "migration/src"] {
        collect(&root().join(folder), &mut found);
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root()).unwrap();
            found.push(Source {
                file: file.to_str().unwrap().replace('\\', "/"),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

#[test]
fn imports_point_down_and_packages_stay_in_their_rooms() {
    let sources = sources();
    let features = sources
        .iter()
        .find(|source| source.file == "src/features/mod.rs")
        .unwrap();
    let house = House::new(paths::declared_modules(&features.text));
    let mut used = Vec::new();
    let mut problems = Vec::new();
    for source in &sources {
        for violation in house.check(&source.file, &source.text) {
            match rules::exception(&violation) {
                Some(index) => used.push(index),
                None => problems.push(violation.to_string()),
            }
        }
    }
    for (index, exception) in rules::EXCEPTIONS.iter().enumerate() {
        if !used.contains(&index) {
            problems.push(format!(
                "nobody needs this exception any more: {} in {} ({})",
                exception.package, exception.place, exception.reason
            ));
        }
    }
    report(&problems);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let sources = sources();
    let mut problems = Vec::new();
    for source in &sources {
        if !source.text.starts_with("//! ") {
            problems.push(format!(
                "{} does not begin with `//!`: what lives here, what it promises, what it must not know",
                source.file
            ));
        }
        if source.lines() > LONGEST_FILE && !rules::is_test_file(&source.file) {
            problems.push(format!(
                "{} has {} lines; at most {LONGEST_FILE}",
                source.file,
                source.lines()
            ));
        }
    }
    let mut lines: Vec<usize> = sources.iter().map(Source::lines).collect();
    lines.sort_unstable();
    let (median, ninetieth) = (lines[lines.len() / 2], lines[lines.len() * 9 / 10]);
    if median > MEDIAN_LINES || ninetieth > NINETIETH_PERCENTILE {
        problems.push(format!(
            "{} files: half have more than {median} lines (at most {MEDIAN_LINES}), a tenth more than {ninetieth} (at most {NINETIETH_PERCENTILE})",
            lines.len()
        ));
    }
    report(&problems);
}

/// What the check says about one file in a small house.
fn check(file: &str, text: &str) -> Vec<String> {
    let features = ["tasks", "events"].map(str::to_owned).to_vec();
    let violations: Vec<Violation> = House::new(features).check(file, text);
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn planted_violations_are_found() {
    let planted = [
        (
            "src/kernel/text.rs",
            "use crate::features::tasks;",
            "kernel must not use features",
        ),
        (
            "src/kernel/text.rs",
            "use super::super::web;",
            "kernel must not use web",
        ),
        ("src/kernel/mod.rs", "use super::*;", "does not name a room"),
        (
            "src/platform/db/tx.rs",
            "use crate::{kernel, config, graphql as up};",
            "platform must not use graphql",
        ),
        (
            "src/platform/db/tx.rs",
            "fn a() -> crate::access::Ctx { todo() }",
            "platform must not use access",
        ),
        (
            "src/platform/db/tx.rs",
            "macro_rules! a { () => { $crate::access::b() } }",
            "must not use access",
        ),
        (
            "src/access/ctx.rs",
            "mod inner { use super::super::super::web::x; }",
            "access must not use web",
        ),
        (
            "src/features/tasks/read.rs",
            "use crate::features::events::get;",
            "tasks must not use events",
        ),
        (
            "src/features/tasks/read.rs",
            "use crate::features::{self, tasks};",
            "does not name a room",
        ),
        (
            "src/features/tasks/read.rs",
            "use super::super::events;",
            "tasks must not use events",
        ),
        ("src/features/focus/mod.rs", "//! x", "focus is not listed"),
        ("src/cellar/mod.rs", "//! x", "cellar is not a room"),
        (
            "src/web/health.rs",
            "use migration::Migrator;",
            "web must not use migration",
        ),
        (
            "entity/src/task.rs",
            "use meridian::kernel::Error;",
            "entity must not use meridian",
        ),
        (
            "migration/src/lib.rs",
            "use entity::task;",
            "migration must not use entity",
        ),
        (
            "src/features/tasks/read.rs",
            "use async_graphql::ID;",
            "async_graphql does not belong",
        ),
        (
            "src/web/health.rs",
            "fn a(b: async_graphql::ID) {}",
            "async_graphql does not belong",
        ),
        (
            "src/graphql/tasks.rs",
            "use {std::fmt, sea_orm::{EntityTrait}};",
            "sea_orm does not belong",
        ),
        (
            "src/features/tasks/rules.rs",
            "use sea_orm::Set;",
            "sea_orm does not belong",
        ),
        (
            "src/features/tasks/jobs.rs",
            "use apalis_core::task::Task;",
            "apalis does not belong",
        ),
        (
            "src/features/tasks/jobs.rs",
            "fn a() { ::reqwest::get(1) }",
            "reqwest does not belong",
        ),
    ];
    for (file, text, expected) in planted {
        let found = check(file, text);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{file}: {text}\nexpected {expected}, found {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_passes() {
    let allowed = [
        ("src/main.rs", "use meridian::cli::Cli;"),
        ("src/lib.rs", "pub mod access;"),
        (
            "src/app.rs",
            "use axum::Router; use migration::Migrator; use crate::{web, platform::{Platform, db}};",
        ),
        ("src/web/graphql/socket.rs", "use async_graphql::Response;"),
        ("src/web/graphql_post.rs", "use async_graphql::Response;"),
        (
            "src/features/events/write/series.rs",
            "use sea_orm::Set; use crate::features::tasks; use super::super::rules;",
        ),
        ("src/features/mod.rs", "pub mod tasks; pub use tasks::Task;"),
        (
            "src/graphql/tasks.rs",
            "// use sea_orm::Set;\n/* use crate::web; */ const A: &str = \"use crate::web;\"; fn a<'a>(b: &'a str) -> char { 'x' }",
        ),
        ("src/platform/http/tests.rs", "use axum::Router;"),
        (
            "src/platform/limits.rs",
            "impl A { fn a(&self) -> impl B + use<'_> {} } mod tests { use axum::Router; }",
        ),
        (
            "entity/src/task.rs",
            "use sea_orm::entity::prelude::*; use crate::ids::TaskId;",
        ),
        (
            "migration/src/lib.rs",
            "use sea_orm_migration::prelude::*; use crate::schema;",
        ),
    ];
    for (file, text) in allowed {
        assert_eq!(check(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}
