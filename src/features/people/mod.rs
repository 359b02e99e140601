//! People: who can sign in, with their personal settings. A person belongs to no workspace; memberships connect the two.
//!
//! Invariants: the e-mail address is lower-case and unique; everyone has one row of preferences, made with them; working hours of a
//! person do not overlap.

mod model;
mod read;
mod rules;
mod write;

pub use model::{Delivery, NewPerson, PreferencesPatch, ProfilePatch, QuietHours, WorkingHours};
pub use read::{
    deliveries, deliveries_in, find, find_by_email, get_many, look_at_preferences, preferences,
    preferences_in, sharing_workspace,
};
pub use rules::{check_hours, clock_time_of, is_language_tag, mail_time, quiet_hours_of, working_hours_of};
pub use write::admin::set_admin;
pub use write::{check, create_in, stop_mail, update_deliveries, update_preferences, update_profile};
