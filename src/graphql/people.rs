//! People as other members see them.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result};
use entity::ids::UserId;
use entity::user;

use super::ids::global;
use super::loaders::{AcquaintedKey, UserKey};
use super::scalars::{DateTime, EmailAddress, Url};
use super::{access, loader};

/// A person who can sign in.
#[derive(Clone, Description)]
pub struct User(pub Arc<user::Model>);

#[Object(use_type_description)]
impl User {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Full name shown to other members.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Primary e-mail address. Null when the viewer shares no workspace with this user.
    async fn email(&self, ctx: &Context<'_>) -> Option<Result<EmailAddress>> {
        self.if_acquainted(ctx, || Some(EmailAddress(self.0.email.clone())))
            .await
    }

    /// Avatar image.
    async fn avatar_url(&self) -> Option<Url> {
        self.0.avatar_url.clone().map(Url)
    }

    /// When the primary e-mail address was verified. Null when it is not.
    async fn email_verified_at(&self) -> Option<DateTime> {
        self.0.email_verified_at.map(DateTime)
    }

    /// When the user signed up.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

impl User {
    async fn if_acquainted<T>(
        &self,
        ctx: &Context<'_>,
        value: impl FnOnce() -> Option<T>,
    ) -> Option<Result<T>> {
        if access(ctx).caller().user_id() == Some(self.0.id) {
            return value().map(Ok);
        }
        match loader(ctx).load_one(AcquaintedKey(self.0.id)).await {
            Ok(Some(())) => value().map(Ok),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Loads a person that a row refers to; null when there is none.
pub async fn user_of(ctx: &Context<'_>, id: Option<UserId>) -> Option<Result<User>> {
    loader(ctx)
        .load_one(UserKey(id?))
        .await
        .map(|row| row.map(User))
        .transpose()
}
