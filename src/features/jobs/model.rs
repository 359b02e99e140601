//! What callers ask about jobs.

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::WorkspaceId;

use crate::kernel::time::Span;

/// Conditions of a list; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Any of these queues.
    pub queues: Option<Vec<JobQueueName>>,
    /// Any of these states.
    pub statuses: Option<Vec<JobStatus>>,
    /// Jobs of this workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// Created in this range.
    pub range: Option<Span>,
}
