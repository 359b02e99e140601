//! What API tokens may not do, field by field: one that is limited to a workspace finds nothing in others, and none does more than its
//! scopes say. The owner's own session gets through all of these, which a test beside this file shows.

use std::collections::BTreeSet;

use entity::enums::{ApiTokenScope, WorkspaceRole};
use entity::ids::WorkspaceId;
use meridian::access::Identity;

use super::cases::{Case, Least, cases, paths, schema};
use super::world::{self, World};
use super::{counters, entries, run};
use crate::support::{Client, TestApp, join};

/// Mutations that only read what their person may read: a file is written of it.
const READING: [&str; 1] = ["startExport"];
/// What only `ADMIN` covers of what people do to themselves: credentials, accounts and belonging somewhere.
const GRAVE: [&str; 9] = [
    "acceptInvitation",
    "declineInvitation",
    "createWorkspace",
    "createApiToken",
    "deleteViewer",
    "unlinkAccount",
    "revokeApiToken",
    "revokeSession",
    "revokeOtherSessions",
];

/// A token of Ana's, who looks after the installation.
fn client(app: &TestApp, scope: ApiTokenScope, workspace_id: Option<WorkspaceId>) -> Client<'_> {
    app.client_as(Identity::Token {
        user_id: app.ana.user_id,
        token_id: app.platform.ids.next(),
        scope,
        workspace_id,
        is_admin: true,
    })
}

#[tokio::test]
async fn a_token_of_one_workspace_finds_nothing_in_another() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    join(
        &app.platform,
        &app.ana,
        app.ben.workspace_id,
        WorkspaceRole::Owner,
    )
    .await;
    let elsewhere = client(&app, ApiTokenScope::Admin, Some(app.ben.workspace_id));
    let before = (counters(&app, &app.ana).await, entries(&app).await);
    let schema = schema();
    for case in cases().iter().filter(|case| case.least != Least::Anybody) {
        let theirs = ana.fill(&case.variables);
        let ids = paths(schema, case.arguments(schema));
        let seen = run(&elsewhere, case, theirs.clone()).await;
        let (text, name) = (seen.0.to_string(), format!("{}.{}", case.on, case.field));
        assert!(!text.contains("of Ana"), "{name}: {text}");
        if ids.is_empty() {
            // It is about the person, whom the token does not stand for.
            let is_change = case.on == "Mutation" || case.least == Least::Installation;
            assert!(!is_change || text.contains("\"FORBIDDEN\""), "{name}: {text}");
            continue;
        }
        let unknown = world::all_unknown(&theirs, &ids);
        let unknown = run(&elsewhere, case, unknown).await;
        assert_eq!(text, unknown.0.to_string(), "{name}");
    }
    let after = (counters(&app, &app.ana).await, entries(&app).await);
    assert_eq!(after, before, "nothing was done");
}

/// Runs these as the owner's token of a scope; all are FORBIDDEN, and nothing happens.
async fn are_forbidden(scope: ApiTokenScope, wanted: fn(&Case) -> bool) {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let token = client(&app, scope, None);
    let before = (counters(&app, &app.ana).await, entries(&app).await);
    let (mut tried, mut passed) = (0, BTreeSet::new());
    for case in cases().iter().filter(|case| wanted(case)) {
        tried += 1;
        let answer = run(&token, case, ana.fill(&case.variables)).await;
        let text = answer.0.to_string();
        if !text.contains("\"FORBIDDEN\"") {
            passed.insert(format!("{}.{}: {text}", case.on, case.field));
        }
    }
    assert!(passed.is_empty(), "{scope:?}: {passed:#?}");
    assert!(tried > 10, "only {tried} were tried");
    let after = (counters(&app, &app.ana).await, entries(&app).await);
    assert_eq!(after, before, "nothing was done");
}

#[tokio::test]
async fn a_token_that_reads_changes_nothing() {
    are_forbidden(ApiTokenScope::Read, |case| {
        let is_open = case.least == Least::Anybody || READING.contains(&case.field);
        case.on == "Mutation" && !is_open
    })
    .await;
}

#[tokio::test]
async fn a_token_that_writes_manages_nobody_and_nothing() {
    are_forbidden(ApiTokenScope::Write, |case| {
        let is_managing = match case.least {
            Least::Installation => true,
            Least::Role(least) => matches!(least, WorkspaceRole::Admin | WorkspaceRole::Owner),
            Least::Oneself => GRAVE.contains(&case.field),
            Least::Anybody => false,
        };
        // Whoever started a job stops it, so its case needs the owner and not their power.
        case.on == "Mutation" && is_managing && case.field != "cancelJob"
    })
    .await;
}
