//! Invitations: from the letter to the membership, and everybody who must not come in.

use chrono::TimeDelta;
use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::post::{MailServer, deliver, waiting};
use crate::support::{Answer, Client, TestApp, join};

const INVITE: &str = "mutation($input: InviteMembersInput!) { inviteMembers(input: $input) {
    invitations { id email role expiresAt invitedBy { name } workspace { name } } userErrors { code field message } } }";
const ACCEPT: &str = "mutation($token: String!) { acceptInvitation(token: $token) { workspace { id name viewerRole members { nodes { user { name } } } } userErrors { code field } } }";
const DECLINE: &str = "mutation($token: String!) { declineInvitation(token: $token) { declinedInvitationId userErrors { code field } } }";
const REVOKE: &str =
    "mutation($id: ID!) { revokeInvitation(id: $id) { revokedInvitationId userErrors { code } } }";
const MINE: &str = "{ viewer { invitations { id email role invitedBy { name email } workspace { id name slug viewerRole
    viewerPermissions { canEdit canManageMembers canDelete } members { totalCount nodes { id } } calendars { id }
    tasks { totalCount } calendarEvents { totalCount } integrations { id } } } } }";

async fn app(mail: &MailServer) -> TestApp {
    let settings = mail.settings();
    let mut pairs: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.push(("MERIDIAN_RATE_SIGN_INS", "1000"));
    pairs.push(("MERIDIAN_APP_URL", "https://app.example.org/"));
    TestApp::with_settings(&pairs).await
}

async fn invite(client: &Client<'_>, workspace: &str, emails: &[&str], role: &str) -> Answer {
    let input = json!({ "workspaceId": workspace, "emails": emails, "role": role });
    client.gql(INVITE, json!({ "input": input })).await
}

/// The token in the newest letter.
async fn token(app: &TestApp, mail: &MailServer) -> String {
    deliver(app).await;
    let link = mail.take().pop().unwrap().link();
    assert!(
        link.as_str()
            .starts_with("https://app.example.org/invitation?token="),
        "{link}"
    );
    link.query_pairs().next().unwrap().1.into_owned()
}

async fn accept(client: &Client<'_>, token: &str) -> Answer {
    client.gql(ACCEPT, json!({ "token": token })).await
}

#[tokio::test]
async fn an_invitation_leads_into_the_workspace() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let sent = invite(&app.ana(), &app.ana.workspace(), &["Ben@Example.org"], "MEMBER")
        .await
        .succeeded("inviteMembers");
    let invitation = sent.at("/inviteMembers/invitations/0");
    assert_eq!(invitation["email"], "ben@example.org");
    assert_eq!(invitation["role"], "MEMBER");
    assert_eq!(invitation["expiresAt"], "2026-03-09T09:00:00Z");
    assert_eq!(invitation["invitedBy"]["name"], "Ana");
    let listed = app
        .ana()
        .gql(
            "query($id: ID!) { workspace(id: $id) { invitations { id } } }",
            json!({ "id": app.ana.workspace() }),
        )
        .await;
    assert_eq!(
        listed.at("/workspace/invitations"),
        json!([{ "id": invitation["id"] }])
    );

    // Before joining, the invited person sees where to, and nothing inside.
    let mine = app.ben().gql(MINE, json!({})).await.at("/viewer/invitations/0");
    assert_eq!(mine["id"], invitation["id"]);
    assert_eq!(mine["invitedBy"], json!({ "name": "Ana", "email": null }));
    let outside = &mine["workspace"];
    assert_eq!(
        (&outside["name"], &outside["id"]),
        (&json!("Ana"), &json!(app.ana.workspace()))
    );
    assert_eq!(outside["members"], json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(outside["calendars"], json!([]));
    assert_eq!(outside["integrations"], json!([]));
    assert_eq!(
        outside["viewerPermissions"],
        json!({ "canEdit": false, "canManageMembers": false, "canDelete": false })
    );
    let node = app
        .ben()
        .gql(
            "query($id: ID!) { node(id: $id) { __typename } }",
            json!({ "id": invitation["id"] }),
        )
        .await;
    assert_eq!(node.at("/node/__typename"), "WorkspaceInvitation");
    let told = app
        .ben()
        .gql("{ viewer { notifications { nodes { type title } } } }", json!({}))
        .await;
    assert_eq!(
        told.at("/viewer/notifications/nodes"),
        json!([{ "type": "WORKSPACE_INVITATION", "title": "Ana invites you to Ana" }])
    );

    let token = token(&app, &mail).await;
    let joined = accept(&app.ben(), &token).await.succeeded("acceptInvitation");
    assert_eq!(joined.at("/acceptInvitation/workspace/viewerRole"), "MEMBER");
    assert_eq!(
        joined
            .at("/acceptInvitation/workspace/members/nodes")
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        app.ben().gql(MINE, json!({})).await.at("/viewer/invitations"),
        json!([])
    );
    assert_eq!(
        accept(&app.ben(), &token).await.user_error("acceptInvitation"),
        "TOKEN_INVALID token"
    );
    let again = invite(&app.ana(), &app.ana.workspace(), &["ben@example.org"], "ADMIN").await;
    assert_eq!(again.user_error("inviteMembers"), "TAKEN input.emails.0");
}

#[tokio::test]
async fn an_invitation_ends_in_four_ways() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let workspace = app.ana.workspace();
    let ana = app.ana();

    let sent = invite(&ana, &workspace, &["ben@example.org"], "VIEWER").await;
    let id = sent.at("/inviteMembers/invitations/0/id");
    let first = token(&app, &mail).await;
    // A second letter replaces the first.
    let sent = invite(&ana, &workspace, &["ben@example.org"], "MEMBER").await;
    assert_eq!(sent.at("/inviteMembers/invitations/0/id"), id);
    let second = token(&app, &mail).await;
    assert_eq!(
        accept(&app.ben(), &first).await.user_error("acceptInvitation"),
        "TOKEN_INVALID token"
    );

    let declined = app
        .ben()
        .gql(DECLINE, json!({ "token": second }))
        .await
        .succeeded("declineInvitation");
    assert_eq!(declined.at("/declineInvitation/declinedInvitationId"), id);
    assert_eq!(
        accept(&app.ben(), &second).await.user_error("acceptInvitation"),
        "TOKEN_INVALID token"
    );

    let sent = invite(&ana, &workspace, &["ben@example.org"], "MEMBER").await;
    let id = sent.at("/inviteMembers/invitations/0/id");
    let third = token(&app, &mail).await;
    let foreign = app.ben().gql(REVOKE, json!({ "id": id })).await;
    assert_eq!(foreign.error_code(), "NOT_FOUND");
    ana.gql(REVOKE, json!({ "id": id }))
        .await
        .succeeded("revokeInvitation");
    assert_eq!(
        ana.gql(REVOKE, json!({ "id": id })).await.error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        accept(&app.ben(), &third).await.user_error("acceptInvitation"),
        "TOKEN_INVALID token"
    );

    invite(&ana, &workspace, &["ben@example.org"], "MEMBER").await;
    let fourth = token(&app, &mail).await;
    app.advance(TimeDelta::days(7));
    assert_eq!(
        accept(&app.ben(), &fourth).await.user_error("acceptInvitation"),
        "TOKEN_INVALID token"
    );
    assert_eq!(
        app.ben().gql(MINE, json!({})).await.at("/viewer/invitations"),
        json!([])
    );
    invite(&ana, &workspace, &["ben@example.org"], "MEMBER")
        .await
        .succeeded("inviteMembers");
    let fifth = token(&app, &mail).await;
    accept(&app.ben(), &fifth).await.succeeded("acceptInvitation");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let workspace = app.ana.workspace();
    for (role, code) in [
        (WorkspaceRole::Viewer, "FORBIDDEN"),
        (WorkspaceRole::Member, "FORBIDDEN"),
    ] {
        let app = self::app(&mail).await;
        join(&app.platform, &app.ben, app.ana.workspace_id, role).await;
        let refused = invite(&app.ben(), &app.ana.workspace(), &["cleo@example.org"], "VIEWER").await;
        assert_eq!(refused.error_code(), code, "{role:?}");
        let list = app
            .ben()
            .gql(
                "query($id: ID!) { workspace(id: $id) { invitations { id } } }",
                json!({ "id": app.ana.workspace() }),
            )
            .await;
        assert_eq!(list.error_code(), "FORBIDDEN");
    }
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    let owner = invite(&app.ben(), &workspace, &["cleo@example.org"], "OWNER").await;
    assert_eq!(owner.error_code(), "FORBIDDEN");
    invite(&app.ben(), &workspace, &["ana2@example.org"], "ADMIN")
        .await
        .succeeded("inviteMembers");
    let token = token(&app, &mail).await;
    // Whoever invited has to be able to do so still.
    let members = app
        .ana()
        .gql(
            "query($id: ID!) { workspace(id: $id) { members { nodes { id user { name } } } } }",
            json!({ "id": workspace }),
        )
        .await;
    let members = members.at("/workspace/members/nodes");
    let ben = members
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["user"]["name"] == "Ben")
        .unwrap()["id"]
        .clone();
    app.ana()
        .gql(
            "mutation($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }",
            json!({ "id": ben }),
        )
        .await
        .succeeded("removeMember");
    assert_eq!(
        accept(&app.ben(), &token).await.user_error("acceptInvitation"),
        "TOKEN_INVALID token"
    );
}

#[tokio::test]
async fn strangers_and_bad_input_are_refused() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let workspace = app.ana.workspace();
    let foreign = invite(&app.ben(), &workspace, &["cleo@example.org"], "MEMBER").await;
    let unknown = invite(
        &app.ben(),
        "ws_00000000000000000000000000",
        &["cleo@example.org"],
        "MEMBER",
    )
    .await;
    assert_eq!(foreign, unknown);
    assert_eq!(
        foreign.user_error("inviteMembers"),
        "REFERENCE_NOT_FOUND input.workspaceId"
    );
    assert_eq!(
        invite(&app.guest(), &workspace, &["cleo@example.org"], "MEMBER")
            .await
            .error_code(),
        "UNAUTHENTICATED"
    );
    assert_eq!(accept(&app.guest(), "x").await.error_code(), "UNAUTHENTICATED");
    assert_eq!(
        invite(&app.ana(), &workspace, &[], "MEMBER")
            .await
            .user_error("inviteMembers"),
        "REQUIRED input.emails"
    );
    let many: Vec<String> = (0..51).map(|n| format!("guest{n}@example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        invite(&app.ana(), &workspace, &many, "MEMBER")
            .await
            .user_error("inviteMembers"),
        "TOO_LONG input.emails"
    );
    assert!(waiting(&app).await.is_empty(), "nobody got a letter");
}

#[tokio::test]
async fn without_a_mail_server_nobody_is_invited_in_vain() {
    let app = TestApp::with_settings(&[("MERIDIAN_ENV", "production")]).await;
    let refused = invite(&app.ana(), &app.ana.workspace(), &["cleo@example.org"], "MEMBER").await;
    assert_eq!(refused.user_error("inviteMembers"), "INVALID_STATE input");
    let message: Value = refused.at("/inviteMembers/userErrors/0/message");
    assert!(message.as_str().unwrap().contains("MERIDIAN_SMTP_URL"));
}
