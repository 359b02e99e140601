//! Notifications of the viewer: the list, what they do with it, and the live stream.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, Object, Result, Subscription, Union};
use entity::ids::{InvitationId, NotificationId, TypedId as _, WorkspaceId};
use entity::notification;
use futures_util::stream::try_unfold;
use futures_util::{Stream, TryStreamExt as _};

use super::enums::NotificationType;
use super::errors::expose;
use super::events::CalendarEvent;
use super::ids::{global, parse, references, target};
use super::integrations::Integration;
use super::invitations::WorkspaceInvitation;
use super::loaders::InvitationKey;
use super::node::{Node, node_in};
use super::paging::{connection, wants_total};
use super::scalars::DateTime;
use super::schedules::Schedule;
use super::shape::object;
use super::straight::{command, commands, shaped_payload};
use super::tasks::Task;
use super::viewer::Viewer;
use super::workspaces::{Workspace, workspace_of};
use super::{access, loader};
use crate::features::notifications::{self, Inbox};
use crate::kernel;
use crate::kernel::page::PageArgs;

/// A message to the viewer.
#[derive(Description, Clone)]
pub struct Notification(pub Arc<notification::Model>);

impl From<notification::Model> for Notification {
    fn from(row: notification::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl Notification {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    Notification "Notification", notification::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |notification| global(notification.0.id) }
    /// Kind of notification.
    value r#type [Type] -> NotificationType { |notification| notification.0.r#type.into() }
    /// Workspace it is about. Null for account messages.
    plain workspace [] -> Option<Result<Workspace>> {
        |notification, ctx| workspace_of(ctx, notification.0.workspace_id).await
    }
    /// Title.
    value title [Title] -> &str { |notification| &notification.0.title }
    /// Text.
    value body [Body] -> Option<&str> { |notification| notification.0.body.as_deref() }
    /// Object it is about. Null when there is none or it was deleted.
    plain subject [] -> Option<Result<NotificationSubject>> {
        |notification, ctx| {
            let (kind, id) = (notification.0.subject_type.as_deref()?, notification.0.subject_id?);
            if kind == InvitationId::TYPE {
                // Whoever is invited is outside the workspace.
                let row = loader(ctx).load_one(InvitationKey(InvitationId(id))).await;
                let invitation = |row| NotificationSubject::WorkspaceInvitation(WorkspaceInvitation(row));
                return row.map(|row| row.map(invitation)).transpose();
            }
            let node = node_in(ctx, notification.0.workspace_id?, kind, id).await?;
            node.map(NotificationSubject::of).transpose()
        }
    }
    /// When the viewer read it. Null while unread.
    value read_at [ReadAt] -> Option<DateTime> { |notification| notification.0.read_at.map(DateTime) }
    /// When it was created.
    value created_at [CreatedAt] -> DateTime { |notification| DateTime(notification.0.created_at) }
}

/// Objects a notification can be about.
#[derive(Union)]
pub enum NotificationSubject {
    /// An event.
    CalendarEvent(CalendarEvent),
    /// A connected service.
    Integration(Integration),
    /// A schedule.
    Schedule(Schedule),
    /// A task.
    Task(Task),
    /// An invitation to a workspace.
    WorkspaceInvitation(WorkspaceInvitation),
}

impl NotificationSubject {
    fn of(node: Node) -> Option<Self> {
        match node {
            Node::CalendarEvent(event) => Some(Self::CalendarEvent(event)),
            Node::Integration(integration) => Some(Self::Integration(integration)),
            Node::Schedule(schedule) => Some(Self::Schedule(schedule)),
            Node::Task(task) => Some(Self::Task(task)),
            _ => None,
        }
    }
}

connection!(
    /// A page of notifications.
    NotificationConnection, NotificationEdge, Notification, "notifications"
);

/// Filter for notifications. All given conditions must hold.
#[derive(InputObject)]
pub struct NotificationFilter {
    /// Only unread (`true`) or read (`false`) notifications.
    is_unread: Option<bool>,
    /// Only these types.
    types: Option<Vec<NotificationType>>,
    /// Only notifications about this workspace.
    workspace_id: Option<ID>,
}

impl NotificationFilter {
    /// Ids that nobody has match nothing.
    fn into_model(self) -> notifications::NotificationFilter {
        let workspace = |id: ID| parse(&id).unwrap_or(WorkspaceId(Default::default()));
        notifications::NotificationFilter {
            is_unread: self.is_unread,
            types: self.types.map(|any| any.into_iter().map(Into::into).collect()),
            workspace_id: self.workspace_id.map(workspace),
        }
    }
}

/// The fields that notifications hang on the viewer.
#[derive(Clone, Default)]
pub struct ViewerNotifications;

#[Object]
impl ViewerNotifications {
    /// Notifications of the viewer, newest first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only notifications that match.")] filter: Option<NotificationFilter>,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<NotificationConnection> {
        let page = async {
            let request = PageArgs {
                first,
                after,
                last,
                before,
            }
            .check(50, wants_total(ctx))?;
            let filter = filter.map(NotificationFilter::into_model).unwrap_or_default();
            notifications::page(access(ctx), &filter, &request).await
        };
        Ok(NotificationConnection::new(
            page.await.map_err(expose)?,
            Notification::from,
        ))
    }

    /// Number of unread notifications.
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = notifications::unread_count(access(ctx)).await.map_err(expose)?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

shaped_payload!(
    MarkNotificationsReadPayload,
    "markNotificationsRead",
    /// The viewer with fresh counts. Null when the mutation failed.
    plain viewer: Option<Viewer>,
    /// Number of changed notifications. Null when the mutation failed.
    value updated_count: Option<i32>
);
shaped_payload!(
    MarkNotificationUnreadPayload,
    "markNotificationUnread",
    /// The notification after the change. Null when the mutation failed.
    one notification: Option<Notification>
);
shaped_payload!(
    DeleteNotificationPayload,
    "deleteNotification",
    /// ID of the deleted object, to evict caches. Null when the mutation failed.
    value deleted_notification_id: Option<ID>
);

commands! {
    MarkNotificationsRead(ids "ids": Option<Vec<ID>>) -> MarkNotificationsReadPayload, |access| {
        access.caller().require_user()?;
        let count = match ids {
            None => notifications::mark_all_read(access).await?,
            Some(ids) => notifications::mark_read(access, &references(&ids, "ids")?).await?,
        };
        let viewer = Viewer::load(access).await?;
        Ok(MarkNotificationsReadPayload::of(viewer, i32::try_from(count).unwrap_or(i32::MAX)))
    };
    MarkNotificationUnread(id "id": ID) -> MarkNotificationUnreadPayload, |access| {
        access.caller().require_user()?;
        let unread = notifications::mark_unread(access, target(&id)?).await;
        unread.map(Notification::from).map(MarkNotificationUnreadPayload::of)
    };
    DeleteNotification(id "id": ID) -> DeleteNotificationPayload, |access| {
        access.caller().require_user()?;
        let id: NotificationId = target(&id)?;
        let deleted = notifications::delete(access, id).await;
        deleted.map(|()| DeleteNotificationPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks notifications as read. Without `ids` all of them.
    async fn mark_notifications_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "IDs of the objects.")] ids: Option<Vec<ID>>,
    ) -> Result<MarkNotificationsReadPayload> {
        command::<MarkNotificationsRead>(ctx, (ids,)).await
    }

    /// Marks a notification as unread.
    async fn mark_notification_unread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<MarkNotificationUnreadPayload> {
        command::<MarkNotificationUnread>(ctx, (id,)).await
    }

    /// Deletes a notification.
    async fn delete_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DeleteNotificationPayload> {
        command::<DeleteNotification>(ctx, (id,)).await
    }
}

#[derive(Default)]
pub struct NotificationSubscription;

#[Subscription]
impl NotificationSubscription {
    /// New notifications of the viewer.
    async fn notification_received(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Notification>> + use<>> {
        let inbox = Inbox::start(access(ctx)).await.map_err(expose)?;
        let next = async |mut inbox: Inbox| {
            kernel::Result::Ok(inbox.next().await?.map(|row| (Notification::from(row), inbox)))
        };
        Ok(try_unfold(inbox, next).map_err(expose))
    }
}
