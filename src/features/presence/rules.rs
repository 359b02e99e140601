//! Decisions about presence that need no machine.

use crate::access::{Caller, Identity};
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result};
use crate::platform::presence::Client;

/// Longest text that says where somebody is.
const MAX_LOCATION: usize = 200;

/// The client that a caller is.
pub(super) fn client(caller: &Caller) -> Result<Client> {
    let (user_id, source) = match caller.identity {
        Identity::Guest => return Err(Error::unauthenticated()),
        Identity::Session {
            user_id, session_id, ..
        } => (user_id, session_id.0),
        Identity::Token {
            user_id, token_id, ..
        } => (user_id, token_id.0),
    };
    Ok(Client { user_id, source })
}

/// Checks where somebody says they are.
pub(super) fn location(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let mut checks = Checks::default();
    let text = checks.title("location", text, MAX_LOCATION);
    checks.finish().map(|()| Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_one_short_line() {
        assert_eq!(location(None).unwrap(), None);
        assert_eq!(location(Some("  ")).unwrap(), None);
        assert_eq!(location(Some(" task:1 ")).unwrap().as_deref(), Some("task:1"));
        assert!(location(Some("a\nb")).is_err());
        assert!(location(Some(&"x".repeat(201))).is_err());
    }
}
