//! Decisions about accounts that need no database.

use entity::enums::AuthProvider;
use entity::user;

use crate::access::oidc::{Refusal, Verified};
use crate::features::people::{self, NewPerson};
use crate::kernel::zones;

/// Longest name of a person, in characters.
const MAX_NAME: usize = 100;

/// What becomes of an identity that was never seen.
#[derive(Debug)]
pub(super) enum Newcomer {
    /// It joins somebody who has proven the same address.
    Joins(user::Model),
    /// It becomes a person.
    IsNew(NewPerson),
}

/// Decides what becomes of an identity that was never seen. `namesake` is the person with the same address.
pub(super) fn newcomer(who: &Verified, namesake: Option<user::Model>) -> Result<Newcomer, Refusal> {
    let Some(email) = &who.email else {
        return Err(Refusal::EmailNotVerified);
    };
    match namesake {
        // A link by e-mail is the proof itself.
        Some(user) if user.email_verified_at.is_some() || who.provider == AuthProvider::Email => {
            Ok(Newcomer::Joins(user))
        }
        // Whoever wrote this address down first did not prove it: joining could hand the newcomer to them, or the other way round.
        Some(_) => Err(Refusal::EmailTaken),
        None => Ok(Newcomer::IsNew(NewPerson {
            name: name(who.name.as_deref(), email),
            email: email.clone(),
            is_email_verified: true,
            is_admin: false,
            time_zone: who
                .time_zone
                .as_deref()
                .and_then(zones::canonical_name)
                .unwrap_or_else(|| "UTC".into()),
            locale: who
                .locale
                .clone()
                .filter(|tag| people::is_language_tag(tag))
                .unwrap_or_else(|| "en".into()),
        })),
    }
}

/// The name that the provider has, made fit, or what stands before the `@`.
fn name(given: Option<&str>, email: &str) -> String {
    let clean = |text: &str| -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        text.trim().to_owned()
    };
    let given = clean(given.unwrap_or_default());
    if given.is_empty() {
        clean(email.split('@').next().unwrap_or(email))
    } else {
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(email: Option<&str>) -> Verified {
        Verified {
            provider: AuthProvider::Oidc,
            provider_name: "acme".into(),
            issuer: Some("https://id.example".into()),
            subject: "1".into(),
            email: email.map(str::to_owned),
            name: None,
            locale: Some("not a tag".into()),
            time_zone: Some("Europe/Berlin".into()),
            scopes: Vec::new(),
        }
    }

    #[test]
    fn a_newcomer_needs_a_proven_address() {
        assert_eq!(
            newcomer(&identity(None), None).unwrap_err(),
            Refusal::EmailNotVerified
        );
        let Ok(Newcomer::IsNew(person)) = newcomer(&identity(Some("ann@example.org")), None) else {
            panic!("a person")
        };
        assert_eq!((person.name.as_str(), person.locale.as_str()), ("ann", "en"));
        assert_eq!(person.time_zone, "Europe/Berlin");
    }

    #[test]
    fn names_are_made_fit() {
        assert_eq!(name(Some(" Ann\u{0}\n Lee "), "a@b"), "Ann Lee");
        assert_eq!(name(Some("\u{7}"), "ann@b"), "ann");
        assert_eq!(name(Some(&"x".repeat(500)), "a@b").len(), 100);
    }
}
