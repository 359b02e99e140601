//! What every operation passes on its way through the executor: a document that is known to be valid is not validated again; where the
//! change logs stand is read before everything else, so that whoever goes on from there misses nothing; and the fields of the answer are
//! put in the order in which the document asks for them, as the GraphQL specification demands. The executor resolves and writes the fields
//! of each object in the order in which their resolvers happen to finish.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextValidation,
};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{
    Data, Name, Positioned, Response, ServerError, ServerResult, ValidationResult, Value, Variables,
};

use super::changes::Positions;
use super::documents::{Prepared, asks_position};
use super::shape::is_raw;
use crate::access::Access;

/// Adds this to a schema.
pub struct Served;

impl ExtensionFactory for Served {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Serving::default())
    }
}

/// Holds the document of requests that came without a [`Prepared`] one, and the variables of those whose directives may look at them.
#[derive(Default)]
struct Serving(Mutex<Option<Own>>, Mutex<Variables>);

struct Own {
    document: ExecutableDocument,
    asks_position: bool,
}

#[async_trait::async_trait]
impl Extension for Serving {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        if query.contains('@') {
            *self.1.lock().unwrap_or_else(PoisonError::into_inner) = variables.clone();
        }
        if ctx.data_opt::<Arc<Prepared>>().is_none() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Own {
                document: document.clone(),
                asks_position: asks_position(query),
            });
        }
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let prepared = ctx.data_opt::<Arc<Prepared>>();
        if prepared.is_some_and(|prepared| prepared.is_valid()) {
            return Ok(ValidationResult {
                cache_control: Default::default(),
                complexity: 0,
                depth: 0,
            });
        }
        let result = next.run(ctx).await?;
        if let Some(prepared) = prepared {
            prepared.set_valid();
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let prepared = ctx.data_opt::<Arc<Prepared>>();
        let mut response = match self.positions(ctx, prepared).await {
            Some(positions) => {
                let mut data = Data::default();
                data.insert(positions);
                next.run_with_data(ctx, operation_name, data).await
            }
            None => next.run(ctx, operation_name).await,
        };
        let own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = own.as_ref().map(|own| &own.document);
        let document = prepared.map(|prepared| &prepared.document).or(own);
        if let Some(document) = document
            && let Some(operation) = operation(document, operation_name)
        {
            let asking = Asking {
                document,
                operation,
                variables: &self.1.lock().unwrap_or_else(PoisonError::into_inner),
            };
            asking.arrange(&[&operation.selection_set.node], &mut response.data);
        }
        // Errors, too, come as their resolvers end.
        response
            .errors
            .sort_by_key(|error| error.locations.first().map(|place| (place.line, place.column)));
        response
    }
}

impl Serving {
    /// Where the change logs stand, when the document may ask for it.
    async fn positions(
        &self,
        ctx: &ExtensionContext<'_>,
        prepared: Option<&Arc<Prepared>>,
    ) -> Option<Positions> {
        let is_asked = match prepared {
            Some(prepared) => prepared.asks_position(),
            None => {
                let own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                own.as_ref().is_some_and(|own| own.asks_position)
            }
        };
        if !is_asked {
            return None;
        }
        Positions::read(ctx.data_opt::<Arc<Access>>()?).await
    }
}

fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) => operations.values().next()?,
    };
    Some(&operation.node)
}

/// An operation with what decides which of its fields are there.
struct Asking<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
}

impl<'a> Asking<'a> {
    /// Arranges a value that was asked for by these selections together.
    fn arrange(&self, selections: &[&'a SelectionSet], value: &mut Value) {
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(selections, item)),
            Value::Object(_) if is_raw(value) => {}
            Value::Object(fields) => {
                let mut wanted = IndexMap::new();
                selections
                    .iter()
                    .for_each(|selection| self.collect(selection, &mut wanted));
                let mut unordered = std::mem::take(fields);
                for (key, selections) in wanted {
                    if let Some(mut field) = unordered.swap_remove(key) {
                        self.arrange(&selections, &mut field);
                        fields.insert(key.clone(), field);
                    }
                }
                // Nothing is left unless the executor answers what nobody asked for; it is not for us to drop it.
                fields.extend(unordered);
            }
            _ => {}
        }
    }

    /// Response keys in the order of their first mention, each with all selections that are merged into it. Fragments of other types
    /// only mention keys that the object does not have. Cycles of fragments do not get past validation.
    fn collect(&self, selection: &'a SelectionSet, wanted: &mut IndexMap<&'a Name, Vec<&'a SelectionSet>>) {
        for item in &selection.items {
            if !self.shows(item.node.directives()) {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    let selections = wanted.entry(&field.node.response_key().node).or_default();
                    selections.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.collect(&fragment.node.selection_set.node, wanted)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                    if let Some(fragment) = fragment {
                        self.collect(&fragment.node.selection_set.node, wanted);
                    }
                }
            }
        }
    }

    fn shows(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.node.get_argument("if");
            let condition = condition.and_then(|value| self.truth(&value.node));
            match directive.node.name.node.as_str() {
                "skip" => condition != Some(true),
                "include" => condition != Some(false),
                _ => true,
            }
        })
    }

    fn truth(&self, value: &async_graphql_value::Value) -> Option<bool> {
        let name = match value {
            async_graphql_value::Value::Boolean(is) => return Some(*is),
            async_graphql_value::Value::Variable(name) => name,
            _ => return None,
        };
        let default = || {
            let mut definitions = self.operation.variable_definitions.iter();
            let definition = definitions.find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| &value.node)
        };
        match self.variables.get(name).or_else(default)? {
            Value::Boolean(is) => Some(*is),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn slow(&self) -> Query {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Query
        }

        async fn quick(&self) -> i32 {
            1
        }

        async fn many(&self) -> Vec<Query> {
            vec![Query, Query]
        }
    }

    #[tokio::test]
    async fn fields_come_in_the_order_of_the_document() {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
            .extension(Served)
            .finish();
        let document = "query A { slow { slow { __typename } quick } b: quick ...F quick many { slow { quick } a: quick } }
            fragment F on Query { z: slow { quick } slow { c: quick } }
            query B { quick }";
        let response = schema
            .execute(async_graphql::Request::new(document).operation_name("A"))
            .await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let expected = r#"{"slow":{"slow":{"__typename":"Query"},"quick":1,"c":1},"b":1,"z":{"quick":1},"quick":1,"many":[{"slow":{"quick":1},"a":1},{"slow":{"quick":1},"a":1}]}"#;
        assert_eq!(serde_json::to_string(&response.data).unwrap(), expected);
    }
}
