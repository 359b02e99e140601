//! The benchmark: starts servers on the same data, puts the same load on them in turn, and reads from the operating system what it
//! cost. Promises: every answer is compared with the floor's before and after the load, a number is the median of interleaved rounds,
//! and no process outlives the run.

mod answers;
mod crowd;
mod documents;
mod fanout;
mod http;
mod idle;
mod options;
mod process;
mod report;
mod requests;
mod sample;
mod server;
mod socket;

use std::error::Error;

use options::Options;
use report::Report;
use server::Server;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    // One thread: what the load costs must not take a second core from the servers.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(&options))
}

async fn run(options: &Options) -> Result<()> {
    if options.people > 0 {
        return crowd::measure(options).await;
    }
    let mut report = Report::new(options);
    let mut servers = Vec::new();
    for row in &options.rows {
        eprintln!("starting {row}");
        let (server, boot) = Server::start(row, options).await?;
        report.boot(row, boot);
        servers.push(server);
    }
    // What a server has when nobody has asked for anything yet.
    tokio::time::sleep(options.rest).await;
    for server in &servers {
        report.idle(server, options.rest).await?;
    }
    for question in &options.questions {
        requests::measure(*question, &servers, options, &mut report).await?;
    }
    for server in &servers {
        report.loaded(server)?;
    }
    for &subscribers in &options.subscribers {
        fanout::measure(subscribers, &servers, options, &mut report).await?;
    }
    for server in servers {
        server.stop().await?;
    }
    if options.idle > 0 {
        idle::measure(options, &mut report).await?;
    }
    report.write(options)
}
