//! People for tests: each with preferences and a workspace of their own.

use entity::enums::{EnergyPeriod, ReplanPolicy, Weekday, WorkspaceRole, WorkspaceType};
use entity::ids::{SessionId, UserId, WorkspaceId};
use entity::{membership, session, user, user_preferences, workspace, workspace_counter};
use meridian::access::token_hash;
use meridian::kernel::actor::Actor;
use meridian::kernel::changes::Topic;
use meridian::platform::Platform;
use meridian::platform::db::{Scope, Tx};
use sea_orm::Set;

/// Somebody with a workspace.
#[derive(Clone, Debug)]
pub struct Person {
    pub user_id: UserId,
    pub workspace_id: WorkspaceId,
    pub session_id: SessionId,
}

impl Person {
    /// Global id of their workspace.
    pub fn workspace(&self) -> String {
        self.workspace_id.to_string()
    }
}

/// Creates a person who owns a workspace.
pub async fn create(platform: &Platform, name: &str, email: &str) -> Person {
    let person = Person {
        user_id: platform.ids.next(),
        workspace_id: platform.ids.next(),
        session_id: platform.ids.next(),
    };
    let body = |tx: Tx| {
        let (person, name, email) = (person.clone(), name.to_owned(), email.to_owned());
        async move {
            let now = tx.now();
            tx.insert_global(user::ActiveModel {
                id: Set(person.user_id),
                name: Set(name.clone()),
                email: Set(email),
                avatar_url: Set(None),
                email_verified_at: Set(Some(now)),
                is_admin: Set(false),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
            tx.insert(workspace::ActiveModel {
                id: Set(person.workspace_id),
                name: Set(name.clone()),
                slug: Set(name.to_lowercase()),
                r#type: Set(WorkspaceType::Team),
                time_zone: Set("Europe/Berlin".into()),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
            tx.insert(workspace_counter::ActiveModel {
                workspace_id: Set(person.workspace_id),
                change_seq: Set(0),
                audit_seq: Set(0),
                audit_hash: Set(Vec::new()),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
            tx.insert(membership::ActiveModel {
                id: Set(tx.ids().next()),
                workspace_id: Set(person.workspace_id),
                user_id: Set(person.user_id),
                role: Set(WorkspaceRole::Owner),
                joined_at: Set(now),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
            tx.insert_global(user_preferences::ActiveModel {
                user_id: Set(person.user_id),
                time_zone: Set("Europe/Berlin".into()),
                locale: Set("en-GB".into()),
                week_starts_on: Set(Weekday::Monday),
                working_hours: Set(serde_json::json!([])),
                default_task_duration_minutes: Set(45),
                default_focus_minutes: Set(25),
                buffer_minutes: Set(0),
                max_daily_task_minutes: Set(480),
                peak_energy: Set(EnergyPeriod::Morning),
                replan_policy: Set(ReplanPolicy::Off),
                default_workspace_id: Set(Some(person.workspace_id)),
                quiet_from: Set(None),
                quiet_until: Set(None),
                digest_at: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
            // Stored as it is, because a sign-in would be the first entry of every audit log.
            tx.insert_global(session::ActiveModel {
                id: Set(person.session_id),
                user_id: Set(person.user_id),
                token_hash: Set(token_hash(&person.session_id.to_string())),
                provider_name: Set(None),
                user_agent: Set(None),
                ip_address: Set(None),
                last_used_at: Set(now),
                expires_at: Set(now + chrono::Duration::days(30)),
                revoked_at: Set(None),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
            Ok(())
        }
    };
    platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
    person
}

/// Makes somebody a member of a workspace.
pub async fn join(platform: &Platform, person: &Person, workspace_id: WorkspaceId, role: WorkspaceRole) {
    let user_id = person.user_id;
    let body = |tx: Tx| async move {
        let now = tx.now();
        tx.insert(membership::ActiveModel {
            id: Set(tx.ids().next()),
            workspace_id: Set(workspace_id),
            user_id: Set(user_id),
            role: Set(role),
            joined_at: Set(now),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
        })
        .await?;
        tx.announce(Topic::Revoked(user_id), &())
    };
    platform
        .write(Scope::Workspace(workspace_id), Actor::system(), body)
        .await
        .unwrap();
}
