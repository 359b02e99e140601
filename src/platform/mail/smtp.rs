//! The way over a mail server, one connection for each message.

use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use url::{Host, Url};

use super::MailError;
use crate::platform::http::percent_decode;

/// Longest wait for one answer of the server.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest conversation about one message.
const LONGEST: Duration = Duration::from_secs(45);

/// A mail server.
pub(super) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp(***)")
    }
}

impl Smtp {
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let problem = "MERIDIAN_SMTP_URL cannot be used";
        let url = Url::parse(url).map_err(|_| problem.to_owned())?;
        let host = url.host_str().ok_or(problem)?.trim_matches(['[', ']']).to_owned();
        let parameters = || TlsParameters::new(host.clone()).map_err(|error| format!("{problem}: {error}"));
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapper(parameters()?), 465),
            // Nobody listens between a process and its own machine; elsewhere somebody has to vouch for it.
            _ if is_this_machine(&url) || url.query() == Some("tls=off") => (Tls::None, 25),
            _ => (Tls::Required(parameters()?), 587),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(port))
            .tls(tls)
            .hello_name(ClientId::default())
            .timeout(Some(PATIENCE));
        if !url.username().is_empty() {
            builder = builder.credentials(Credentials::new(
                percent_decode(url.username()),
                percent_decode(url.password().unwrap_or_default()),
            ));
        }
        Ok(Self(builder.build()))
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), MailError> {
        let sent = tokio::time::timeout(LONGEST, self.0.send(message)).await;
        let Ok(sent) = sent else {
            return Err(MailError::Later("The mail server took too long.".into()));
        };
        sent.map(drop).map_err(|error| told(&error))
    }

    /// Connects, greets and signs in.
    pub(super) async fn test(&self) -> Result<(), MailError> {
        match tokio::time::timeout(PATIENCE, self.0.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(MailError::Later("The mail server hung up.".into())),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err(MailError::Later("The mail server took too long.".into())),
        }
    }
}

/// What an error means. The server's own words may quote the address, so only its code is told.
fn told(error: &lettre::transport::smtp::Error) -> MailError {
    let code = error
        .status()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    if error.is_permanent() {
        return MailError::Never(format!("The mail server refused the message{code}."));
    }
    MailError::Later(if error.is_transient() {
        format!("The mail server does not take the message now{code}.")
    } else if error.is_tls() {
        "A secure connection to the mail server could not be made.".into()
    } else if error.is_timeout() {
        "The mail server took too long.".into()
    } else {
        "The mail server could not be reached.".into()
    })
}

fn is_this_machine(url: &Url) -> bool {
    // `smtp:` is no scheme that the parser knows hosts of: addresses arrive as names.
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
