//! Telling somebody that a task is theirs now.

use entity::enums::NotificationType;
use entity::ids::TypedId as _;
use entity::{task, user};
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::features::notifications::{self, NewNotification};
use crate::kernel::Result;
use crate::kernel::changes::ObjectType;
use crate::platform::db::Tx;

/// Tells the assignee of a task that they got it from somebody else.
pub(super) async fn assigned(tx: &Tx, before: Option<&task::Model>, after: &task::Model) -> Result<()> {
    let is_new = before.is_none_or(|before| before.assignee_id != after.assignee_id);
    let Some(assignee) = after
        .assignee_id
        .filter(|id| is_new && tx.actor().user_id != Some(*id))
    else {
        return Ok(());
    };
    let giver = match tx.actor().user_id {
        Some(id) => {
            let select = tx.find_global::<user::Entity>().filter(user::Column::Id.eq(id));
            select.one(tx.conn()).await?.map(|person| person.name)
        }
        None => None,
    };
    let title = match giver {
        Some(name) => format!("{name} assigned “{}” to you", after.title),
        None => format!("“{}” was assigned to you", after.title),
    };
    let new = NewNotification {
        user_id: assignee,
        workspace_id: Some(after.workspace_id),
        r#type: NotificationType::TaskAssigned,
        title,
        body: None,
        subject: Some((ObjectType::Task, after.id.uuid())),
        dedup_key: Some(format!("assigned:{}:{}", after.id, after.version)),
    };
    notifications::notify_in(tx, new).await.map(drop)
}
