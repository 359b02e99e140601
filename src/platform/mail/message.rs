//! One message: plain data in, typed headers out.

use std::fmt;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

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
    /// Names the message: twice the same is the same message. Letters, digits, `-` and `_`.
    pub key: String,
    /// When it was written.
    pub at: DateTime<Utc>,
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
        let id = format!("<{}@{}>", self.key, from.email.domain());
        // Answering machines keep quiet when they see this (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(from)
            .to(Mailbox::new(self.name, address))
            .subject(self.subject)
            .date(SystemTime::from(self.at))
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".into()))
            .multipart(MultiPart::alternative_plain_html(self.text, self.html))
            .map_err(|_| never("it is not complete"))
    }
}
