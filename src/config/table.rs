//! The table of all settings, and what is made from it: `.env.example`, the list of `meridian doctor`, and the nearest known name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::secret::mask_url;
use super::setting::{Fallback, NAME, Reader, Section, Setting};
use super::{keep, limits, llm, mail, network, operation, rates, server, sign_in, storage, watching};

/// Every setting, in the order of `.env.example`.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Server",
        settings: server::SETTINGS,
    },
    Section {
        title: "Storage",
        settings: storage::SETTINGS,
    },
    Section {
        title: "Keys, log and workers",
        settings: operation::SETTINGS,
    },
    Section {
        title: "Watching",
        settings: watching::SETTINGS,
    },
    Section {
        title: "Signing in",
        settings: sign_in::SETTINGS,
    },
    Section {
        title: "E-mail",
        settings: mail::SETTINGS,
    },
    Section {
        title: "Language model",
        settings: llm::SETTINGS,
    },
    Section {
        title: "Network",
        settings: network::SETTINGS,
    },
    Section {
        title: "Retention",
        settings: keep::SETTINGS,
    },
    Section {
        title: "Limits of one request or connection",
        settings: limits::SETTINGS,
    },
    Section {
        title: "Budgets per minute",
        settings: rates::SETTINGS,
    },
];

/// A setting as it is in effect, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Name of the environment variable.
    pub name: String,
    /// Its value with secrets masked, or how the value comes about.
    pub value: String,
    /// Whether it was set.
    pub is_set: bool,
}

pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// Every setting with the name it has under these variables: one that each provider has of its own comes once for each.
pub(super) fn named(values: &BTreeMap<String, String>) -> Vec<(String, &'static Setting)> {
    let providers = sign_in::provider_names(&Reader::new(values));
    let mut all_named = Vec::new();
    for setting in all() {
        if setting.name.contains(NAME) {
            let names = providers
                .iter()
                .map(|name| setting.name.replace(NAME, &name.to_ascii_uppercase()));
            all_named.extend(names.map(|name| (name, setting)));
        } else {
            all_named.push((setting.name.to_owned(), setting));
        }
    }
    all_named
}

/// Every setting as these variables have it, secrets masked.
pub fn effective(values: &BTreeMap<String, String>) -> Vec<Effective> {
    let line = |(name, setting): (String, &'static Setting)| {
        let given = values
            .get(&name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty());
        let value = match (given, setting.fallback) {
            (Some(text), _) if setting.secret && setting.name.ends_with("_URL") => mask_url(text),
            (Some(_), _) if setting.secret => "***".into(),
            (Some(text), _) | (None, Fallback::Text(text)) => text.into(),
            (None, Fallback::Derived(words)) => format!("({words})"),
        };
        Effective {
            name,
            value,
            is_set: given.is_some(),
        }
    };
    named(values).into_iter().map(line).collect()
}

/// The text of `.env.example`.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Every setting of Meridian. All are optional: without any, one process serves 127.0.0.1:8000 from an SQLite file.\n\
         # Copy to `.env` and uncomment what you change; variables of the environment win over the file.\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n# --- {} ---\n", section.title);
        for setting in section.settings {
            text.push('\n');
            wrap(&mut text, setting.help.trim());
            let default = match setting.fallback {
                Fallback::Text(default) => default,
                Fallback::Derived(words) => {
                    wrap(&mut text, &format!("Default: {words}."));
                    ""
                }
            };
            let _ = writeln!(text, "#{}={default}", setting.name);
        }
    }
    text
}

fn wrap(text: &mut String, sentence: &str) {
    let mut width = usize::MAX;
    for word in sentence.split_whitespace() {
        if width.saturating_add(word.len()) > 110 {
            if width != usize::MAX {
                text.push('\n');
            }
            text.push('#');
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += word.len() + 1;
    }
    text.push('\n');
}

/// The known name that is most like this one, when any is.
pub fn nearest(name: &str) -> Option<&'static str> {
    let distance = |known: &'static str| (edit_distance(name, known), known);
    let (distance, known) = all().map(|setting| distance(setting.name)).min()?;
    (distance <= name.len() / 3).then_some(known)
}

/// Whether a name is a slip of the finger away from a setting that is not set and does not begin like the others, of which there are few
/// because other programs know them too. `DATABASE_URL` written wrong would silently mean an SQLite file.
pub(super) fn is_slip(name: &str, values: &BTreeMap<String, String>) -> bool {
    all()
        .map(|setting| setting.name)
        .filter(|known| !known.starts_with(super::PREFIX))
        .filter(|known| values.get(*known).is_none_or(|value| value.trim().is_empty()))
        .any(|known| (1..=2).contains(&edit_distance(name, known)))
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
