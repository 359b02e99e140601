//! Who may come for the first time: everybody, those who are invited, or nobody. Nobody but the owner of an address learns whether it is
//! known or invited.

use std::process::Command;

use chrono::TimeDelta;
use entity::enums::WorkspaceRole;
use meridian::features::people;
use serde_json::{Value, json};

use crate::support::browser::{Browser, location, part};
use crate::support::issuer::Issuer;
use crate::support::post::{MailServer, deliver};
use crate::support::server::{Reply, Server};
use crate::support::{Client, create_person, join, start_of_tests};

const INVITE: &str = "mutation($input: InviteMembersInput!) { inviteMembers(input: $input) {
    invitations { id } userErrors { code field message } } }";

async fn server(mode: &str, mail: &MailServer, issuer: &Issuer) -> Server {
    let mut settings = mail.settings();
    settings.extend(issuer.settings("acme"));
    let mut pairs: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.push(("MERIDIAN_SIGN_UP", mode));
    Server::with_settings(&pairs).await
}

async fn issuer() -> Issuer {
    Issuer::start(start_of_tests().timestamp()).await
}

async fn ask(browser: &Browser<'_>, email: &str) -> Reply {
    let headers = ["Content-Type: application/json", "X-Meridian-Csrf: 1"];
    let body = json!({ "email": email, "returnTo": "/done" }).to_string();
    browser.send("POST", "/auth/email", &headers, &body).await
}

/// Asks for a link, opens it, and says why it did not sign in, if it did not.
async fn by_link(server: &Server, mail: &MailServer, email: &str) -> Option<String> {
    let browser = Browser::new(server);
    assert_eq!(ask(&browser, email).await.status, 202);
    deliver(&server.app).await;
    let link = mail.take().pop().unwrap().link();
    let target = format!("{}?{}", link.path(), link.query().unwrap());
    end(&browser, &browser.get(&target).await)
}

async fn by_provider(server: &Server, issuer: &Issuer, claims: Value) -> Option<String> {
    let browser = Browser::new(server);
    let leaving = location(&browser.get("/auth/acme?returnTo=/done").await);
    issuer.script(|script| {
        script.nonce = part(&leaving, "nonce").unwrap();
        script.userinfo = json!({ "sub": claims["sub"] });
        script.claims = claims;
    });
    let state = part(&leaving, "state").unwrap();
    let back = browser.get(&format!("/auth/callback?state={state}&code=c")).await;
    end(&browser, &back)
}

#[track_caller]
fn end(browser: &Browser<'_>, reply: &Reply) -> Option<String> {
    let place = location(reply);
    assert_eq!(place.path(), "/done");
    let refusal = part(&place, "signInError");
    assert_eq!(browser.is_signed_in(), refusal.is_none(), "{reply:?}");
    refusal
}

async fn is_known(server: &Server, email: &str) -> bool {
    let found = people::find_by_email(&server.app.platform, email).await;
    found.unwrap().is_some()
}

async fn invite(client: &Client<'_>, workspace: &str, email: &str) -> String {
    let input = json!({ "workspaceId": workspace, "emails": [email], "role": "MEMBER" });
    client
        .gql(INVITE, json!({ "input": input }))
        .await
        .succeeded("inviteMembers")
        .text("/inviteMembers/invitations/0/id")
}

const CLOSED: Option<&str> = Some("SIGN_UP_CLOSED");

#[tokio::test]
async fn a_closed_installation_takes_nobody_new_and_keeps_everybody() {
    let (mail, issuer) = (MailServer::start().await, issuer().await);
    let server = server("closed", &mail, &issuer).await;
    invite(
        &server.app.ana(),
        &server.app.ana.workspace(),
        "guest@example.org",
    )
    .await;
    deliver(&server.app).await;
    mail.take();
    for stranger in ["nobody@example.org", "guest@example.org"] {
        assert_eq!(
            by_link(&server, &mail, stranger).await.as_deref(),
            CLOSED,
            "{stranger}"
        );
        let claims = json!({ "sub": stranger, "email": stranger });
        assert_eq!(
            by_provider(&server, &issuer, claims).await.as_deref(),
            CLOSED,
            "{stranger}"
        );
        assert!(!is_known(&server, stranger).await, "{stranger}");
    }
    assert_eq!(by_link(&server, &mail, "ana@example.org").await, None);
    let ana = json!({ "sub": "ana", "email": "ana@example.org" });
    assert_eq!(by_provider(&server, &issuer, ana).await, None);
}

#[tokio::test]
async fn whoever_asks_for_a_link_learns_nothing_about_the_address() {
    let (mail, issuer) = (MailServer::start().await, issuer().await);
    for mode in ["open", "invited", "closed"] {
        let server = server(mode, &mail, &issuer).await;
        invite(
            &server.app.ana(),
            &server.app.ana.workspace(),
            "guest@example.org",
        )
        .await;
        deliver(&server.app).await;
        mail.take();
        let mut answers = Vec::new();
        for email in ["ana@example.org", "guest@example.org", "nobody@example.org"] {
            let reply = ask(&Browser::new(&server), email).await;
            let varies = ["set-cookie", "x-request-id", "date"];
            let headers: Vec<(String, String)> = reply
                .headers
                .into_iter()
                .filter(|(name, _)| !varies.contains(&name.as_str()))
                .collect();
            answers.push((reply.status, headers, reply.body));
        }
        assert_eq!(answers[0], answers[1], "{mode}");
        assert_eq!(answers[0], answers[2], "{mode}");
        // The same work is done for each, so that time does not tell either.
        assert_eq!(deliver(&server.app).await.len(), 3, "{mode}");
        mail.take();
    }
}

#[tokio::test]
async fn whoever_is_invited_comes_in() {
    let (mail, issuer) = (MailServer::start().await, issuer().await);
    let server = server("invited", &mail, &issuer).await;
    let app = &server.app;
    let workspace = app.ana.workspace();
    for email in [
        "link@example.org",
        "provider@example.org",
        "withdrawn@example.org",
    ] {
        let id = invite(&app.ana(), &workspace, email).await;
        if email.starts_with("withdrawn") {
            let revoke = "mutation($id: ID!) { revokeInvitation(id: $id) { userErrors { code } } }";
            app.ana()
                .gql(revoke, json!({ "id": id }))
                .await
                .succeeded("revokeInvitation");
        }
    }
    deliver(app).await;
    mail.take();
    assert_eq!(by_link(&server, &mail, "link@example.org").await, None);
    let claims = json!({ "sub": "p", "email": "Provider@Example.org" });
    assert_eq!(by_provider(&server, &issuer, claims).await, None);
    for stranger in ["withdrawn@example.org", "nobody@example.org"] {
        assert_eq!(
            by_link(&server, &mail, stranger).await.as_deref(),
            CLOSED,
            "{stranger}"
        );
        assert!(!is_known(&server, stranger).await, "{stranger}");
    }
    // An address that the provider does not vouch for is not the invited one.
    let claims = json!({ "sub": "q", "email": "link@example.org", "email_verified": false });
    assert_eq!(
        by_provider(&server, &issuer, claims).await.as_deref(),
        Some("EMAIL_NOT_VERIFIED")
    );
}

#[tokio::test]
async fn an_invitation_opens_the_door_only_as_long_as_it_holds() {
    let (mail, issuer) = (MailServer::start().await, issuer().await);
    let server = server("invited", &mail, &issuer).await;
    let app = &server.app;
    let cem = create_person(&app.platform, "Cem", "cem@example.org").await;
    join(&app.platform, &cem, app.ana.workspace_id, WorkspaceRole::Admin).await;
    invite(&app.client(&cem), &app.ana.workspace(), "guest@example.org").await;
    invite(&app.ana(), &app.ana.workspace(), "late@example.org").await;
    deliver(app).await;
    mail.take();
    let members = "query ($id: ID!) { workspace(id: $id) { members { nodes { id user { name } } } } }";
    let members = app.ana().gql(members, json!({ "id": app.ana.workspace() })).await;
    let nodes = members.at("/workspace/members/nodes");
    let row = nodes
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["user"]["name"] == "Cem");
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    app.ana()
        .gql(remove, json!({ "id": row.unwrap()["id"] }))
        .await
        .succeeded("removeMember");
    assert_eq!(
        by_link(&server, &mail, "guest@example.org").await.as_deref(),
        CLOSED,
        "whoever invited may not any more"
    );
    app.advance(TimeDelta::days(7));
    assert_eq!(
        by_link(&server, &mail, "late@example.org").await.as_deref(),
        CLOSED,
        "it is over"
    );
}

#[tokio::test]
async fn the_operator_lets_people_in() {
    let (mail, issuer) = (MailServer::start().await, issuer().await);
    let server = server("closed", &mail, &issuer).await;
    let folder = tempfile::tempdir().unwrap();
    let create = |email: &str, zone: &str| {
        Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args([
                "person",
                "create",
                "--name",
                "Dora",
                "--time-zone",
                zone,
                "--email",
                email,
            ])
            .env_clear()
            .env("DATABASE_URL", server.app.database_url())
            .env("MERIDIAN_ENV", "development")
            .env(
                "MERIDIAN_SECRET_KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            )
            .env("MERIDIAN_DATA_DIR", folder.path())
            .output()
            .unwrap()
    };
    let made = create("Dora@Example.org", "Europe/Rome");
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(
        made.status.success() && said.starts_with("user_"),
        "{said}{}",
        String::from_utf8_lossy(&made.stderr)
    );
    assert_eq!(by_link(&server, &mail, "dora@example.org").await, None);
    let claims = json!({ "sub": "dora", "email": "dora@example.org" });
    assert_eq!(by_provider(&server, &issuer, claims).await, None);
    for (email, zone, reason) in [
        ("dora@example.org", "UTC", "exists already"),
        ("dora", "UTC", "not an e-mail address"),
        ("eve@example.org", "Mars/Base", "not a time zone"),
    ] {
        let refused = create(email, zone);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(reason), "{said}");
    }
}
