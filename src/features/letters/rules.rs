//! Putting letters into words, as text and as plain HTML.

use super::model::Letter;

/// A letter in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// The paragraphs of a letter around its link.
struct Draft {
    subject: String,
    before: String,
    /// What the link is called.
    action: &'static str,
    link: String,
    after: String,
}

/// Puts a letter into words.
pub(super) fn write(letter: &Letter) -> Written {
    written(match letter {
        Letter::SignIn { link, minutes } => Draft {
            subject: "Sign in to Meridian".into(),
            before: format!(
                "Open this link within {minutes} minutes, in the browser in which you asked for it:"
            ),
            action: "Sign in",
            link: link.clone(),
            after: "If you did not ask for it, ignore this message. Nobody is signed in without the link."
                .into(),
        },
        Letter::VerifyEmail { link } => Draft {
            subject: "Confirm your e-mail address".into(),
            before: "Open this link within 24 hours to confirm that this address is yours:".into(),
            action: "Confirm this address",
            link: link.clone(),
            after: "If you did not ask for it, ignore this message. The address stays unconfirmed.".into(),
        },
        Letter::Invitation {
            link,
            workspace,
            inviter,
            days,
        } => Draft {
            subject: format!("Invitation to {workspace}"),
            before: match inviter {
                Some(inviter) => format!(
                    "{inviter} invites you to the workspace {workspace}. The invitation is open for {days} days:"
                ),
                None => format!(
                    "You are invited to the workspace {workspace}. The invitation is open for {days} days:"
                ),
            },
            action: "See the invitation",
            link: link.clone(),
            after:
                "If you do not know who invites you, ignore this message. You join nothing without accepting."
                    .into(),
        },
    })
}

fn written(draft: Draft) -> Written {
    let Draft {
        subject,
        before,
        action,
        link,
        after,
    } = draft;
    let text = format!("{before}\n\n{link}\n\n{after}\n");
    let html = format!(
        "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif;line-height:1.5\"><p>{}</p>\
         <p><a href=\"{link}\">{action}</a></p><p style=\"word-break:break-all\">{link}</p><p>{}</p></body></html>",
        escaped(&before),
        escaped(&after),
        link = escaped(&link),
    );
    Written { subject, text, html }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        let letter = Letter::Invitation {
            link: "https://app.example.org/i?a=1&b=2".into(),
            workspace: "<script>".into(),
            inviter: Some("A & B".into()),
            days: 7,
        };
        let written = write(&letter);
        assert!(
            written
                .html
                .contains("A &amp; B invites you to the workspace &lt;script&gt;.")
        );
        assert!(
            written
                .html
                .contains("href=\"https://app.example.org/i?a=1&amp;b=2\"")
        );
        assert!(written.text.contains("https://app.example.org/i?a=1&b=2\n"));
        assert_eq!(written.subject, "Invitation to <script>");
    }
}
