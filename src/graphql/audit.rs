//! The audit log of a workspace, for its admins.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, Object, Result};
use entity::audit_log;
use entity::ids::UserId;

use super::credentials::ApiToken;
use super::errors::expose;
use super::ids::{global, global_of, parse};
use super::loader;
use super::loaders::TokenKey;
use super::paging::{connection, wants_total};
use super::people::{User, user_of};
use super::ranges::DateTimeRangeInput;
use super::scalars::{DateTime, Json};
use crate::access::Ctx;
use crate::features::audit;
use crate::kernel;
use crate::kernel::page::PageArgs;

/// An entry of the audit log.
#[derive(Description, Clone)]
pub struct AuditLog(pub Arc<audit_log::Model>);

impl From<audit_log::Model> for AuditLog {
    fn from(row: audit_log::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl AuditLog {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// When it happened.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// User who acted. Null for the system or a deleted user.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        user_of(ctx, self.0.actor_id).await
    }

    /// API token that was used. Null for browser sessions.
    async fn api_token(&self, ctx: &Context<'_>) -> Option<Result<ApiToken>> {
        let row = loader(ctx).load_one(TokenKey(self.0.api_token_id?)).await;
        row.map(|row| row.map(ApiToken)).transpose()
    }

    /// What was done, dotted lower case, for example `task.updated`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// Type of the object, for example `Task`.
    async fn entity_type(&self) -> &str {
        &self.0.entity_type
    }

    /// ID of the object, also after it was deleted.
    async fn entity_id(&self) -> Result<ID> {
        global_of(&self.0.entity_type, self.0.entity_id).map_err(expose)
    }

    /// Changed fields as `{field: {from, to}}`.
    async fn changes(&self) -> Option<Json> {
        self.0.changes.clone().map(Json)
    }

    /// IP address of the request.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }

    /// User agent of the request.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }
}

connection!(
    /// A page of audit log entries.
    AuditLogConnection, AuditLogEdge, AuditLog, "audit log entries"
);

/// Filter for audit log entries. All given conditions must hold.
#[derive(InputObject)]
pub struct AuditLogFilter {
    /// Only entries by these users.
    actor_ids: Option<Vec<ID>>,
    /// Only these actions. A trailing `*` matches a prefix, for example `task.*`.
    actions: Option<Vec<String>>,
    /// Only entries about this object.
    entity_id: Option<ID>,
    /// Only entries in this range.
    range: Option<DateTimeRangeInput>,
}

impl AuditLogFilter {
    /// Ids that nobody has match nothing.
    fn into_model(self) -> kernel::Result<audit::AuditFilter> {
        let entity = |id: ID| {
            let (prefix, uuid) = entity::ids::split(&id).unwrap_or_default();
            let kind = entity::ids::KINDS.iter().find(|(known, _)| *known == prefix);
            (kind.map_or("", |(_, kind)| kind).to_owned(), uuid)
        };
        Ok(audit::AuditFilter {
            actor_ids: self
                .actor_ids
                .map(|ids| ids.iter().filter_map(parse::<UserId>).collect()),
            actions: self.actions,
            entity: self.entity_id.map(entity),
            range: self.range.map(|range| range.span("filter.range")).transpose()?,
        })
    }
}

/// The fields that the audit log hangs on a workspace.
pub struct WorkspaceAudit(pub Arc<Ctx>);

#[Object]
impl WorkspaceAudit {
    /// Audit log, newest first. Requires `ADMIN`.
    async fn audit_logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only entries that match.")] filter: Option<AuditLogFilter>,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<AuditLogConnection> {
        let page = async {
            let request = PageArgs {
                first,
                after,
                last,
                before,
            }
            .check(50, wants_total(ctx))?;
            let filter = filter
                .map(AuditLogFilter::into_model)
                .transpose()?
                .unwrap_or_default();
            audit::page(&self.0, &filter, &request).await
        };
        Ok(AuditLogConnection::new(
            page.await.map_err(expose)?,
            AuditLog::from,
        ))
    }
}
