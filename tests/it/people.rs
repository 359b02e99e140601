//! The viewer, their settings, sessions and API tokens through the API.

use entity::enums::ApiTokenScope;
use entity::ids::WorkspaceId;
use meridian::access::{Credentials, Identity, authenticate, create_session};
use meridian::kernel::actor::Origin;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

const PREFERENCES: &str = r"
    mutation ($input: UpdatePreferencesInput!) {
      updatePreferences(input: $input) {
        preferences {
          timeZone locale weekStartsOn workingHours { weekday start end } defaultTaskDurationMinutes defaultFocusMinutes
          bufferMinutes maxDailyTaskMinutes peakEnergy defaultWorkspace { slug }
        }
        userErrors { code field message }
      }
    }";
const CREATE_TOKEN: &str = r"
    mutation ($input: CreateApiTokenInput!) {
      createApiToken(input: $input) {
        apiToken { id name prefix scopes workspace { slug } expiresAt lastUsedAt } secret userErrors { code field message }
      }
    }";
const REVOKE_TOKEN: &str = r"
    mutation ($id: ID!) { revokeApiToken(id: $id) { revokedApiTokenId userErrors { code field message } } }";
const DELIVERIES: &str = r"
    mutation ($input: UpdateNotificationPreferencesInput!) {
      updateNotificationPreferences(input: $input) {
        notificationPreferences { type channels } userErrors { code field message }
      }
    }";

fn token_client<'a>(app: &'a TestApp, scope: ApiTokenScope, workspace_id: Option<WorkspaceId>) -> Client<'a> {
    let (user_id, token_id) = (app.ana.user_id, app.platform.ids.next());
    app.client_as(Identity::Token {
        user_id,
        token_id,
        scope,
        workspace_id,
        is_admin: true,
    })
}

async fn preferences(client: &Client<'_>, input: Value) -> Answer {
    client.gql(PREFERENCES, json!({ "input": input })).await
}

async fn create_token(client: &Client<'_>, input: Value) -> Answer {
    client.gql(CREATE_TOKEN, json!({ "input": input })).await
}

#[tokio::test]
async fn the_viewer_is_the_signed_in_person_and_null_for_guests() {
    let app = TestApp::start().await;
    let document = "{ viewer { id isAdmin user { id name email } workspaces { slug viewerRole } } }";
    let answer = app.ana().gql(document, json!({})).await;
    assert_eq!(answer.text("/viewer/id"), app.ana.user_id.to_string());
    assert_eq!(answer.at("/viewer/isAdmin"), false);
    assert_eq!(answer.text("/viewer/user/email"), "ana@example.org");
    assert_eq!(
        answer.at("/viewer/workspaces"),
        json!([{ "slug": "ana", "viewerRole": "OWNER" }])
    );
    assert_eq!(
        app.guest().gql(document, json!({})).await.at("/viewer"),
        Value::Null
    );

    let admin = async |client: Client<'_>| {
        client
            .gql("{ viewer { isAdmin } }", json!({}))
            .await
            .at("/viewer/isAdmin")
    };
    assert_eq!(admin(token_client(&app, ApiTokenScope::Admin, None)).await, true);
    assert_eq!(admin(token_client(&app, ApiTokenScope::Write, None)).await, false);
    assert_eq!(
        admin(token_client(
            &app,
            ApiTokenScope::Admin,
            Some(app.ana.workspace_id)
        ))
        .await,
        false
    );
}

#[tokio::test]
async fn the_profile_changes_for_its_person() {
    let app = TestApp::start().await;
    let document = "mutation ($input: UpdateProfileInput!) {
        updateProfile(input: $input) { user { name avatarUrl } userErrors { code field message } } }";
    let update =
        async |client: Client<'_>, input: Value| client.gql(document, json!({ "input": input })).await;
    let url = "https://example.org/ana.png";
    let answer = update(app.ana(), json!({ "name": " Ana M. ", "avatarUrl": url }))
        .await
        .succeeded("updateProfile");
    assert_eq!(
        answer.at("/updateProfile/user"),
        json!({ "name": "Ana M.", "avatarUrl": url })
    );
    let kept = update(app.ana(), json!({ "name": "Ana" })).await;
    assert_eq!(kept.at("/updateProfile/user/avatarUrl"), url);
    let cleared = update(app.ana(), json!({ "avatarUrl": null })).await;
    assert_eq!(
        cleared.at("/updateProfile/user"),
        json!({ "name": "Ana", "avatarUrl": null })
    );

    assert_eq!(
        update(app.ana(), json!({ "name": " " }))
            .await
            .user_error("updateProfile"),
        "REQUIRED input.name"
    );
    assert!(
        update(app.ana(), json!({ "avatarUrl": "javascript:1" }))
            .await
            .was_refused()
    );
    assert_eq!(
        update(app.guest(), json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );
    let reader = token_client(&app, ApiTokenScope::Read, None);
    assert_eq!(
        update(reader, json!({ "name": "X" })).await.error_code(),
        "FORBIDDEN"
    );
    let limited = token_client(&app, ApiTokenScope::Admin, Some(app.ana.workspace_id));
    assert_eq!(
        update(limited, json!({ "name": "X" })).await.error_code(),
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn preferences_keep_what_is_left_out() {
    let app = TestApp::start().await;
    let hours = json!([
        { "weekday": "TUESDAY", "start": "22:00", "end": "06:00" },
        { "weekday": "MONDAY", "start": "09:00", "end": "12:30" },
    ]);
    let input = json!({ "timeZone": "Asia/Tokyo", "locale": "ja", "weekStartsOn": "SUNDAY", "workingHours": hours, "peakEnergy": "EVENING" });
    let answer = preferences(&app.ana(), input)
        .await
        .succeeded("updatePreferences");
    let expected = json!({
        "timeZone": "Asia/Tokyo", "locale": "ja", "weekStartsOn": "SUNDAY",
        "workingHours": [
            { "weekday": "MONDAY", "start": "09:00", "end": "12:30" },
            { "weekday": "TUESDAY", "start": "22:00", "end": "06:00" },
        ],
        "defaultTaskDurationMinutes": 45, "defaultFocusMinutes": 25, "bufferMinutes": 0, "maxDailyTaskMinutes": 480,
        "peakEnergy": "EVENING", "defaultWorkspace": { "slug": "ana" },
    });
    assert_eq!(answer.at("/updatePreferences/preferences"), expected);
    let cleared = preferences(
        &app.ana(),
        json!({ "defaultWorkspaceId": null, "bufferMinutes": 120 }),
    )
    .await;
    assert_eq!(
        cleared.at("/updatePreferences/preferences/defaultWorkspace"),
        Value::Null
    );
    assert_eq!(cleared.at("/updatePreferences/preferences/locale"), "ja");
}

#[tokio::test]
async fn bad_preferences_name_their_field_and_change_nothing() {
    let app = TestApp::start().await;
    let overlap = json!([
        { "weekday": "SUNDAY", "start": "22:00", "end": "06:00" },
        { "weekday": "MONDAY", "start": "05:00", "end": "08:00" },
    ]);
    let cases = [
        (json!({ "locale": "english please" }), "INVALID input.locale"),
        (
            json!({ "defaultTaskDurationMinutes": 4 }),
            "OUT_OF_RANGE input.defaultTaskDurationMinutes",
        ),
        (
            json!({ "defaultFocusMinutes": 241 }),
            "OUT_OF_RANGE input.defaultFocusMinutes",
        ),
        (json!({ "bufferMinutes": -1 }), "OUT_OF_RANGE input.bufferMinutes"),
        (
            json!({ "maxDailyTaskMinutes": 1441 }),
            "OUT_OF_RANGE input.maxDailyTaskMinutes",
        ),
        (json!({ "workingHours": overlap }), "INVALID input.workingHours.1"),
        (
            json!({ "defaultWorkspaceId": app.ben.workspace() }),
            "REFERENCE_NOT_FOUND input.defaultWorkspaceId",
        ),
        (
            json!({ "defaultWorkspaceId": "nonsense" }),
            "REFERENCE_NOT_FOUND input.defaultWorkspaceId",
        ),
    ];
    let read = async || {
        app.ana()
            .gql(
                "{ viewer { preferences { locale bufferMinutes workingHours { weekday } } } }",
                json!({}),
            )
            .await
    };
    let before = read().await;
    for (input, expected) in cases {
        let answer = preferences(&app.ana(), input.clone()).await;
        assert_eq!(answer.user_error("updatePreferences"), expected, "{input}");
    }
    assert_eq!(read().await, before);
    assert!(
        preferences(&app.ana(), json!({ "timeZone": "Mars" }))
            .await
            .was_refused()
    );
    let time = json!({ "workingHours": [{ "weekday": "MONDAY", "start": "9:00", "end": "12:00" }] });
    assert!(preferences(&app.ana(), time).await.was_refused());
    assert_eq!(
        preferences(&app.guest(), json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn notifications_go_where_their_person_wants() {
    let app = TestApp::start().await;
    let set = async |client: Client<'_>, preferences: Value| {
        client
            .gql(DELIVERIES, json!({ "input": { "preferences": preferences } }))
            .await
    };
    let wanted =
        json!([{ "type": "TASK_DUE", "channels": [] }, { "type": "SECURITY", "channels": ["IN_APP"] }]);
    let answer = set(app.ana(), wanted)
        .await
        .succeeded("updateNotificationPreferences");
    let all = answer.at("/updateNotificationPreferences/notificationPreferences");
    let channels = |kind: &str| {
        all.as_array()
            .unwrap()
            .iter()
            .find(|one| one["type"] == kind)
            .unwrap()["channels"]
            .clone()
    };
    assert_eq!(all.as_array().unwrap().len(), 9, "one entry for each type");
    assert_eq!(channels("TASK_DUE"), json!([]));
    assert_eq!(channels("SECURITY"), json!(["IN_APP"]));
    assert_eq!(channels("INTEGRATION_PROBLEM"), json!(["IN_APP", "EMAIL"]));

    let again = set(
        app.ana(),
        json!([{ "type": "TASK_DUE", "channels": ["EMAIL", "IN_APP", "EMAIL"] }]),
    )
    .await;
    assert_eq!(
        again.at("/updateNotificationPreferences/notificationPreferences/3/channels"),
        json!(["IN_APP", "EMAIL"])
    );
    let silent = set(app.ana(), json!([{ "type": "SECURITY", "channels": ["EMAIL"] }])).await;
    assert_eq!(
        silent.user_error("updateNotificationPreferences"),
        "INVALID input.preferences.0.channels"
    );
    assert_eq!(set(app.guest(), json!([])).await.error_code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_works_until_it_ends_or_is_taken_back() {
    let app = TestApp::start().await;
    let input = json!({ "name": " CI ", "scopes": ["READ", "WRITE", "READ"], "workspaceId": app.ana.workspace(), "expiresAt": "2026-03-03T09:00:00Z" });
    let made = create_token(&app.ana(), input).await.succeeded("createApiToken");
    let secret = made.text("/createApiToken/secret");
    let token = made.at("/createApiToken/apiToken");
    assert_eq!(token["name"], "CI");
    assert_eq!(token["scopes"], json!(["READ", "WRITE"]));
    assert_eq!(token["workspace"]["slug"], "ana");
    assert!(secret.starts_with("mrd_") && secret.starts_with(token["prefix"].as_str().unwrap()));

    let enter = async |secret: &str| {
        let credentials = Credentials {
            bearer: Some(secret.to_owned()),
            session: None,
        };
        authenticate(&app.platform, credentials, Origin::default()).await
    };
    let caller = enter(&secret).await.unwrap();
    assert_eq!(caller.user_id(), Some(app.ana.user_id));
    app.advance(chrono::Duration::days(1));
    assert!(enter(&secret).await.is_err(), "it has ended");

    let lasting = create_token(&app.ana(), json!({ "name": "L", "scopes": ["ADMIN"] })).await;
    let (id, secret) = (
        lasting.text("/createApiToken/apiToken/id"),
        lasting.text("/createApiToken/secret"),
    );
    assert!(enter(&secret).await.is_ok());
    let listed = app
        .ana()
        .gql("{ viewer { apiTokens { name } } }", json!({}))
        .await;
    assert_eq!(
        listed.at("/viewer/apiTokens"),
        json!([{ "name": "L" }, { "name": "CI" }]),
        "newest first"
    );
    let revoke = async |client: Client<'_>| client.gql(REVOKE_TOKEN, json!({ "id": id })).await;
    assert_eq!(revoke(app.ben()).await.error_code(), "NOT_FOUND");
    assert_eq!(revoke(app.guest()).await.error_code(), "UNAUTHENTICATED");
    assert_eq!(
        revoke(token_client(&app, ApiTokenScope::Write, None))
            .await
            .error_code(),
        "FORBIDDEN"
    );
    assert_eq!(
        revoke(app.ana())
            .await
            .succeeded("revokeApiToken")
            .text("/revokeApiToken/revokedApiTokenId"),
        id
    );
    assert!(enter(&secret).await.is_err());
    assert_eq!(revoke(app.ana()).await.error_code(), "NOT_FOUND");
}

#[tokio::test]
async fn tokens_are_made_within_the_rules() {
    let app = TestApp::start().await;
    let cases = [
        (json!({ "name": "", "scopes": ["READ"] }), "REQUIRED input.name"),
        (
            json!({ "name": "x".repeat(101), "scopes": ["READ"] }),
            "TOO_LONG input.name",
        ),
        (json!({ "name": "T", "scopes": [] }), "REQUIRED input.scopes"),
        (
            json!({ "name": "T", "scopes": ["READ"], "expiresAt": "2026-03-02T09:00:00Z" }),
            "OUT_OF_RANGE input.expiresAt",
        ),
        (
            json!({ "name": "T", "scopes": ["READ"], "expiresAt": "2027-03-04T09:00:00Z" }),
            "OUT_OF_RANGE input.expiresAt",
        ),
        (
            json!({ "name": "T", "scopes": ["READ"], "workspaceId": app.ben.workspace() }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
        (
            json!({ "name": "T", "scopes": ["READ"], "workspaceId": "nonsense" }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
    ];
    for (input, expected) in cases {
        let answer = create_token(&app.ana(), input.clone()).await;
        assert_eq!(answer.user_error("createApiToken"), expected, "{input}");
        assert_eq!(answer.at("/createApiToken/secret"), Value::Null);
    }
    let input = json!({ "name": "T", "scopes": ["ADMIN"] });
    assert_eq!(
        create_token(&app.guest(), input.clone()).await.error_code(),
        "UNAUTHENTICATED"
    );
    let writer = token_client(&app, ApiTokenScope::Write, None);
    assert_eq!(
        create_token(&writer, input.clone()).await.error_code(),
        "FORBIDDEN"
    );
    let limited = token_client(&app, ApiTokenScope::Admin, Some(app.ana.workspace_id));
    assert_eq!(
        create_token(&limited, input.clone()).await.error_code(),
        "FORBIDDEN",
        "a limited token must not widen itself"
    );
    let listed = app.ana().gql("{ viewer { apiTokens { id } } }", json!({})).await;
    assert_eq!(listed.at("/viewer/apiTokens"), json!([]), "nothing was created");
    create_token(&token_client(&app, ApiTokenScope::Admin, None), input)
        .await
        .succeeded("createApiToken");
}

#[tokio::test]
async fn sessions_are_listed_and_signed_out() {
    let app = TestApp::start().await;
    let origin = |agent: &str| Origin {
        user_agent: Some(agent.into()),
        ..Origin::default()
    };
    let laptop = create_session(&app.platform, app.ana.user_id, origin("Laptop"))
        .await
        .unwrap();
    app.advance(chrono::Duration::hours(1));
    let phone = create_session(&app.platform, app.ana.user_id, origin("Phone"))
        .await
        .unwrap();
    let tablet = create_session(&app.platform, app.ana.user_id, origin("Tablet"))
        .await
        .unwrap();
    let ana = app.client_as(Identity::Session {
        user_id: app.ana.user_id,
        session_id: laptop.id,
        is_admin: false,
    });
    let agents = async || {
        let answer = ana
            .gql("{ viewer { sessions { id isCurrent userAgent } } }", json!({}))
            .await;
        let sessions = answer.at("/viewer/sessions");
        let known = sessions
            .as_array()
            .unwrap()
            .iter()
            .filter(|session| !session["userAgent"].is_null());
        known
            .map(|one| {
                (
                    one["userAgent"].as_str().unwrap().to_owned(),
                    one["isCurrent"] == true,
                )
            })
            .collect::<Vec<_>>()
    };
    let expected = [("Tablet", false), ("Phone", false), ("Laptop", true)]
        .map(|(agent, current)| (agent.to_owned(), current));
    assert_eq!(agents().await, expected);

    let document = "mutation ($id: ID!) { revokeSession(id: $id) { revokedSessionId userErrors { code field message } } }";
    let revoke = async |client: &Client<'_>, id: String| client.gql(document, json!({ "id": id })).await;
    assert_eq!(
        revoke(&ana, laptop.id.to_string())
            .await
            .user_error("revokeSession"),
        "INVALID_STATE id"
    );
    assert_eq!(
        revoke(&app.ben(), phone.id.to_string()).await.error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        revoke(&app.guest(), phone.id.to_string()).await.error_code(),
        "UNAUTHENTICATED"
    );
    revoke(&ana, phone.id.to_string())
        .await
        .succeeded("revokeSession");
    assert_eq!(revoke(&ana, phone.id.to_string()).await.error_code(), "NOT_FOUND");
    let credentials = Credentials {
        bearer: None,
        session: Some(phone.secret),
    };
    assert!(
        authenticate(&app.platform, credentials, Origin::default())
            .await
            .is_err()
    );

    let all = ana
        .gql(
            "mutation { revokeOtherSessions { revokedCount userErrors { code } } }",
            json!({}),
        )
        .await;
    assert!(
        all.succeeded("revokeOtherSessions")
            .at("/revokeOtherSessions/revokedCount")
            .as_i64()
            .unwrap()
            >= 1
    );
    assert_eq!(agents().await, [("Laptop".to_owned(), true)]);
    let credentials = Credentials {
        bearer: None,
        session: Some(tablet.secret),
    };
    assert!(
        authenticate(&app.platform, credentials, Origin::default())
            .await
            .is_err()
    );
}
