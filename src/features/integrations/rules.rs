//! Decisions about integrations and their syncs that need no database.

use chrono::TimeDelta;
use entity::enums::{IntegrationProvider, IntegrationStatus};
use entity::integration;

use super::model::Service;
use super::providers::ProviderError;
use crate::kernel::text::Checks;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode};

/// Integrations of one workspace.
pub(super) const MAX_INTEGRATIONS: usize = 50;
/// Calendars of one account that are taken over.
pub(super) const MAX_CALENDARS: usize = 200;
/// Longest name of a calendar, in characters.
pub(super) const MAX_NAME: usize = 100;
/// Problems that one run remembers; all are counted.
pub(super) const MAX_PROBLEMS: usize = 100;
/// Runs that an integration shows.
pub(super) const RECENT_RUNS: u64 = 20;
/// Minutes between two syncs of an account.
const ACCOUNT_MINUTES: i32 = 15;
const MIN_REFRESH_MINUTES: i32 = 5;
/// A week.
const MAX_REFRESH_MINUTES: i32 = 10_080;
const MAX_CREDENTIAL: usize = 500;
/// Deletions that a sync may always make.
const FEW: usize = 10;

/// Path of the service in the input of `connectIntegration`.
const CALDAV: &str = "input.service.caldav";
const ICS_FEED: &str = "input.service.icsFeed";

/// Checks what can be checked without asking the service. The name of a feed comes back trimmed.
pub(super) fn check(service: &Service) -> Result<Service> {
    let mut checks = Checks::default();
    let mut service = service.clone();
    match &mut service {
        Service::Caldav {
            username, password, ..
        } => {
            // A password may have spaces at its ends and any letters in it.
            *username = checks.title(&format!("{CALDAV}.username"), username, MAX_CREDENTIAL);
            let path = format!("{CALDAV}.password");
            let message = "Give the password.";
            checks.require(!password.is_empty(), UserErrorCode::Required, &path, message);
            let message = format!("A password has at most {MAX_CREDENTIAL} characters.");
            let fits = password.chars().count() <= MAX_CREDENTIAL;
            checks.require(fits, UserErrorCode::TooLong, &path, message);
        }
        Service::IcsFeed {
            name,
            refresh_minutes,
            ..
        } => {
            *name = checks.title(&format!("{ICS_FEED}.name"), name, MAX_NAME);
            checks.range(
                &format!("{ICS_FEED}.refreshMinutes"),
                *refresh_minutes,
                MIN_REFRESH_MINUTES,
                MAX_REFRESH_MINUTES,
            );
        }
    }
    checks.finish()?;
    Ok(service)
}

/// Minutes between two syncs.
pub(super) fn refresh_minutes(service: &Service) -> i32 {
    match service {
        Service::Caldav { .. } => ACCOUNT_MINUTES,
        Service::IcsFeed { refresh_minutes, .. } => *refresh_minutes,
    }
}

/// What the service refused, blamed on the field that a person can correct.
pub(super) fn refused(provider: IntegrationProvider, error: ProviderError) -> Error {
    let (address, secret) = match provider {
        IntegrationProvider::IcsFeed => (format!("{ICS_FEED}.url"), format!("{ICS_FEED}.url")),
        IntegrationProvider::Caldav | IntegrationProvider::Google => {
            (format!("{CALDAV}.serverUrl"), format!("{CALDAV}.password"))
        }
    };
    match error {
        ProviderError::Local(cause) => Error::internal(cause),
        ProviderError::Unauthorized => Error::user(UserErrorCode::ProviderError, &secret, error.to_string()),
        ProviderError::Blocked(_) => Error::user(UserErrorCode::Invalid, &address, error.to_string()),
        _ => Error::user(UserErrorCode::ProviderError, &address, error.to_string()),
    }
}

/// Whether a sync must not delete this many of a calendar's events without asking: more than ten and more than half. A broken server
/// answers with an empty list.
pub(super) fn is_mass_deletion(doomed: usize, stored: usize) -> bool {
    doomed > FEW && doomed * 2 > stored
}

/// Progress over several calendars, each counting the same. `None` while the size of the current one is unknown.
pub(super) fn percent(done: usize, calendars: usize, processed: u64, total: Option<u64>) -> Option<i32> {
    let total = total?;
    let part = if total == 0 {
        1.0
    } else {
        (processed as f64 / total as f64).min(1.0)
    };
    let whole = (done as f64 + part) / calendars.max(1) as f64;
    Some((whole * 100.0).clamp(0.0, 100.0) as i32)
}

/// When the next automatic sync starts.
pub(super) fn next_sync(row: &integration::Model, now: Instant) -> Instant {
    now + TimeDelta::minutes(i64::from(row.refresh_minutes.max(MIN_REFRESH_MINUTES)))
}

/// Pause after another failure, when there were `before` others in a row: twice as long each time, at most a day.
pub(super) fn pause(row: &integration::Model, before: u64) -> TimeDelta {
    const DAY: i64 = 24 * 60;
    let usual = i64::from(row.refresh_minutes.max(MIN_REFRESH_MINUTES));
    let longer = usual.saturating_mul(1 << before.min(10));
    TimeDelta::minutes(longer.min(DAY.max(usual)))
}

/// The pause as a sentence.
pub(super) fn next_try(pause: TimeDelta) -> String {
    let minutes = pause.num_minutes();
    match minutes % 60 {
        0 if minutes == 60 => "The next automatic try is in 1 hour.".into(),
        0 => format!("The next automatic try is in {} hours.", minutes / 60),
        _ => format!("The next automatic try is in {minutes} minutes."),
    }
}

/// Whether a person may start a sync now.
pub(super) fn check_may_sync(row: &integration::Model) -> Result<()> {
    let message = match row.status {
        IntegrationStatus::Held => {
            "This integration waits for a decision about deletions. Use `confirmSync`."
        }
        IntegrationStatus::Paused => "This integration is paused. Resume it first.",
        IntegrationStatus::Pending => "Access to this service was not granted yet.",
        _ if row.sealed_credentials.is_none() => {
            "Who connected this calendar has left the workspace. Connect it again."
        }
        _ => return Ok(()),
    };
    Err(Error::user(UserErrorCode::InvalidState, "id", message))
}

/// Cuts a text of a provider to what a name may be; control characters become spaces.
pub(super) fn name_of(text: &str, fallback: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_NAME)
        .collect();
    let clean = clean.trim();
    if clean.is_empty() {
        fallback.to_owned()
    } else {
        clean.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_deletions_that_are_most_of_a_calendar_wait() {
        assert!(!is_mass_deletion(10, 10), "ten are few");
        assert!(is_mass_deletion(11, 11));
        assert!(!is_mass_deletion(11, 22), "half is not more than half");
        assert!(is_mass_deletion(11, 21));
        assert!(!is_mass_deletion(400, 1_000));
        assert!(!is_mass_deletion(0, 0));
    }

    #[test]
    fn progress_never_leaves_its_range_and_reaches_the_end() {
        assert_eq!(percent(0, 2, 0, None), None);
        assert_eq!(percent(0, 2, 50, Some(100)), Some(25));
        assert_eq!(percent(1, 2, 100, Some(100)), Some(100));
        assert_eq!(percent(0, 1, 0, Some(0)), Some(100));
        assert_eq!(
            percent(0, 1, 7, Some(3)),
            Some(100),
            "a server may have miscounted"
        );
    }

    #[test]
    fn names_of_providers_are_cleaned() {
        assert_eq!(name_of(" Work\r\nat home ", "x"), "Work  at home");
        assert_eq!(name_of("\u{0}", "Calendar"), "Calendar");
        assert_eq!(name_of(&"ü".repeat(200), "x").chars().count(), MAX_NAME);
    }

    #[test]
    fn a_refusal_names_the_field_that_can_be_corrected() {
        let field = |provider, error| match refused(provider, error) {
            Error::User(errors) => (errors[0].code, errors[0].field.join(".")),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            field(IntegrationProvider::Caldav, ProviderError::Unauthorized),
            (
                UserErrorCode::ProviderError,
                "input.service.caldav.password".into()
            )
        );
        assert_eq!(
            field(IntegrationProvider::Caldav, ProviderError::NotFound),
            (
                UserErrorCode::ProviderError,
                "input.service.caldav.serverUrl".into()
            )
        );
        let blocked = ProviderError::Blocked(crate::platform::http::HttpError::BlockedAddress);
        assert_eq!(
            field(IntegrationProvider::IcsFeed, blocked),
            (UserErrorCode::Invalid, "input.service.icsFeed.url".into())
        );
    }
}
