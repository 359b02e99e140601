//! `doctor`: the settings in use, secrets masked, and one real try of every service.

use std::time::Instant;

use migration::{Migrator, MigratorTrait as _};

use super::Outcome;
use crate::config::{self, Config};
use crate::platform::db::{self, migration_connection};
use crate::platform::redis::Redis;

pub(super) async fn run(config: Config) -> Outcome {
    println!("Settings");
    for setting in config::effective(&config::variables()?) {
        println!("  {:34} {}", setting.name, setting.value);
    }
    println!("\nServices");
    let mut failures = 0;
    report("data directory", data_dir(&config).await, &mut failures);
    report("database", database(&config).await, &mut failures);
    report("migrations", migrations(&config).await, &mut failures);
    report("secret key", secret_key(&config), &mut failures);
    match &config.redis {
        None => println!(
            "  {:14} -     not configured: everything runs in this process",
            "redis"
        ),
        Some(settings) => report("redis", redis(settings).await, &mut failures),
    }
    if failures == 0 {
        return Ok(());
    }
    Err(format!("{failures} of the checks failed").into())
}

type Check = Result<String, Box<dyn std::error::Error + Send + Sync>>;

fn report(name: &str, check: Check, failures: &mut u32) {
    match check {
        Ok(detail) => println!("  {name:14} ok    {detail}"),
        Err(error) => {
            *failures += 1;
            println!("  {name:14} FAIL  {error}");
        }
    }
}

async fn data_dir(config: &Config) -> Check {
    crate::app::prepare_data_dir(config)?;
    let probe = config.data_dir.join(".doctor");
    tokio::fs::write(&probe, b"").await?;
    tokio::fs::remove_file(&probe).await?;
    Ok(format!("{} can be written", config.data_dir.display()))
}

async fn database(config: &Config) -> Check {
    let url = config.database.url.expose();
    let start = Instant::now();
    let connection = migration_connection(url).await?;
    connection.ping().await?;
    let latency = start.elapsed().as_millis();
    connection.close().await?;
    Ok(format!("{} answered in {latency} ms", db::redact_url(url)))
}

async fn migrations(config: &Config) -> Check {
    let connection = migration_connection(config.database.url.expose()).await?;
    let pending = Migrator::get_pending_migrations(&connection).await?.len();
    connection.close().await?;
    match pending {
        0 => Ok("up to date".into()),
        _ if config.database.is_sqlite() => Ok(format!("{pending} pending; `serve` applies them")),
        _ => Err(format!("{pending} pending. Run `meridian migrate up`").into()),
    }
}

fn secret_key(config: &Config) -> Check {
    let keys = config.secret_keys()?;
    Ok(format!("{} in use", keys.len()))
}

async fn redis(settings: &config::Redis) -> Check {
    let start = Instant::now();
    let redis = Redis::connect(settings.url.expose(), &settings.prefix, "doctor", 1).await?;
    redis.ping().await?;
    redis.quit().await;
    Ok(format!("answered in {} ms", start.elapsed().as_millis()))
}
