//! Signing in with OpenID Connect, against an issuer that follows a script: the honest way, and every way in which an issuer, a browser or
//! somebody between them can lie. The conversation with a real provider is in `tests/e2e`.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use entity::session;
use meridian::access;
use meridian::kernel::actor::{Actor, Origin};
use meridian::platform::db::{Scope, Tx};
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::browser::{Browser, location, part};
use crate::support::issuer::{Answers, CLIENT_ID, Issuer, Script, Signs};
use crate::support::server::{Reply, Server};
use crate::support::{Person, TestApp, start_of_tests};

const VIEWER: &str = "{ viewer { user { id name email emailVerifiedAt } isAdmin preferences { timeZone } workspaces { type viewerRole }
    accounts { id provider providerName issuer email scopes } sessions { isCurrent } } }";

async fn issuer() -> Issuer {
    Issuer::start(start_of_tests().timestamp()).await
}

async fn server(issuer: &Issuer) -> Server {
    server_with(issuer, &[]).await
}

async fn server_with(issuer: &Issuer, more: &[(&str, &str)]) -> Server {
    let settings = issuer.settings("acme");
    let mut pairs: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.extend(more);
    Server::with_settings(&pairs).await
}

/// Begins a sign-in: the issuer learns the nonce, and the state comes back.
async fn begin(browser: &Browser<'_>, issuer: &Issuer, query: &str) -> String {
    let leaving = location(&browser.get(&format!("/auth/acme?{query}")).await);
    issuer.script(|script| script.nonce = part(&leaving, "nonce").unwrap());
    part(&leaving, "state").unwrap()
}

/// A whole sign-in.
async fn sign_in(browser: &Browser<'_>, issuer: &Issuer) -> Reply {
    let state = begin(browser, issuer, "returnTo=/done").await;
    browser.get(&format!("/auth/callback?state={state}&code=c")).await
}

/// Why a sign-in was refused.
#[track_caller]
fn refusal(reply: &Reply) -> String {
    part(&location(reply), "signInError").unwrap_or_else(|| panic!("not refused: {reply:?}"))
}

async fn session_of(app: &TestApp, person: &Person) -> String {
    access::create_session(&app.platform, person.user_id, Origin::default())
        .await
        .unwrap()
        .secret
}

#[tokio::test]
async fn a_newcomer_gets_a_person_a_workspace_and_a_session() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);

    let leaving = location(&browser.get("/auth/acme?returnTo=/done%3Fa%3D1").await);
    assert_eq!(leaving.path(), "/authorize");
    let asked = |name| part(&leaving, name).unwrap();
    assert_eq!(asked("client_id"), CLIENT_ID);
    assert_eq!(asked("response_type"), "code");
    assert_eq!(asked("redirect_uri"), "http://127.0.0.1:8000/auth/callback");
    assert_eq!(asked("scope"), "openid email profile");
    assert_eq!(asked("code_challenge_method"), "S256");
    issuer.script(|script| script.nonce = asked("nonce"));

    let back = browser
        .get(&format!("/auth/callback?state={}&code=the-code", asked("state")))
        .await;
    assert_eq!(location(&back).as_str(), "http://127.0.0.1:8000/done?a=1");
    let cookie = back.header("set-cookie");
    assert!(
        cookie.starts_with("meridian=") && cookie.contains("HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(back.header("cache-control"), "no-store");

    let exchange = issuer.last_exchange();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(exchange.body.as_bytes())
        .into_owned()
        .collect();
    let sent = |name: &str| form.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(
        (sent("grant_type").as_str(), sent("code").as_str()),
        ("authorization_code", "the-code")
    );
    let challenge = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        Sha256::digest(sent("code_verifier")),
    );
    assert_eq!(challenge, asked("code_challenge"));
    assert!(
        exchange.headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Basic ")
    );

    let viewer = browser.gql(VIEWER, json!({})).await["data"]["viewer"].clone();
    assert_eq!(viewer["user"]["name"], "Cleo");
    assert_eq!(viewer["user"]["email"], "cleo@example.org");
    assert!(!viewer["user"]["emailVerifiedAt"].is_null());
    assert_eq!(viewer["isAdmin"], false);
    assert_eq!(viewer["preferences"]["timeZone"], "Europe/Paris");
    assert_eq!(
        viewer["workspaces"],
        json!([{ "type": "PERSONAL", "viewerRole": "OWNER" }])
    );
    let account = &viewer["accounts"][0];
    assert_eq!(account["provider"], "OIDC");
    assert_eq!(account["providerName"], "acme");
    assert_eq!(
        account["issuer"],
        format!("{}/", issuer.url()).trim_end_matches('/')
    );
    assert_eq!(account["scopes"], json!(["openid", "email", "profile"]));
    assert_eq!(viewer["sessions"], json!([{ "isCurrent": true }]));
    let node = browser
        .gql(
            "query($id: ID!) { node(id: $id) { id __typename } }",
            json!({ "id": account["id"] }),
        )
        .await;
    assert_eq!(node["data"]["node"]["__typename"], "Account");

    // The same identity is the same person, also under another address.
    issuer.script(|script| script.claims = json!({ "email": "new@example.org" }));
    let again = Browser::new(&server);
    sign_in(&again, &issuer).await;
    let second = again.gql(VIEWER, json!({})).await["data"]["viewer"].clone();
    assert_eq!(second["user"]["id"], viewer["user"]["id"]);
    assert_eq!(second["user"]["email"], "cleo@example.org");
    assert_eq!(second["accounts"][0]["email"], "new@example.org");
}

#[tokio::test]
async fn the_ways_to_sign_in_are_listed() {
    let issuer = issuer().await;
    let server = server_with(
        &issuer,
        &[
            ("MERIDIAN_OIDC_ACME_LABEL", "Acme Corp"),
            ("MERIDIAN_EMAIL_SIGN_IN", "true"),
        ],
    )
    .await;
    let info = server
        .app
        .guest()
        .gql(
            "{ serverInfo { signInProviders { provider name label startUrl } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        info.at("/serverInfo/signInProviders"),
        json!([
            { "provider": "OIDC", "name": "acme", "label": "Acme Corp", "startUrl": "http://127.0.0.1:8000/auth/acme" },
            { "provider": "EMAIL", "name": "email", "label": "E-mail", "startUrl": "http://127.0.0.1:8000/auth/email" },
        ])
    );
    assert_eq!(server.send("GET", "/auth/nobody", &[], "").await.status, 404);
}

#[tokio::test]
async fn a_sign_in_works_once_and_only_in_its_own_browser() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    let state = begin(&browser, &issuer, "").await;
    let callback = format!("/auth/callback?state={state}&code=c");

    let other = Browser::new(&server);
    other.get("/auth/acme").await;
    for (who, target) in [
        (&other, callback.as_str()),
        (&Browser::new(&server), callback.as_str()),
        (&browser, "/auth/callback?state=wrong&code=c"),
        (&browser, "/auth/callback?code=c"),
        (&browser, "/auth/callback"),
    ] {
        let reply = who.get(target).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(!who.is_signed_in());
    }
    assert_eq!(
        browser.get(&callback).await.status,
        303,
        "others have not used it up"
    );
    assert!(browser.is_signed_in());
    let replayed = Browser::new(&server);
    assert_eq!(replayed.get(&callback).await.status, 400);

    let late = begin(&browser, &issuer, "").await;
    server.app.advance(TimeDelta::minutes(16));
    assert_eq!(
        browser
            .get(&format!("/auth/callback?state={late}&code=c"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    let first = begin(&browser, &issuer, "returnTo=/first").await;
    let nonce = {
        let mut kept = String::new();
        issuer.script(|script| kept = script.nonce.clone());
        kept
    };
    begin(&browser, &issuer, "returnTo=/second").await;
    issuer.script(|script| script.nonce = nonce);
    let reply = browser.get(&format!("/auth/callback?state={first}&code=c")).await;
    assert_eq!(location(&reply).path(), "/first");
    assert!(browser.is_signed_in());
}

#[tokio::test]
async fn nothing_is_believed_that_is_not_proven() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let now = start_of_tests().timestamp();
    let mut honest = None;
    issuer.script(|script| honest = Some(script.clone()));
    let honest: Script = honest.unwrap();
    let claims = |claims: Value| move |script: &mut Script| script.claims = claims;
    let header = |header: Value| move |script: &mut Script| script.header = header;
    type Lie = Box<dyn FnOnce(&mut Script)>;
    let lies: Vec<(&str, Lie)> = vec![
        ("another nonce", Box::new(claims(json!({ "nonce": "another" })))),
        ("no nonce", Box::new(claims(json!({ "nonce": null })))),
        ("another audience", Box::new(claims(json!({ "aud": "somebody" })))),
        (
            "one audience too many",
            Box::new(claims(json!({ "aud": [CLIENT_ID, "somebody"] }))),
        ),
        ("no audience", Box::new(claims(json!({ "aud": null })))),
        ("another party", Box::new(claims(json!({ "azp": "somebody" })))),
        (
            "another issuer",
            Box::new(claims(json!({ "iss": "https://evil.example" }))),
        ),
        ("no issuer", Box::new(claims(json!({ "iss": null })))),
        ("expired", Box::new(claims(json!({ "exp": now - 1 })))),
        ("from the future", Box::new(claims(json!({ "iat": now + 120 })))),
        ("from the past", Box::new(claims(json!({ "iat": now - 3_600 })))),
        ("no subject", Box::new(claims(json!({ "sub": null })))),
        ("an empty subject", Box::new(claims(json!({ "sub": "" })))),
        (
            "a huge subject",
            Box::new(claims(json!({ "sub": "x".repeat(300) }))),
        ),
        (
            "another access token",
            Box::new(claims(json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }))),
        ),
        ("alg none", Box::new(|script| script.signs = Signs::Not)),
        (
            "signed with the client's secret",
            Box::new(|script| script.signs = Signs::BySecret),
        ),
        ("another key", Box::new(|script| script.signs = Signs::With(9))),
        (
            "another key of the same name",
            Box::new(|script| {
                script.signs = Signs::With(9);
                script.header = json!({ "kid": "key-1" });
            }),
        ),
        (
            "alg none on a signed token",
            Box::new(header(json!({ "alg": "none" }))),
        ),
        ("critical extensions", Box::new(header(json!({ "crit": ["x"] })))),
        ("no JSON", Box::new(|script| script.token = Answers::Status(200))),
        (
            "a refused code",
            Box::new(|script| script.token = Answers::Status(400)),
        ),
        ("a redirect", Box::new(|script| script.token = Answers::Elsewhere)),
    ];
    for (lie, tell) in lies {
        issuer.script(|script| {
            *script = honest.clone();
            tell(script);
        });
        let browser = Browser::new(&server);
        let reply = sign_in(&browser, &issuer).await;
        assert_eq!(refusal(&reply), "PROVIDER_INVALID", "{lie}");
        assert!(!browser.is_signed_in(), "{lie}");
    }
    issuer.script(|script| *script = honest.clone());
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert!(browser.is_signed_in(), "the truth still works");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_a_mix_up() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    let state = begin(&browser, &issuer, "").await;
    let reply = browser
        .get(&format!(
            "/auth/callback?state={state}&code=c&iss=https://evil.example"
        ))
        .await;
    assert_eq!(refusal(&reply), "PROVIDER_INVALID");
    let state = begin(&browser, &issuer, "").await;
    let reply = browser
        .get(&format!(
            "/auth/callback?state={state}&code=c&iss={}",
            issuer.url()
        ))
        .await;
    assert!(part(&location(&reply), "signInError").is_none() && browser.is_signed_in());

    // One that always names itself must do so.
    let always = self::issuer().await;
    always
        .script(|script| script.metadata = json!({ "authorization_response_iss_parameter_supported": true }));
    let server = self::server(&always).await;
    assert_eq!(
        refusal(&sign_in(&Browser::new(&server), &always).await),
        "PROVIDER_INVALID"
    );

    // A discovery document of another issuer is not used at all.
    let false_one = self::issuer().await;
    false_one.script(|script| script.metadata = json!({ "issuer": "https://evil.example" }));
    let server = self::server(&false_one).await;
    let reply = server.send("GET", "/auth/acme", &[], "").await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "SERVICE_UNAVAILABLE")
    );
}

#[tokio::test]
async fn a_refusal_of_the_person_is_passed_on() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    let state = begin(&browser, &issuer, "returnTo=/back").await;
    let reply = browser
        .get(&format!("/auth/callback?state={state}&error=access_denied"))
        .await;
    assert_eq!(refusal(&reply), "ACCESS_DENIED");
    assert_eq!(location(&reply).path(), "/back");
}

#[tokio::test]
async fn a_provider_that_is_away_slow_or_loud_costs_little() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    for how in [Answers::Status(500), Answers::Hugely, Answers::Never] {
        issuer.script(|script| script.discovery = how);
        server.app.advance(TimeDelta::seconds(11));
        let started = Instant::now();
        let reply = server.send("GET", "/auth/acme", &[], "").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (503, "SERVICE_UNAVAILABLE"),
            "{how:?}"
        );
        assert!(reply.header("set-cookie").is_empty());
        assert!(started.elapsed() < Duration::from_secs(8), "{how:?}");
    }
    // It is not asked again at once.
    let asked = issuer.http.asked().len();
    assert_eq!(server.send("GET", "/auth/acme", &[], "").await.status, 503);
    assert_eq!(issuer.http.asked().len(), asked);

    issuer.script(|script| script.discovery = Answers::Well);
    server.app.advance(TimeDelta::seconds(11));
    issuer.script(|script| script.now += 60);
    for how in [Answers::Hugely, Answers::Never] {
        issuer.script(|script| script.token = how);
        let browser = Browser::new(&server);
        let started = Instant::now();
        assert_eq!(
            refusal(&sign_in(&browser, &issuer).await),
            "PROVIDER_UNAVAILABLE",
            "{how:?}"
        );
        assert!(
            !browser.is_signed_in() && started.elapsed() < Duration::from_secs(8),
            "{how:?}"
        );
    }

    // What is known about it helps while it is away, for a day.
    issuer.script(|script| (script.token, script.discovery) = (Answers::Well, Answers::Status(500)));
    server.app.advance(TimeDelta::hours(2));
    issuer.script(|script| script.now += 7_200);
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert!(browser.is_signed_in());
    server.app.advance(TimeDelta::hours(25));
    assert_eq!(server.send("GET", "/auth/acme", &[], "").await.status, 503);
}

#[tokio::test]
async fn new_keys_are_found_when_they_are_needed() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    sign_in(&Browser::new(&server), &issuer).await;
    issuer.script(|script| (script.signs, script.publishes) = (Signs::With(2), 2));
    server.app.advance(TimeDelta::seconds(30));
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert!(browser.is_signed_in());
    // The old key is gone, and asking for it again and again does not reach the issuer each time.
    issuer.script(|script| script.signs = Signs::With(1));
    sign_in(&Browser::new(&server), &issuer).await;
    let asked = || {
        issuer
            .http
            .asked()
            .iter()
            .filter(|asked| asked.path == "/jwks")
            .count()
    };
    let before = asked();
    for _ in 0..3 {
        assert_eq!(
            refusal(&sign_in(&Browser::new(&server), &issuer).await),
            "PROVIDER_INVALID"
        );
    }
    assert_eq!(asked(), before);
}

#[tokio::test]
async fn new_keys_are_found_also_when_tokens_do_not_name_theirs() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    issuer.script(|script| script.header = json!({ "kid": null }));
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert!(browser.is_signed_in());
    issuer.script(|script| (script.signs, script.publishes) = (Signs::With(2), 2));
    server.app.advance(TimeDelta::seconds(30));
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert!(
        browser.is_signed_in(),
        "the key that was known has another signature"
    );
}

#[tokio::test]
async fn nobody_is_signed_in_by_an_account_that_is_gone() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let app = &server.app;
    let sign_in_as_ben = |provider: &'static str| {
        let origin = Origin::default();
        access::create_session_from(&app.platform, app.ben.user_id, Some(provider), origin)
    };
    // It was found, and unlinked before the session began.
    let refused = sign_in_as_ben("acme").await;
    assert!(refused.is_err_and(|error| error.is_not_found()));
    let desk = Browser::new(&server);
    desk.set_cookie("meridian", &session_of(app, &app.ben).await);
    let state = begin(&desk, &issuer, "link=true").await;
    desk.get(&format!("/auth/callback?state={state}&code=c")).await;
    assert!(sign_in_as_ben("acme").await.is_ok());
}

#[tokio::test]
async fn an_address_counts_only_when_both_sides_have_proven_it() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let ana = json!({ "email": "ana@example.org", "sub": "ana-at-acme" });
    let with = |more: Value| {
        let mut claims = ana.clone();
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        issuer.script(|script| {
            script.claims = claims;
            script.userinfo = json!({ "sub": "ana-at-acme" });
        });
    };
    for unproven in [
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
        json!({ "email": null }),
    ] {
        with(unproven.clone());
        let browser = Browser::new(&server);
        assert_eq!(
            refusal(&sign_in(&browser, &issuer).await),
            "EMAIL_NOT_VERIFIED",
            "{unproven}"
        );
        assert!(!browser.is_signed_in());
    }
    // Ana has proven her address here, and the provider vouches for it.
    with(json!({ "email": "Ana@Example.org" }));
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    let viewer = browser.gql(VIEWER, json!({})).await;
    assert_eq!(
        viewer["data"]["viewer"]["user"]["id"],
        server.app.ana.user_id.to_string()
    );

    // Somebody who wrote an address down without proving it keeps neither the address nor the newcomer.
    let new = meridian::features::people::NewPerson {
        name: "Squatter".into(),
        email: "dora@example.org".into(),
        is_email_verified: false,
        is_admin: false,
        time_zone: "UTC".into(),
        locale: "en".into(),
    };
    meridian::features::workspaces::create_personal(&server.app.platform, new)
        .await
        .unwrap();
    issuer.script(|script| script.claims = json!({ "email": "dora@example.org", "sub": "dora" }));
    assert_eq!(
        refusal(&sign_in(&Browser::new(&server), &issuer).await),
        "EMAIL_TAKEN"
    );
}

#[tokio::test]
async fn an_address_may_come_from_the_userinfo_endpoint() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    issuer.script(|script| {
        script.claims = json!({ "email": null, "email_verified": null, "name": null });
        script.userinfo =
            json!({ "sub": "subject-1", "email": "eve@example.org", "email_verified": true, "name": "Eve" });
    });
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    let viewer = browser.gql(VIEWER, json!({})).await;
    assert_eq!(viewer["data"]["viewer"]["user"]["name"], "Eve");
    // An answer about somebody else is refused.
    issuer.script(|script| {
        script.claims = json!({ "email": null, "sub": "subject-2" });
        script.userinfo = json!({ "sub": "subject-1", "email": "eve@example.org", "email_verified": true });
    });
    assert_eq!(
        refusal(&sign_in(&Browser::new(&server), &issuer).await),
        "PROVIDER_INVALID"
    );
}

#[tokio::test]
async fn accounts_are_linked_and_unlinked_by_their_person() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let app = &server.app;
    let browser = Browser::new(&server);
    assert_eq!(browser.get("/auth/acme?link=true").await.status, 401);
    browser.set_cookie("meridian", &session_of(app, &app.ben).await);
    let foreign = browser
        .send("GET", "/auth/acme?link=true", &["Sec-Fetch-Site: cross-site"], "")
        .await;
    assert_eq!(foreign.code(), "CSRF_FAILED");
    for (headers, status) in [
        (vec!["Sec-Fetch-Site: none"], 403),
        (vec!["Sec-Fetch-Site: same-site"], 403),
        (
            vec![
                "Sec-Fetch-Site: same-site",
                "Referer: http://evil.localhost:8000/",
            ],
            403,
        ),
        (
            vec!["Sec-Fetch-Site: cross-site", "Referer: http://localhost:8000/"],
            403,
        ),
        (
            vec!["Sec-Fetch-Site: same-site", "Referer: http://localhost:8000/"],
            303,
        ),
        (vec!["Sec-Fetch-Site: same-origin"], 303),
    ] {
        let reply = browser.send("GET", "/auth/acme?link=true", &headers, "").await;
        assert_eq!(reply.status, status, "{headers:?}");
    }
    // The provider does not vouch for an address: linking does not need one.
    issuer.script(|script| script.claims = json!({ "email_verified": false }));
    let state = begin(&browser, &issuer, "link=true&returnTo=/settings").await;
    let reply = browser.get(&format!("/auth/callback?state={state}&code=c")).await;
    assert_eq!(location(&reply).as_str(), "http://127.0.0.1:8000/settings");
    let viewer = browser.gql(VIEWER, json!({})).await["data"]["viewer"].clone();
    assert_eq!(viewer["user"]["id"], app.ben.user_id.to_string());
    let account = viewer["accounts"][0]["id"].clone();
    assert!(
        viewer["accounts"][0]["email"].is_null(),
        "an address that is not proven is not kept"
    );

    let ana = Browser::new(&server);
    ana.set_cookie("meridian", &session_of(app, &app.ana).await);
    let state = begin(&ana, &issuer, "link=true").await;
    let reply = ana.get(&format!("/auth/callback?state={state}&code=c")).await;
    assert_eq!(refusal(&reply), "ACCOUNT_TAKEN");
    // Whoever begins is who it is linked to, or nobody.
    let state = begin(&ana, &issuer, "link=true").await;
    ana.set_cookie("meridian", &session_of(app, &app.ben).await);
    let reply = ana.get(&format!("/auth/callback?state={state}&code=c")).await;
    assert_eq!(refusal(&reply), "SESSION_CHANGED");

    let unlink =
        "mutation($id: ID!) { unlinkAccount(id: $id) { unlinkedAccountId userErrors { code field } } }";
    let only = browser.gql(unlink, json!({ "id": account })).await;
    assert_eq!(
        only["data"]["unlinkAccount"]["userErrors"][0]["code"],
        "INVALID_STATE"
    );
    issuer.script(|script| script.claims = json!({ "sub": "second", "email": "ben@example.org" }));
    let state = begin(&browser, &issuer, "link=true").await;
    browser.get(&format!("/auth/callback?state={state}&code=c")).await;
    let foreign = app.ana().gql(unlink, json!({ "id": account })).await;
    let unknown = app
        .ana()
        .gql(unlink, json!({ "id": "acct_00000000000000000000000000" }))
        .await;
    assert_eq!(foreign, unknown);
    let done = browser.gql(unlink, json!({ "id": account })).await;
    assert_eq!(
        done["data"]["unlinkAccount"],
        json!({ "unlinkedAccountId": account, "userErrors": [] })
    );
    let left = browser.gql(VIEWER, json!({})).await["data"]["viewer"]["accounts"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn unlinking_ends_the_sessions_that_came_from_the_provider() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let app = &server.app;
    let is = |subject: &str| {
        issuer.script(|script| {
            script.claims = json!({ "sub": subject, "email_verified": false });
            script.userinfo = json!({ "sub": subject });
        });
    };
    let link = async |browser: &Browser<'_>, subject: &str| {
        is(subject);
        let state = begin(browser, &issuer, "link=true").await;
        browser.get(&format!("/auth/callback?state={state}&code=c")).await;
    };
    let unlink_first = async |browser: &Browser<'_>| {
        let viewer = browser.gql(VIEWER, json!({})).await["data"]["viewer"].clone();
        let unlink = "mutation($id: ID!) { unlinkAccount(id: $id) { userErrors { code } } }";
        let done = browser
            .gql(unlink, json!({ "id": viewer["accounts"][0]["id"] }))
            .await;
        assert_eq!(done["data"]["unlinkAccount"]["userErrors"], json!([]), "{done}");
    };
    let is_in = async |browser: &Browser<'_>| {
        let answer = browser.gql("{ viewer { user { id } } }", json!({})).await;
        answer["data"]["viewer"]["user"]["id"] == app.ben.user_id.to_string()
    };

    let desk = Browser::new(&server);
    desk.set_cookie("meridian", &session_of(app, &app.ben).await);
    link(&desk, "first").await;
    link(&desk, "second").await;
    is("first");
    let phone = Browser::new(&server);
    sign_in(&phone, &issuer).await;
    assert!(is_in(&phone).await);
    unlink_first(&desk).await;
    assert!(!is_in(&phone).await, "whoever has the account is out at once");
    assert!(is_in(&desk).await, "its session is of another kind");

    // The session in use stays, even if it came from there.
    is("second");
    let (phone, tablet) = (Browser::new(&server), Browser::new(&server));
    sign_in(&phone, &issuer).await;
    sign_in(&tablet, &issuer).await;
    link(&phone, "third").await;
    unlink_first(&phone).await;
    assert!(is_in(&phone).await && !is_in(&tablet).await && is_in(&desk).await);
}

#[tokio::test]
async fn a_sign_in_ends_only_at_allowed_addresses() {
    let issuer = issuer().await;
    let server = server_with(
        &issuer,
        &[
            ("MERIDIAN_ALLOWED_ORIGINS", "https://app.example.org"),
            ("MERIDIAN_APP_URL", "https://front.example.org/start"),
        ],
    )
    .await;
    for foreign in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "https:evil.example",
        "https://app.example.org.evil.example/",
        "https://app.example.org@evil.example/",
        "https://evil@app.example.org/",
        "http://app.example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        let wanted: String =
            url::form_urlencoded::byte_serialize(foreign.replace("%09", "\t").as_bytes()).collect();
        let reply = server
            .send("GET", &format!("/auth/acme?returnTo={wanted}"), &[], "")
            .await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{foreign}"
        );
    }
    for (wanted, end) in [
        ("", "https://front.example.org/start"),
        (
            "returnTo=https://app.example.org/x%3Fa",
            "https://app.example.org/x?a",
        ),
        (
            "returnTo=https://front.example.org/y",
            "https://front.example.org/y",
        ),
        ("returnTo=/z", "http://127.0.0.1:8000/z"),
    ] {
        let browser = Browser::new(&server);
        let state = begin(&browser, &issuer, wanted).await;
        let reply = browser.get(&format!("/auth/callback?state={state}&code=c")).await;
        assert_eq!(location(&reply).as_str(), end);
    }
}

#[tokio::test]
async fn signing_out_goes_to_the_provider_too() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    assert_eq!(
        browser.send("POST", "/auth/logout", &[], "").await.code(),
        "CSRF_FAILED"
    );
    let reply = browser
        .send("POST", "/auth/logout", &["X-Meridian-Csrf: 1"], "")
        .await;
    assert_eq!(reply.status, 200);
    let url = url::Url::parse(reply.json()["endSessionUrl"].as_str().unwrap()).unwrap();
    assert_eq!(url.path(), "/end");
    assert_eq!(part(&url, "client_id").as_deref(), Some(CLIENT_ID));
    assert_eq!(
        part(&url, "post_logout_redirect_uri").as_deref(),
        Some("http://127.0.0.1:8000/")
    );
    assert!(!browser.is_signed_in());
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_before_it() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    let first = browser.cookie("meridian").unwrap();
    sign_in(&browser, &issuer).await;
    assert_ne!(browser.cookie("meridian").unwrap(), first);
    let sessions = browser.gql(VIEWER, json!({})).await["data"]["viewer"]["sessions"].clone();
    assert_eq!(sessions, json!([{ "isCurrent": true }]));
    let old = Browser::new(&server);
    old.set_cookie("meridian", &first);
    let answer = old.gql(VIEWER, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

/// Ends all sessions behind the back of whoever remembers them, as another replica does a moment before it says so.
async fn end_all_quietly(app: &TestApp) {
    let body = |tx: Tx| async move {
        tx.update_global::<session::Entity>()
            .col_expr(session::Column::RevokedAt, Expr::val(tx.now()))
            .exec(tx.conn())
            .await
            .map(drop)
            .map_err(Into::into)
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_that_has_just_ended_keeps_nobody_from_signing_in_or_out() {
    let issuer = issuer().await;
    let server = server(&issuer).await;
    let browser = Browser::new(&server);
    sign_in(&browser, &issuer).await;
    browser.gql(VIEWER, json!({})).await;
    end_all_quietly(&server.app).await;
    let again = sign_in(&browser, &issuer).await;
    assert_eq!(location(&again).path(), "/done");
    assert_eq!(
        browser.gql(VIEWER, json!({})).await["data"]["viewer"]["sessions"],
        json!([{ "isCurrent": true }])
    );

    end_all_quietly(&server.app).await;
    let reply = browser
        .send("POST", "/auth/logout", &["X-Meridian-Csrf: 1"], "")
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(!browser.is_signed_in());
}

#[tokio::test]
async fn wrong_credentials_cost_where_they_do_not_matter_too() {
    let issuer = issuer().await;
    let server = server_with(&issuer, &[("MERIDIAN_RATE_GUEST_REQUESTS", "2")]).await;
    let browser = Browser::new(&server);
    browser.set_cookie("meridian", "wrong");
    let csrf = ["X-Meridian-Csrf: 1", "Cookie: meridian=wrong"];
    assert_eq!(server.send("POST", "/auth/logout", &csrf, "").await.status, 204);
    sign_in(&browser, &issuer).await;
    assert_ne!(browser.cookie("meridian").unwrap(), "wrong");
    let spent = server.send("POST", "/auth/logout", &csrf, "").await;
    assert_eq!((spent.status, spent.code().as_str()), (429, "RATE_LIMITED"));
}

#[tokio::test]
async fn sign_ins_have_a_budget_of_their_own() {
    let issuer = issuer().await;
    let server = server_with(&issuer, &[("MERIDIAN_RATE_SIGN_INS", "3")]).await;
    for _ in 0..3 {
        assert_eq!(server.send("GET", "/auth/acme", &[], "").await.status, 303);
    }
    let reply = server.send("GET", "/auth/acme", &[], "").await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "RATE_LIMITED"));
    assert!(!reply.header("retry-after").is_empty());
}

#[tokio::test]
async fn whoever_only_says_that_they_come_back_is_soon_not_listened_to() {
    let issuer = issuer().await;
    let rates = [
        ("MERIDIAN_RATE_GUEST_REQUESTS", "2"),
        ("MERIDIAN_RATE_SIGN_INS", "1000"),
    ];
    let server = server_with(&issuer, &rates).await;
    let browser = Browser::new(&server);
    begin(&browser, &issuer, "").await;
    let guess = "/auth/callback?state=guessed&code=c";
    for _ in 0..2 {
        assert_eq!(browser.get(guess).await.status, 400);
    }
    let reply = browser.get(guess).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "RATE_LIMITED"));
}
