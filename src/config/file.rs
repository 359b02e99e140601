//! A file of settings as text: what `meridian setup` writes and every start reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::setting::Problem;
use super::table::{SECTIONS, named};

/// The text of a file `.env` with these variables, ours by section and all others at the end. Fails for values that no line can hold.
pub(super) fn text(values: &BTreeMap<String, String>) -> Result<String, Vec<Problem>> {
    let mut text = String::from(
        "# Written by `meridian setup`. Every setting there is stands in .env.example; variables of the environment win over this file.\n",
    );
    let mut problems = Vec::new();
    let mut written = BTreeSet::new();
    let all = named(values);
    let mut line = |text: &mut String, name: &str, value: &str| {
        match quoted(value) {
        Some(value) => {
            let _ = writeln!(text, "{name}={value}");
        }
        None => problems.push(Problem {
            setting: name.to_owned(),
            message: "a line cannot hold this value. Write it without line breaks, and with one kind of quotes at most.".into(),
        }),
    }
    };
    for section in SECTIONS {
        let of_section = |name: &str| {
            all.iter().any(|(known, setting)| {
                known == name && section.settings.iter().any(|own| own.name == setting.name)
            })
        };
        let mine: Vec<_> = values.iter().filter(|(name, _)| of_section(name)).collect();
        if !mine.is_empty() {
            let _ = write!(text, "\n# --- {} ---\n", section.title);
        }
        for (name, value) in mine {
            line(&mut text, name, value);
            written.insert(name.clone());
        }
    }
    let others: Vec<_> = values
        .iter()
        .filter(|(name, _)| !written.contains(*name))
        .collect();
    if !others.is_empty() {
        text.push_str("\n# --- For other programs ---\n");
    }
    for (name, value) in others {
        line(&mut text, name, value);
    }
    if problems.is_empty() {
        Ok(text)
    } else {
        Err(problems)
    }
}

/// A value as shells, systemd, compose and our own reader understand it alike.
fn quoted(value: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if value.chars().any(char::is_control) {
        return None;
    }
    if value.chars().all(plain) {
        return Some(value.to_owned());
    }
    if !value.contains('\'') {
        return Some(format!("'{value}'"));
    }
    let special = |c: char| matches!(c, '"' | '$' | '\\' | '`');
    (!value.chars().any(special)).then(|| format!("\"{value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::parse_env_file;

    #[test]
    fn what_is_written_is_read_again() {
        let values: BTreeMap<String, String> = [
            ("MERIDIAN_MAIL_FROM", "Meridian <meridian@example.org>"),
            ("MERIDIAN_OIDC_PROVIDERS", "acme"),
            ("MERIDIAN_OIDC_ACME_LABEL", "It's Acme"),
            ("DATABASE_URL", "postgres://me:a%40b@db:5432/x?sslmode=require"),
            (
                "MERIDIAN_SECRET_KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ),
            ("POSTGRES_PASSWORD", "$ecret #1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let written = text(&values).unwrap();
        assert_eq!(parse_env_file(&written).unwrap(), values, "{written}");
        let place = |part: &str| written.find(part).unwrap_or_else(|| panic!("{part}\n{written}"));
        assert!(place("# --- Storage ---") < place("DATABASE_URL="));
        assert!(place("# --- For other programs ---") < place("POSTGRES_PASSWORD="));
        let broken = [("MERIDIAN_LISTEN".to_owned(), "a\nb".to_owned())].into();
        assert_eq!(text(&broken).unwrap_err()[0].setting, "MERIDIAN_LISTEN");
    }
}
