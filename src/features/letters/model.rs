//! What is written, before it is put into words.

use serde::{Deserialize, Serialize};

pub use crate::platform::mail::{Calendar, Method};

/// A letter to one person. Stored sealed, so kinds and fields may only be added.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// The link that signs in.
    SignIn {
        /// Where it leads.
        link: String,
        /// How long it works.
        minutes: i64,
    },
    /// The link that proves an address.
    VerifyEmail {
        /// Where it leads.
        link: String,
    },
    /// An invitation to a workspace.
    Invitation {
        /// Where it leads.
        link: String,
        /// Name of the workspace.
        workspace: String,
        /// Name of whoever invites.
        inviter: Option<String>,
        /// How long it works.
        days: i64,
    },
    /// A notification.
    Notification(Item),
    /// The notifications of a day.
    Digest {
        /// All of them, oldest first.
        items: Vec<Item>,
        /// Where the list is.
        link: String,
    },
    /// An invitation to an event, a change of it, or its end, for a guest's calendar.
    Event {
        /// Title of the event.
        title: String,
        /// What happened, as a sentence.
        news: String,
        /// When it takes place, in words.
        time: String,
        /// Where.
        place: Option<String>,
        /// The same for programs, when they can be told.
        calendar: Option<Calendar>,
    },
}

/// One notification in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// One line.
    pub title: String,
    /// More.
    #[serde(default)]
    pub body: Option<String>,
    /// Name of the workspace it is about.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Where to see it.
    pub link: String,
}

/// A letter with everything that goes with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Post {
    /// Address of the reader.
    pub to: String,
    /// Their name.
    pub name: Option<String>,
    /// What is written.
    pub letter: Letter,
    /// Where the reader puts an end to letters of this kind with one click.
    #[serde(default)]
    pub unsubscribe: Option<String>,
}

/// A letter ready to travel: nobody reads it in the ledger of jobs.
#[derive(Clone, Debug)]
pub struct Sealed(pub(super) String);
