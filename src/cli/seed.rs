//! `seed`: two people in two full workspaces, through the same functions that clients use. Running it again makes nothing twice; only the
//! tokens are fresh.

mod content;

use entity::enums::ApiTokenScope;
use serde::Serialize;

use super::Outcome;
use crate::access::{NewToken, create_token};
use crate::app;
use crate::config::Config;
use crate::kernel::actor::Actor;
use crate::platform::Platform;

/// One person of the seed, as printed by `seed --json`. Ids are global ids of the API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeededPerson {
    name: String,
    email: String,
    token: String,
    workspace_id: String,
    calendar_id: String,
    event_id: String,
    task_id: String,
}

#[derive(Serialize)]
struct Seeded {
    people: Vec<SeededPerson>,
}

pub(super) async fn run(config: Config, json: bool) -> Outcome {
    let platform = app::open(config).await?;
    let people = plant(&platform).await?;
    app::close(&platform).await;
    if json {
        println!("{}", serde_json::to_string(&Seeded { people })?);
    } else {
        print_tokens(&people);
    }
    Ok(())
}

/// Makes sure that both people exist, and a fresh token for each.
pub(super) async fn plant(platform: &Platform) -> Result<Vec<SeededPerson>, app::StartError> {
    let mut people = Vec::new();
    for persona in &content::PERSONAS {
        let planted = content::plant(platform, persona).await?;
        let new = NewToken {
            name: "seed".into(),
            scopes: vec![ApiTokenScope::Admin],
            workspace_id: None,
            expires_at: Some(platform.clock.now() + chrono::Duration::days(30)),
        };
        let created = create_token(platform, Actor::system(), planted.user_id, new).await?;
        people.push(SeededPerson {
            name: persona.name.into(),
            email: persona.email.into(),
            token: created.secret,
            workspace_id: planted.workspace_id.to_string(),
            calendar_id: planted.calendar_id.to_string(),
            event_id: planted.event_id.to_string(),
            task_id: planted.task_id.to_string(),
        });
    }
    Ok(people)
}

/// Tells a person at a terminal who was made.
pub(super) fn print_tokens(people: &[SeededPerson]) {
    for person in people {
        println!("  {} <{}>", person.name, person.email);
        println!("    workspace  {}", person.workspace_id);
        println!("    token      {}", person.token);
    }
}
