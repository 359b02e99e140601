//! What a subscription is about: which says how those who share it are driven, where they have to be members, and what a newcomer hears
//! first.

use async_graphql::parser::types::Field;
use async_graphql::{Name, Value as Constant, Variables};
use entity::enums::WorkspaceRole;
use entity::ids::{IntegrationId, JobId, ScheduleId, WorkspaceId};
use entity::integration;

use super::audience;
use super::plan::argument;
use crate::access::Access;
use crate::features::{integrations, jobs, scheduling};
use crate::kernel;

/// What is subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Changes in the log of a workspace.
    Log {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// The cursor to resume after.
        after: Option<String>,
    },
    /// Who is in a workspace.
    Presence(WorkspaceId),
    /// The states of a job.
    Job(JobId),
    /// The progress of an integration's syncs.
    Sync(IntegrationId),
    /// The progress of a plan.
    Schedule(ScheduleId),
    /// What is only for whoever asks.
    Person,
}

/// Where somebody has to be a member to hear something, and what they are there. Nothing when it is not a matter of membership.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// The role in it.
    pub role: Option<WorkspaceRole>,
}

impl About {
    /// Reads the arguments of a field of `Subscription`, and names the variable that only says where to begin.
    pub(super) fn of(field: &Field, variables: &Variables) -> Option<(Self, Option<Name>)> {
        let text = |name: &str| match argument(field, name, variables).0? {
            Constant::String(text) => Some(text),
            _ => None,
        };
        let about = match field.name.node.as_str() {
            "presenceChanged" => Self::Presence(text("workspaceId")?.parse().ok()?),
            "jobProgress" => Self::Job(text("jobId")?.parse().ok()?),
            "syncProgress" => Self::Sync(text("integrationId")?.parse().ok()?),
            "scheduleProgress" => Self::Schedule(text("scheduleId")?.parse().ok()?),
            "notificationReceived" | "jobChanged" => Self::Person,
            name => {
                audience::impersonal("Subscription", name)?;
                let (after, by_variable) = argument(field, "after", variables);
                let after = match after {
                    None | Some(Constant::Null) => None,
                    Some(Constant::String(text)) => Some(text),
                    Some(_) => return None,
                };
                let workspace_id = text("workspaceId")?.parse().ok()?;
                return Some((Self::Log { workspace_id, after }, by_variable));
            }
        };
        Some((about, None))
    }

    /// Whether a newcomer hears the current state first.
    pub fn is_state(&self) -> bool {
        matches!(self, Self::Job(_) | Self::Sync(_) | Self::Schedule(_))
    }

    /// Where the caller hears it. Fails as the subscription would when they may not.
    pub async fn home(&self, access: &Access) -> kernel::Result<Home> {
        let workspace_id = match self {
            Self::Log { workspace_id, .. } | Self::Presence(workspace_id) => Some(*workspace_id),
            Self::Job(id) => jobs::get(access, *id).await?.workspace_id,
            Self::Sync(id) => {
                let entered = access.ctx_of::<integration::Entity>(*id).await?;
                integrations::get(&entered, *id).await?;
                Some(entered.workspace_id())
            }
            Self::Schedule(id) => Some(scheduling::find(access, *id).await?.0.workspace_id()),
            Self::Person => {
                access.caller().require_user()?;
                None
            }
        };
        let Some(id) = workspace_id else {
            return Ok(Home::default());
        };
        match access.ctx(id).await {
            Ok(entered) => Ok(Home {
                workspace_id,
                role: Some(entered.role()),
            }),
            // An administrator of the installation, who sees jobs of workspaces without being there.
            Err(error) if error.is_not_found() && matches!(self, Self::Job(_)) => Ok(Home::default()),
            Err(error) => Err(error),
        }
    }
}
