//! Commands on accounts: signing in with one, linking and unlinking. What happens to an account is in the audit log of its person's own
//! workspace.

mod devices;
mod links;

use entity::account::{self, Column, Entity};
use entity::enums::{ApiTokenScope, AuthProvider};
use entity::ids::{AccountId, TypedId as _, UserId};
use entity::user;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set,
};
use serde_json::json;

use super::read;
use super::rules::{Newcomer, newcomer};
use crate::access::oidc::{Refusal, Verified};
use crate::access::{self, Access, NewSession};
use crate::config::SignUp;
use crate::features::{people, workspaces};
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Audit, Hold as _, Scope, Tx, is_unique_violation};

pub use links::{redeem_link, request_link, request_verification, verify_email};

/// Tries when somebody signs in twice at the same moment for the first time.
const ATTEMPTS: u32 = 3;

/// Signs in whoever this identity belongs to; a newcomer becomes a person with a personal workspace.
pub async fn sign_in(
    platform: &Platform,
    who: &Verified,
    origin: Origin,
) -> Result<std::result::Result<NewSession, Refusal>> {
    let user_id = match settle(platform, who, &origin).await? {
        Ok(user_id) => user_id,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let provider = Some(who.provider_name.as_str());
    let session = match access::create_session_from(platform, user_id, provider, origin.clone()).await {
        Ok(session) => session,
        // The person has unlinked it since it was found.
        Err(error) if error.is_not_found() => return Ok(Err(Refusal::Denied)),
        Err(error) => return Err(error),
    };
    devices::tell_of_sign_in(platform, user_id, session.id, &origin).await?;
    Ok(Ok(session))
}

/// Finds or makes the person of an identity.
async fn settle(
    platform: &Platform,
    who: &Verified,
    origin: &Origin,
) -> Result<std::result::Result<UserId, Refusal>> {
    for _ in 0..ATTEMPTS {
        let known = {
            let read = platform.db.read(Scope::System).await?;
            read::find(&read, who).await?
        };
        if let Some(account) = known {
            let user_id = account.user_id;
            refresh(platform, account, who).await?;
            return Ok(Ok(user_id));
        }
        let namesake = match &who.email {
            Some(email) => people::find_by_email(platform, email).await?,
            None => None,
        };
        let person = match newcomer(who, namesake) {
            Ok(Newcomer::Joins(person)) => person,
            Ok(Newcomer::IsNew(new)) if !is_welcome(platform, &new.email).await? => {
                return Ok(Err(Refusal::SignUpClosed));
            }
            Ok(Newcomer::IsNew(new)) => match workspaces::sign_up(platform, new, origin).await {
                Ok((person, _)) => person,
                // Somebody with this address came at the same moment: they are found now.
                Err(Error::User(errors)) if errors.iter().any(|error| error.code == UserErrorCode::Taken) => {
                    continue;
                }
                Err(error) => return Err(error),
            },
            Err(refusal) => return Ok(Err(refusal)),
        };
        match attach(platform, Actor::person(person.id, origin.clone()), person.id, who).await {
            Ok(_) => return Ok(Ok(person.id)),
            Err(error) if is_unique_violation(&error) => {}
            Err(error) => return Err(error),
        }
    }
    // The name of the provider has another issuer's account with this subject: the operator has moved it.
    Ok(Err(Refusal::AccountTaken))
}

/// Whether somebody with this proven address may become a person here. Asked after the proof, so that nobody learns from the answer who
/// is known or invited but the owner of the address.
async fn is_welcome(platform: &Platform, email: &str) -> Result<bool> {
    match platform.config.sign_in.sign_up {
        SignUp::Open => Ok(true),
        SignUp::Closed => Ok(false),
        SignUp::Invited => {
            let read = platform.db.read(Scope::System).await?;
            read::is_invited(&read, email, platform.clock.now()).await
        }
    }
}

/// Links an identity to a person who is signed in.
pub async fn link(
    platform: &Platform,
    who: &Verified,
    user_id: UserId,
    origin: Origin,
) -> Result<std::result::Result<(), Refusal>> {
    let known = {
        let read = platform.db.read(Scope::System).await?;
        read::find(&read, who).await?
    };
    match known {
        Some(account) if account.user_id == user_id => refresh(platform, account, who).await.map(Ok),
        Some(_) => Ok(Err(Refusal::AccountTaken)),
        None => match attach(platform, Actor::person(user_id, origin), user_id, who).await {
            Ok(_) => Ok(Ok(())),
            Err(error) if is_unique_violation(&error) => Ok(Err(Refusal::AccountTaken)),
            Err(error) => Err(error),
        },
    }
}

async fn attach(
    platform: &Platform,
    actor: Actor,
    user_id: UserId,
    who: &Verified,
) -> Result<account::Model> {
    let home = access::home(platform, user_id).await?;
    let body = |tx: Tx| {
        let who = who.clone();
        async move {
            let row = account::ActiveModel {
                id: Set(tx.ids().next()),
                user_id: Set(user_id),
                provider: Set(who.provider),
                provider_name: Set(who.provider_name.clone()),
                issuer: Set(who.issuer),
                subject: Set(who.subject),
                email: Set(who.email),
                scopes: Set(json!(who.scopes)),
                created_at: Set(tx.now()),
                updated_at: Set(tx.now()),
            };
            let mine = tx.find_global::<Entity>().filter(Column::UserId.eq(user_id));
            let is_first = mine.count(tx.conn()).await? == 0;
            let stored = tx.insert_global(row).await?;
            if !is_first {
                devices::tell_of_link_in(&tx, user_id, &who.provider_name).await?;
            }
            if stored.provider == AuthProvider::Email {
                // The link came to this very address.
                let select = tx
                    .find_global::<user::Entity>()
                    .filter(user::Column::Id.eq(user_id));
                if let Some(person) = select
                    .one(tx.conn())
                    .await?
                    .filter(|person| person.email == stored.subject)
                {
                    links::mark_verified_in(&tx, person, home).await?;
                }
            }
            record(&tx, "account.linked", stored.id, &who.provider_name);
            Ok(stored)
        }
    };
    platform.write(Scope::Workspace(home), actor, body).await
}

/// Notes what the provider says now.
async fn refresh(platform: &Platform, known: account::Model, who: &Verified) -> Result<()> {
    let scopes = json!(who.scopes);
    let email = who.email.clone().or_else(|| known.email.clone());
    if known.email == email && known.scopes == scopes && known.provider_name == who.provider_name {
        return Ok(());
    }
    let body = |tx: Tx| {
        let (mut row, email, scopes) = (known.clone(), email.clone(), scopes.clone());
        async move {
            row.email = email;
            row.scopes = scopes;
            row.provider_name = who.provider_name.clone();
            row.provider = who.provider;
            row.updated_at = tx.now();
            tx.update_global_row(row.into_active_model().reset_all())
                .await
                .map(drop)
        }
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Unlinks an account of the caller. The last one stays. Whoever signed in with its provider is signed out, also with another account there,
/// because a session does not know which; the session in use stays, as somebody has just shown that they mean it.
pub async fn unlink(access: &Access, id: AccountId) -> Result<()> {
    let user_id = access.caller().require_personal(ApiTokenScope::Admin)?;
    let home = access::home(access.platform(), user_id).await?;
    let in_use = access.caller().session_id();
    let body = |tx: Tx| async move {
        // The person's row is the lock: of two accounts that are unlinked at once, one stays.
        tx.find_global::<user::Entity>()
            .filter(user::Column::Id.eq(user_id))
            .hold()
            .one(tx.conn())
            .await?;
        let mine = tx.find_global::<Entity>().filter(Column::UserId.eq(user_id));
        let mine = mine.all(tx.conn()).await?;
        let account = mine
            .iter()
            .find(|account| account.id == id)
            .ok_or_else(Error::not_found)?;
        if mine.len() == 1 {
            let message = "This is your only way to sign in. Link another one first.";
            return Err(Error::user(UserErrorCode::InvalidState, "id", message));
        }
        tx.delete_global::<Entity>()
            .filter(Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        record(&tx, "account.unlinked", id, &account.provider_name);
        access::revoke_sessions_from_in(&tx, user_id, &account.provider_name, in_use).await?;
        Ok(())
    };
    access
        .platform()
        .write(Scope::Workspace(home), access.caller().actor(), body)
        .await
}

fn record(tx: &Tx, action: &'static str, id: AccountId, provider_name: &str) {
    tx.audit(Audit {
        action,
        entity_type: "Account",
        entity_id: id.uuid(),
        changes: Some(json!({ "provider": provider_name })),
    });
}
