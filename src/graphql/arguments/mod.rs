//! Reads what an operation sends against the schema, before any resolver runs. Promises: every value that cannot be read is reported with
//! its path, its place in the document and a sentence of its own; an operation without arguments costs nothing. Must not judge what
//! validation judges: fields, arguments and variables that do not exist are left to it.

mod again;
mod value;

use std::collections::HashSet;
use std::sync::LazyLock;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::registry::{MetaField, MetaTypeName, Registry};
use async_graphql::{Name, OutputType as _, Pos, SubscriptionType as _, Variables};

use super::{Mutation, Query, Subscription};
use again::Place;

pub use again::Places;

/// More mistakes than this are not told at once.
const MOST: usize = 20;

/// The types of the schema. The executor keeps its own to itself.
static TYPES: LazyLock<Registry> = LazyLock::new(|| {
    let mut types = Registry::default();
    Query::create_type_info(&mut types);
    Mutation::create_type_info(&mut types);
    Subscription::create_type_info(&mut types);
    types
});

/// A value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// Path from the arguments on, for example `["input", "dueAt"]`; positions in lists count from `0`.
    pub field: Vec<String>,
    /// Sentence that names the field, what is wrong and what to send.
    pub message: String,
    /// The value in the document, or the definition of the variable that holds it.
    pub location: Pos,
}

/// The values that cannot be read, in the order of the document. `variables` must already contain the defaults of the operation.
pub fn check(document: &ExecutableDocument, name: Option<&str>, variables: &Variables) -> Vec<BadValue> {
    let Some(operation) = operation(document, name) else {
        return Vec::new();
    };
    let mut walk = Walk::new(document, operation, variables);
    walk.all();
    walk.found
}

fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) => operations.values().next()?,
    };
    Some(&operation.node)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// Fragments that were looked at; what they send does not depend on where they are used.
    fragments: HashSet<&'a Name>,
    found: Vec<BadValue>,
    /// Arguments that hold variables, when those are only collected.
    places: Option<Vec<Place>>,
}

impl<'a> Walk<'a> {
    fn new(
        document: &'a ExecutableDocument,
        operation: &'a OperationDefinition,
        variables: &'a Variables,
    ) -> Self {
        Self {
            document,
            operation,
            variables,
            fragments: HashSet::new(),
            found: Vec::new(),
            places: None,
        }
    }

    fn all(&mut self) {
        let root = match self.operation.ty {
            OperationType::Query => Query::type_name(),
            OperationType::Mutation => Mutation::type_name(),
            OperationType::Subscription => Subscription::type_name(),
        };
        self.selection(&root, &self.operation.selection_set.node);
    }

    fn selection(&mut self, parent: &str, selection: &'a SelectionSet) {
        for item in &selection.items {
            if self.found.len() >= MOST {
                return;
            }
            match &item.node {
                Selection::Field(field) => self.field(parent, &field.node),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                    self.selection(on, &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.document.fragments.get(name);
                    if let Some(fragment) = fragment.filter(|_| self.fragments.insert(name)) {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.selection(on, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, parent: &str, field: &'a Field) {
        if field.arguments.is_empty() && field.selection_set.node.items.is_empty() {
            return;
        }
        let Some(known) = known_field(parent, &field.name.node) else {
            return;
        };
        for (name, argument) in &field.arguments {
            if let Some(wanted) = known.args.get(name.node.as_str()) {
                if let Some(places) = &mut self.places
                    && let Some(place) = Place::of(&wanted.ty, &name.node, argument)
                {
                    places.push(place);
                    continue;
                }
                let mut path = vec![name.node.to_string()];
                self.value(&wanted.ty, &argument.node, &mut path, argument.pos);
            }
        }
        self.selection(
            MetaTypeName::concrete_typename(&known.ty),
            &field.selection_set.node,
        );
    }
}

fn known_field(parent: &str, name: &str) -> Option<&'static MetaField> {
    TYPES.types.get(parent)?.field_by_name(name)
}
