//! The same document again: what it says itself cannot have become wrong, so only arguments that hold variables are looked at.

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Name, Pos, Positioned, Variables};
use async_graphql_value::Value;

use super::{BadValue, Walk, operation};

/// The arguments of a document with one operation that hold variables, in the order of the document.
#[derive(Debug)]
pub struct Places(Vec<Place>);

/// An argument that holds variables.
#[derive(Debug)]
pub(super) struct Place {
    wanted: &'static str,
    name: String,
    value: Value,
    at: Pos,
}

impl Place {
    /// `None` when it holds no variables.
    pub(super) fn of(wanted: &'static str, name: &Name, argument: &Positioned<Value>) -> Option<Self> {
        has_variable(&argument.node).then(|| Self {
            wanted,
            name: name.to_string(),
            value: argument.node.clone(),
            at: argument.pos,
        })
    }
}

impl Places {
    /// `None` when the document says something that cannot be read, or has several operations: then each request is looked at as a whole.
    pub fn of(document: &ExecutableDocument) -> Option<Self> {
        let operation = operation(document, None).filter(|_| document.operations.iter().count() == 1)?;
        let variables = Variables::default();
        let mut walk = Walk::new(document, operation, &variables);
        walk.places = Some(Vec::new());
        walk.all();
        walk.places.filter(|_| walk.found.is_empty()).map(Self)
    }

    /// As [`super::check`].
    pub fn check(&self, document: &ExecutableDocument, variables: &Variables) -> Vec<BadValue> {
        let Some(operation) = operation(document, None) else {
            return Vec::new();
        };
        let mut walk = Walk::new(document, operation, variables);
        for place in &self.0 {
            let mut path = vec![place.name.clone()];
            walk.value(place.wanted, &place.value, &mut path, place.at);
        }
        walk.found
    }
}

fn has_variable(value: &Value) -> bool {
    match value {
        Value::Variable(_) => true,
        Value::List(items) => items.iter().any(has_variable),
        Value::Object(fields) => fields.values().any(has_variable),
        _ => false,
    }
}
