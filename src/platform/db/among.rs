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
    let ids = ids.into_iter().map(|id| id.uuid());
    if read.is_postgres() {
        let ids: Vec<Value> = ids.map(Value::from).collect();
        return any(column, ArrayType::Uuid, ids);
    }
    // Ids are stored as their bytes.
    let list: Vec<String> = ids.map(|id| id.simple().to_string()).collect();
    each(column, "? IN (SELECT unhex(value) FROM json_each(?))", &list)
}

/// Whether the column has one of these texts.
pub fn among_texts<C, I>(read: &Read, column: C, texts: I) -> Expr
where
    C: ColumnTrait,
    I: IntoIterator<Item = String>,
{
    if read.is_postgres() {
        let texts: Vec<Value> = texts.into_iter().map(Value::from).collect();
        return any(column, ArrayType::String, texts);
    }
    let list: Vec<String> = texts.into_iter().collect();
    each(column, "? IN (SELECT value FROM json_each(?))", &list)
}

fn any<C: ColumnTrait>(column: C, of: ArrayType, values: Vec<Value>) -> Expr {
    let list = Value::Array(of, Some(Box::new(values)));
    Expr::cust_with_exprs("$1 = ANY($2)", [column.into_expr(), Expr::val(list)])
}

fn each<C: ColumnTrait>(column: C, text: &'static str, list: &[String]) -> Expr {
    let list = serde_json::Value::from(list.to_vec()).to_string();
    Expr::cust_with_exprs(text, [column.into_expr(), Expr::val(list)])
}
