//! Founding workspaces: a person's own with the person, and teams. Each is complete from its first moment: counters, an owner and a
//! default calendar.

use entity::enums::{ApiTokenScope, ChangeAction, WorkspaceRole, WorkspaceType};
use entity::ids::{CalendarId, TypedId as _, UserId, WorkspaceId};
use entity::{calendar, user, workspace, workspace_counter};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _, Set};

use super::members;
use crate::access::Access;
use crate::features::people::{self, NewPerson};
use crate::features::workspaces::model::NewWorkspace;
use crate::features::workspaces::rules;
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::changes::ObjectType;
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Audit, Scope, Tx, is_unique_violation};

/// Tries to find a free URL name while others take it.
const SLUG_ATTEMPTS: u32 = 5;
const CALENDAR_COLOR: &str = "#3366cc";

#[derive(Clone, Debug)]
struct Founding {
    id: WorkspaceId,
    owner: UserId,
    name: String,
    slug: String,
    r#type: WorkspaceType,
    time_zone: String,
}

/// Creates a person with settings and a personal workspace, on behalf of the operator. TAKEN when the address is in use.
pub async fn create_personal(platform: &Platform, new: NewPerson) -> Result<(user::Model, workspace::Model)> {
    create_person(platform, new, None).await
}

/// The same for somebody who signs in for the first time, from this origin: what is founded they found themselves.
pub async fn sign_up(
    platform: &Platform,
    new: NewPerson,
    origin: &Origin,
) -> Result<(user::Model, workspace::Model)> {
    create_person(platform, new, Some(origin)).await
}

async fn create_person(
    platform: &Platform,
    new: NewPerson,
    origin: Option<&Origin>,
) -> Result<(user::Model, workspace::Model)> {
    let new = people::check(new)?;
    let base = rules::slug_of(&new.name);
    let owner: UserId = platform.ids.next();
    let actor = match origin {
        Some(origin) => Actor::person(owner, origin.clone()),
        None => Actor::system(),
    };
    for _ in 0..SLUG_ATTEMPTS {
        if people::find_by_email(platform, &new.email).await?.is_some() {
            return Err(Error::user(
                UserErrorCode::Taken,
                "email",
                "Somebody with this e-mail address exists already.",
            ));
        }
        let founding = Founding {
            id: platform.ids.next(),
            owner,
            name: new.name.clone(),
            slug: next_slug(platform, &base).await?,
            r#type: WorkspaceType::Personal,
            time_zone: new.time_zone.clone(),
        };
        let body = |tx: Tx| {
            let (founding, new) = (founding.clone(), new.clone());
            async move {
                let workspace = insert_workspace(&tx, &founding).await?;
                let person = people::create_in(&tx, owner, &new, founding.id).await?;
                furnish(&tx, &founding).await?;
                Ok((person, workspace))
            }
        };
        match platform
            .write(Scope::Workspace(founding.id), actor.clone(), body)
            .await
        {
            Err(error) if is_unique_violation(&error) => {}
            other => return other,
        }
    }
    Err(Error::internal("no free URL name for a personal workspace"))
}

/// Creates a team workspace owned by the caller.
pub async fn create(access: &Access, new: NewWorkspace) -> Result<WorkspaceId> {
    let owner = access.caller().require_personal(ApiTokenScope::Admin)?;
    let mut checks = Checks::default();
    let name = checks.title("input.name", &new.name, rules::MAX_NAME);
    if let Some(slug) = &new.slug {
        rules::check_slug(&mut checks, "input.slug", slug);
    }
    checks.finish()?;
    if access.memberships().await?.len() >= rules::MAX_WORKSPACES {
        let message = format!(
            "You belong to {} workspaces. Leave one first.",
            rules::MAX_WORKSPACES
        );
        return Err(Error::user(UserErrorCode::LimitReached, "input", message));
    }
    let time_zone = match new.time_zone {
        Some(zone) => zone,
        None => people::preferences(access.platform(), owner).await?.time_zone,
    };
    for _ in 0..SLUG_ATTEMPTS {
        let slug = match &new.slug {
            Some(slug) => slug.clone(),
            None => next_slug(access.platform(), &rules::slug_of(&name)).await?,
        };
        let id = access.platform().ids.next();
        let founding = Founding {
            id,
            owner,
            name: name.clone(),
            slug,
            r#type: WorkspaceType::Team,
            time_zone: time_zone.clone(),
        };
        match found(access.platform(), access.caller().actor(), founding).await {
            Err(error) if is_unique_violation(&error) && new.slug.is_some() => {
                return Err(rules::slug_taken());
            }
            Err(error) if is_unique_violation(&error) => {}
            other => {
                access.refresh().await;
                return other.map(|()| id);
            }
        }
    }
    Err(rules::slug_taken())
}

async fn found(platform: &Platform, actor: Actor, founding: Founding) -> Result<()> {
    let body = |tx: Tx| {
        let founding = founding.clone();
        async move {
            insert_workspace(&tx, &founding).await?;
            furnish(&tx, &founding).await
        }
    };
    platform.write(Scope::Workspace(founding.id), actor, body).await
}

async fn next_slug(platform: &Platform, base: &str) -> Result<String> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Slug.starts_with(base));
    let taken: Vec<String> = select
        .select_only()
        .column(workspace::Column::Slug)
        .into_tuple()
        .all(&read)
        .await?;
    Ok(rules::free_slug(base, &taken))
}

async fn insert_workspace(tx: &Tx, founding: &Founding) -> Result<workspace::Model> {
    tx.insert(workspace::ActiveModel {
        id: Set(founding.id),
        name: Set(founding.name.clone()),
        slug: Set(founding.slug.clone()),
        r#type: Set(founding.r#type),
        time_zone: Set(founding.time_zone.clone()),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .await
}

/// What every workspace has from the start. The owner's row exists by now.
async fn furnish(tx: &Tx, founding: &Founding) -> Result<()> {
    tx.insert(workspace_counter::ActiveModel {
        workspace_id: Set(founding.id),
        change_seq: Set(0),
        audit_seq: Set(0),
        audit_hash: Set(Vec::new()),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .await?;
    let id = founding.id.uuid();
    tx.audit(Audit {
        action: "workspace.created",
        entity_type: "Workspace",
        entity_id: id,
        changes: None,
    });
    tx.change(ChangeAction::Created, ObjectType::Workspace, id);
    members::insert(tx, founding.owner, WorkspaceRole::Owner).await?;
    let calendar = tx.insert(default_calendar(tx, founding)).await?;
    tx.change(ChangeAction::Created, ObjectType::Calendar, calendar.id.uuid());
    Ok(())
}

/// The calendar that new events go to. In a team it belongs to the workspace, at home to its person.
fn default_calendar(tx: &Tx, founding: &Founding) -> calendar::ActiveModel {
    let (name, owner) = match founding.r#type {
        WorkspaceType::Personal => ("Personal", Some(founding.owner)),
        WorkspaceType::Team => ("Team", None),
    };
    calendar::ActiveModel {
        id: Set(tx.ids().next::<CalendarId>()),
        workspace_id: Set(founding.id),
        owner_id: Set(owner),
        integration_id: Set(None),
        external_id: Set(None),
        name: Set(name.into()),
        description: Set(None),
        color: Set(CALENDAR_COLOR.into()),
        time_zone: Set(founding.time_zone.clone()),
        is_default: Set(true),
        is_read_only: Set(false),
        counts_as_busy: Set(true),
        is_mirrored: Set(false),
        feed_secret_hash: Set(None),
        sealed_feed_secret: Set(None),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    }
}
