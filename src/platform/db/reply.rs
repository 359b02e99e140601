//! The mark that a transaction leaves on the record of a request that must not be carried out twice.

use entity::idempotency_record::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::together::Part;
use crate::kernel::actor::ReplyKey;

/// The answer of a request that was carried out and not answered yet. No real answer is empty.
pub const REPLY_LOST: &str = "";

/// Marks the record as carried out: whatever happens to the answer, this transaction is not run again.
#[expect(
    clippy::disallowed_methods,
    reason = "the record is found by its caller and key, beside any workspace"
)]
pub(super) fn carried_out(reply: &ReplyKey) -> Part {
    let update = Entity::update_many()
        .col_expr(Column::Answer, Expr::value(REPLY_LOST))
        .filter(Column::Caller.eq(reply.caller.as_str()))
        .filter(Column::Key.eq(reply.key.as_str()))
        .filter(Column::Answer.is_null());
    Part::update(update)
}
