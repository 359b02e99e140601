//! Asking the server as somebody, and looking at the answer.

use async_graphql::{Request, Variables};
use futures_util::{Stream, StreamExt as _};
use meridian::access::Caller;
use meridian::graphql;
use serde_json::Value;

use super::TestApp;

/// Somebody who asks.
pub struct Client<'a> {
    pub app: &'a TestApp,
    pub caller: Caller,
}

impl Client<'_> {
    /// A request that only the plain resolvers answer.
    pub fn request(&self, document: &str, variables: Value) -> Request {
        let request = Request::new(document).variables(Variables::from_json(variables));
        graphql::prepare(request, &self.app.platform, self.caller.clone())
    }

    /// A request as the server makes it; `None` when it would refuse the document.
    pub fn fast_request(&self, document: &str, variables: &Value) -> Option<Request> {
        let limits = &self.app.platform.config.limits;
        let prepared = self.app.documents.read(document, limits).ok()?;
        let request = self.request(document, variables.clone());
        Some(graphql::with_document(request, prepared))
    }

    /// Runs one operation. Queries are answered in both ways, which must be equal; mutations as the server answers them, so that those
    /// that a test repeats go around the executor.
    pub async fn gql(&self, document: &str, variables: Value) -> Answer {
        let execute = |request| async { as_json(self.app.schema.execute(request).await) };
        let Some(request) = self.fast_request(document, &variables) else {
            return Answer(execute(self.request(document, variables)).await);
        };
        let text = document.trim_start();
        let is_mutation = text.starts_with("mutation") || document.contains("mutation ");
        let mut fast = match is_mutation {
            true => as_json(graphql::execute(&self.app.schema, request).await),
            false => execute(request).await,
        };
        if !is_mutation {
            let mut plain = execute(self.request(document, variables.clone())).await;
            // What workers do in between may show in one of them only.
            for _ in 0..5 {
                if fast == plain {
                    break;
                }
                plain = execute(self.request(document, variables.clone())).await;
                if let Some(request) = self.fast_request(document, &variables) {
                    fast = execute(request).await;
                }
            }
            assert_eq!(fast, plain, "two ways, two answers: {document}");
        }
        Answer(fast)
    }

    /// Starts a subscription.
    pub fn subscribe(
        &self,
        document: &str,
        variables: Value,
    ) -> impl Stream<Item = Answer> + Unpin + 'static {
        let schema = self.app.schema.clone();
        let fast = self.fast_request(document, &variables);
        let request = fast.unwrap_or_else(|| self.request(document, variables));
        let stream = schema
            .execute_stream(request)
            .map(|response| Answer(as_json(response)));
        Box::pin(stream)
    }
}

/// The response as its reader sees it.
fn as_json(response: async_graphql::Response) -> Value {
    let mut out = Vec::new();
    graphql::write_value(&response.data, &mut out);
    let data: Value = serde_json::from_slice(&out).expect("resolvers write JSON");
    let mut whole = serde_json::to_value(response).unwrap();
    whole["data"] = data;
    whole
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub Value);

impl Answer {
    /// The value at this path in `data`, for example `/task/title`. Fails the test when there are errors.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> Value {
        assert!(self.0.get("errors").is_none(), "unexpected errors: {:#}", self.0);
        let data = &self.0["data"];
        data.pointer(pointer)
            .unwrap_or_else(|| panic!("nothing at {pointer} in {data:#}"))
            .clone()
    }

    /// The text at this path.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let value = self.at(pointer);
        value
            .as_str()
            .unwrap_or_else(|| panic!("no text at {pointer}: {value}"))
            .to_owned()
    }

    /// The one top-level error's code.
    #[track_caller]
    pub fn error_code(&self) -> &str {
        let code = self.0["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no coded error in {:#}", self.0))
    }

    /// Whether the operation was answered with errors only. What fits no scalar gets its code where requests come in.
    pub fn was_refused(&self) -> bool {
        self.0["data"].is_null() && self.0.get("errors").is_some()
    }

    /// The first expected failure of a mutation, as `CODE path.to.field`.
    #[track_caller]
    pub fn user_error(&self, mutation: &str) -> String {
        let error = self.at(&format!("/{mutation}/userErrors/0"));
        let field: Vec<&str> = error["field"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        format!("{} {}", error["code"].as_str().unwrap(), field.join("."))
            .trim_end()
            .to_owned()
    }

    /// Fails the test when the mutation was refused.
    #[track_caller]
    pub fn succeeded(self, mutation: &str) -> Self {
        let errors = self.at(&format!("/{mutation}/userErrors"));
        assert_eq!(errors, serde_json::json!([]), "{mutation} was refused");
        self
    }
}
