//! Links by e-mail: one that signs in, bound to the browser that asked, and one that proves an address. Promises: known and unknown addresses
//! are treated alike, and a link works once.

use chrono::Duration;
use entity::enums::{ApiTokenScope, AuthProvider, VerificationPurpose};
use entity::ids::{TypedId as _, WorkspaceId};
use entity::user::{self, Column, Entity};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::access::oidc::Verified;
use crate::access::one_use::{self, NewOneUse};
use crate::access::{self, Access, secret};
use crate::features::letters::{self, Letter};
use crate::features::people;
use crate::kernel::actor::Actor;
use crate::kernel::changes::Topic;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Audit, Hold as _, Scope, Tx};

/// How long a link signs in.
const SIGN_IN_LIFE: Duration = Duration::minutes(15);
/// How long a link proves an address.
const VERIFY_LIFE: Duration = Duration::hours(24);
/// Name of this way to sign in.
const EMAIL: &str = "email";
/// Place of a sealed payload.
const CONTEXT: &[u8] = b"verification_tokens.payload/sign_in_link";

/// Where a link leads back to.
#[derive(Serialize, Deserialize)]
struct Payload {
    return_to: String,
}

/// Sends a link that signs in, once, in the browser with this secret. `email` is in lower case.
pub async fn request_link(platform: &Platform, email: &str, browser: &str, return_to: &Url) -> Result<()> {
    letters::spare(platform, email).await?;
    let token = secret()?;
    let mut link = platform
        .config
        .public_url
        .join("auth/email/link")
        .map_err(Error::internal)?;
    link.query_pairs_mut().append_pair("token", &token);
    let letter = Letter::SignIn {
        link: link.into(),
        minutes: SIGN_IN_LIFE.num_minutes(),
    };
    let letter = letters::seal(platform, email, None, letter)?;
    let payload = Payload {
        return_to: return_to.to_string(),
    };
    let new = NewOneUse {
        purpose: VerificationPurpose::SignInLink,
        user_id: None,
        email: Some(email.to_owned()),
        secret: one_use::bound(&token, browser),
        payload: Some(one_use::seal(platform, &payload, CONTEXT)?),
        life: SIGN_IN_LIFE,
    };
    let body = |tx: Tx| {
        let (new, letter) = (new.clone(), letter.clone());
        async move {
            one_use::store_in(&tx, new).await?;
            letters::enqueue_in(&tx, &letter, None).await.map(drop)
        }
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Uses a link up: whose address it proves, and where to go. `None` when it is unknown, over, used, or another browser's.
pub async fn redeem_link(
    platform: &Platform,
    token: &str,
    browser: &str,
) -> Result<Option<(Verified, String)>> {
    let secret = one_use::bound(token, browser);
    let Some(row) = one_use::redeem(platform, VerificationPurpose::SignInLink, &secret).await? else {
        return Ok(None);
    };
    let missing = || Error::internal("a link without its address");
    let payload = row.payload.ok_or_else(missing)?;
    let Payload { return_to } = one_use::open(platform, &payload, CONTEXT)?;
    let email = row.email.ok_or_else(missing)?;
    let who = Verified {
        provider: AuthProvider::Email,
        provider_name: EMAIL.into(),
        issuer: None,
        subject: email.clone(),
        email: Some(email),
        name: None,
        locale: None,
        time_zone: None,
        scopes: Vec::new(),
    };
    Ok(Some((who, return_to)))
}

/// Sends a link that proves the caller's address; returns the address.
pub async fn request_verification(access: &Access) -> Result<String> {
    let user_id = access.caller().require_personal(ApiTokenScope::Write)?;
    let platform = access.platform();
    let person = people::find(platform, user_id)
        .await?
        .ok_or_else(Error::unauthenticated)?;
    let refuse = |message: &str| Err(Error::user(UserErrorCode::InvalidState, "", message));
    if person.email_verified_at.is_some() {
        return refuse("Your e-mail address is confirmed already.");
    }
    if !letters::can_send(platform) {
        return refuse("This server cannot send e-mail. Its operator sets MERIDIAN_SMTP_URL.");
    }
    letters::spare(platform, &person.email).await?;
    let token = secret()?;
    let link = platform.config.sign_in.app_link("verify-email", &token).into();
    let letter = letters::seal(
        platform,
        &person.email,
        Some(&person.name),
        Letter::VerifyEmail { link },
    )?;
    let new = NewOneUse {
        purpose: VerificationPurpose::VerifyEmail,
        user_id: Some(user_id),
        email: Some(person.email.clone()),
        secret: token,
        payload: None,
        life: VERIFY_LIFE,
    };
    let body = |tx: Tx| {
        let (new, letter) = (new.clone(), letter.clone());
        async move {
            one_use::store_in(&tx, new).await?;
            letters::enqueue_in(&tx, &letter, None).await.map(drop)
        }
    };
    platform
        .write(Scope::System, access.caller().actor(), body)
        .await?;
    Ok(person.email)
}

/// Proves an address with the token of a link. Whoever has it needs no credentials.
pub async fn verify_email(access: &Access, token: &str) -> Result<user::Model> {
    // Who is signed in does it; a guest is whoever the link was sent to, which is known once it is redeemed.
    let platform = access.platform();
    let actor = match access.caller().user_id() {
        Some(_) => access.caller().actor(),
        None => {
            let origin = access.caller().origin.clone();
            match one_use::person_of(platform, VerificationPurpose::VerifyEmail, token).await? {
                Some(person) => Actor::person(person, origin),
                None => access.caller().actor(),
            }
        }
    };
    let invalid = || {
        Error::user(
            UserErrorCode::TokenInvalid,
            "token",
            "This link is unknown, was used, or is over.",
        )
    };
    let body = |tx: Tx| async move {
        let row = one_use::redeem_in(&tx, VerificationPurpose::VerifyEmail, token).await?;
        let row = row.ok_or_else(invalid)?;
        let id = row.user_id.ok_or_else(invalid)?;
        let select = tx.find_global::<Entity>().filter(Column::Id.eq(id)).hold();
        let person = select.one(tx.conn()).await?.ok_or_else(invalid)?;
        // The link proves the address it was sent to, not a later one.
        if row.email.as_deref() != Some(person.email.as_str()) {
            return Err(invalid());
        }
        let home = access::home_in(&tx, id).await?;
        mark_verified_in(&tx, person, home).await
    };
    platform.write(Scope::System, actor, body).await
}

/// Notes that a person has proven their address. `home` is their own workspace.
pub(super) async fn mark_verified_in(
    tx: &Tx,
    mut person: user::Model,
    home: WorkspaceId,
) -> Result<user::Model> {
    if person.email_verified_at.is_some() {
        return Ok(person);
    }
    person.email_verified_at = Some(tx.now());
    person.version += 1;
    person.updated_at = tx.now();
    let entry = Audit {
        action: "user.email_verified",
        entity_type: "User",
        entity_id: person.id.uuid(),
        changes: Some(json!({ "emailVerifiedAt": { "from": null, "to": person.email_verified_at } })),
    };
    tx.audit_in(home, entry);
    // Whoever keeps a copy of this person looks again.
    tx.announce(Topic::Revoked(person.id), &())?;
    tx.update_global_row(person.into_active_model().reset_all()).await
}
