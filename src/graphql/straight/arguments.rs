//! Arguments of a field: as the document gives them, and with the values of one request. Knows no schema.

use std::collections::HashMap;

use async_graphql::parser::types::{Field as Asked, OperationDefinition};
use async_graphql::{InputType, Name, Variables};
use async_graphql_value::{ConstValue, Value};

/// Arguments as the document gives them.
#[derive(Debug)]
pub(super) struct Arguments {
    given: Vec<(Name, Value)>,
    defaults: HashMap<Name, ConstValue>,
}

impl Arguments {
    pub(super) fn of(field: &Asked, operation: &OperationDefinition) -> Self {
        let given = field.arguments.iter();
        let defaults = operation.variable_definitions.iter().filter_map(|definition| {
            let default = definition.node.default_value.as_ref()?;
            Some((definition.node.name.node.clone(), default.node.clone()))
        });
        Self {
            given: given
                .map(|(name, value)| (name.node.clone(), value.node.clone()))
                .collect(),
            defaults: defaults.collect(),
        }
    }
}

/// Arguments with the values of one request.
pub struct Given<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) variables: &'a Variables,
}

impl Given<'_> {
    /// The value of an argument; `None` when it cannot be read, about which the executor has the right words.
    pub fn read<T: InputType>(&self, name: &str) -> Option<T> {
        let mut given = self.arguments.given.iter();
        let value = match given.find(|(known, _)| known == name) {
            // A variable that was left out leaves the argument out.
            Some((_, Value::Variable(variable))) => self.variable(variable),
            Some((_, value)) => Some(
                value
                    .clone()
                    .into_const_with(|name| self.variable(&name).ok_or(()))
                    .ok()?,
            ),
            None => None,
        };
        T::parse(value).ok()
    }

    /// As [`Self::read`], for an argument that has a default in the schema.
    pub fn read_or<T: InputType>(&self, name: &str, default: T) -> Option<T> {
        let mut given = self.arguments.given.iter();
        match given.any(|(known, _)| known == name) {
            true => self.read(name),
            false => Some(default),
        }
    }

    fn variable(&self, name: &Name) -> Option<ConstValue> {
        let default = || self.arguments.defaults.get(name);
        self.variables.get(name).or_else(default).cloned()
    }
}
