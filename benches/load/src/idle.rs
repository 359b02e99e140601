//! Many subscribers to whom nothing happens: what they weigh, and what their silence costs.

use std::time::Duration;

use tokio::time::sleep;

use crate::fanout::Audience;
use crate::options::Options;
use crate::report::{Idle, Report};
use crate::server::Server;
use crate::{Result, process};

/// Long enough for every socket to be pinged.
const SILENCE: Duration = Duration::from_secs(30);
/// Files that a server needs for everything else.
const OTHER_FILES: usize = 200;

/// The floor and the server, each started anew.
pub(crate) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let sockets = options
        .idle
        .min(process::open_files()?.saturating_sub(OTHER_FILES));
    for row in options.rows.iter().filter(|row| !row.ends_with("-large")) {
        // What runs on Node weighs as much with fewer, and takes long to connect.
        let sockets = if ["mercurius", "postgraphile"].contains(&row.as_str()) {
            sockets.min(5_000)
        } else {
            sockets
        };
        if let Err(error) = one(row, sockets, options, report).await {
            report.failed(&format!("{sockets} idle subscribers of {row}: {error}"));
        }
    }
    Ok(())
}

async fn one(row: &str, sockets: usize, options: &Options, report: &mut Report) -> Result<()> {
    let (server, _) = Server::start(row, options).await?;
    let mut audience = Audience::gather(sockets, &server).await?;
    let before = process::cpu(server.pid)?;
    sleep(SILENCE).await;
    audience.complain()?;
    let cpu = (process::cpu(server.pid)? - before) / SILENCE.as_secs_f64();
    let memory = audience.memory;
    eprintln!(
        "{sockets} idle subscribers {row}: {memory:.1} KiB each, {:.1} % of a core",
        cpu * 100.0
    );
    report.sockets(&server, Idle { sockets, memory, cpu });
    drop(audience);
    server.stop().await
}
