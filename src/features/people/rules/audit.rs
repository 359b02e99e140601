//! What the audit log says about changes to people and their settings. It outlives neither names nor habits: of what tells something about
//! the person it has only that it changed.

use std::collections::BTreeMap;

use entity::enums::NotificationChannel;
use entity::{user, user_preferences};
use serde_json::{Map, Value, json};

use crate::features::people::model::Delivery;

/// What is different about somebody.
pub fn profile_diff(before: &user::Model, after: &user::Model) -> Value {
    let mut changes = BTreeMap::new();
    let mut touched = |field: &'static str, differs: bool| {
        if differs {
            changes.insert(field, json!({ "changed": true }));
        }
    };
    touched("name", before.name != after.name);
    touched("avatarUrl", before.avatar_url != after.avatar_url);
    json!(changes)
}

/// What is different about somebody's settings.
pub fn preferences_diff(before: &user_preferences::Model, after: &user_preferences::Model) -> Value {
    let mut changes = BTreeMap::new();
    let mut note = |field: &'static str, from: Value, to: Value| {
        if from != to {
            changes.insert(field, json!({ "from": from, "to": to }));
        }
    };
    note(
        "weekStartsOn",
        json!(before.week_starts_on),
        json!(after.week_starts_on),
    );
    note(
        "defaultTaskDurationMinutes",
        json!(before.default_task_duration_minutes),
        json!(after.default_task_duration_minutes),
    );
    note(
        "defaultFocusMinutes",
        json!(before.default_focus_minutes),
        json!(after.default_focus_minutes),
    );
    note(
        "bufferMinutes",
        json!(before.buffer_minutes),
        json!(after.buffer_minutes),
    );
    note(
        "maxDailyTaskMinutes",
        json!(before.max_daily_task_minutes),
        json!(after.max_daily_task_minutes),
    );
    note(
        "replanPolicy",
        json!(before.replan_policy),
        json!(after.replan_policy),
    );
    note(
        "defaultWorkspaceId",
        json!(before.default_workspace_id),
        json!(after.default_workspace_id),
    );
    let mut touched = |field: &'static str, differs: bool| {
        if differs {
            changes.insert(field, json!({ "changed": true }));
        }
    };
    touched("timeZone", before.time_zone != after.time_zone);
    touched("locale", before.locale != after.locale);
    touched("workingHours", before.working_hours != after.working_hours);
    touched("peakEnergy", before.peak_energy != after.peak_energy);
    let quiet = |row: &user_preferences::Model| (row.quiet_from.clone(), row.quiet_until.clone());
    touched("quietHours", quiet(before) != quiet(after));
    touched("digestAt", before.digest_at != after.digest_at);
    json!(changes)
}

/// Which kinds of notifications go elsewhere once these are stored, by kind.
pub fn deliveries_diff(before: &[Delivery], wanted: &[Delivery]) -> Value {
    let in_order = |channels: &[NotificationChannel]| {
        let mut channels = channels.to_vec();
        channels.sort_by_key(|channel| *channel as u8);
        channels.dedup();
        channels
    };
    let mut changes = Map::new();
    for old in before {
        // The last one wins when a kind is given twice.
        let new = wanted.iter().rev().find(|one| one.r#type == old.r#type);
        let Some(new) = new.map(|one| in_order(&one.channels)) else {
            continue;
        };
        let old_channels = in_order(&old.channels);
        if let (Value::String(kind), true) = (json!(old.r#type), old_channels != new) {
            changes.insert(kind, json!({ "from": old_channels, "to": new }));
        }
    }
    Value::Object(changes)
}
