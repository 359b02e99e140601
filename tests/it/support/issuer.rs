//! An OpenID Connect issuer that does what a script says: honest until a test makes it lie, stall or fall silent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use openidconnect::JsonWebKeyId;
use openidconnect::PrivateSigningKey as _;
use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
};
use serde_json::{Value, json};

use super::fake_http::{Asked, FakeHttp};

pub const CLIENT_ID: &str = "meridian";
pub const CLIENT_SECRET: &str = "s3cret of the client, with spaces";

/// How an endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Well,
    /// With this status and no JSON.
    Status(u16),
    /// With a head and then nothing more.
    Never,
    /// With more than anybody wants.
    Hugely,
    /// With a redirect to the place where all is well.
    Elsewhere,
}

/// How identity tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// With the key made of this byte.
    With(u8),
    /// With the client's secret.
    BySecret,
    /// Not at all.
    Not,
}

/// What the issuer does.
#[derive(Clone, Debug)]
pub struct Script {
    pub signs: Signs,
    /// The byte of the key that is published.
    pub publishes: u8,
    pub discovery: Answers,
    pub token: Answers,
    /// Merged over the usual discovery document.
    pub metadata: Value,
    /// Merged over the usual header of the identity token.
    pub header: Value,
    /// Merged over the usual claims; null removes one.
    pub claims: Value,
    pub userinfo: Value,
    /// Seconds since the epoch.
    pub now: i64,
    pub nonce: String,
}

/// A running issuer.
pub struct Issuer {
    pub http: FakeHttp,
    script: Arc<Mutex<Script>>,
}

impl Issuer {
    pub async fn start(now: i64) -> Self {
        let script = Arc::new(Mutex::new(Script {
            signs: Signs::With(1),
            publishes: 1,
            discovery: Answers::Well,
            token: Answers::Well,
            metadata: json!({}),
            header: json!({}),
            claims: json!({}),
            userinfo: json!({ "sub": "subject-1" }),
            now,
            nonce: String::new(),
        }));
        let shared = script.clone();
        let http = FakeHttp::start(move |_, asked| {
            let script = shared.lock().unwrap().clone();
            answer(&script, asked)
        })
        .await;
        Self { http, script }
    }

    /// The issuer as it names itself.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.address)
    }

    /// Settings of a server that trusts this issuer under a name.
    pub fn settings(&self, name: &str) -> Vec<(String, String)> {
        let own = |part: &str, value: &str| {
            (
                format!("MERIDIAN_OIDC_{}_{part}", name.to_uppercase()),
                value.to_owned(),
            )
        };
        vec![
            ("MERIDIAN_OIDC_PROVIDERS".into(), name.into()),
            own("ISSUER", &self.url()),
            own("CLIENT_ID", CLIENT_ID),
            own("CLIENT_SECRET", CLIENT_SECRET),
            ("MERIDIAN_OUTBOUND_ALLOW".into(), self.http.address.to_string()),
            ("MERIDIAN_RATE_SIGN_INS".into(), "10000".into()),
        ]
    }

    /// Changes what it does.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// The body of the last request to the token endpoint.
    pub fn last_exchange(&self) -> Asked {
        let asked = self.http.asked();
        asked
            .into_iter()
            .rev()
            .find(|asked| asked.path == "/token")
            .unwrap()
    }
}

fn answer(script: &Script, asked: &Asked) -> Response {
    let host = asked.headers["host"].to_str().unwrap();
    let url = format!("http://{host}");
    match asked.path.as_str() {
        "/.well-known/openid-configuration" => {
            behave(script.discovery, || json_answer(&discovery(script, &url)))
        }
        "/jwks" => json_answer(&jwks(script.publishes)),
        "/token" => behave(script.token, || json_answer(&tokens(script, &url))),
        "/token/elsewhere" => json_answer(&tokens(script, &url)),
        "/userinfo" => json_answer(&script.userinfo),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn behave(how: Answers, well: impl FnOnce() -> Response) -> Response {
    match how {
        Answers::Well => well(),
        Answers::Status(status) => (StatusCode::from_u16(status).unwrap(), "no JSON").into_response(),
        Answers::Never => {
            let silence = futures_util::stream::pending::<Result<Bytes, Infallible>>();
            (
                [("content-type", "application/json"), ("content-length", "100")],
                Body::from_stream(silence),
            )
                .into_response()
        }
        Answers::Hugely => {
            let text = format!("{{\"x\":\"{}\"}}", "x".repeat(3 << 20));
            ([("content-type", "application/json")], text).into_response()
        }
        Answers::Elsewhere => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", "/token/elsewhere")]).into_response()
        }
    }
}

fn json_answer(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

fn discovery(script: &Script, url: &str) -> Value {
    let usual = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/jwks"),
        "end_session_endpoint": format!("{url}/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // It offers everything; what is believed is decided elsewhere.
        "id_token_signing_alg_values_supported": ["EdDSA", "RS256", "HS256", "none"],
    });
    merged(usual, &script.metadata)
}

fn merged(mut base: Value, over: &Value) -> Value {
    for (key, value) in over.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(key);
        } else {
            base[key] = value.clone();
        }
    }
    base
}

fn key(byte: u8) -> CoreEdDsaPrivateSigningKey {
    // A private key in PKCS #8 is this beginning and 32 bytes.
    let mut der = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    der.extend([byte; 32]);
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    );
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(format!("key-{byte}"))))
        .unwrap()
}

fn jwks(byte: u8) -> Value {
    serde_json::to_value(CoreJsonWebKeySet::new(vec![key(byte).as_verification_key()])).unwrap()
}

fn tokens(script: &Script, url: &str) -> Value {
    json!({
        "access_token": "access",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "openid email profile",
        "id_token": id_token(script, url),
    })
}

fn id_token(script: &Script, url: &str) -> String {
    let (algorithm, name) = match script.signs {
        Signs::With(_) => (CoreJwsSigningAlgorithm::EdDsa, "EdDSA"),
        Signs::BySecret => (CoreJwsSigningAlgorithm::HmacSha256, "HS256"),
        Signs::Not => (CoreJwsSigningAlgorithm::None, "none"),
    };
    let mut header = json!({ "typ": "JWT", "alg": name });
    if let Signs::With(byte) = script.signs {
        header["kid"] = format!("key-{byte}").into();
    }
    let claims = json!({
        "iss": url,
        "sub": "subject-1",
        "aud": CLIENT_ID,
        "iat": script.now,
        "exp": script.now + 300,
        "nonce": script.nonce,
        "email": "cleo@example.org",
        "email_verified": true,
        "name": "Cleo",
        "zoneinfo": "Europe/Paris",
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(merged(header, &script.header));
    let body = part(merged(claims, &script.claims));
    let signed = format!("{head}.{body}");
    let signature = match script.signs {
        Signs::With(byte) => key(byte).sign(&algorithm, signed.as_bytes()).unwrap(),
        Signs::BySecret => CoreHmacKey::new(CLIENT_SECRET)
            .sign(&algorithm, signed.as_bytes())
            .unwrap(),
        Signs::Not => Vec::new(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
