//! Putting letters into words, as text and as HTML. The words are templates beside this file, which are part of the program. Pure.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::model::{Item, Letter, Post};
use crate::kernel::{Error, Result};

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 200;

/// A letter in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[
            ("base.html", include_str!("templates/base.html")),
            $(
                (concat!($name, ".txt"), include_str!(concat!("templates/", $name, ".txt"))),
                (concat!($name, ".html"), include_str!(concat!("templates/", $name, ".html"))),
            )+
        ]
    };
}

/// Each letter has two: in the text the first line is the subject.
const TEMPLATES: &[(&str, &str)] = templates!(
    "sign_in",
    "verify_email",
    "invitation",
    "notification",
    "digest",
    "event"
);

static WORDS: LazyLock<std::result::Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut words = Environment::new();
    // A name that a template misses is a mistake, not an empty place in a letter.
    words.set_undefined_behavior(UndefinedBehavior::Strict);
    words.set_trim_blocks(true);
    words.set_lstrip_blocks(true);
    words.set_keep_trailing_newline(true);
    for (name, source) in TEMPLATES {
        words.add_template(name, source)?;
    }
    Ok(words)
});

/// Name of a letter's templates.
pub(super) fn name(letter: &Letter) -> &'static str {
    match letter {
        Letter::SignIn { .. } => "sign_in",
        Letter::VerifyEmail { .. } => "verify_email",
        Letter::Invitation { .. } => "invitation",
        Letter::Notification(_) => "notification",
        Letter::Digest { .. } => "digest",
        Letter::Event { .. } => "event",
    }
}

/// Puts a letter into words.
pub(super) fn write(post: &Post) -> Result<Written> {
    let name = name(&post.letter);
    let text = filled(&format!("{name}.txt"), post)?;
    let (subject, text) = text.split_once('\n').unwrap_or((text.as_str(), ""));
    Ok(Written {
        subject: one_line(subject),
        text: text.trim_start_matches('\n').to_owned(),
        html: filled(&format!("{name}.html"), post)?,
    })
}

fn filled(template: &str, post: &Post) -> Result<String> {
    let words = WORDS
        .as_ref()
        .map_err(|error| Error::internal(error.to_string()))?;
    let is_html = template.ends_with(".html");
    let link = |link: &str| Link::new(link, is_html);
    let item = |item: &Item| {
        let Item {
            title,
            body,
            workspace,
            link: to,
        } = item;
        context! { title, body, workspace, link => link(to) }
    };
    let specific = match &post.letter {
        Letter::SignIn { link: to, minutes } => context! { link => link(to), minutes },
        Letter::VerifyEmail { link: to } => context! { link => link(to) },
        Letter::Invitation {
            link: to,
            workspace,
            inviter,
            days,
        } => context! { link => link(to), workspace, inviter, days },
        Letter::Notification(one) => context! { item => item(one) },
        Letter::Digest { items, link: to } => {
            let items: Vec<Value> = items.iter().map(item).collect();
            context! { items, link => link(to) }
        }
        Letter::Event {
            title,
            news,
            time,
            place,
            calendar,
        } => context! { title, news, time, place, has_file => calendar.is_some() },
    };
    let unsubscribe = post.unsubscribe.as_deref().map(link);
    let values = context! { unsubscribe, ..specific };
    let template = words.get_template(template);
    let written = template.and_then(|template| template.render(values));
    written.map_err(|error| Error::internal(error.to_string()))
}

/// An address. In HTML only what ends an attribute is escaped, so that it stays readable.
#[derive(Serialize)]
#[serde(transparent)]
struct Link(Value);

impl Link {
    fn new(link: &str, is_html: bool) -> Self {
        Self(if is_html {
            Value::from_safe_string(escaped(link))
        } else {
            Value::from(link)
        })
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

/// Titles come from many places; a subject is one line whatever they hold.
fn one_line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_SUBJECT)
        .collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::letters::preview::samples;

    fn post(letter: Letter) -> Post {
        Post {
            to: "ann@example.org".into(),
            name: None,
            letter,
            unsubscribe: None,
        }
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let letter = Letter::Invitation {
            link: "https://app.example.org/i?a=1&b=2".into(),
            workspace: "<script>".into(),
            inviter: Some("A & B".into()),
            days: 7,
        };
        let written = write(&post(letter)).unwrap();
        assert!(
            written
                .html
                .contains("A &amp; B invites you to the workspace &lt;script&gt;."),
            "{}",
            written.html
        );
        assert!(
            written
                .html
                .contains("href=\"https://app.example.org/i?a=1&amp;b=2\"")
        );
        assert!(written.text.contains("https://app.example.org/i?a=1&b=2\n"));
        assert_eq!(written.subject, "Invitation to <script>");
    }

    #[test]
    fn every_letter_has_words_in_both_forms() {
        for (name, post) in samples() {
            let written = write(&post).unwrap_or_else(|error| panic!("{name}: {:?}", error.cause()));
            assert!(
                !written.subject.is_empty() && !written.text.trim().is_empty(),
                "{name}"
            );
            assert!(
                written.html.starts_with("<!doctype html>") && written.html.trim_end().ends_with("</html>"),
                "{name}: {}",
                written.html
            );
            assert_eq!(name, super::name(&post.letter));
            if let Some(unsubscribe) = &post.unsubscribe {
                assert!(written.text.contains(unsubscribe.as_str()), "{name}");
            }
        }
        assert_eq!(
            TEMPLATES.len(),
            1 + 2 * samples().len(),
            "each template has a sample"
        );
    }

    #[test]
    fn a_subject_is_one_line() {
        let item = Item {
            title: "Moved:\r\nBcc: evil@example.org".into(),
            body: None,
            workspace: None,
            link: "https://app.example.org".into(),
        };
        let written = write(&post(Letter::Notification(item))).unwrap();
        assert!(!written.subject.contains(['\r', '\n']), "{:?}", written.subject);
    }
}
