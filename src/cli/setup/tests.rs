//! The questions with answers from a list, as a person would give them.

use std::collections::VecDeque;
use std::io;

use super::Values;
use super::ask::{Ask, Defaults};
use super::questions::settings;

/// Answers by a part of the prompt; everything else is left as it is.
struct Scripted {
    answers: VecDeque<(&'static str, &'static str)>,
    complaints: Vec<String>,
    asked: Vec<String>,
}

impl Scripted {
    fn new(answers: &[(&'static str, &'static str)]) -> Self {
        Self {
            answers: answers.iter().copied().collect(),
            complaints: Vec::new(),
            asked: Vec::new(),
        }
    }

    fn next(&mut self, prompt: &str) -> String {
        self.asked.push(prompt.to_owned());
        let is_next = self
            .answers
            .front()
            .is_some_and(|(part, _)| prompt.contains(part));
        let answer = if is_next { self.answers.pop_front() } else { None };
        answer.map_or("", |(_, text)| text).to_owned()
    }
}

impl Ask for Scripted {
    fn text(&mut self, prompt: &str, _: &str) -> io::Result<String> {
        Ok(self.next(prompt))
    }

    fn secret(&mut self, prompt: &str, _: bool) -> io::Result<String> {
        Ok(self.next(prompt))
    }

    fn choose(&mut self, prompt: &str, items: &[&str], default: usize) -> io::Result<usize> {
        let answer = self.next(prompt);
        let chosen = items
            .iter()
            .position(|item| !answer.is_empty() && item.contains(&answer));
        Ok(chosen.unwrap_or(default))
    }

    fn again(&mut self, why: &str) -> bool {
        self.complaints.push(why.to_owned());
        true
    }
}

/// The environment of whoever runs the tests is no part of them.
fn only(values: Values) -> Vec<(String, String)> {
    values
        .into_iter()
        .filter(|(name, _)| !name.starts_with("MERIDIAN_TEST_"))
        .collect()
}

/// A folder where no development machine has left a key.
fn elsewhere(folder: &tempfile::TempDir) -> Values {
    let folder = folder.path().display().to_string();
    [("MERIDIAN_DATA_DIR".to_owned(), folder)].into()
}

#[test]
fn the_defaults_make_a_development_machine_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let given = elsewhere(&folder);
    let written = only(settings(&mut Defaults, None, &given).unwrap());
    let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["MERIDIAN_DATA_DIR", "MERIDIAN_ENV", "MERIDIAN_SECRET_KEY"]
    );
    assert_eq!(written[1].1, "development");
    let again = only(settings(&mut Defaults, None, &given).unwrap());
    assert_ne!(again[2].1, written[2].1, "every installation has its own key");
}

#[test]
fn a_person_is_asked_again_until_the_answer_can_be_used() {
    let mut person = Scripted::new(&[
        ("What is it for", "Production"),
        ("listen", "localhost"),
        ("listen", "0.0.0.0:8000"),
        ("browsers", "https://meridian.example.org"),
        ("PostgreSQL", "mysql://nowhere"),
        ("PostgreSQL", "postgres://me:secret@db.example.org:5432/meridian"),
        ("Redis", "redis://cache.example.org:6379"),
        ("providers", "acme"),
        ("Issuer", "https://id.acme.example"),
        ("Client ID", "meridian"),
        ("Client secret", "hush"),
        ("Mail server", "smtps://me:secret@mail.example.org"),
        ("Sender", "Meridian <meridian@example.org>"),
    ]);
    let written = settings(&mut person, None, &Values::new()).unwrap();
    assert!(person.answers.is_empty(), "{:?}", person.answers);
    assert_eq!(person.complaints.len(), 2, "{:?}", person.complaints);
    assert!(person.complaints[0].starts_with("MERIDIAN_LISTEN:"));
    assert!(person.complaints[1].starts_with("DATABASE_URL:") && !person.complaints[1].contains("mysql://"));
    for (name, value) in [
        ("MERIDIAN_ENV", "production"),
        ("MERIDIAN_LISTEN", "0.0.0.0:8000"),
        ("REDIS_URL", "redis://cache.example.org:6379"),
        ("MERIDIAN_OIDC_ACME_ISSUER", "https://id.acme.example"),
        ("MERIDIAN_OIDC_ACME_CLIENT_SECRET", "hush"),
        ("MERIDIAN_MAIL_FROM", "Meridian <meridian@example.org>"),
    ] {
        assert_eq!(written.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(written.contains_key("MERIDIAN_SECRET_KEY"));
}

#[test]
fn what_was_there_stays_unless_it_is_changed() {
    let old: Values = [
        ("MERIDIAN_ENV", "development"),
        (
            "MERIDIAN_SECRET_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        ("MERIDIAN_LISTEN", "127.0.0.1:9000"),
        ("MERIDIAN_LOG", "debug"),
        ("POSTGRES_PASSWORD", "for compose"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let mut person = Scripted::new(&[("listen", "-")]);
    let written = settings(&mut person, Some(&old), &Values::new()).unwrap();
    let mut expected = old.clone();
    expected.remove("MERIDIAN_LISTEN");
    assert_eq!(only(written), only(expected));
    assert!(
        !person.asked.iter().any(|prompt| prompt.contains("Sentry")),
        "{:?}",
        person.asked
    );
}

#[test]
fn a_misspelt_setting_is_refused_with_the_nearest_name() {
    let given = |name: &str| [(name.to_owned(), "x".to_owned())].into();
    let refused = |name: &str| {
        settings(&mut Defaults, None, &given(name))
            .unwrap_err()
            .to_string()
    };
    assert!(refused("DATABSE_URL").contains("Did you mean DATABASE_URL?"));
    assert!(refused("MERIDIAN_LISTN").contains("Did you mean MERIDIAN_LISTEN?"));
    assert!(refused("MERIDIAN_LISTEN").contains("127.0.0.1:8000"));
}
