//! What callers hand to the room of workspaces.

/// A team workspace to create.
#[derive(Clone, Debug)]
pub struct NewWorkspace {
    /// Display name.
    pub name: String,
    /// URL name; made from the name when `None`.
    pub slug: Option<String>,
    /// Time zone; the creator's when `None`.
    pub time_zone: Option<String>,
}

/// Changes to a workspace.
#[derive(Clone, Debug, Default)]
pub struct WorkspacePatch {
    /// Display name.
    pub name: Option<String>,
    /// URL name.
    pub slug: Option<String>,
    /// Time zone.
    pub time_zone: Option<String>,
}
