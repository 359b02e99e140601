//! People as other members see them.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Result};
use entity::ids::UserId;
use entity::user;

use super::ids::global;
use super::loader;
use super::loaders::{AcquaintedKey, UserKey};
use super::scalars::{DateTime, EmailAddress, Url};
use super::shape::object;

/// A person who can sign in.
#[derive(Clone, Description)]
pub struct User(pub Arc<user::Model>);

impl User {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    User "User", user::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |user| global(user.0.id) }
    /// Full name shown to other members.
    value name [Name] -> &str { |user| &user.0.name }
    /// Primary e-mail address. Null when the viewer shares no workspace with this user.
    maybe email [Id Email] -> Option<Result<EmailAddress>> {
        |user, scene| {
            // Everybody is acquainted with themselves.
            let stranger = scene.access.caller().user_id() != Some(user.0.id);
            stranger.then_some(AcquaintedKey(user.0.id))?
        } => |acquainted| {
            let known = acquainted.is_some() || scene.access.caller().user_id() == Some(user.0.id);
            known.then(|| EmailAddress(user.0.email.clone()))
        }
    }
    /// Avatar image.
    value avatar_url [AvatarUrl] -> Option<Url> { |user| user.0.avatar_url.clone().map(Url) }
    /// When the primary e-mail address was verified. Null when it is not.
    value email_verified_at [EmailVerifiedAt] -> Option<DateTime> { |user| user.0.email_verified_at.map(DateTime) }
    /// When the user signed up.
    value created_at [CreatedAt] -> DateTime { |user| DateTime(user.0.created_at) }
}

/// Loads a person that a row refers to; null when there is none.
pub async fn user_of(ctx: &Context<'_>, id: Option<UserId>) -> Option<Result<User>> {
    loader(ctx)
        .load_one(UserKey(id?))
        .await
        .map(|row| row.map(User))
        .transpose()
}
