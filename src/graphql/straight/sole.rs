//! Documents that ask for one thing, without directives: those that may have a way around the executor.

use std::sync::Arc;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field as Asked, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Context, Positioned};

use crate::graphql::documents::Prepared;
use crate::graphql::shape::key_text;

/// The only operation of a document without directives.
pub(super) struct Sole<'a> {
    pub(super) name: Option<String>,
    pub(super) operation: &'a OperationDefinition,
    pub(super) field: &'a Asked,
}

/// The operation of a document that asks for one root field, and where no directive decides anything.
pub(super) fn sole(document: &ExecutableDocument) -> Option<Sole<'_>> {
    let (name, operation) = match &document.operations {
        DocumentOperations::Single(operation) => (None, &operation.node),
        DocumentOperations::Multiple(operations) => {
            let mut operations = operations.iter();
            let (name, operation) = operations.next()?;
            if operations.next().is_some() {
                return None;
            }
            (Some(name.to_string()), &operation.node)
        }
    };
    let is_plain = operation.ty != OperationType::Subscription
        && operation.directives.is_empty()
        && is_undirected(&operation.selection_set.node)
        && document.fragments.values().all(|fragment| {
            fragment.node.directives.is_empty() && is_undirected(&fragment.node.selection_set.node)
        });
    let field = only_field(&operation.selection_set)?;
    is_plain.then_some(Sole {
        name,
        operation,
        field,
    })
}

fn is_undirected(set: &SelectionSet) -> bool {
    set.items.iter().all(|item| match &item.node {
        Selection::Field(field) => {
            field.node.directives.is_empty() && is_undirected(&field.node.selection_set.node)
        }
        Selection::FragmentSpread(spread) => spread.node.directives.is_empty(),
        Selection::InlineFragment(fragment) => {
            fragment.node.directives.is_empty() && is_undirected(&fragment.node.selection_set.node)
        }
    })
}

/// The field of a selection that has no other.
pub(super) fn only_field(set: &Positioned<SelectionSet>) -> Option<&Asked> {
    match set.node.items.as_slice() {
        [
            Positioned {
                node: Selection::Field(field),
                ..
            },
        ] => Some(&field.node),
        _ => None,
    }
}

/// The answer up to the value of this root field.
pub(super) fn opening(field: &Asked) -> Vec<u8> {
    let mut text = vec![b'{'];
    text.extend_from_slice(&key_text(&field.response_key().node, true));
    text
}

/// The document of a running operation of this kind, when its answers may be compiled.
pub(super) fn compilable<'a>(ctx: &Context<'a>, ty: OperationType) -> Option<(&'a Arc<Prepared>, Sole<'a>)> {
    let prepared = ctx.data_opt::<Arc<Prepared>>()?;
    if prepared.is_decided() {
        return None;
    }
    let Some(sole) = sole(&prepared.document).filter(|sole| sole.operation.ty == ty) else {
        prepared.decide(None);
        return None;
    };
    Some((prepared, sole))
}
