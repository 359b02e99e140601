//! E-mail out of the house: through a mail server, or into a folder on a developer's machine. Promises: headers are typed and cannot be
//! broken out of, TLS is required to every server but one on this machine, a call ends, and no log line has an address or a text of a
//! message. Must not know what messages say.

mod folder;
mod message;
mod smtp;
#[cfg(test)]
mod tests;

use lettre::Message;
use lettre::message::Mailbox;

use crate::config::Config;
use folder::Folder;
use smtp::Smtp;

pub use message::{Calendar, Mail, MailError, Method};

/// Sends messages. Built once.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(Smtp),
    Folder(Folder),
    Nowhere,
}

impl Mailer {
    /// The way that the settings name.
    ///
    /// # Errors
    /// When sender or server cannot be used, in words for the operator.
    pub fn new(config: &Config) -> Result<Self, String> {
        let from = config.mail.from.parse();
        let from = from.map_err(|error| format!("MERIDIAN_MAIL_FROM is not a sender: {error}"))?;
        let way = match &config.mail.smtp_url {
            Some(url) => Way::Smtp(Smtp::new(url.expose())?),
            None if config.mail.enabled => Way::Folder(Folder::new(config.data_dir.join("outbox"))),
            None => Way::Nowhere,
        };
        Ok(Self { from, way })
    }

    /// Whether messages go anywhere.
    pub fn is_on(&self) -> bool {
        !matches!(self.way, Way::Nowhere)
    }

    /// Whether the way is open, without sending anything: a mail server is greeted and signed in to.
    ///
    /// # Errors
    /// Why not, as a public sentence.
    pub async fn test(&self) -> Result<(), String> {
        match &self.way {
            Way::Smtp(smtp) => smtp.test().await.map_err(|error| match error {
                MailError::Later(why) | MailError::Never(why) => why,
            }),
            Way::Folder(_) | Way::Nowhere => Ok(()),
        }
    }

    /// The Message-ID of all messages with this key.
    pub fn message_id(&self, key: &str) -> String {
        message::message_id(key, &self.from)
    }

    /// Sends one message. It may be sent twice when the answer is lost; both have the same message id.
    ///
    /// # Errors
    /// See [`MailError`]; both carry a public sentence.
    pub async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let key = mail.key.clone();
        let text = format!("To: {}\nSubject: {}\n\n{}", mail.to, mail.subject, mail.text);
        let message: Message = mail.build(self.from.clone())?;
        match &self.way {
            Way::Smtp(smtp) => smtp.send(message).await,
            Way::Folder(folder) => folder.keep(&key, &message.formatted(), &text).await,
            Way::Nowhere => Err(MailError::Never("This server cannot send e-mail.".into())),
        }
    }
}
