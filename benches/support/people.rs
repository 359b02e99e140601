//! Somebody who asks, for benchmarks that run the whole server.

use entity::enums::ApiTokenScope;
use meridian::access::{NewToken, create_token};
use meridian::features::people::NewPerson;
use meridian::features::workspaces;
use meridian::kernel::actor::Actor;
use meridian::platform::Platform;

/// A person, as everybody is after signing up: their workspace and a token.
pub(crate) async fn somebody(platform: &Platform) -> (String, String) {
    let new = NewPerson {
        name: "Ana".into(),
        email: format!("ana-{}@example.org", platform.ids.uuid().simple()),
        is_email_verified: true,
        is_admin: false,
        time_zone: "Europe/Berlin".into(),
        locale: "en".into(),
    };
    let (person, workspace) = workspaces::create_personal(platform, new).await.unwrap();
    let new = NewToken {
        name: "benchmark".into(),
        scopes: vec![ApiTokenScope::Write],
        workspace_id: None,
        expires_at: None,
    };
    let created = create_token(platform, Actor::system(), person.id, new)
        .await
        .unwrap();
    (workspace.id.to_string(), created.secret)
}
