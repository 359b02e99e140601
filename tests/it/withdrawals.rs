//! What was taken from a person ends within two looks in a process that no message reaches, whoever took it; and who nothing was taken from
//! costs no statement.

use std::time::Duration;

use chrono::TimeDelta;
use entity::enums::{ApiTokenScope, WorkspaceRole};
use entity::withdrawal;
use meridian::access::{
    Access, Caller, Credentials, Ctx, NewToken, Withdrawals, authenticate, create_session, create_token,
    revoke_other_sessions, revoke_token,
};
use meridian::features::{people, upkeep, workspaces};
use meridian::kernel::actor::{Actor, Origin};
use meridian::kernel::changes::Topic;
use meridian::kernel::{Error, ErrorCode};
use meridian::platform::Platform;
use meridian::platform::db::{Scope, migration_connection};
use meridian::platform::pubsub::Signal;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use tokio::time::{sleep, timeout};

use crate::support::statements::Statements;
use crate::support::{Person, TestApp, join, platform};

/// Two more processes on the database of an app. None hears another.
struct Two {
    app: TestApp,
    reader: Platform,
    writer: Platform,
    seen: Withdrawals,
}

impl Two {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let open = async || platform(app.database_url(), app.platform.clock.clone(), None).await;
        let (reader, writer) = (open().await, open().await);
        let mut seen = Withdrawals::default();
        // On PostgreSQL others on the same server may have older transactions, so that the second look still finds the people above.
        for _ in 0..2 {
            seen.look(&reader).await;
        }
        Self {
            app,
            reader,
            writer,
            seen,
        }
    }

    async fn look(&mut self) {
        self.seen.look(&self.reader).await;
    }

    /// An API token of this person.
    async fn token(&self, person: &Person) -> Credentials {
        let new = NewToken {
            name: "test".into(),
            scopes: vec![ApiTokenScope::Admin],
            workspace_id: None,
            expires_at: None,
        };
        let created = create_token(&self.writer, Actor::system(), person.user_id, new).await;
        Credentials {
            bearer: Some(created.unwrap().secret),
            session: None,
        }
    }

    async fn at_reader(&self, credentials: &Credentials) -> Result<Caller, Error> {
        authenticate(&self.reader, credentials.clone(), Origin::default()).await
    }

    async fn ends(&self, credentials: &Credentials) {
        let error = self.at_reader(credentials).await.expect_err("it was taken away");
        assert_eq!(error.code(), ErrorCode::Unauthenticated);
    }

    /// The role that the reader lets this person have in Ana's workspace.
    async fn role(&self, credentials: &Credentials) -> Option<WorkspaceRole> {
        let caller = self.at_reader(credentials).await.unwrap();
        let memberships = Access::new(self.reader.clone(), caller)
            .memberships()
            .await
            .unwrap();
        let mut memberships = memberships.iter();
        let here = memberships.find(|one| one.workspace_id == self.app.ana.workspace_id);
        here.map(|one| one.role)
    }

    /// By hand, with the rights of the operator.
    async fn sql(&self, text: &str) {
        let connection = migration_connection(self.app.database_url()).await.unwrap();
        connection.execute_unprepared(text).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_elsewhere_ends_and_its_sockets_are_told_without_a_message() {
    let mut two = Two::start().await;
    let (lost, kept) = (two.token(&two.app.ana).await, two.token(&two.app.ben).await);
    let caller = two.at_reader(&lost).await.unwrap();
    two.at_reader(&kept).await.unwrap();
    let mut sockets = two.reader.pubsub.subscribe(Topic::Revoked(two.app.ana.user_id));
    let id = caller.actor().api_token_id.unwrap();
    revoke_token(&two.writer, &caller, id).await.unwrap();
    assert!(two.at_reader(&lost).await.is_ok(), "no message came");
    two.look().await;
    two.ends(&lost).await;
    let told = timeout(Duration::from_secs(1), sockets.recv()).await.unwrap();
    assert!(matches!(told, Signal::Message(_)), "{told:?}");
    assert!(two.at_reader(&kept).await.is_ok());
    // Told once.
    two.look().await;
    let again = timeout(Duration::from_millis(50), sockets.recv()).await;
    assert!(again.is_err(), "{again:?}");
}

#[tokio::test]
async fn sessions_and_administrators_end_without_a_message_too() {
    let mut two = Two::start().await;
    let ana = two.app.ana.user_id;
    let session = create_session(&two.writer, ana, Origin::default()).await.unwrap();
    let session = Credentials {
        bearer: None,
        session: Some(session.secret),
    };
    let token = two.token(&two.app.ana).await;
    assert!(!two.at_reader(&session).await.unwrap().is_admin());
    // What `meridian admin promote` does.
    people::set_admin(&two.writer, ana, true).await.unwrap();
    two.look().await;
    assert!(two.at_reader(&session).await.unwrap().is_admin());
    people::set_admin(&two.writer, ana, false).await.unwrap();
    two.look().await;
    assert!(!two.at_reader(&session).await.unwrap().is_admin());

    let by_token = two.at_reader(&token).await.unwrap();
    assert!(revoke_other_sessions(&two.writer, &by_token).await.unwrap() >= 1);
    two.look().await;
    two.ends(&session).await;
    assert!(two.at_reader(&token).await.is_ok());
}

#[tokio::test]
async fn a_role_and_a_membership_change_without_a_message() {
    let mut two = Two::start().await;
    let workspace = two.app.ana.workspace_id;
    let ben = two.token(&two.app.ben).await;
    assert_eq!(two.role(&ben).await, None);
    join(&two.writer, &two.app.ben, workspace, WorkspaceRole::Member).await;
    two.look().await;
    assert_eq!(two.role(&ben).await, Some(WorkspaceRole::Member));

    let caller = two.at_reader(&ben).await.unwrap();
    let memberships = Access::new(two.reader.clone(), caller)
        .memberships()
        .await
        .unwrap();
    let id = memberships
        .iter()
        .find(|one| one.workspace_id == workspace)
        .unwrap()
        .id;
    let ctx = Ctx::system(&two.writer, workspace);
    workspaces::update_role(&ctx, id, WorkspaceRole::Viewer)
        .await
        .unwrap();
    assert_eq!(
        two.role(&ben).await,
        Some(WorkspaceRole::Member),
        "no message came"
    );
    two.look().await;
    assert_eq!(two.role(&ben).await, Some(WorkspaceRole::Viewer));

    workspaces::remove_member(&ctx, id).await.unwrap();
    two.look().await;
    assert_eq!(two.role(&ben).await, None);
}

#[tokio::test]
async fn rows_that_go_with_others_and_sql_by_hand_leave_signs_too() {
    let mut two = Two::start().await;
    let (ana, ben) = (two.token(&two.app.ana).await, two.token(&two.app.ben).await);
    assert!(two.at_reader(&ana).await.is_ok() && two.at_reader(&ben).await.is_ok());
    two.sql("UPDATE api_tokens SET revoked_at = created_at").await;
    two.look().await;
    two.ends(&ana).await;
    two.ends(&ben).await;

    let ben = two.token(&two.app.ben).await;
    join(
        &two.writer,
        &two.app.ben,
        two.app.ana.workspace_id,
        WorkspaceRole::Owner,
    )
    .await;
    two.look().await;
    assert_eq!(two.role(&ben).await, Some(WorkspaceRole::Owner));
    // Tokens and memberships go by the cascade of foreign keys.
    two.sql("DELETE FROM users WHERE email = 'ben@example.org'").await;
    two.look().await;
    two.ends(&ben).await;
}

/// Transactions end in another order than they begin.
#[tokio::test]
async fn a_sign_that_is_committed_late_is_found() {
    let mut two = Two::start().await;
    if !two.reader.db.is_postgres() {
        // One writer: who comes later ends later.
        return;
    }
    let (ana, ben) = (two.token(&two.app.ana).await, two.token(&two.app.ben).await);
    two.at_reader(&ana).await.unwrap();
    two.at_reader(&ben).await.unwrap();
    let connection = migration_connection(two.app.database_url()).await.unwrap();
    let slow = connection.begin().await.unwrap();
    let revoke = format!(
        "UPDATE api_tokens SET revoked_at = now() WHERE user_id = '{}'",
        two.app.ana.user_id.0
    );
    slow.execute_unprepared(&revoke).await.unwrap();
    people::set_admin(&two.writer, two.app.ben.user_id, true)
        .await
        .unwrap();
    for _ in 0..2 {
        two.look().await;
        assert!(two.at_reader(&ben).await.unwrap().is_admin());
        assert!(two.at_reader(&ana).await.is_ok(), "not committed");
    }
    slow.commit().await.unwrap();
    two.look().await;
    two.ends(&ana).await;
    connection.close().await.unwrap();
}

/// What is kept counts longer than five seconds only where somebody looks.
#[tokio::test]
async fn whoever_came_before_costs_no_statement_while_somebody_looks() {
    let mut two = Two::start().await;
    let ana = two.token(&two.app.ana).await;
    assert_eq!(two.role(&ana).await, Some(WorkspaceRole::Owner));
    // By the clock of the cache, which is no clock of a test. Meanwhile the use of the token is written down.
    sleep(Duration::from_millis(5_100)).await;
    let heard = Statements::listen();
    assert_eq!(two.role(&ana).await, Some(WorkspaceRole::Owner));
    assert!(!heard.take().is_empty(), "nobody has looked");
    drop(heard);

    sleep(Duration::from_millis(5_100)).await;
    two.look().await;
    let heard = Statements::listen();
    assert_eq!(two.role(&ana).await, Some(WorkspaceRole::Owner));
    let said = heard.take();
    assert!(said.is_empty(), "{said:?}");
}

#[tokio::test]
async fn signs_are_forgotten_but_for_the_newest() {
    let two = Two::start().await;
    join(
        &two.writer,
        &two.app.ben,
        two.app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let numbers = async || {
        let read = two.writer.db.read(Scope::System).await.unwrap();
        let rows = read.find_global::<withdrawal::Entity>().all(&read).await.unwrap();
        let mut numbers: Vec<i64> = rows.iter().map(|row| row.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let before = numbers().await;
    assert!(before.len() > 1, "{before:?}");
    two.app.advance(TimeDelta::days(36_500));
    upkeep::prune(&two.writer).await.unwrap();
    let after = numbers().await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0] >= before[before.len() - 1], "they are counted on");
}
