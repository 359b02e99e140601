//! Workspaces, who belongs to them, and the two logs that every change in one writes.

use crate::schema::table::Kind::{Big, Bytes, Int, Json, Text, Time, Uuid};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        workspaces(),
        user_preferences(),
        api_tokens(),
        memberships(),
        invitations(),
        workspace_counters(),
        change_log(),
        audit_logs(),
    ]
}

fn workspaces() -> Table {
    Table::new("workspaces")
        .cols(Text, &["name", "slug", "time_zone"])
        .word("type", &["personal", "team"])
        .cols(Int, &["version"])
        .unique(&["slug"])
}

fn user_preferences() -> Table {
    Table::bare("user_preferences")
        .owner("user_id")
        .cols(Text, &["time_zone", "locale"])
        .word(
            "week_starts_on",
            &[
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ],
        )
        .cols(Json, &["working_hours"])
        .cols(
            Int,
            &[
                "default_task_duration_minutes",
                "default_focus_minutes",
                "buffer_minutes",
                "max_daily_task_minutes",
            ],
        )
        .word("peak_energy", &["morning", "afternoon", "evening"])
        .favourite_workspace("default_workspace_id")
        .cols(Int, &["version"])
        .key(&["user_id"])
}

fn api_tokens() -> Table {
    Table::new("api_tokens")
        .owner("user_id")
        .opt_workspace()
        .cols(Text, &["name", "prefix"])
        .cols(Bytes, &["token_hash"])
        .cols(Json, &["scopes"])
        .opts(Time, &["last_used_at", "expires_at", "revoked_at"])
        .unique(&["token_hash"])
        .index(&["user_id", "created_at", "id"])
}

fn memberships() -> Table {
    Table::owned("memberships")
        .owner("user_id")
        .word("role", ROLES)
        .cols(Time, &["joined_at"])
        .cols(Int, &["version"])
        .unique(&["workspace_id", "user_id"])
        .index(&["user_id"])
}

fn invitations() -> Table {
    Table::owned("invitations")
        .cols(Text, &["email"])
        .word("role", ROLES)
        .person("invited_by")
        .cols(Bytes, &["token_hash"])
        .cols(Time, &["expires_at"])
        .opts(Time, &["accepted_at", "declined_at", "revoked_at"])
        .unique(&["token_hash"])
        .unique_where(
            &["workspace_id", "email"],
            "accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL",
        )
        .index(&["email"])
}

fn workspace_counters() -> Table {
    Table::bare("workspace_counters")
        .workspace()
        .cols(Big, &["change_seq", "audit_seq"])
        .cols(Bytes, &["audit_hash"])
        .key(&["workspace_id"])
        // One row for each workspace, updated by every write: room for updates in place.
        .fill_factor(50)
}

fn change_log() -> Table {
    Table::bare("change_log")
        .workspace()
        .cols(Big, &["seq"])
        .word("action", &["created", "updated", "deleted"])
        .cols(Text, &["object_type"])
        .cols(Uuid, &["object_id"])
        // Facts about what was; the rows they name may be gone, so neither is a foreign key.
        .opts(Uuid, &["calendar_id", "actor_id"])
        .key(&["workspace_id", "seq"])
        .index(&["created_at"])
        // Retention deletes old rows; nothing updates one.
        .append_only("SELECT, INSERT, DELETE")
}

/// Neither updates nor deletes: a row only goes when its workspace is gone, by the cascade that runs after that.
fn audit_logs() -> Table {
    Table::new("audit_logs")
        .workspace()
        .cols(Big, &["seq"])
        .word("actor_kind", &["user", "token", "system"])
        // Opaque ids without foreign keys: erasing a person must not touch the hash chain.
        .opts(Uuid, &["actor_id", "api_token_id"])
        .cols(Text, &["action", "entity_type"])
        .cols(Uuid, &["entity_id"])
        .opts(Json, &["changes"])
        .opts(Text, &["ip_address", "user_agent", "request_id"])
        .cols(Bytes, &["prev_hash", "hash"])
        .unique(&["workspace_id", "seq"])
        .index(&["workspace_id", "created_at", "id"])
        .index(&["workspace_id", "actor_id", "seq"])
        .index(&["workspace_id", "entity_id", "seq"])
        .index(&["workspace_id", "action", "seq"])
        .append_only("SELECT, INSERT")
        .on_postgres(
            "CREATE FUNCTION audit_logs_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_logs is append-only';
END $$",
        )
        .on_postgres(
            "CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs \
             FOR EACH ROW EXECUTE FUNCTION audit_logs_append_only()",
        )
        .on_postgres(
            "CREATE TRIGGER audit_logs_keep BEFORE TRUNCATE ON audit_logs \
             FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_append_only()",
        )
        .after_drop_on_postgres("DROP FUNCTION audit_logs_append_only()")
        .on_sqlite(
            "CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs \
             BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END",
        )
        .on_sqlite(
            "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs \
             WHEN EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id) \
             BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END",
        )
}

const ROLES: &[&str] = &["owner", "admin", "member", "viewer"];
