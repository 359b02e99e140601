//! Decisions about invitations that need no database.

use chrono::Duration;

use crate::kernel::text::{self, Checks};
use crate::kernel::{Error, Result, UserErrorCode};

/// How long an invitation is open.
pub(super) const LIFE: Duration = Duration::days(7);
/// Most addresses of one call.
const MAX_EMAILS: usize = 50;
/// Most open invitations of a workspace.
pub(super) const MAX_OPEN: u64 = 500;

/// Checks and cleans the addresses to invite; each once, in their order.
pub(super) fn addresses(emails: &[String]) -> Result<Vec<String>> {
    let mut checks = Checks::default();
    let path = "input.emails";
    checks.require(
        !emails.is_empty(),
        UserErrorCode::Required,
        path,
        "Give at least one address.",
    );
    let message = format!("Give at most {MAX_EMAILS} addresses.");
    checks.require(emails.len() <= MAX_EMAILS, UserErrorCode::TooLong, path, message);
    let mut clean: Vec<String> = Vec::new();
    for (index, email) in emails.iter().take(MAX_EMAILS).enumerate() {
        match text::email(email) {
            Some(email) if !clean.contains(&email) => clean.push(email),
            Some(_) => {}
            None => checks.fail(
                UserErrorCode::Invalid,
                &format!("{path}.{index}"),
                "This is not an e-mail address.",
            ),
        }
    }
    checks.finish().map(|()| clean)
}

/// The answer to a token that is not, or not any more, an invitation.
pub(super) fn invalid() -> Error {
    let message = "This invitation is unknown, was used or withdrawn, or is over.";
    Error::user(UserErrorCode::TokenInvalid, "token", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cleaned_and_counted() {
        let given = ["Ann@Example.org", "bob@example.org", "ann@example.org"].map(String::from);
        assert_eq!(addresses(&given).unwrap(), ["ann@example.org", "bob@example.org"]);
        for bad in [
            vec![],
            vec!["nobody".to_owned()],
            vec!["a@example.org".to_owned(); 51],
        ] {
            assert!(addresses(&bad).is_err(), "{bad:?}");
        }
    }
}
