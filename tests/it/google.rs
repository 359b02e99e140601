//! Signing in with Google: an issuer of the test that describes itself with the members that Google publishes and answers with the claims
//! that Google documents. Google itself cannot be asked by a test.

use meridian::config::Config;
use serde_json::{Value, json};

use crate::support::browser::{Browser, location, part};
use crate::support::issuer::{CLIENT_ID, Issuer};
use crate::support::server::{Reply, Server};
use crate::support::start_of_tests;

const VIEWER: &str = "{ viewer { user { name email emailVerifiedAt } preferences { locale }
    accounts { provider providerName issuer email } } }";

/// What `https://accounts.google.com/.well-known/openid-configuration` has beside its endpoints.
fn published(issuer: &Issuer) -> Value {
    let url = issuer.url();
    json!({
        "authorization_endpoint": format!("{url}/o/oauth2/v2/auth"),
        "device_authorization_endpoint": format!("{url}/device/code"),
        "revocation_endpoint": format!("{url}/revoke"),
        // One signs out of all of Google, not of one application.
        "end_session_endpoint": null,
        "response_types_supported": [
            "code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token", "none",
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": [
            "aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "picture", "sub",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
    })
}

fn claims(more: Value) -> Value {
    let mut claims = json!({
        "azp": CLIENT_ID,
        "sub": "110169484474386276334",
        "hd": "example.org",
        "email": "cleo@example.org",
        "email_verified": true,
        "name": "Cleo Doe",
        "given_name": "Cleo",
        "family_name": "Doe",
        "picture": "https://lh3.googleusercontent.com/a/x=s96-c",
        "zoneinfo": null,
        "locale": "en-GB",
    });
    let more = more.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(more);
    claims
}

async fn google() -> (Issuer, Server) {
    let issuer = Issuer::start(start_of_tests().timestamp()).await;
    let metadata = published(&issuer);
    issuer.script(|script| {
        script.metadata = metadata;
        script.claims = claims(json!({}));
        script.userinfo = json!({ "sub": script.claims["sub"] });
    });
    let settings = issuer.settings("google");
    let pairs: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let server = Server::with_settings(&pairs).await;
    (issuer, server)
}

/// A whole sign-in, with what Google adds to the address of the way back.
async fn sign_in(browser: &Browser<'_>, issuer: &Issuer) -> Reply {
    let leaving = location(&browser.get("/auth/google").await);
    assert_eq!(leaving.path(), "/o/oauth2/v2/auth");
    issuer.script(|script| script.nonce = part(&leaving, "nonce").unwrap());
    let state = part(&leaving, "state").unwrap();
    let extra = "scope=email%20profile%20openid%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email&authuser=0&hd=example.org&prompt=consent";
    browser
        .get(&format!("/auth/callback?state={state}&code=4%2F0AfJohXm&{extra}"))
        .await
}

#[test]
fn its_issuer_is_known() {
    let values = [
        ("MERIDIAN_OIDC_PROVIDERS", "google"),
        ("MERIDIAN_OIDC_GOOGLE_CLIENT_ID", "1.apps.googleusercontent.com"),
        ("MERIDIAN_OIDC_GOOGLE_CLIENT_SECRET", "GOCSPX-x"),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::parse(&values.into()).unwrap();
    let google = config.sign_in.issuer("google").unwrap();
    assert_eq!(
        (google.issuer.as_str(), google.label.as_str()),
        ("https://accounts.google.com", "Google")
    );
    assert_eq!(google.scopes, ["openid", "email", "profile"]);
}

#[tokio::test]
async fn its_people_sign_in_and_out() {
    let (issuer, server) = google().await;
    let offered = server
        .app
        .guest()
        .gql(
            "{ serverInfo { signInProviders { provider name label startUrl } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        offered.at("/serverInfo/signInProviders"),
        json!([{
            "provider": "GOOGLE", "name": "google", "label": "Google", "startUrl": "http://127.0.0.1:8000/auth/google",
        }])
    );
    let browser = Browser::new(&server);
    let back = sign_in(&browser, &issuer).await;
    assert!(part(&location(&back), "signInError").is_none(), "{back:?}");
    let viewer = browser.gql(VIEWER, json!({})).await["data"]["viewer"].clone();
    assert_eq!(viewer["user"]["name"], "Cleo Doe");
    assert_eq!(viewer["user"]["email"], "cleo@example.org");
    assert!(!viewer["user"]["emailVerifiedAt"].is_null());
    assert_eq!(viewer["preferences"]["locale"], "en-GB");
    assert_eq!(
        viewer["accounts"],
        json!([{ "provider": "GOOGLE", "providerName": "google", "issuer": issuer.url(), "email": "cleo@example.org" }])
    );
    let out = browser
        .send("POST", "/auth/logout", &["X-Meridian-Csrf: 1"], "")
        .await;
    assert_eq!(
        (out.status, out.body.as_str()),
        (204, ""),
        "there is nowhere to sign out"
    );
    assert!(!browser.is_signed_in());
}

#[tokio::test]
async fn its_name_is_taken_to_the_letter_and_its_party_is_checked() {
    let (issuer, server) = google().await;
    // Google's documentation allows a name without `https://`, from a time before its discovery document. OpenID Connect demands the name of
    // the document, and so do we: such a token is refused, and nobody is signed in.
    let bare = issuer.url().replace("http://", "");
    for lie in [
        json!({ "iss": "accounts.google.com" }),
        json!({ "iss": bare }),
        json!({ "iss": "https://accounts.google.com" }),
        json!({ "azp": "2.apps.googleusercontent.com" }),
        json!({ "aud": "2.apps.googleusercontent.com" }),
    ] {
        issuer.script(|script| script.claims = claims(lie.clone()));
        let browser = Browser::new(&server);
        let back = sign_in(&browser, &issuer).await;
        assert_eq!(
            part(&location(&back), "signInError").as_deref(),
            Some("PROVIDER_INVALID"),
            "{lie}"
        );
        assert!(!browser.is_signed_in(), "{lie}");
    }
    // An address that Google does not vouch for is none.
    issuer.script(|script| script.claims = claims(json!({ "email_verified": false })));
    let back = sign_in(&Browser::new(&server), &issuer).await;
    assert_eq!(
        part(&location(&back), "signInError").as_deref(),
        Some("EMAIL_NOT_VERIFIED")
    );
    issuer.script(|script| script.claims = claims(json!({})));
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert!(browser.is_signed_in(), "the truth still works");
}
