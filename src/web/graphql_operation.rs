//! From what a client sent to a request that may be executed, equal for HTTP and WebSocket: parameters are read strictly, the document is
//! found and passes the guard, the caller pays from their budget.

mod budget;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Variables};
use serde_json::{Map, Value};

use super::client::Client;
use super::graphql_answer::{coded, refusal};
use super::graphql_documents::Wanted;
use super::{Web, reports};
use crate::access::Caller;
use crate::graphql::{self, guard};
use crate::kernel::ErrorCode;

pub(super) use budget::Budget;

/// The parameters of a GraphQL request.
#[derive(Debug, PartialEq)]
pub(super) struct Parameters {
    document: Wanted,
    operation_name: Option<String>,
    variables: Value,
}

impl Parameters {
    /// Reads the object that a client sent; unknown members are left alone, as the protocols ask. On failure, what is wrong with it.
    pub(super) fn read(value: Value) -> Result<Self, String> {
        let malformed = |message: &str| message.to_owned();
        let mut object = match value {
            Value::Object(object) => object,
            Value::Array(_) => {
                return Err(malformed(
                    "Batches are not supported. Send one request at a time.",
                ));
            }
            _ => return Err(malformed("A GraphQL request is a JSON object.")),
        };
        let extensions = match object.remove("extensions").unwrap_or_default() {
            Value::Null => Map::new(),
            Value::Object(extensions) => extensions,
            _ => return Err(malformed("`extensions` must be an object.")),
        };
        let variables = match object.remove("variables").unwrap_or_default() {
            Value::Null => Value::Object(Map::new()),
            variables @ Value::Object(_) => variables,
            _ => return Err(malformed("`variables` must be an object.")),
        };
        let operation_name = match object.remove("operationName").unwrap_or_default() {
            Value::Null => None,
            Value::String(name) => Some(name),
            _ => return Err(malformed("`operationName` must be a string.")),
        };
        let name = match object.remove("documentId").unwrap_or_default() {
            Value::Null => persisted_name(&extensions)?,
            Value::String(name) => Some(name),
            _ => return Err(malformed("`documentId` must be a string.")),
        };
        let text = match object.remove("query").unwrap_or_default() {
            Value::String(text) => Some(text),
            Value::Null if name.is_some() => None,
            Value::Null => return Err(malformed("`query` is missing.")),
            _ => return Err(malformed("`query` must be a string.")),
        };
        Ok(Self {
            document: Wanted { text, name },
            operation_name,
            variables,
        })
    }
}

/// The name of a document as automatic persisted queries send it.
fn persisted_name(extensions: &Map<String, Value>) -> Result<Option<String>, String> {
    let Some(persisted) = extensions.get("persistedQuery").filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match (&persisted["version"], &persisted["sha256Hash"]) {
        (Value::Number(version), Value::String(hash)) if version.as_u64() == Some(1) => {
            Ok(Some(hash.clone()))
        }
        _ => Err("`extensions.persistedQuery` must have `version` 1 and a string `sha256Hash`.".into()),
    }
}

/// An operation that may be executed.
pub(super) struct Operation {
    pub(super) request: Request,
    pub(super) kind: OperationType,
    /// Whether it is known who asks.
    pub(super) is_known: bool,
}

/// Finds and checks the document, pays for it and adds what resolvers need. A refusal is the response to send.
pub(super) async fn prepare(
    web: &Web,
    client: &Client,
    caller: &Caller,
    budget: &mut Budget,
    parameters: Parameters,
) -> Result<Operation, Box<Response>> {
    let Parameters {
        document,
        operation_name,
        variables,
    } = parameters;
    reports::operation(caller, operation_name.as_deref());
    let text = web
        .documents
        .find(&document)
        .map_err(|error| Box::new(refusal(&error)))?;
    let mut variables = Variables::from_json(variables);
    let limits = &web.platform.config.limits;
    let refused = |error: guard::GuardError| Box::new(Response::from_errors(vec![error.into()]));
    let prepared = web.prepared().read(&text, limits).map_err(refused)?;
    let checked = prepared
        .check(&text, operation_name.as_deref(), &mut variables, limits)
        .map_err(refused)?;
    let spent = budget
        .spend(web, client, caller, checked.cost)
        .await
        .map_err(|error| Box::new(refusal(&error)))?;
    if checked.introspects && !web.platform.config.introspection {
        let message = "Introspection is switched off on this server.";
        return Err(Box::new(Response::from_errors(vec![coded(
            ErrorCode::GraphqlValidationFailed,
            message,
        )])));
    }
    web.documents.remember(&document, &text);
    let bad = prepared.bad_values(operation_name.as_deref(), &variables);
    if !bad.is_empty() {
        let errors = bad.into_iter().map(Into::into).collect();
        return Err(Box::new(Response::from_errors(errors)));
    }
    let mut request = Request::new(&*text).variables(variables);
    request.operation_name = operation_name;
    let request = graphql::with_document(request, prepared);
    let request = graphql::prepare_paid(request, &web.platform, caller.clone(), spent);
    Ok(Operation {
        request,
        kind: checked.kind,
        is_known: caller.user_id().is_some(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_are_read_strictly() {
        let full = json!({ "query": "{ a }", "operationName": "A", "variables": { "x": 1 }, "extensions": {}, "id": 7 });
        let read = Parameters::read(full).unwrap();
        assert_eq!(
            (read.document.text.as_deref(), read.operation_name.as_deref()),
            (Some("{ a }"), Some("A"))
        );
        let nulls = json!({ "query": "{ a }", "operationName": null, "variables": null, "extensions": null });
        assert_eq!(Parameters::read(nulls).unwrap().variables, json!({}));
        for wrong in [
            json!([]),
            json!(null),
            json!({}),
            json!({ "query": 1 }),
            json!({ "query": null }),
            json!({ "query": "{ a }", "variables": [] }),
            json!({ "query": "{ a }", "variables": "{}" }),
            json!({ "query": "{ a }", "operationName": 1 }),
            json!({ "query": "{ a }", "extensions": 0 }),
            json!({ "query": "{ a }", "documentId": 7 }),
            json!({ "extensions": { "persistedQuery": { "version": 1 } } }),
            json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": "00" } } }),
        ] {
            assert!(Parameters::read(wrong.clone()).is_err(), "{wrong}");
        }
        let name = |value| Parameters::read(value).unwrap().document.name;
        let hash = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "00" } } });
        assert_eq!(name(hash).as_deref(), Some("00"));
        assert_eq!(name(json!({ "documentId": "abc" })).as_deref(), Some("abc"));
    }
}
