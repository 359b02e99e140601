//! What people type, as typed values: things to do, appointments and wishes about a plan. Pure: the moment, the zone and the language are
//! given. Promises: never fails and never panics; equal texts in equal scenes read equally; every claim says which part of the text it
//! is about. Must not know: tables, workspaces, permissions.

mod build;
mod cover;
mod find;
mod item;
mod model;
mod render;
mod token;
mod wishes;
mod words;

#[cfg(test)]
mod tests;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::features::people::WorkingHours;
use crate::kernel::time::Instant;
use crate::kernel::zones;

pub use item::{Claim, Event, Item, Reading, Subject, Task, When};
pub use model::{phrase_of, question_about_phrase, question_about_wishes, wishes_of};
pub use render::{phrase, sentence};
pub use wishes::{Heard, Wish, wishes};

/// Longest text that is read, in characters; what is behind it is left out.
pub const MAX_TEXT: usize = 500;

/// Where and when somebody types.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The moment.
    pub now: Instant,
    /// Zone of words such as `tomorrow`.
    pub zone: TimeZone,
    /// When the person works: for a language model, which may be asked what `after work` means.
    pub hours: Vec<WorkingHours>,
    /// BCP 47 tag of the language; English is understood in any.
    pub locale: String,
}

impl Scene {
    fn local(&self) -> DateTime {
        zones::local_of(zones::from_chrono(self.now), &self.zone)
    }
}

/// Reads a text as a task or an event.
pub fn read(text: &str, scene: &Scene) -> Reading {
    let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    let lexicon = words::Lexicon::of(&scene.locale);
    let tokens = token::cut(text, lexicon);
    let found = find::all(&tokens, lexicon, scene.local());
    let chosen = cover::best(found, tokens.len());
    build::reading(text, &tokens, &chosen, scene)
}
