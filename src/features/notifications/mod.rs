//! shim
use crate::kernel::Result;
use crate::kernel::changes::ObjectType;
use crate::platform::db::Tx;
use entity::enums::NotificationType;
use entity::ids::{NotificationId, UserId, WorkspaceId};
use sea_orm::Set;
#[derive(Clone, Debug)]
pub struct NewNotification {
    pub user_id: UserId,
    pub workspace_id: Option<WorkspaceId>,
    pub r#type: NotificationType,
    pub title: String,
    pub body: Option<String>,
    pub subject: Option<(ObjectType, uuid::Uuid)>,
    pub dedup_key: Option<String>,
}
pub async fn notify_in(tx: &Tx, new: NewNotification) -> Result<Option<NotificationId>> {
    let id: NotificationId = tx.ids().next();
    tx.insert_global(entity::notification::ActiveModel {
        id: Set(id),
        user_id: Set(new.user_id),
        workspace_id: Set(new.workspace_id),
        r#type: Set(new.r#type),
        title: Set(new.title),
        body: Set(new.body),
        subject_type: Set(new.subject.map(|(kind, _)| kind.as_str().to_owned())),
        subject_id: Set(new.subject.map(|(_, id)| id)),
        read_at: Set(None),
        dedup_key: Set(new.dedup_key),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .await?;
    Ok(Some(id))
}
