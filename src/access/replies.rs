//! Answers to repeated requests: who sends a mutation again with the same `Idempotency-Key` gets the first answer, and nothing is done
//! twice. A record is claimed before the mutation runs; the mutation's own transaction marks it as carried out, so that a crash between
//! the commit and the answer is noticed. Answers are sealed: some hold a secret that is told only once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::idempotency_record::{ActiveModel, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set};

use crate::kernel::actor::{Actor, ReplyKey};
use crate::kernel::{Error, ErrorCode, Result};
use crate::platform::Platform;
use crate::platform::db::{REPLY_LOST, Scope, Tx, is_unique_violation};

/// How long answers are kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// What to do with a request. It has no `Debug`, so that no answer is printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Claim {
    /// It comes for the first time: run it, then [`keep`] its answer.
    First,
    /// It was answered before, with this.
    Answered(String),
}

/// Claims a key for the request with this body, or finds its answer. IDEMPOTENCY_CONFLICT when the key belongs to another request, or
/// to the same one whose answer cannot be given.
pub async fn claim(platform: &Platform, key: &ReplyKey, body_hash: Vec<u8>) -> Result<Claim> {
    let patience = platform.config.limits.operation_timeout * 2;
    let patience = TimeDelta::from_std(patience).unwrap_or(TimeDelta::minutes(2));
    let claimed = platform
        .write(Scope::System, Actor::system(), |tx| {
            let (key, body_hash) = (key.clone(), body_hash.clone());
            async move { claim_in(&tx, &key, body_hash, patience).await }
        })
        .await;
    match claimed {
        Ok(Claim::Answered(sealed)) => open(platform, key, &sealed).map(Claim::Answered).ok_or_else(lost),
        // Two came at once, and the other one was first.
        Err(error) if is_unique_violation(&error) => Err(running()),
        other => other,
    }
}

/// [`claim`] inside a transaction; the answer is still sealed.
async fn claim_in(tx: &Tx, key: &ReplyKey, body_hash: Vec<u8>, patience: TimeDelta) -> Result<Claim> {
    let found = tx.find_global::<Entity>().filter(is(key));
    let fresh = ActiveModel {
        caller: Set(key.caller.clone()),
        key: Set(key.key.clone()),
        workspace_id: Set(None),
        body_hash: Set(body_hash.clone()),
        answer: Set(None),
        expires_at: Set(tx.now() + KEPT),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    let Some(row) = found.lock_exclusive().one(tx.conn()).await? else {
        tx.insert_global(fresh).await?;
        return Ok(Claim::First);
    };
    if row.expires_at <= tx.now() {
        tx.update_global_row(fresh.clone()).await?;
        return Ok(Claim::First);
    }
    if row.body_hash != body_hash {
        let message = "This idempotency key was used with another request. Use a new key.";
        return Err(Error::coded(ErrorCode::IdempotencyConflict, message));
    }
    match &row.answer {
        Some(answer) if answer == REPLY_LOST => Err(lost()),
        Some(answer) => Ok(Claim::Answered(answer.clone())),
        // Whoever ran it is gone, and nothing was committed.
        None if row.updated_at + patience <= tx.now() => {
            let mut row = row.into_active_model();
            row.updated_at = Set(tx.now());
            tx.update_global_row(row).await?;
            Ok(Claim::First)
        }
        None => Err(running()),
    }
}

fn lost() -> Error {
    let message = "This request was carried out, but its answer was lost. Look at the current state.";
    Error::coded(ErrorCode::IdempotencyConflict, message)
}

fn running() -> Error {
    Error::Coded {
        code: ErrorCode::IdempotencyConflict,
        message: "The first request with this idempotency key is still running. Try again in a moment."
            .into(),
        retry_after: Some(1),
        cause: None,
    }
}

/// Keeps the answer of a claimed request. One that `failed` without having changed anything may be tried again instead.
pub async fn keep(platform: &Platform, key: &ReplyKey, answer: &str, failed: bool) -> Result<()> {
    let sealed = seal(platform, key, answer)?;
    platform
        .write(Scope::System, Actor::system(), |tx| {
            let (key, answer) = (key.clone(), sealed.clone());
            async move {
                if failed {
                    let free = tx
                        .delete_global::<Entity>()
                        .filter(is(&key))
                        .filter(Column::Answer.is_null());
                    if free.exec(tx.conn()).await?.rows_affected > 0 {
                        return Ok(());
                    }
                }
                tx.update_global::<Entity>()
                    .col_expr(Column::Answer, Expr::value(answer))
                    .col_expr(Column::UpdatedAt, Expr::value(tx.now()))
                    .filter(is(&key))
                    .exec(tx.conn())
                    .await
                    .map(drop)
                    .map_err(Error::from)
            }
        })
        .await
}

/// Gives the key of a request back that broke off, by its deadline or a defect, with no answer to keep. It may be tried again when nothing
/// of it was carried out; else its answer is lost, and to say that it failed would be wrong.
pub async fn give_back(platform: &Platform, key: &ReplyKey) -> Result<()> {
    let body = |tx: Tx| async move {
        let free = tx
            .delete_global::<Entity>()
            .filter(is(key))
            .filter(Column::Answer.is_null());
        free.exec(tx.conn()).await?;
        Ok(())
    };
    platform.write(Scope::System, Actor::system(), body).await
}

fn seal(platform: &Platform, key: &ReplyKey, answer: &str) -> Result<String> {
    Ok(STANDARD.encode(platform.secrets.seal(answer.as_bytes(), &place(key))?))
}

/// What [`seal`] made; `None` when no key of the installation opens it any more.
fn open(platform: &Platform, key: &ReplyKey, sealed: &str) -> Option<String> {
    let sealed = STANDARD.decode(sealed).ok()?;
    let answer = platform.secrets.open(&sealed, &place(key)).ok()?;
    String::from_utf8(answer).ok()
}

/// Where an answer is stored: it opens for nobody else, and under no other key.
fn place(key: &ReplyKey) -> Vec<u8> {
    format!("idempotency_records.answer/{}/{}", key.caller, key.key).into_bytes()
}

fn is(key: &ReplyKey) -> Condition {
    Condition::all()
        .add(Column::Caller.eq(key.caller.as_str()))
        .add(Column::Key.eq(key.key.as_str()))
}
