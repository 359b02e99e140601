//! Adding things by a phrase.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Union};

use super::access;
use super::errors::{UserError, outcome};
use super::events::CalendarEvent;
use super::ids::{reference, workspace_reference};
use super::scalars::TimeZone;
use super::tasks::Task;
use crate::features::assistant::{self, Made, QuickAdd};

/// Plain language to turn into a task or event.
#[derive(InputObject)]
pub struct QuickAddInput {
    /// Workspace to add to.
    workspace_id: ID,
    /// What the user typed, at most 500 characters.
    text: String,
    /// Time zone of words like `tomorrow`. The viewer's when omitted.
    time_zone: Option<TimeZone>,
}

/// What `quickAdd` created.
#[derive(Union)]
pub enum QuickAddResult {
    /// Something to do.
    Task(Task),
    /// Something that takes place.
    CalendarEvent(CalendarEvent),
}

impl From<Made> for QuickAddResult {
    fn from(made: Made) -> Self {
        match made {
            Made::Task(row) => Self::Task(Task::from(*row)),
            Made::Event(event) => Self::CalendarEvent(CalendarEvent::from(*event)),
        }
    }
}

/// Result of `quickAdd`.
#[derive(SimpleObject)]
pub struct QuickAddPayload {
    /// What was created. Null when the mutation failed.
    result: Option<QuickAddResult>,
    /// How the text was understood, in words. Null when the mutation failed.
    interpretation: Option<String>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct QuickAddMutation;

#[Object]
impl QuickAddMutation {
    /// Creates a task or event from plain language, for example `Lunch with Ana tomorrow at 1pm`.
    async fn quick_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: QuickAddInput,
    ) -> Result<QuickAddPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let path = "input.workspaceId";
            let workspace = reference(&input.workspace_id, path)?;
            let entered = workspace_reference(access(ctx).ctx(workspace).await, path)?;
            let new = QuickAdd {
                text: input.text,
                time_zone: input.time_zone.map(|zone| zone.0),
            };
            assistant::quick_add(&entered, new).await
        };
        let (added, user_errors) = outcome(result.await)?;
        let (made, interpretation) = added.map(|added| (added.made, added.interpretation)).unzip();
        Ok(QuickAddPayload {
            result: made.map(QuickAddResult::from),
            interpretation,
            user_errors,
        })
    }
}
