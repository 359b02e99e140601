//! The import rule as data: the order of the rooms, where each package belongs, and the exceptions with their reasons.

use std::fmt;

use super::paths::mentions;

/// The rooms from the roof to the ground. Each may use itself and those after it.
const ROOMS: [&str; 11] = [
    "main", "cli", "app", "web", "graphql", "features", "access", "platform", "config", "kernel", "entity",
];

/// Packages that are tied to places. A name stands for its family: `apalis` for `apalis_core` as well. `*` stands for one folder, or for
/// the rest of a file's name; a place covers everything below it.
const PACKAGES: [(&str, &[&str]); 10] = [
    ("async_graphql", &["src/graphql", "src/web/graphql*"]),
    ("axum", &["src/web", "src/app"]),
    ("apalis", &["src/platform/jobs"]),
    ("fred", &["src/platform"]),
    ("lettre", &["src/platform/mail"]),
    ("openidconnect", &["src/access"]),
    (
        "sentry",
        &["src/platform/telemetry", "src/app", "src/main", "src/web"],
    ),
    ("reqwest", &["src/platform/http"]),
    (
        "sea_orm",
        &[
            "entity",
            "migration",
            "src/platform/db",
            "src/access",
            "src/features/*/read",
            "src/features/*/write",
            "src/features/*/jobs",
        ],
    ),
    ("sqlx", &["migration", "src/platform/db"]),
];

/// Who may start migrations.
const MIGRATES: [&str; 2] = ["src/cli", "src/app"];

/// A package in a place where the rule does not have it.
pub struct Exception {
    pub package: &'static str,
    pub place: &'static str,
    /// Why this is better than keeping the rule.
    pub reason: &'static str,
}

/// All exceptions. One that nobody needs any more fails the test.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        package: "sea_orm",
        place: "src/features/changes",
        reason: "a room of one file that only reads",
    },
    Exception {
        package: "sea_orm",
        place: "src/features/upkeep",
        reason: "a room of one file that is one job: deleting rows that are past their time",
    },
    Exception {
        package: "sea_orm",
        place: "src/platform/jobs/ledger",
        reason: "claims and leases are statements on the ledger's own tables, beside any workspace",
    },
];

/// Which exception covers a violation.
pub fn exception(violation: &Violation) -> Option<usize> {
    EXCEPTIONS.iter().position(|exception| {
        violation.package == Some(exception.package) && covers(exception.place, &violation.file)
    })
}

/// Whether this file only has unit tests, which may use stand-ins for what the room must not know.
pub fn is_test_file(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// A path that breaks the rule.
#[derive(Debug)]
pub struct Violation {
    file: String,
    line: usize,
    package: Option<&'static str>,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// The house: its feature rooms in the order of `src/features/mod.rs`.
pub struct House {
    features: Vec<String>,
}

impl House {
    pub fn new(features: Vec<String>) -> Self {
        Self { features }
    }

    /// Everything in one file that breaks the rule.
    pub fn check(&self, file: &str, text: &str) -> Vec<Violation> {
        let module = module_of(file);
        let violation = |line, package, what| Violation {
            file: file.to_owned(),
            line,
            package,
            what,
        };
        let mut found = Vec::new();
        if let Err(what) = self.known_room(file, &module) {
            found.push(violation(1, None, what));
        }
        for mention in mentions(&module, text) {
            if let Err(what) = self.direction(file, &module, &mention.segments) {
                found.push(violation(mention.line, None, what));
            }
            if !mention.in_tests
                && !is_test_file(file)
                && let Err((package, what)) = package(file, &mention.segments)
            {
                found.push(violation(mention.line, Some(package), what));
            }
        }
        // One `use` of several names is one violation.
        found.dedup_by(|a, b| (a.line, &a.what) == (b.line, &b.what));
        found
    }

    fn known_room(&self, file: &str, module: &[String]) -> Result<(), String> {
        match module {
            [] => Ok(()),
            _ if !file.starts_with("src/") => Ok(()),
            [room, feature, ..] if room == "features" && !self.features.contains(feature) => {
                Err(format!("the room {feature} is not listed in src/features/mod.rs"))
            }
            [room, ..] if !ROOMS.contains(&room.as_str()) => {
                Err(format!("{room} is not a room of the house"))
            }
            _ => Ok(()),
        }
    }

    fn direction(&self, file: &str, module: &[String], path: &[String]) -> Result<(), String> {
        let (head, rest) = path.split_first().ok_or("an empty path")?;
        let own = room_of(file, module);
        match head.as_str() {
            "migration" if own != "migration" && !MIGRATES.iter().any(|place| covers(place, file)) => {
                return Err(format!("{own} must not use migration"));
            }
            // The binary's own crate is the library for whoever runs it.
            "meridian" if own != "main" => return Err(format!("{own} must not use meridian")),
            "entity" if own == "migration" => return Err("migration must not use entity".into()),
            "crate" | "meridian" if file.starts_with("src/") && file != "src/lib.rs" => {}
            _ => return Ok(()),
        }
        let Some(target) = rest.first() else {
            return Err(format!("`{}` does not name a room", path.join("::")));
        };
        let (Some(from), Some(to)) = (position(own), position(target)) else {
            return Err(format!("`{}` does not name a room", path.join("::")));
        };
        if to < from {
            return Err(format!("{own} must not use {target} (`{}`)", path.join("::")));
        }
        match (module, rest) {
            ([room, from, ..], [_, to @ ..]) if room == "features" && target == "features" => {
                self.feature_direction(from, to.first())
            }
            _ => Ok(()),
        }
    }

    fn feature_direction(&self, from: &str, to: Option<&String>) -> Result<(), String> {
        let place = |room: &str| self.features.iter().position(|feature| feature == room);
        match to.map(|to| (to, place(to))) {
            Some((to, Some(target))) if place(from).is_some_and(|own| target > own) => Err(format!(
                "{from} must not use {to}, which src/features/mod.rs lists after it"
            )),
            Some((_, Some(_))) => Ok(()),
            _ => Err("a path inside features does not name a room".into()),
        }
    }
}

/// The module path of a file: `src/kernel/text.rs` is `["kernel", "text"]`.
fn module_of(file: &str) -> Vec<String> {
    let inside = file.split_once("src/").map_or(file, |(_, inside)| inside);
    let path = inside.strip_suffix(".rs").unwrap_or(inside);
    path.split('/')
        .filter(|part| !matches!(*part, "mod" | "lib" | "main"))
        .map(str::to_owned)
        .collect()
}

fn room_of<'a>(file: &'a str, module: &'a [String]) -> &'a str {
    match file.split('/').next() {
        Some("src") => module.first().map_or("main", String::as_str),
        Some(package) => package,
        None => "main",
    }
}

fn position(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

fn package(file: &str, path: &[String]) -> Result<(), (&'static str, String)> {
    let head = path.first().map_or("", String::as_str);
    for (family, places) in PACKAGES {
        let is_member = head
            .strip_prefix(family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        if is_member && !places.iter().any(|place| covers(place, file)) {
            let what = format!("{family} does not belong here, only in {}", places.join(", "));
            return Err((family, what));
        }
    }
    Ok(())
}

/// Whether a file is the place or lies below it.
fn covers(place: &str, file: &str) -> bool {
    let parts: Vec<&str> = file.strip_suffix(".rs").unwrap_or(file).split('/').collect();
    let wanted: Vec<&str> = place.split('/').collect();
    wanted.len() <= parts.len()
        && wanted
            .iter()
            .zip(parts)
            .all(|(wanted, part)| match wanted.strip_suffix('*') {
                Some(beginning) => part.starts_with(beginning),
                None => *wanted == part,
            })
}
