//! Keyset paging over any select: the order, the position and one row more than asked, so that "is there more" needs no second query.

use std::cmp::Ordering;

use sea_orm::sea_query::{Expr, ExprTrait as _, NullOrdering, SimpleExpr};
use sea_orm::{Condition, Order, QueryFilter, QueryOrder, QuerySelect, Value};

use crate::kernel::page::{Cursor, PageRequest};
use crate::kernel::{Error, Result};

/// One sort key. The last key of an order must be unique and not null.
#[derive(Clone, Debug)]
pub struct Key {
    /// What to sort by.
    pub expr: SimpleExpr,
    /// Largest first.
    pub descending: bool,
    /// Turns the cursor's JSON into the column's type; `None` refuses it.
    pub value: fn(&serde_json::Value) -> Option<Value>,
    /// Rows without a value come last, whatever the direction.
    pub nullable: bool,
}

/// Adds order, position and limit of one page to a select.
pub fn keyset<S: QueryFilter + QueryOrder + QuerySelect>(
    mut select: S,
    keys: &[Key],
    page: &PageRequest,
) -> Result<S> {
    if let Some(cursor) = &page.after {
        select = select.filter(beyond(keys, cursor, Ordering::Greater, "after")?);
    }
    if let Some(cursor) = &page.before {
        select = select.filter(beyond(keys, cursor, Ordering::Less, "before")?);
    }
    for key in keys {
        let order = if key.descending != page.backward {
            Order::Desc
        } else {
            Order::Asc
        };
        if key.nullable {
            let nulls = if page.backward {
                NullOrdering::First
            } else {
                NullOrdering::Last
            };
            select = select.order_by_with_nulls(key.expr.clone(), order, nulls);
        } else {
            select = select.order_by(key.expr.clone(), order);
        }
    }
    Ok(select.limit(page.limit + 1))
}

/// Rows strictly after (or before) the cursor in list order: `a > x OR (a = x AND b > y) …`.
fn beyond(keys: &[Key], cursor: &Cursor, side: Ordering, argument: &str) -> Result<Condition> {
    let refuse = || Error::bad_input(format!("`{argument}` is a cursor of another list or order."));
    if cursor.0.len() != keys.len() {
        return Err(refuse());
    }
    let mut any = Condition::any();
    let mut equal_so_far = Condition::all();
    for (key, json) in keys.iter().zip(&cursor.0) {
        let value = match json {
            serde_json::Value::Null if key.nullable => None,
            json => Some((key.value)(json).ok_or_else(refuse)?),
        };
        let forward = side == Ordering::Greater;
        let strictly = match &value {
            // Rows without a value are last: nothing is after them, everything with a value is before.
            None if forward => Expr::cust("1 = 0"),
            None => key.expr.clone().is_not_null(),
            Some(value) => {
                let bound = Expr::val(value.clone());
                let compared = if forward != key.descending {
                    key.expr.clone().gt(bound)
                } else {
                    key.expr.clone().lt(bound)
                };
                if key.nullable && forward {
                    compared.or(key.expr.clone().is_null())
                } else {
                    compared
                }
            }
        };
        any = any.add(equal_so_far.clone().add(strictly));
        equal_so_far = equal_so_far.add(match value {
            None => key.expr.clone().is_null(),
            Some(value) => key.expr.clone().eq(Expr::val(value)),
        });
    }
    let position = Condition::all().add(any);
    // Says nothing new, but lets the database begin its walk at the cursor: it does not see that in the OR.
    Ok(match (keys.first(), cursor.0.first()) {
        (Some(key), Some(json)) if !key.nullable => {
            let value = Expr::val((key.value)(json).ok_or_else(refuse)?);
            position.add(if (side == Ordering::Greater) != key.descending {
                key.expr.clone().gte(value)
            } else {
                key.expr.clone().lte(value)
            })
        }
        _ => position,
    })
}
