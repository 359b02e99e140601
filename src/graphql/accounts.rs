//! Sign-in accounts of the viewer, and the ways to sign in that the server offers.

use std::sync::Arc;

use async_graphql::{Context, Description, Enum, ID, Object, Result, SimpleObject};
use entity::account;
use entity::enums as db;

use super::access;
use super::errors::expose;
use super::ids::{global, target};
use super::paging::payload;
use super::people::User;
use super::scalars::{DateTime, EmailAddress, Url};
use super::straight::{command, commands, shaped_payload};
use crate::config::{Config, GOOGLE};
use crate::features::{accounts, privacy};

/// Kinds of sign-in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::AuthProvider")]
pub enum AuthProvider {
    /// Google OpenID Connect.
    Google,
    /// Another OpenID Connect issuer that the operator configured.
    Oidc,
    /// One-time link by e-mail.
    Email,
}

/// A sign-in account linked to the viewer.
#[derive(Description, Clone)]
pub struct Account(pub Arc<account::Model>);

#[Object(use_type_description)]
impl Account {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Identity provider.
    async fn provider(&self) -> AuthProvider {
        self.0.provider.into()
    }

    /// Name of the provider in the configuration, for example `google`.
    async fn provider_name(&self) -> &str {
        &self.0.provider_name
    }

    /// Issuer of the identity. Null for e-mail sign-in.
    async fn issuer(&self) -> Option<Url> {
        self.0.issuer.clone().map(Url)
    }

    /// E-mail address at the provider.
    async fn email(&self) -> Option<EmailAddress> {
        self.0.email.clone().map(EmailAddress)
    }

    /// Granted OAuth scopes.
    async fn scopes(&self) -> Vec<String> {
        serde_json::from_value(self.0.scopes.clone()).unwrap_or_default()
    }

    /// When the account was linked.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// A way to sign in that this server offers.
#[derive(SimpleObject)]
pub struct SignInProvider {
    /// Kind.
    provider: AuthProvider,
    /// Name in the configuration, for example `google`.
    name: String,
    /// Label for a button, for example `Google`.
    label: String,
    /// Page that starts the sign-in. Append `?returnTo=` with an allowed address; with `link=true` the account is linked to the signed-in
    /// person instead, when a page of the server's own origin leads there, or an allowed one of the same site that sends its `Referer`.
    start_url: Url,
}

/// The ways to sign in, in the order to show them.
pub fn sign_in_providers(config: &Config) -> Vec<SignInProvider> {
    let start = |name: &str| {
        let url = config.public_url.join(&format!("auth/{name}"));
        Url(url.map_or_else(|_| config.public_url.to_string(), String::from))
    };
    let issuers = config.sign_in.issuers.iter().map(|issuer| SignInProvider {
        provider: if issuer.name == GOOGLE {
            AuthProvider::Google
        } else {
            AuthProvider::Oidc
        },
        name: issuer.name.clone(),
        label: issuer.label.clone(),
        start_url: start(&issuer.name),
    });
    let email = config.sign_in.email.then(|| SignInProvider {
        provider: AuthProvider::Email,
        name: "email".into(),
        label: "E-mail".into(),
        start_url: start("email"),
    });
    issuers.chain(email).collect()
}

/// The fields that accounts hang on the viewer.
#[derive(Clone)]
pub struct ViewerAccounts;

#[Object]
impl ViewerAccounts {
    /// Linked sign-in accounts.
    async fn accounts(&self, ctx: &Context<'_>) -> Result<Vec<Account>> {
        let rows = accounts::list(access(ctx)).await.map_err(expose)?;
        Ok(rows.into_iter().map(|row| Account(Arc::new(row))).collect())
    }
}

payload!(
    RequestEmailVerificationPayload,
    "requestEmailVerification",
    /// Address the link was sent to. Null when the mutation failed.
    sent_to: EmailAddress
);
shaped_payload!(
    VerifyEmailPayload,
    "verifyEmail",
    /// The user after the change. Null when the mutation failed.
    one user: Option<User>
);
shaped_payload!(
    DeleteViewerPayload,
    "deleteViewer",
    /// ID of the deleted object, to evict caches. Null when the mutation failed.
    value deleted_user_id: Option<ID>
);
shaped_payload!(
    UnlinkAccountPayload,
    "unlinkAccount",
    /// ID of the unlinked account. Null when the mutation failed.
    value unlinked_account_id: Option<ID>
);

commands! {
    VerifyEmail(token "token": String) -> VerifyEmailPayload, |access| {
        let row = accounts::verify_email(access, &token).await?;
        Ok(VerifyEmailPayload::of(User(Arc::new(row))))
    };
    DeleteViewer(confirm_email "confirmEmail": EmailAddress) -> DeleteViewerPayload, |access| {
        let id = privacy::delete_viewer(access, &confirm_email.0).await?;
        Ok(DeleteViewerPayload::of(global(id)))
    };
    UnlinkAccount(id "id": ID) -> UnlinkAccountPayload, |access| {
        access.caller().require_user()?;
        let id = target(&id)?;
        accounts::unlink(access, id).await?;
        Ok(UnlinkAccountPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Sends a verification link to the viewer's e-mail address.
    async fn request_email_verification(&self, ctx: &Context<'_>) -> Result<RequestEmailVerificationPayload> {
        let result = accounts::request_verification(access(ctx)).await;
        RequestEmailVerificationPayload::new(result, EmailAddress)
    }

    /// Verifies an e-mail address with the token of the link. Works without signing in.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Secret token of the link.")] token: String,
    ) -> Result<VerifyEmailPayload> {
        command::<VerifyEmail>(ctx, (token,)).await
    }

    /// Deletes the viewer, their personal workspace and all their sessions.
    async fn delete_viewer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address of the viewer, to confirm.")] confirm_email: EmailAddress,
    ) -> Result<DeleteViewerPayload> {
        command::<DeleteViewer>(ctx, (confirm_email,)).await
    }

    /// Unlinks a sign-in account. The last one cannot be unlinked. Sessions that came from its provider end, except the one in use, which may
    /// be signed out by itself.
    async fn unlink_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<UnlinkAccountPayload> {
        command::<UnlinkAccount>(ctx, (id,)).await
    }
}
