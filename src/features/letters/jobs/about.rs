//! Which jobs have letters that concern a person. They are sealed, so only the key can tell: each is opened.

use entity::enums::JobStatus;
use entity::ids::JobId;
use entity::job::{Column, Entity, Model};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::open;
use crate::features::letters::model::Post;
use crate::kernel::Result;
use crate::kernel::jobs::Payload;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// The stored name of the kind of job that sends letters.
const KIND: &str = "send_mail";
/// Letters that are read at once.
const PAGE: u64 = 500;

/// The jobs with letters to this address, whatever became of them, and those with letters to others that name this person and need not be
/// sent any more. What still waits, or was refused and can be put back, is somebody else's mail.
pub async fn jobs_about(platform: &Platform, email: &str, name: &str) -> Result<Vec<JobId>> {
    let read = platform.db.read(Scope::System).await?;
    let (email, name) = (email.to_lowercase(), name.to_lowercase());
    let mut found = Vec::new();
    let mut after: Option<JobId> = None;
    loop {
        let mut select = read
            .find::<Entity>()
            .filter(Column::Kind.eq(KIND))
            .order_by_asc(Column::Id)
            .limit(PAGE);
        if let Some(after) = after {
            select = select.filter(Column::Id.gt(after));
        }
        let rows = select.all(&read).await?;
        let full = rows.len() as u64 == PAGE;
        after = rows.last().map(|row| row.id);
        let about = rows
            .into_iter()
            .filter(|row| concerns(platform, row, &email, &name));
        found.extend(about.map(|row| row.id));
        if !full {
            return Ok(found);
        }
    }
}

fn concerns(platform: &Platform, row: &Model, email: &str, name: &str) -> bool {
    let Ok(Payload::SendMail { sealed, .. }) = serde_json::from_value(row.payload.clone()) else {
        return false;
    };
    // What was sealed with a key that is gone says nothing to anybody.
    let Ok(post) = open(platform, &sealed) else {
        return false;
    };
    let is_over = matches!(row.status, JobStatus::Succeeded | JobStatus::Cancelled);
    post.to.to_lowercase() == email || is_over && says(&post, email, name)
}

fn says(post: &Post, email: &str, name: &str) -> bool {
    let text = serde_json::to_string(post).unwrap_or_default();
    // Lines of calendar files are folded wherever they get too long.
    let text = text
        .replace("\\r\\n ", "")
        .replace("\\r", " ")
        .replace("\\n", " ");
    let text = text.to_lowercase();
    text.contains(email) || names(&text, name)
}

/// Whether the name is there as words of its own: a short one is part of many others.
fn names(text: &str, name: &str) -> bool {
    let stands_alone = |(at, found): (usize, &str)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    };
    !name.is_empty() && text.match_indices(name).any(stands_alone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::letters::{Item, Letter};

    fn post(title: &str) -> Post {
        Post {
            to: "ana@example.org".into(),
            name: None,
            letter: Letter::Notification(Item {
                title: title.into(),
                body: None,
                workspace: None,
                link: "https://example.org/".into(),
            }),
            unsubscribe: None,
        }
    }

    #[test]
    fn a_letter_names_somebody_by_words_of_their_own() {
        let says = |title: &str| says(&post(title), "al@example.net", "al");
        assert!(says("Al moved “Lunch”"));
        assert!(says("Lunch\nAl"));
        assert!(says("ORGANIZER:mailto:al@exam\r\n ple.net"));
        assert!(!says("A calendar of all"));
    }
}
