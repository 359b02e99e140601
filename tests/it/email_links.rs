//! One-time links by e-mail, against a mail server of the test: signing in, proving an address, and what a mail server may answer.

use chrono::TimeDelta;
use meridian::platform::jobs::JobError;
use serde_json::json;

use crate::support::browser::{Browser, location, part};
use crate::support::post::{MailServer, deliver, waiting};
use crate::support::server::{Reply, Server};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const JSON: &str = "Content-Type: application/json";
const MEANT: &str = "X-Meridian-Csrf: 1";

async fn server(mail: &MailServer, more: &[(&str, &str)]) -> Server {
    let settings = mail.settings();
    let mut pairs: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.push(("MERIDIAN_RATE_SIGN_INS", "1000"));
    pairs.extend(more);
    Server::with_settings(&pairs).await
}

async fn ask(browser: &Browser<'_>, email: &str, return_to: &str) -> Reply {
    let body = json!({ "email": email, "returnTo": return_to }).to_string();
    browser.send("POST", "/auth/email", &[JSON, MEANT], &body).await
}

/// The path and query of the link in the newest message.
async fn link(server: &Server, mail: &MailServer) -> String {
    assert_eq!(deliver(&server.app).await, [Ok(())]);
    let link = mail.take().pop().unwrap().link();
    format!("{}?{}", link.path(), link.query().unwrap())
}

#[tokio::test]
async fn a_link_signs_in_once_in_the_browser_that_asked() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[]).await;
    let browser = Browser::new(&server);
    let reply = ask(&browser, "New.Person@Example.org", "/start").await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert!(reply.header("set-cookie").starts_with("meridian-signin="));

    assert_eq!(waiting(&server.app).await.len(), 1);
    let stored = waiting(&server.app).await[0].payload.to_string();
    assert!(
        !stored.contains("example.org") && !stored.contains("token"),
        "the letter is sealed: {stored}"
    );
    assert_eq!(deliver(&server.app).await, [Ok(())]);
    let message = mail.take().pop().unwrap();
    assert!(
        message.from.contains("<meridian@example.org>") && message.to.contains("<new.person@example.org>")
    );
    assert!(
        message.text.contains("Subject: Sign in to Meridian\n"),
        "{}",
        message.text
    );
    let link = message.link();
    assert_eq!(link.path(), "/auth/email/link");
    let target = format!("/auth/email/link?{}", link.query().unwrap());

    // A program that looks at links before people do has other cookies.
    assert_eq!(server.send("GET", &target, &[], "").await.status, 400);
    let other = Browser::new(&server);
    ask(&other, "other@example.org", "").await;
    assert_eq!(other.get(&target).await.status, 400);

    let reply = browser.get(&target).await;
    assert_eq!(location(&reply).as_str(), "http://127.0.0.1:8000/start");
    assert!(browser.is_signed_in());
    let query = "{ viewer { user { name email emailVerifiedAt } workspaces { type } accounts { provider providerName issuer email } } }";
    let viewer = browser.gql(query, json!({})).await["data"]["viewer"].clone();
    assert_eq!(viewer["user"]["name"], "new.person");
    assert!(!viewer["user"]["emailVerifiedAt"].is_null());
    assert_eq!(viewer["workspaces"], json!([{ "type": "PERSONAL" }]));
    let account = json!({ "provider": "EMAIL", "providerName": "email", "issuer": null, "email": "new.person@example.org" });
    assert_eq!(viewer["accounts"], json!([account]));

    let again = browser.get(&target).await;
    assert_eq!(again.status, 400, "a link works once");
    assert!(again.body.contains("This sign-in is over"));
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_answer() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[]).await;
    let known = ask(&Browser::new(&server), "ana@example.org", "").await;
    let unknown = ask(&Browser::new(&server), "nobody@example.org", "").await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    let names = |reply: &Reply| {
        reply
            .headers
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&known), names(&unknown));
    assert_eq!(deliver(&server.app).await.len(), 2);
}

#[tokio::test]
async fn a_known_person_comes_back_to_themselves() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[]).await;
    let browser = Browser::new(&server);
    ask(&browser, "ana@example.org", "").await;
    browser.get(&link(&server, &mail).await).await;
    let viewer = browser.gql("{ viewer { id } }", json!({})).await;
    assert_eq!(viewer["data"]["viewer"]["id"], server.app.ana.user_id.to_string());
}

#[tokio::test]
async fn a_link_is_over_after_a_quarter_of_an_hour() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[]).await;
    let browser = Browser::new(&server);
    ask(&browser, "ana@example.org", "").await;
    let target = link(&server, &mail).await;
    server.app.advance(TimeDelta::minutes(15));
    assert_eq!(browser.get(&target).await.status, 400);
    assert!(!browser.is_signed_in());
}

#[tokio::test]
async fn the_form_works_without_scripts_and_not_from_other_sites() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[]).await;
    let browser = Browser::new(&server);
    let form = browser.get("/auth/email?returnTo=/a%22%3E%3Cb").await;
    assert_eq!(form.status, 200);
    assert!(
        form.body.contains("action=\"/auth/email\"")
            && form.body.contains("value=\"http://127.0.0.1:8000/a%22%3E%3Cb\""),
        "{}",
        form.body
    );
    assert_eq!(form.header("referrer-policy"), "same-origin");
    let body = "email=ana%40example.org&returnTo=%2Fx";
    let own = [
        FORM,
        "Origin: http://127.0.0.1:8000",
        "Sec-Fetch-Site: same-origin",
        "Accept: text/html",
    ];
    let sent = browser.send("POST", "/auth/email", &own, body).await;
    assert_eq!(sent.status, 202);
    assert!(sent.header("content-type").starts_with("text/html"));
    for foreign in [
        &[FORM, "Origin: https://evil.example"][..],
        &[FORM, "Origin: null", "Sec-Fetch-Site: cross-site"][..],
        &[FORM][..],
    ] {
        assert_eq!(
            browser.send("POST", "/auth/email", foreign, body).await.code(),
            "CSRF_FAILED"
        );
    }
    for (kind, body, status) in [
        (JSON, "{}", 400),
        (JSON, "{\"email\":\"no address\"}", 400),
        (
            JSON,
            "{\"email\":\"ana@example.org\",\"returnTo\":\"https://evil.example\"}",
            400,
        ),
        ("Content-Type: text/plain", "email=ana@example.org", 415),
        (FORM, "", 400),
    ] {
        assert_eq!(
            browser
                .send("POST", "/auth/email", &[kind, MEANT], body)
                .await
                .status,
            status,
            "{body}"
        );
    }
    assert_eq!(
        waiting(&server.app).await.len(),
        1,
        "refused requests send nothing"
    );
}

#[tokio::test]
async fn nobody_floods_a_mailbox() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[("MERIDIAN_RATE_LETTERS", "2")]).await;
    for email in ["ana@example.org", "nobody@example.org"] {
        for _ in 0..2 {
            assert_eq!(ask(&Browser::new(&server), email, "").await.status, 202);
        }
        let refused = ask(&Browser::new(&server), email, "").await;
        assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
        assert!(
            refused.body.contains("Too many letters to this e-mail address."),
            "{refused:?}"
        );
    }
    assert_eq!(deliver(&server.app).await.len(), 4);
    // Invitations are letters too.
    let invite =
        "mutation($input: InviteMembersInput!) { inviteMembers(input: $input) { userErrors { code } } }";
    let app = &server.app;
    let input = json!({ "workspaceId": app.ana.workspace(), "emails": ["nobody@example.org"] });
    let invited = app.ana().gql(invite, json!({ "input": input })).await;
    assert_eq!(invited.error_code(), "RATE_LIMITED");
}

#[tokio::test]
async fn nobody_floods_a_server_with_letters() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[("MERIDIAN_RATE_SIGN_INS", "2")]).await;
    let ask = async |email: &str| ask(&Browser::new(&server), email, "").await;
    assert_eq!(ask("ana@example.org").await.status, 202);
    assert_eq!(ask("ben@example.org").await.status, 202);
    let refused = ask("cem@example.org").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
}

#[tokio::test]
async fn whoever_guesses_links_is_soon_not_listened_to() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[("MERIDIAN_RATE_GUEST_REQUESTS", "2")]).await;
    let browser = Browser::new(&server);
    ask(&browser, "somebody@example.org", "").await;
    let guess = "/auth/email/link?token=guessed";
    for _ in 0..2 {
        assert_eq!(browser.get(guess).await.status, 400);
    }
    let refused = browser.get(guess).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
}

#[tokio::test]
async fn without_it_the_way_is_not_there() {
    let server = Server::with_settings(&[("MERIDIAN_EMAIL_SIGN_IN", "false")]).await;
    assert_eq!(server.send("GET", "/auth/email", &[], "").await.status, 404);
    assert_eq!(
        server
            .send("POST", "/auth/email", &[JSON, MEANT], "{}")
            .await
            .status,
        404
    );
    assert_eq!(
        server
            .send("GET", "/auth/email/link?token=x", &[], "")
            .await
            .status,
        404
    );
    let info = server
        .app
        .guest()
        .gql("{ serverInfo { signInProviders { name } } }", json!({}))
        .await;
    assert_eq!(info.at("/serverInfo/signInProviders"), json!([]));
}

#[tokio::test]
async fn an_address_is_proven_by_its_link() {
    let mail = MailServer::start().await;
    let server = server(
        &mail,
        &[("MERIDIAN_APP_URL", "https://app.example.org/calendar/")],
    )
    .await;
    let app = &server.app;
    let new = meridian::features::people::NewPerson {
        name: "Dora".into(),
        email: "dora@example.org".into(),
        is_email_verified: false,
        is_admin: false,
        time_zone: "UTC".into(),
        locale: "en".into(),
    };
    let (dora, _) = meridian::features::workspaces::create_personal(&app.platform, new)
        .await
        .unwrap();
    let identity = meridian::access::Identity::Session {
        user_id: dora.id,
        session_id: app.platform.ids.next(),
        is_admin: false,
    };
    let dora = app.client_as(identity);
    let request = "mutation { requestEmailVerification { sentTo userErrors { code } } }";
    let asked = dora.gql(request, json!({})).await;
    assert_eq!(asked.at("/requestEmailVerification/sentTo"), "dora@example.org");
    assert_eq!(deliver(app).await, [Ok(())]);
    let link = mail.take().pop().unwrap().link();
    assert_eq!(
        link.as_str().split('?').next().unwrap(),
        "https://app.example.org/calendar/verify-email"
    );
    let token = part(&link, "token").unwrap();
    let verify = "mutation($token: String!) { verifyEmail(token: $token) { user { id emailVerifiedAt } userErrors { code field } } }";
    let wrong = app.guest().gql(verify, json!({ "token": "wrong" })).await;
    assert_eq!(wrong.user_error("verifyEmail"), "TOKEN_INVALID token");
    let done = app
        .guest()
        .gql(verify, json!({ "token": token }))
        .await
        .succeeded("verifyEmail");
    assert!(!done.at("/verifyEmail/user/emailVerifiedAt").is_null());
    let again = app.guest().gql(verify, json!({ "token": token })).await;
    assert_eq!(again.user_error("verifyEmail"), "TOKEN_INVALID token");
    let asked = dora.gql(request, json!({})).await;
    assert_eq!(asked.user_error("requestEmailVerification"), "INVALID_STATE");
    assert_eq!(
        app.guest().gql(request, json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_mail_server_that_refuses_is_asked_again_only_when_that_may_help() {
    let mail = MailServer::start().await;
    let server = server(&mail, &[]).await;
    let browser = Browser::new(&server);
    mail.refuse_with(Some("451 try later ana@example.org"));
    ask(&browser, "ana@example.org", "").await;
    let later = deliver(&server.app).await;
    assert_eq!(
        later,
        [Err(JobError::Retry(
            "The mail server does not take the message now (451).".into()
        ))]
    );
    mail.refuse_with(Some("550 no such user ana@example.org"));
    ask(&browser, "ana@example.org", "").await;
    let never = deliver(&server.app).await;
    assert_eq!(
        never,
        [Err(JobError::Fatal(
            "The mail server refused the message (550).".into()
        ))]
    );
    assert!(mail.take().is_empty());
}

#[tokio::test]
async fn a_developers_machine_keeps_letters_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with_settings(&[("MERIDIAN_DATA_DIR", folder.path().to_str().unwrap())]).await;
    let browser = Browser::new(&server);
    assert_eq!(ask(&browser, "ana@example.org", "").await.status, 202);
    assert_eq!(deliver(&server.app).await, [Ok(())]);
    let outbox = folder.path().join("outbox");
    let files: Vec<_> = std::fs::read_dir(outbox)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let of_kind = |kind: &str| {
        let file = files
            .iter()
            .find(|file| file.extension().unwrap() == kind)
            .unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    assert!(of_kind("eml").contains("To: ana@example.org\r\n"));
    let text = of_kind("txt");
    assert!(
        text.starts_with("To: ana@example.org\nSubject: Sign in to Meridian\n\n"),
        "{text}"
    );
    assert!(
        text.contains("\nhttp://127.0.0.1:8000/auth/email/link?token="),
        "{text}"
    );
}

#[tokio::test]
async fn a_production_server_without_a_mail_server_sends_nothing() {
    let server = Server::with_settings(&[("MERIDIAN_ENV", "production")]).await;
    assert_eq!(server.send("GET", "/auth/email", &[], "").await.status, 404);
    let request = "mutation { requestEmailVerification { userErrors { code message } } }";
    let ana = server.app.ana().gql(request, json!({})).await;
    assert_eq!(ana.user_error("requestEmailVerification"), "INVALID_STATE");
}
