//! From what a client sent to a request that may be executed, equal for HTTP and WebSocket: parameters are read strictly, the caller
//! pays from their budget, the document passes the guard.

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Variables};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::Web;
use super::client::Client;
use super::graphql_answer::{coded, refusal};
use crate::access::Caller;
use crate::graphql::{self, Spent, guard};
use crate::kernel::{self, ErrorCode};
use crate::platform::limits::{Decision, Limit, WINDOW};

/// The parameters of a GraphQL request.
#[derive(Debug, PartialEq)]
pub(super) struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Value,
}

/// Why parameters cannot be used.
#[derive(Debug, PartialEq)]
pub(super) enum Unusable {
    /// They are no GraphQL request.
    Malformed(String),
    /// They name a document instead of containing it.
    OnlyHash,
}

impl Parameters {
    /// Reads the object that a client sent; unknown members are left alone, as the protocols ask.
    pub(super) fn read(value: Value) -> Result<Self, Unusable> {
        let malformed = |message: &str| Unusable::Malformed(message.into());
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
        match object.remove("query").unwrap_or_default() {
            Value::String(query) => Ok(Self {
                query,
                operation_name,
                variables,
            }),
            // Clients that try a hash first send the document when they hear that it is unknown.
            Value::Null if extensions.contains_key("persistedQuery") => Err(Unusable::OnlyHash),
            Value::Null => Err(malformed("`query` is missing.")),
            _ => Err(malformed("`query` must be a string.")),
        }
    }
}

/// An operation that may be executed.
pub(super) struct Operation {
    pub(super) request: Request,
    pub(super) kind: OperationType,
}

/// What is left of the caller's budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    requests: Decision,
    points: Option<Decision>,
}

impl Budget {
    /// Pays for one request. There is a budget to tell about also when it is spent.
    pub(super) fn open(web: &Web, client: &Client, caller: &Caller) -> (Self, kernel::Result<()>) {
        let (limit, _, key) = account(client, caller);
        let requests = web.platform.limits.check(limit, &key, 1);
        let budget = Self {
            requests,
            points: None,
        };
        (budget, requests.into_result().map(drop))
    }

    /// Pays for the points of the operation.
    fn spend(&mut self, web: &Web, client: &Client, caller: &Caller, cost: u32) -> kernel::Result<Spent> {
        let (_, limit, key) = account(client, caller);
        let decision = web.platform.limits.check(limit, &key, cost);
        self.points = Some(decision);
        decision.into_result().map(|decision| Spent { decision, cost })
    }

    /// Tells the client. The `X-RateLimit` fields are about points, or about requests when those stopped this one.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let decisions = [Some(self.requests), self.points];
        let shown = self.points.unwrap_or(self.requests);
        let fields = [
            ("x-ratelimit-limit", shown.limit.to_string()),
            ("x-ratelimit-remaining", shown.remaining.to_string()),
            ("x-ratelimit-reset", shown.reset_at.timestamp().to_string()),
            (
                "ratelimit-policy",
                list(&decisions, |d| {
                    format!("\"{}\";q={};w={}", d.kind.name(), d.limit, WINDOW.as_secs())
                }),
            ),
            (
                "ratelimit",
                list(&decisions, |d| {
                    format!("\"{}\";r={};t={}", d.kind.name(), d.remaining, d.reset_after)
                }),
            ),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

fn list(decisions: &[Option<Decision>], show: impl Fn(&Decision) -> String) -> String {
    decisions
        .iter()
        .flatten()
        .map(show)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whose budget it is: that of the person, whatever they signed in with, or that of the address.
fn account(client: &Client, caller: &Caller) -> (Limit, Limit, String) {
    match caller.user_id() {
        Some(user) => (Limit::CallerRequests, Limit::CallerPoints, user.to_string()),
        None => (Limit::GuestRequests, Limit::GuestPoints, client.budget_key()),
    }
}

/// Checks the document, pays for it and adds what resolvers need. A refusal is the response to send.
pub(super) fn prepare(
    web: &Web,
    client: &Client,
    caller: &Caller,
    budget: &mut Budget,
    parameters: Parameters,
) -> Result<Operation, Box<Response>> {
    let Parameters {
        query,
        operation_name,
        variables,
    } = parameters;
    let mut variables = Variables::from_json(variables);
    let limits = &web.platform.config.limits;
    let refused = |error: guard::GuardError| Box::new(Response::from_errors(vec![error.into()]));
    let prepared = web.documents().read(&query, limits).map_err(refused)?;
    let checked = guard::check(
        &query,
        &prepared.document,
        operation_name.as_deref(),
        &mut variables,
        limits,
    )
    .map_err(refused)?;
    let spent = budget
        .spend(web, client, caller, checked.cost)
        .map_err(|error| Box::new(refusal(&error)))?;
    if checked.introspects && !web.platform.config.introspection {
        let message = "Introspection is switched off on this server.";
        return Err(Box::new(Response::from_errors(vec![coded(
            ErrorCode::GraphqlValidationFailed,
            message,
        )])));
    }
    let mut request = Request::new(query).variables(variables);
    request.operation_name = operation_name;
    let request = graphql::with_document(request, prepared);
    let request = graphql::prepare_paid(request, &web.platform, caller.clone(), spent);
    Ok(Operation {
        request,
        kind: checked.kind,
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
            (read.query.as_str(), read.operation_name.as_deref()),
            ("{ a }", Some("A"))
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
        ] {
            assert!(
                matches!(Parameters::read(wrong.clone()), Err(Unusable::Malformed(_))),
                "{wrong}"
            );
        }
        let hash = json!({ "extensions": { "persistedQuery": { "version": 1 } } });
        assert_eq!(Parameters::read(hash), Err(Unusable::OnlyHash));
    }
}
