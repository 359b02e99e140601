//! A scripted language model: it answers what a test says, as servers with an interface like that of OpenAI do.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::TestApp;
use super::fake_http::{Asked, FakeHttp};

/// What a scripted model does with one question.
#[derive(Clone, Debug)]
pub enum Says {
    /// Answers with this text.
    Text(String),
    /// Answers with this status.
    Status(u16),
    /// Sends this much.
    Huge(usize),
    /// Sends people elsewhere.
    Redirect(String),
}

/// The usual way to answer.
pub fn json_text(answer: &Value) -> Says {
    Says::Text(answer.to_string())
}

fn respond(says: Says) -> Response {
    match says {
        Says::Text(text) => axum::Json(json!({
            "id": "chatcmpl-1", "object": "chat.completion",
            "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } }],
        }))
        .into_response(),
        Says::Status(status) => (StatusCode::from_u16(status).unwrap(), "no").into_response(),
        Says::Huge(bytes) => "x".repeat(bytes).into_response(),
        Says::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
    }
}

/// A server that answers each question as the script says.
pub async fn scripted(script: impl Fn(usize, &Asked) -> Says + Clone + Send + Sync + 'static) -> FakeHttp {
    FakeHttp::start(move |number, asked| respond(script(number, asked))).await
}

/// A Meridian that asks this address.
pub async fn app_with(url: &str) -> TestApp {
    TestApp::with_settings(&[
        ("MERIDIAN_LLM_URL", url),
        ("MERIDIAN_LLM_MODEL", "scripted"),
        ("MERIDIAN_LLM_KEY", "sk-test-key"),
    ])
    .await
}

/// The question as the model saw it: what we wrote, and the document of data.
pub fn question(asked: &Asked) -> (String, Value) {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let rules = body["messages"][0]["content"].as_str().unwrap().to_owned();
    let data = body["messages"][1]["content"].as_str().unwrap();
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
    (rules, serde_json::from_str(data).unwrap())
}

/// A server that takes every question and never answers.
pub async fn silent() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[allow(
        clippy::disallowed_methods,
        reason = "lives exactly as long as the test's runtime"
    )]
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    address
}
