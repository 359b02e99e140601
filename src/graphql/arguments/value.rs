//! One value against its type: what is wrong with it, as a sentence.

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName};
use async_graphql::{Name, Pos, Value as ConstValue};
use async_graphql_value::Value;

use super::{BadValue, MOST, TYPES, Walk};
use crate::graphql::scalars;

impl Walk<'_> {
    /// Checks a value that is expected to have the type `wanted`.
    pub(super) fn value(&mut self, wanted: &str, value: &Value, path: &mut Vec<String>, at: Pos) {
        if self.found.len() >= MOST {
            return;
        }
        if let Value::Variable(name) = value {
            // One that was not sent counts as left out; whether that is allowed was checked with its definition.
            if let Some(sent) = self.variables.get(name) {
                let at = self.definition(name).unwrap_or(at);
                self.value(wanted, &sent.clone().into_value(), path, at);
            }
            return;
        }
        match MetaTypeName::create(wanted) {
            MetaTypeName::NonNull(_) if matches!(value, Value::Null) => {
                self.report(path, at, "this must not be null. Send a value.");
            }
            MetaTypeName::NonNull(inner) => self.value(inner, value, path, at),
            _ if matches!(value, Value::Null) => {}
            MetaTypeName::List(inner) => match value {
                Value::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        path.push(index.to_string());
                        self.value(inner, item, path, at);
                        path.pop();
                    }
                }
                // One value stands for the list of it.
                single => self.value(inner, single, path, at),
            },
            MetaTypeName::Named(name) => self.named(name, value, path, at),
        }
    }

    fn named(&mut self, name: &str, value: &Value, path: &mut Vec<String>, at: Pos) {
        match TYPES.types.get(name) {
            Some(MetaType::Scalar { .. }) => {
                // A scalar holds no variables, except JSON, which takes everything.
                let problem = value
                    .clone()
                    .into_const()
                    .and_then(|value| scalar_problem(name, value));
                if let Some(problem) = problem {
                    self.report(path, at, &problem);
                }
            }
            Some(MetaType::Enum { enum_values, .. }) => {
                let given = match value {
                    Value::Enum(given) => Some(given.as_str()),
                    Value::String(given) => Some(given.as_str()),
                    _ => None,
                };
                if given.is_none_or(|given| !enum_values.contains_key(given)) {
                    let given =
                        given.map_or_else(|| "this".into(), |given| format!("`{}`", scalars::shorten(given)));
                    self.report(
                        path,
                        at,
                        &format!("{given} is no value of `{name}`. Send one that the schema lists."),
                    );
                }
            }
            Some(MetaType::InputObject {
                input_fields, oneof, ..
            }) => match value {
                Value::Object(fields) => self.object(input_fields, *oneof, fields, path, at),
                _ => self.report(
                    path,
                    at,
                    &format!("an object is wanted. Send the fields of `{name}`."),
                ),
            },
            _ => {}
        }
    }

    fn object(
        &mut self,
        known: &IndexMap<String, MetaInputValue>,
        is_one_of: bool,
        fields: &IndexMap<Name, Value>,
        path: &mut Vec<String>,
        at: Pos,
    ) {
        if is_one_of {
            let given = fields.values().filter(|value| !self.is_absent(value)).count();
            if given != 1 || fields.len() != 1 {
                let names: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
                let message = format!("exactly one field is wanted. Send one of {}.", names.join(", "));
                return self.report(path, at, &message);
            }
        }
        for (name, wanted) in known {
            path.push(name.clone());
            match fields.get(name.as_str()) {
                Some(value) => self.value(&wanted.ty, value, path, at),
                None if wanted.default_value.is_none() && wanted.ty.ends_with('!') => {
                    self.report(path, at, "this is required. Send a value.");
                }
                None => {}
            }
            path.pop();
        }
    }

    fn is_absent(&self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Variable(name) => matches!(self.variables.get(name), None | Some(ConstValue::Null)),
            _ => false,
        }
    }

    /// Where a variable is defined.
    fn definition(&self, name: &Name) -> Option<Pos> {
        let mut definitions = self.operation.variable_definitions.iter();
        let found = definitions.find(|definition| definition.node.name.node == *name);
        found.map(|definition| definition.pos)
    }

    fn report(&mut self, path: &[String], location: Pos, problem: &str) {
        self.found.push(BadValue {
            field: path.to_vec(),
            message: format!("`{}`: {problem}", path.join(".")),
            location,
        });
    }
}

/// What is wrong with the value of a scalar.
fn scalar_problem(name: &str, value: ConstValue) -> Option<String> {
    let is_int = |value: &ConstValue| match value {
        ConstValue::Number(number) => number
            .as_i64()
            .is_some_and(|number| i32::try_from(number).is_ok()),
        _ => false,
    };
    let wanted = match (name, &value) {
        ("Int", value) if !is_int(value) => "a whole number between -2147483648 and 2147483647 is wanted",
        ("Float", value) if !matches!(value, ConstValue::Number(_)) => "a number is wanted",
        ("String", value) if !matches!(value, ConstValue::String(_)) => "a string is wanted",
        ("Boolean", value) if !matches!(value, ConstValue::Boolean(_)) => "`true` or `false` is wanted",
        ("ID", ConstValue::String(_)) => return None,
        ("ID", ConstValue::Number(number)) if number.is_i64() || number.is_u64() => return None,
        ("ID", _) => "an ID is wanted, as a string",
        ("Int" | "Float" | "String" | "Boolean", _) => return None,
        (ours, _) => return scalars::problem(ours, value),
    };
    Some(format!("{wanted}."))
}
