//! People and how they sign in. Nothing here belongs to a workspace.

use crate::schema::table::Kind::{Bytes, Flag, Int, Json, Text, Time};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        users(),
        accounts(),
        sessions(),
        verification_tokens(),
        notification_preferences(),
    ]
}

fn users() -> Table {
    Table::new("users")
        .cols(Text, &["name", "email"])
        .opts(Text, &["avatar_url"])
        .opts(Time, &["email_verified_at"])
        .cols(Flag, &["is_admin"])
        .cols(Int, &["version"])
        .unique(&["email"])
        .check("email", "email = lower(email)")
}

fn accounts() -> Table {
    Table::new("accounts")
        .owner("user_id")
        .word("provider", &["google", "oidc", "email"])
        .cols(Text, &["provider_name", "subject"])
        .opts(Text, &["issuer", "email"])
        .cols(Json, &["scopes"])
        .unique(&["provider_name", "subject"])
        .unique(&["issuer", "subject"])
}

fn sessions() -> Table {
    Table::new("sessions")
        .owner("user_id")
        .cols(Bytes, &["token_hash"])
        .opts(Text, &["user_agent", "ip_address"])
        .cols(Time, &["last_used_at", "expires_at"])
        .opts(Time, &["revoked_at"])
        .unique(&["token_hash"])
        .index(&["user_id", "last_used_at", "id"])
        .index(&["expires_at"])
}

fn verification_tokens() -> Table {
    Table::new("verification_tokens")
        .word("purpose", &["verify_email", "sign_in_link", "oidc_login"])
        // Required for none: a sign-in starts before its user is known. The secret goes with the user it is about.
        .opt_owner("user_id")
        .opts(Text, &["email"])
        .cols(Bytes, &["token_hash"])
        .opts(Json, &["payload"])
        .cols(Time, &["expires_at"])
        .opts(Time, &["used_at"])
        .unique(&["token_hash"])
        .index(&["expires_at"])
}

fn notification_preferences() -> Table {
    Table::bare("notification_preferences")
        .owner("user_id")
        .word("type", NOTIFICATION_TYPES)
        .cols(Json, &["channels"])
        .key(&["user_id", "type"])
}

/// Kinds of notifications, of the preferences and of the notifications themselves.
pub(crate) const NOTIFICATION_TYPES: &[&str] = &[
    "event_reminder",
    "event_changed",
    "task_assigned",
    "task_due",
    "schedule_ready",
    "booking_changed",
    "integration_problem",
    "workspace_invitation",
    "security",
];
