//! What columns of JSON say of a person who is erased: guest lists of single occurrences, and what plans took off a calendar and may put back.

use entity::ids::{TypedId as _, UserId};
use entity::{event_override, schedule};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Map, Value};

use crate::kernel::{Error, Result};
use crate::platform::db::Tx;

/// Empties their names and comments; of guests their address stays, as in all guest lists.
pub(super) async fn forget(tx: &Tx, user_id: UserId, email: &str) -> Result<()> {
    let email = email.to_lowercase();
    let id = serde_json::to_value(user_id).map_err(|error| Error::internal(error.to_string()))?;
    let person = (email.as_str(), &id);
    let select = tx
        .find::<event_override::Entity>()
        .filter(Expr::cust("lower(CAST(\"event_overrides\".\"patch\" AS TEXT))").like(format!("%{email}%")));
    for row in select.all(tx.conn()).await? {
        let mut patch = row.patch;
        if forget_in(&mut patch, person) {
            tx.update_many::<event_override::Entity>()
                .col_expr(event_override::Column::Patch, Expr::value(patch))
                .filter(event_override::Column::Id.eq(row.id))
                .exec(tx.conn())
                .await?;
        }
    }
    let undo = || Expr::cust("lower(CAST(\"schedules\".\"undo\" AS TEXT))");
    let named = undo()
        .like(format!("%{email}%"))
        .or(undo().like(format!("%{}%", user_id.uuid())));
    let select = tx.find::<schedule::Entity>().filter(named);
    for row in select.all(tx.conn()).await? {
        let Some(mut undo) = row.undo else { continue };
        if forget_in(&mut undo, person) {
            tx.update_many::<schedule::Entity>()
                .col_expr(schedule::Column::Undo, Expr::value(undo))
                .filter(schedule::Column::Id.eq(row.id))
                .exec(tx.conn())
                .await?;
        }
    }
    Ok(())
}

/// Whether there was anything to forget.
fn forget_in(value: &mut Value, person: (&str, &Value)) -> bool {
    // All of them are looked at, so nothing may stop at the first that is found.
    let mut hit = false;
    match value {
        Value::Array(all) => {
            for one in all {
                hit |= forget_in(one, person);
            }
        }
        Value::Object(map) => {
            hit |= empty(map, person);
            for one in map.values_mut() {
                hit |= forget_in(one, person);
            }
        }
        _ => {}
    }
    hit
}

fn empty(map: &mut Map<String, Value>, (email, id): (&str, &Value)) -> bool {
    let says = |key: &str| {
        map.get(key)
            .and_then(Value::as_str)
            .is_some_and(|text| text.to_lowercase() == email)
    };
    let mut words: Vec<&str> = Vec::new();
    if says("email") || map.get("user_id") == Some(id) {
        words.extend(["name", "comment"]);
    }
    if says("organizer_email") {
        words.extend(["organizer_email", "organizer_name"]);
    }
    let mut hit = false;
    for word in words {
        if let Some(told) = map.get_mut(word).filter(|told| **told != Value::Null) {
            *told = Value::Null;
            hit = true;
        }
    }
    hit
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_their_own_words_go() {
        let mut patch = json!({ "title": "Ada and Ben", "guests": [
            { "email": "Ada@example.org", "name": "Ada", "response": "ACCEPTED" },
            { "email": "ben@example.org", "name": "Ben" },
        ] });
        assert!(forget_in(&mut patch, ("ada@example.org", &json!("u1"))));
        let guests = json!([
            { "email": "Ada@example.org", "name": null, "response": "ACCEPTED" },
            { "email": "ben@example.org", "name": "Ben" },
        ]);
        assert_eq!(patch, json!({ "title": "Ada and Ben", "guests": guests }));
        assert!(
            !forget_in(&mut patch, ("ada@example.org", &json!("u1"))),
            "nothing is left"
        );
        let mut undo = json!({ "removed": [{ "attendees": [{ "user_id": "u1", "comment": "late" }] }] });
        assert!(forget_in(&mut undo, ("ada@example.org", &json!("u1"))));
        assert!(undo.pointer("/removed/0/attendees/0/comment").unwrap().is_null());
    }
}
