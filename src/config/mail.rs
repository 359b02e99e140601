//! How e-mail leaves the house.

use url::Url;

use super::secret::Secret;
use super::server::Environment;
use super::setting::{Reader, Setting};

/// Where e-mail goes.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtp:` or `smtps:` URL with user and password; `None` keeps messages in a folder, which only development does.
    pub smtp_url: Option<Secret<String>>,
    /// Sender, for example `Meridian <meridian@example.org>`.
    pub from: String,
    /// Whether messages go anywhere at all.
    pub enabled: bool,
}

const SMTP_URL: Setting = Setting::derived(
    "MERIDIAN_SMTP_URL",
    "none: in development messages are files in `outbox` of MERIDIAN_DATA_DIR, in production no e-mail is sent",
    "Mail server: smtps://user:password@host:465 (TLS), smtp://user:password@host:587 (STARTTLS, required unless the host is \
     this machine). User and password percent-encoded. smtp://host:1025?tls=off speaks without TLS, for a sink in a network of your own.",
)
.secret();
const FROM: Setting = Setting::derived(
    "MERIDIAN_MAIL_FROM",
    "Meridian <meridian@localhost>; required with MERIDIAN_SMTP_URL",
    "Sender of e-mails: Meridian <meridian@example.org>",
);

pub(super) const SETTINGS: &[Setting] = &[SMTP_URL, FROM];

pub(super) fn read(reader: &mut Reader<'_>, env: Option<Environment>) -> Option<Mail> {
    let smtp_url = reader.read(&SMTP_URL, "a URL that begins with smtp:// or smtps://", |text| {
        let url = Url::parse(text).ok()?;
        // TLS is left out only where somebody says so, and never with a password.
        let is_whole = match (url.scheme(), url.query()) {
            ("smtp" | "smtps", None) => true,
            ("smtp", Some("tls=off")) => url.username().is_empty() && url.password().is_none(),
            _ => false,
        };
        (is_whole && url.has_host()).then(|| text.to_owned())
    });
    let is_set = reader.given(&SMTP_URL).is_some();
    let from = match reader.given(&FROM) {
        None if is_set => {
            reader.fail(&FROM, "it is required with MERIDIAN_SMTP_URL. Write a sender such as Meridian <meridian@example.org>");
            None
        }
        None => Some("Meridian <meridian@localhost>".to_owned()),
        Some(_) => reader.read(
            &FROM,
            "a sender such as Meridian <meridian@example.org>",
            |text| {
                let address = text
                    .rsplit_once('<')
                    .map_or(Some(text), |(_, rest)| rest.strip_suffix('>'))?;
                let (local, host) = address.split_once('@')?;
                let clean = !text.chars().any(char::is_control);
                (clean && !local.is_empty() && !host.is_empty()).then(|| text.to_owned())
            },
        ),
    };
    if is_set && smtp_url.is_none() {
        return None;
    }
    Some(Mail {
        enabled: smtp_url.is_some() || env.is_some_and(Environment::is_development),
        smtp_url: smtp_url.map(Secret::new),
        from: from?,
    })
}
