//! Decisions about workspaces that need no database.

use entity::enums::{WorkspaceRole, WorkspaceType};
use entity::workspace;
use serde_json::{Value, json};

use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode};

/// Longest name of a workspace, in characters.
pub(super) const MAX_NAME: usize = 100;
/// Longest URL name.
const MAX_SLUG: usize = 48;
/// Most workspaces that one person belongs to when they create another.
pub(super) const MAX_WORKSPACES: usize = 100;

/// Checks a URL name: lower-case letters, digits and single hyphens between them.
pub(super) fn check_slug(checks: &mut Checks, path: &str, slug: &str) {
    if slug.len() > MAX_SLUG {
        let message = format!("Use at most {MAX_SLUG} characters.");
        checks.fail(UserErrorCode::TooLong, path, message);
        return;
    }
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let message = "Use lower-case letters and digits, with single hyphens between them.";
    checks.require(slug.split('-').all(word), UserErrorCode::Invalid, path, message);
}

/// A URL name made from a name. Letters outside ASCII are left out; when nothing remains, it is `workspace`.
pub(super) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            'é' | 'è' | 'ê' => slug.push('e'),
            _ if c.is_alphanumeric() => {}
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    // Room for a number behind it.
    slug.truncate(MAX_SLUG - 8);
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        "workspace".into()
    } else {
        slug.to_owned()
    }
}

/// The first of `base`, `base-2`, `base-3` … that is not taken.
pub(super) fn free_slug(base: &str, taken: &[String]) -> String {
    let candidates = std::iter::once(base.to_owned()).chain((2_u32..).map(|n| format!("{base}-{n}")));
    candidates
        .into_iter()
        .find(|slug| !taken.contains(slug))
        .unwrap_or_else(|| base.to_owned())
}

/// Only owners make owners, and only owners change or remove them.
pub fn check_power(acting: WorkspaceRole, from: WorkspaceRole, to: Option<WorkspaceRole>) -> Result<()> {
    let concerns_owner = from == WorkspaceRole::Owner || to == Some(WorkspaceRole::Owner);
    if concerns_owner && acting != WorkspaceRole::Owner {
        return Err(Error::forbidden("Only owners make, change or remove owners."));
    }
    Ok(())
}

/// The refusal to leave a workspace without an owner.
pub(super) fn last_owner() -> Error {
    Error::user(
        UserErrorCode::LastOwner,
        "memberId",
        "The workspace must keep at least one owner. Make somebody else an owner first.",
    )
}

/// The refusal of a URL name that is in use.
pub(super) fn slug_taken() -> Error {
    Error::user(UserErrorCode::Taken, "input.slug", "This URL name is taken.")
}

/// Changed fields for the audit log.
pub(super) fn audit_diff(before: &workspace::Model, after: &workspace::Model) -> Value {
    let mut changes = serde_json::Map::new();
    let mut note = |field: &str, from: &str, to: &str| {
        if from != to {
            changes.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    // The URL name of a personal workspace is made of its person's name.
    let is_personal = after.r#type == WorkspaceType::Personal;
    if !is_personal {
        note("slug", &before.slug, &after.slug);
    }
    note("timeZone", &before.time_zone, &after.time_zone);
    if is_personal && before.slug != after.slug {
        changes.insert("slug".into(), json!({ "changed": true }));
    }
    if before.name != after.name {
        changes.insert("name".into(), json!({ "changed": true }));
    }
    Value::Object(changes)
}

#[cfg(test)]
mod tests;
