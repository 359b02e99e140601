//! Letters to look at: one of each kind with made-up people.

use super::model::{Calendar, Item, Letter, Post};
use super::rules;
use crate::kernel::Result;
use crate::platform::mail::Method;

/// What a calendar program gets.
const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Meridian//Meridian//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
UID:018f0000-0000-7000-8000-000000000001\r\nSEQUENCE:0\r\nDTSTAMP:20260302T090000Z\r\nDTSTART:20260303T090000Z\r\nDTEND:20260303T100000Z\r\n\
SUMMARY:Design review\r\nSTATUS:CONFIRMED\r\nLOCATION:Room 4\r\nORGANIZER;CN=\"Ada Lovelace\":mailto:ada@example.org\r\n\
ATTENDEE;CN=\"Grace Hopper\";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:grace@example.org\r\n\
END:VEVENT\r\nEND:VCALENDAR\r\n";

/// A letter in words, for whoever wants to see what people get.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Name of the kind.
    pub name: &'static str,
    /// Subject.
    pub subject: String,
    /// As text.
    pub text: String,
    /// As HTML.
    pub html: String,
    /// What programs read, when the letter has such a part.
    pub calendar: Option<Calendar>,
}

/// One letter of each kind.
pub fn previews() -> Result<Vec<Preview>> {
    let preview = |(name, post): (&'static str, Post)| {
        let written = rules::write(&post)?;
        Ok(Preview {
            name,
            subject: written.subject,
            text: written.text,
            html: written.html,
            calendar: match post.letter {
                Letter::Event { calendar, .. } => calendar,
                _ => None,
            },
        })
    };
    samples().into_iter().map(preview).collect()
}

/// The made-up letters.
pub(super) fn samples() -> Vec<(&'static str, Post)> {
    let link = |path: &str| format!("https://app.example.org/{path}?token=a-secret");
    let item = |title: &str, body: Option<&str>| Item {
        title: title.to_owned(),
        body: body.map(str::to_owned),
        workspace: Some("Product".to_owned()),
        link: "https://app.example.org/notifications".to_owned(),
    };
    let letters = [
        Letter::SignIn {
            link: link("auth/email/link"),
            minutes: 15,
        },
        Letter::VerifyEmail {
            link: link("verify-email"),
        },
        Letter::Invitation {
            link: link("invitation"),
            workspace: "Product".to_owned(),
            inviter: Some("Ada Lovelace".to_owned()),
            days: 7,
        },
        Letter::Notification(item(
            "“Write the report” is due tomorrow",
            Some("Due on Tuesday, 3 March 2026 at 17:00."),
        )),
        Letter::Digest {
            items: vec![
                item("Ada Lovelace assigned “Write the report” to you", None),
                item(
                    "The sync of ada@example.org failed",
                    Some("The server did not answer."),
                ),
            ],
            link: "https://app.example.org/notifications".to_owned(),
        },
        Letter::Event {
            title: "Design review".to_owned(),
            news: "Ada Lovelace invites you to an event.".to_owned(),
            time: "Tuesday, 3 March 2026, 10:00 to 11:00 (Europe/Berlin)".to_owned(),
            place: Some("Room 4".to_owned()),
            calendar: Some(Calendar {
                method: Method::Request,
                text: EVENT.to_owned(),
            }),
        },
    ];
    let post = |letter: Letter| {
        let is_notice = matches!(letter, Letter::Notification(_) | Letter::Digest { .. });
        let post = Post {
            to: "grace@example.org".to_owned(),
            name: Some("Grace Hopper".to_owned()),
            letter,
            unsubscribe: is_notice
                .then(|| "https://meridian.example.org/mail/unsubscribe?token=a-secret".to_owned()),
        };
        (rules::name(&post.letter), post)
    };
    letters.into_iter().map(post).collect()
}
