//! Checks of what is reached over the network, and of what this machine allows.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

use super::Tried;
use crate::config::{self, Config, Issuer, Reports};
use crate::platform::http::{HttpClient, HttpRequest, OutboundAllow};
use crate::platform::mail::Mailer;
use crate::platform::redis::Redis;
use crate::web::Documents;

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Fewer files than this are soon used up: each request and each WebSocket takes one.
const FEW_FILES: u64 = 1_024;

pub(super) async fn redis(settings: &config::Redis) -> Tried {
    let start = Instant::now();
    let cause = |error: crate::kernel::Error| match error.cause() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    };
    let redis = Redis::connect(settings.url.expose(), &settings.prefix, "doctor", 1)
        .await
        .map_err(cause)?;
    let tried = redis.round_trip("doctor").await;
    redis.quit().await;
    tried.map_err(cause)?;
    Ok(format!(
        "a value was set, read and deleted in {} ms",
        start.elapsed().as_millis()
    ))
}

/// Whether an address can be listened on; one that a running Meridian has is as good.
pub(super) async fn listener(address: SocketAddr) -> Tried {
    match TcpListener::bind(address).await {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match timeout(PATIENCE, is_ours(address)).await
        {
            Ok(true) => Ok(format!("{address} is served by a running Meridian")),
            _ => Err(format!("{address}: {error}").into()),
        },
        Err(error) => Err(format!("{address}: {error}").into()),
    }
}

async fn is_ours(address: SocketAddr) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.take(4_096).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    asking
        .await
        .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nok"))
}

pub(super) async fn mail(config: &Config) -> Tried {
    let start = Instant::now();
    Mailer::new(config)?.test().await?;
    Ok(format!(
        "the mail server greeted in {} ms",
        start.elapsed().as_millis()
    ))
}

/// Whether an issuer answers, and is who the settings say.
pub(super) async fn issuer(config: &Config, issuer: &Issuer) -> Tried {
    let name = &issuer.name;
    let page = format!(
        "{}/.well-known/openid-configuration",
        issuer.issuer.trim_end_matches('/')
    );
    let url = Url::parse(&page).map_err(|error| format!("{name}: {error}"))?;
    let client = HttpClient::new(OutboundAllow::new(&config.outbound_allow))?;
    let answer = client
        .send(HttpRequest::new(Method::GET, url).without_redirects())
        .await
        .map_err(|error| format!("{name}: {error}"))?;
    if !answer.status.is_success() {
        return Err(format!("{name}: its discovery document answers {}", answer.status).into());
    }
    let document: Value = serde_json::from_slice(&answer.body)
        .map_err(|_| format!("{name}: its discovery document is no JSON"))?;
    match document["issuer"].as_str() {
        Some(own) if own == issuer.issuer => Ok(format!("{name} answers as {own}")),
        Some(own) => Err(format!("{name}: it is another issuer: it calls itself {own}").into()),
        None => Err(format!("{name}: its discovery document names no issuer").into()),
    }
}

/// Whether there is a way to where reports go. What the server there thinks of the key shows in `/api/test-infrastructure`.
pub(super) async fn reports(reports: &Reports) -> Tried {
    let url = Url::parse(reports.dsn.expose())?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    match timeout(
        PATIENCE,
        TcpStream::connect((host.trim_matches(['[', ']']), port)),
    )
    .await
    {
        Ok(Ok(_)) => Ok(format!("{host}:{port} can be reached")),
        Ok(Err(error)) => Err(format!("{host}:{port}: {error}").into()),
        Err(_) => Err(format!(
            "{host}:{port}: no connection within {} seconds",
            PATIENCE.as_secs()
        )
        .into()),
    }
}

pub(super) fn documents(config: &Config) -> Tried {
    Documents::load(config)?;
    Ok("the registered documents can be read".into())
}

/// How many files this process may have open; systems that do not say are trusted.
pub(super) fn open_files() -> Tried {
    let Ok(limits) = std::fs::read_to_string("/proc/self/limits") else {
        return Ok("this system does not tell its limit".into());
    };
    let soft = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .and_then(|line| line.split_whitespace().nth(3))
        .ok_or("the limit cannot be read")?;
    match soft.parse::<u64>() {
        Ok(files) if files < FEW_FILES => Err(format!("only {files} files may be open").into()),
        Ok(files) => Ok(format!("{files}, each WebSocket takes one")),
        Err(_) => Ok(format!("{soft}, each WebSocket takes one")),
    }
}
