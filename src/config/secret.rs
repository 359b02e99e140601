//! Values that must never be printed. Promises: no way to show one by accident; reading it is spelled out.

use std::fmt;

/// A value that `Debug` hides. There is deliberately no `Display` and no serialisation.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A URL without its user, password and query, for people.
pub(super) fn mask_url(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return "***".into();
    };
    url.set_query(None);
    // Only fails for URLs that cannot carry a user, which then have none to hide.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(
            mask_url("postgres://me:hunter2@db:5432/x?password=hunter2"),
            "postgres://db:5432/x"
        );
        assert_eq!(mask_url("sqlite://data/meridian.db"), "sqlite://data/meridian.db");
        assert_eq!(mask_url("hunter2"), "***");
    }
}
