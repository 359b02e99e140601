//! Checks of text that people type: lengths, colours, addresses. Each failure is a sentence that names the limit.

use super::error::{UserError, UserErrorCode};

/// Longest title or name, in characters.
pub const MAX_TITLE: usize = 300;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 20_000;

/// Collects every problem of one input, so that a form can show them together.
#[derive(Debug, Default)]
pub struct Checks(Vec<UserError>);

impl Checks {
    /// How many failed so far.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds a problem.
    pub fn fail(&mut self, code: UserErrorCode, path: &str, message: impl Into<String>) {
        self.0.push(UserError::new(code, path, message));
    }

    /// Adds a problem unless `ok`.
    pub fn require(&mut self, ok: bool, code: UserErrorCode, path: &str, message: impl Into<String>) {
        if !ok {
            self.fail(code, path, message);
        }
    }

    /// A text that must be there: trimmed, not empty, without control characters, at most `max` characters.
    pub fn title(&mut self, path: &str, text: &str, max: usize) -> String {
        let text = text.trim();
        if text.is_empty() {
            self.fail(UserErrorCode::Required, path, "This text must not be empty.");
        } else if text.chars().any(char::is_control) {
            self.fail(
                UserErrorCode::Invalid,
                path,
                "This text must not contain line breaks or control characters.",
            );
        }
        self.length(path, text, max);
        text.to_owned()
    }

    /// A longer text: line breaks are welcome, NUL is not.
    pub fn prose(&mut self, path: &str, text: &str, max: usize) -> String {
        let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.chars().any(bad) {
            self.fail(
                UserErrorCode::Invalid,
                path,
                "This text must not contain control characters.",
            );
        }
        self.length(path, text, max);
        text.to_owned()
    }

    fn length(&mut self, path: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            let message = format!("This text has {length} characters; at most {max} are allowed.");
            self.fail(UserErrorCode::TooLong, path, message);
        }
    }

    /// A whole number within limits.
    pub fn range(&mut self, path: &str, value: i32, min: i32, max: i32) {
        if !(min..=max).contains(&value) {
            let message = format!("Use a number between {min} and {max}.");
            self.fail(UserErrorCode::OutOfRange, path, message);
        }
    }

    /// Everything that was wrong, or nothing.
    pub fn finish(self) -> super::Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(super::Error::User(self.0))
        }
    }
}

/// Whether the text is a colour as `#rrggbb`.
pub fn is_hex_color(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// An e-mail address in lower case, or `None` when the text is not one (RFC 5321 mailbox without quoting or comments).
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let domain_ok = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_ok);
    (local_ok && domain_ok).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests;
