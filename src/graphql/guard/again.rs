//! The same document again: what it costs only depends on the sizes that its variables give to pages and lists.

use std::sync::{Mutex, PoisonError};

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Value as Sent, Variables};
use async_graphql_value::Value;

use super::cost::SIZES;
use super::{Checked, GuardError, check_nul, measure, pick, prepare_variables};
use crate::config::Limits;

/// What was measured of one document the last time that it passed, and for which sizes. Most come with the same again.
#[derive(Debug, Default)]
pub struct Measured(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    operation: Option<String>,
    sizes: Vec<(Name, Size)>,
    checked: Checked,
}

/// All that a measure takes from a variable. Never the value itself: clients send what they like, and it would stay with the document.
#[derive(Debug, PartialEq, Eq)]
enum Size {
    Unsent,
    Number(Option<i64>),
    Items(usize),
    Other,
}

impl Size {
    fn of(sent: Option<&Sent>) -> Self {
        match sent {
            None => Self::Unsent,
            Some(Sent::Number(number)) => Self::Number(number.as_i64()),
            Some(Sent::List(items)) => Self::Items(items.len()),
            Some(_) => Self::Other,
        }
    }
}

impl Measured {
    /// As [`super::check`], always with the same document and limits.
    pub fn check(
        &self,
        query: &str,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: &mut Variables,
        limits: &Limits,
    ) -> Result<Checked, GuardError> {
        let operation = pick(document, operation_name)?;
        prepare_variables(operation, variables)?;
        if let Some(checked) = self.last(operation_name, variables) {
            if checked.kind != OperationType::Mutation {
                // The text had none the last time.
                check_nul("", variables)?;
            }
            return Ok(checked);
        }
        let checked = measure(query, document, operation, variables, limits)?;
        let mut names = Vec::new();
        for (_, operation) in document.operations.iter() {
            sizes(&operation.node.selection_set.node, &mut names);
        }
        for fragment in document.fragments.values() {
            sizes(&fragment.node.selection_set.node, &mut names);
        }
        let sizes = names.into_iter().map(|name| {
            let size = Size::of(variables.get(&name));
            (name, size)
        });
        let last = Last {
            operation: operation_name.map(str::to_owned),
            sizes: sizes.collect(),
            checked,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        Ok(checked)
    }

    fn last(&self, operation_name: Option<&str>, variables: &Variables) -> Option<Checked> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref()?;
        let is_same = last.operation.as_deref() == operation_name
            && last
                .sizes
                .iter()
                .all(|(name, size)| Size::of(variables.get(name)) == *size);
        is_same.then_some(last.checked)
    }
}

/// Collects the variables in arguments that give sizes.
fn sizes(set: &SelectionSet, names: &mut Vec<Name>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                for (name, argument) in &field.node.arguments {
                    if SIZES.contains(&name.node.as_str()) {
                        variables_in(&argument.node, names);
                    }
                }
                sizes(&field.node.selection_set.node, names);
            }
            Selection::InlineFragment(fragment) => sizes(&fragment.node.selection_set.node, names),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn variables_in(value: &Value, names: &mut Vec<Name>) {
    match value {
        Value::Variable(name) if !names.contains(name) => names.push(name.clone()),
        Value::List(items) => items.iter().for_each(|item| variables_in(item, names)),
        Value::Object(fields) => fields.values().for_each(|field| variables_in(field, names)),
        _ => {}
    }
}
