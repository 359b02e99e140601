//! Adding things by a phrase.

use entity::task;
use jiff::tz::TimeZone;

use super::rules;
use crate::access::Ctx;
use crate::features::language::{self, Item, MAX_TEXT, Reading, Scene};
use crate::features::{calendars, events, people, tasks};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode, zones};

/// A phrase to add something by.
#[derive(Clone, Debug)]
pub struct QuickAdd {
    /// What was typed.
    pub text: String,
    /// Zone of words such as `tomorrow`; that of the person when `None`.
    pub time_zone: Option<String>,
}

/// What was created, and how the phrase was understood.
#[derive(Clone, Debug)]
pub struct Added {
    /// What was created.
    pub made: Made,
    /// The understanding, as a sentence.
    pub interpretation: String,
}

/// Something that was created.
#[derive(Clone, Debug)]
pub enum Made {
    /// A task.
    Task(Box<task::Model>),
    /// An event.
    Event(Box<events::Event>),
}

/// Creates a task or an event from a phrase.
pub async fn quick_add(ctx: &Ctx, new: QuickAdd) -> Result<Added> {
    ctx.require(Action::Edit, Resource::Task)?;
    let mut checks = Checks::default();
    let text = checks.title("input.text", &new.text, MAX_TEXT);
    checks.finish()?;
    let scene = scene(ctx, new.time_zone.as_deref()).await?;
    let reading = language::read(&text, &scene);
    if let Some(item) = proposed(ctx, &text, &reading, &scene).await {
        match store(ctx, item.clone(), &scene.zone).await {
            // What the rooms refuse was misunderstood: the rules have their say.
            Err(Error::User(_)) => {}
            made => return Ok(added(made?, &item, &scene)),
        }
    }
    let made = store(ctx, reading.item.clone(), &scene.zone)
        .await
        .map_err(about_text)?;
    Ok(added(made, &reading.item, &scene))
}

fn added(made: Made, item: &Item, scene: &Scene) -> Added {
    let interpretation = language::sentence(item, &scene.zone);
    Added { made, interpretation }
}

/// What a language model makes of a phrase that the rules are unsure about. It is asked before any transaction begins and while the person
/// waits, because the answer of `quickAdd` is what was created; without a model, an answer in time or one that holds, the rules decide.
async fn proposed(ctx: &Ctx, text: &str, reading: &Reading, scene: &Scene) -> Option<Item> {
    let llm = ctx.platform().llm.as_ref()?;
    rules::is_doubtful(reading, text).then_some(())?;
    let question = language::question_about_phrase(text, scene);
    // The machine says in the log why it was of no help.
    let answer = llm.ask(&question).await.ok()?;
    language::phrase_of(&answer, text, reading, scene)
}

/// The moment, zone and language of the person.
async fn scene(ctx: &Ctx, time_zone: Option<&str>) -> Result<Scene> {
    let platform = ctx.platform();
    let preferences = people::preferences(platform, ctx.require_person()?).await?;
    let name = time_zone.unwrap_or(&preferences.time_zone);
    Ok(Scene {
        now: platform.clock.now(),
        zone: zones::zone(name).unwrap_or(TimeZone::UTC),
        hours: people::working_hours_of(&preferences),
        locale: preferences.locale,
    })
}

async fn store(ctx: &Ctx, item: Item, zone: &TimeZone) -> Result<Made> {
    match item {
        Item::Task(task) => {
            let row = tasks::create(ctx, rules::task(task, zone)).await?;
            Ok(Made::Task(Box::new(row)))
        }
        Item::Event(event) => {
            let calendar = calendars::default_of_viewer(ctx).await?;
            let Some(calendar) = calendar else {
                let message = "There is no calendar to put this event on. Create one first.";
                return Err(Error::user(UserErrorCode::InvalidState, "", message));
            };
            let event = events::create(ctx, calendar.id, rules::event(event, zone)).await?;
            Ok(Made::Event(Box::new(event)))
        }
    }
}

/// People typed one text: whatever is wrong with what was made of it is wrong with the text.
fn about_text(error: Error) -> Error {
    match error {
        Error::User(errors) => Error::User(
            errors
                .into_iter()
                .map(|mut error| {
                    if !error.field.is_empty() {
                        error.field = vec!["input".into(), "text".into()];
                    }
                    error
                })
                .collect(),
        ),
        other => other,
    }
}
