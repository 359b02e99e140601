//! One message: plain data in, typed headers out.

use std::fmt;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::message::header::{ContentDisposition, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use serde::{Deserialize, Serialize};
use url::Url;

/// A message to one person.
#[derive(Clone)]
pub struct Mail {
    /// Address of the reader.
    pub to: String,
    /// Their name, when it is known.
    pub name: Option<String>,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The same for calendar programs.
    pub calendar: Option<Calendar>,
    /// Address of the web that ends messages like this one, by a POST of one click (RFC 8058).
    pub unsubscribe: Option<String>,
    /// Names the message: twice the same is the same message. Letters, digits, `-`, `_` and `.`.
    pub key: String,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// A part that calendar programs read (RFC 6047).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// What the reader's program is to do.
    pub method: Method,
    /// An iCalendar object with the same METHOD.
    pub text: String,
}

/// What a calendar part is for (RFC 5546).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Invites, or changes what was invited to.
    Request,
    /// Takes it back.
    Cancel,
    /// Answers an invitation.
    Reply,
}

impl Method {
    /// The word of iCalendar.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::Reply => "REPLY",
        }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Why a message was not sent, in a public sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailError {
    /// It may work later.
    Later(String),
    /// It will never work.
    Never(String),
}

impl Mail {
    /// The message as it travels.
    pub(super) fn build(self, from: Mailbox) -> Result<Message, MailError> {
        let never = |what: &str| MailError::Never(format!("The message cannot be sent: {what}."));
        let parts = [
            Some(&self.to),
            self.name.as_ref(),
            Some(&self.subject),
            Some(&self.key),
        ];
        if parts
            .into_iter()
            .flatten()
            .any(|part| part.chars().any(char::is_control))
        {
            return Err(never("an address, name or subject has a control character"));
        }
        let address: Address = self.to.parse().map_err(|_| never("the address cannot be used"))?;
        let id = message_id(&self.key, &from);
        // Answering machines keep quiet when they see this (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(from)
            .to(Mailbox::new(self.name, address))
            .subject(self.subject)
            .date(SystemTime::from(self.at))
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".into()));
        if let Some(link) = &self.unsubscribe {
            // A parsed address is printable ASCII without spaces, so it needs no encoding and cannot be broken out of.
            let link = Url::parse(link).map_err(|_| never("the address for unsubscribing cannot be used"))?;
            let value = format!("<{link}>");
            let name = HeaderName::new_from_ascii_str("List-Unsubscribe");
            let click = HeaderName::new_from_ascii_str("List-Unsubscribe-Post");
            message = message
                .raw_header(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value))
                .raw_header(HeaderValue::new(click, "List-Unsubscribe=One-Click".into()));
        }
        let mut forms = MultiPart::alternative_plain_html(self.text, self.html);
        let body = match self.calendar {
            None => forms,
            Some(calendar) => {
                let kind = format!(
                    "text/calendar; charset=utf-8; method={}",
                    calendar.method.as_str()
                );
                let kind = ContentType::parse(&kind).map_err(|_| never("its calendar part has no type"))?;
                let file =
                    ContentType::parse("application/ics").map_err(|_| never("its file has no type"))?;
                forms = forms.singlepart(SinglePart::builder().header(kind).body(calendar.text.clone()));
                // Programs that know nothing of the part offer the file.
                let file = SinglePart::builder()
                    .header(file)
                    .header(ContentDisposition::attachment("invite.ics"));
                MultiPart::mixed()
                    .multipart(forms)
                    .singlepart(file.body(calendar.text))
            }
        };
        message.multipart(body).map_err(|_| never("it is not complete"))
    }
}

/// The Message-ID of all messages with this key.
pub(super) fn message_id(key: &str, from: &Mailbox) -> String {
    format!("<{key}@{}>", from.email.domain())
}
