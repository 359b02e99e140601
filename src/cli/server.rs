//! `serve`, `api`, `worker`: a running server, in one process or in parts.

use std::net::SocketAddr;

use super::{Outcome, seed};
use crate::app::{self, Role};
use crate::config::Config;
use crate::platform::telemetry;

pub(super) async fn serve(config: Config, demo: bool) -> Outcome {
    let _watching = telemetry::init(&config.log, config.reports.as_ref(), config.traces.as_ref())?;
    let platform = app::open(config).await?;
    let people = if demo {
        Some(seed::plant(&platform).await?)
    } else {
        None
    };
    let config = platform.config.clone();
    let ready = move |address: Option<SocketAddr>| {
        announce(&config, address);
        if let Some(people) = people {
            println!("\nTwo people to try it with. Paste a token into the headers of GraphiQL as");
            println!("  {{ \"Authorization\": \"Bearer <token>\" }}\n");
            seed::print_tokens(&people);
        }
        println!("\nStop with Ctrl-C.");
    };
    app::run(platform, Role::Everything, ready).await
}

pub(super) async fn api(config: Config) -> Outcome {
    let _watching = telemetry::init(&config.log, config.reports.as_ref(), config.traces.as_ref())?;
    let platform = app::open(config).await?;
    let config = platform.config.clone();
    app::run(platform, Role::Api, move |address| announce(&config, address)).await
}

pub(super) async fn worker(config: Config) -> Outcome {
    let _watching = telemetry::init(&config.log, config.reports.as_ref(), config.traces.as_ref())?;
    let platform = app::open(config).await?;
    app::run(platform, Role::Worker, |_| println!("Working on jobs.")).await
}

fn announce(config: &Config, address: Option<SocketAddr>) {
    let Some(address) = address else { return };
    println!("Meridian {} listens on {address}", crate::kernel::VERSION);
    println!("  GraphQL    http://{address}/graphql  (WebSocket: ws://{address}/graphql)");
    if config.graphiql {
        println!("  GraphiQL   http://{address}/graphiql");
    }
    if config.introspection {
        println!("  Schema     http://{address}/schema.graphql");
    }
    println!("  Health     http://{address}/api/health");
}
