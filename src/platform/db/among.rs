//! "One of these": conditions with one text however long the list is, so that each is prepared and planned once. A list of placeholders
//! is another text for each length.

use entity::ids::TypedId;
use sea_orm::sea_query::{ArrayType, Expr};
use sea_orm::{ColumnTrait, Value};

use super::read::Read;

/// Whether the column has one of these ids.
pub fn among<C, I>(read: &Read, column: C, ids: I) -> Expr
where
    C: ColumnTrait,
    I: IntoIterator,
    I::Item: TypedId,
{
    among_list(read, column, id_list(read, ids))
}

/// Ids as the one value that [`among_list`] takes: for statements that are kept, and for those that name a list more than once.
pub fn id_list<I>(read: &Read, ids: I) -> Value
where
    I: IntoIterator,
    I::Item: TypedId,
{
    let ids = ids.into_iter().map(|id| id.uuid());
    if read.is_postgres() {
        return array(ArrayType::Uuid, ids.map(Value::from).collect());
    }
    // Lists can be long, and their digits need no escapes: written at once, without a text for each.
    let mut list = String::from("[");
    let mut digits = [0_u8; 32];
    for (index, id) in ids.enumerate() {
        list.push_str(if index > 0 { ",\"" } else { "\"" });
        list.push_str(id.simple().encode_lower(&mut digits));
        list.push('"');
    }
    list.push(']');
    list.into()
}

/// Whether the column has one of the ids of an [`id_list`].
pub fn among_list<C: ColumnTrait>(read: &Read, column: C, list: Value) -> Expr {
    if read.is_postgres() {
        return any(column, list);
    }
    // Ids are stored as their bytes.
    each(column, "? IN (SELECT unhex(value) FROM json_each(?))", list)
}

/// Whether the column has one of these texts.
pub fn among_texts<C, I>(read: &Read, column: C, texts: I) -> Expr
where
    C: ColumnTrait,
    I: IntoIterator<Item = String>,
{
    if read.is_postgres() {
        let texts = texts.into_iter().map(Value::from).collect();
        return any(column, array(ArrayType::String, texts));
    }
    let list: Vec<String> = texts.into_iter().collect();
    let list = serde_json::Value::from(list).to_string();
    each(column, "? IN (SELECT value FROM json_each(?))", list.into())
}

fn array(of: ArrayType, values: Vec<Value>) -> Value {
    Value::Array(of, Some(Box::new(values)))
}

fn any<C: ColumnTrait>(column: C, list: Value) -> Expr {
    Expr::cust_with_exprs("$1 = ANY($2)", [column.into_expr(), Expr::val(list)])
}

fn each<C: ColumnTrait>(column: C, text: &'static str, list: Value) -> Expr {
    Expr::cust_with_exprs(text, [column.into_expr(), Expr::val(list)])
}
