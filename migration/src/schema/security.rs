//! The second wall of tenancy, on PostgreSQL only: roles, rights and row-level security.
//!
//! The application never works as the owner of the tables. `meridian_app` sees one workspace, the one named by the
//! setting `app.workspace_id` of its transaction; without the setting it sees nothing. `meridian_system` sees all
//! workspaces and is for work that has none yet: signing in, the job relay, maintenance.

use super::table::Table;

/// Role of requests and jobs that work inside one workspace.
pub const APP_ROLE: &str = "meridian_app";

/// Role of work across workspaces.
pub const SYSTEM_ROLE: &str = "meridian_system";

/// Tables with a `workspace_id` whose rows belong to a person, each with the reason why row-level security is off:
/// they are read by their user across workspaces, always filtered by that user.
pub const USER_OWNED: &[(&str, &str)] = &[
    (
        "api_tokens",
        "looked up by secret before any workspace is known; may reach all workspaces of its user",
    ),
    (
        "notifications",
        "one list for each user over all workspaces, with account messages that have none",
    ),
    (
        "idempotency_records",
        "keyed by caller; mutations outside workspaces are recorded too",
    ),
];

const CURRENT_WORKSPACE: &str = "NULLIF(current_setting('app.workspace_id', true), '')::uuid";

/// Rights and policies of a new table.
pub(super) fn statements(table: &Table) -> Vec<String> {
    let name = table.name;
    let mut statements = vec![format!(
        "GRANT {} ON {name} TO {APP_ROLE}, {SYSTEM_ROLE}",
        table.rights
    )];
    if let Some(column) = tenant_column(table) {
        let mine = format!("{column} = {CURRENT_WORKSPACE}");
        statements.extend([
            format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {name} FORCE ROW LEVEL SECURITY"),
            format!("CREATE POLICY {name}_tenant ON {name} TO {APP_ROLE} USING ({mine}) WITH CHECK ({mine})"),
            format!("CREATE POLICY {name}_system ON {name} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)"),
        ]);
    }
    statements
}

fn tenant_column(table: &Table) -> Option<&'static str> {
    if table.name == "workspaces" {
        return Some("id");
    }
    let has_workspace = table.columns.iter().any(|column| column.name == "workspace_id");
    let is_user_owned = USER_OWNED.iter().any(|(name, _)| *name == table.name);
    (has_workspace && !is_user_owned).then_some("workspace_id")
}
