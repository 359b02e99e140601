//! The fast way from rows to an answer. A type that is declared with [`object!`] is described once; from that description come both the
//! plain resolvers, which the schema shows and which can answer everything, and a [`Shape`], which writes whole selections of loaded rows
//! into one buffer, without a future and a map entry for each field.
//!
//! How an answer is made: the selection is compiled to a [`Plan`]; the plan knows the columns that it needs, so that a list reads no
//! others; what rows refer to is loaded for all of them together, level by level; then everything is written in the order of the
//! document. Where a selection asks for something that has no fast form, or where loading fails, the plain resolvers answer instead, so
//! that errors have one source. Promises: both ways give the same answer (the tests' client asks every query in both and compares).
//!
//! To add a field to a type: one entry in its `object!`. To add a type: copy `tasks.rs`.

mod collect;
mod json;
mod link;
mod object;
mod page;
mod plain;
mod plan;
mod raw;

pub use json::WriteJson;
pub use link::{Form, Missing, found, held, inside, list, one, within};
pub(crate) use object::{object, shape_field, shape_plain};
pub use page::{Many, PagePlan};
pub use plain::{key_of, link_found, link_many, link_must, link_one};
pub use plan::{Field, Plain, Plan, Scene, Shape, columns_asked, key_text, resolve_one};
pub use raw::{is_raw, raw, take_raw, write_value};

/// The GraphQL name of a field as the name of its resolver: `dueAt` as `due_at`.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
