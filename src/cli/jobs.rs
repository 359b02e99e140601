//! `jobs`: what waits, runs and died, and putting the dead back.

use clap::Subcommand;
use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use serde::de::DeserializeOwned;

use super::Outcome;
use crate::app;
use crate::config::Config;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::platform::db::Scope;
use crate::platform::jobs::{self, Listed};

/// What to do with jobs.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Show the numbers of every queue and the newest jobs.
    List {
        /// Only this queue, for example calendar_sync.
        #[arg(long, value_parser = word::<JobQueueName>)]
        queue: Option<JobQueueName>,
        /// Only this state, for example retrying.
        #[arg(long, value_parser = word::<JobStatus>)]
        status: Option<JobStatus>,
        /// Most jobs to show.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=500))]
        limit: u64,
    },
    /// Show the dead jobs with the errors they died of.
    Dead {
        /// Most jobs to show.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=500))]
        limit: u64,
    },
    /// Put dead jobs back into their queue with fresh attempts.
    Requeue {
        /// This job.
        #[arg(required_unless_present = "queue", conflicts_with = "queue")]
        id: Option<JobId>,
        /// All dead jobs of this queue.
        #[arg(long, value_parser = word::<JobQueueName>)]
        queue: Option<JobQueueName>,
    },
}

/// Reads a word as the database has it.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

pub(super) async fn run(config: Config, action: Action) -> Outcome {
    let platform = app::open(config).await?;
    let done = act(&platform, action).await;
    app::close(&platform).await;
    done
}

async fn act(platform: &Platform, action: Action) -> Outcome {
    match action {
        Action::List { queue, status, limit } => {
            stats(platform).await?;
            let listed = Listed { queue, status, limit };
            list(platform, &listed).await
        }
        Action::Dead { limit } => {
            let listed = Listed {
                queue: None,
                status: Some(JobStatus::Dead),
                limit,
            };
            list(platform, &listed).await
        }
        Action::Requeue { id: Some(id), .. } => {
            let back = platform.write(Scope::System, Actor::system(), |tx| async move {
                jobs::requeue(&tx, id).await
            });
            let job = back.await?;
            println!("{} is back in its queue.", job.id);
            Ok(())
        }
        Action::Requeue { queue, .. } => {
            let queue = queue.ok_or("name a job or a queue")?;
            let back = platform.write(Scope::System, Actor::system(), |tx| async move {
                jobs::requeue_dead(&tx, queue).await
            });
            println!("{} jobs are back in their queue.", back.await?.len());
            Ok(())
        }
    }
}

async fn stats(platform: &Platform) -> Outcome {
    let read = platform.db.read(Scope::System).await?;
    println!(
        "{:20} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "queue", "queued", "running", "retrying", "dead", "workers"
    );
    for stats in jobs::queue_stats(&read, platform.clock.now()).await? {
        let name = serde_json::to_value(stats.queue)?;
        let paused = if stats.is_paused { "  paused" } else { "" };
        println!(
            "{:20} {:>8} {:>8} {:>8} {:>8} {:>8}{paused}",
            name.as_str().unwrap_or_default(),
            stats.queued,
            stats.running,
            stats.retrying,
            stats.dead,
            stats.workers
        );
    }
    println!();
    Ok(())
}

async fn list(platform: &Platform, listed: &Listed) -> Outcome {
    let read = platform.db.read(Scope::System).await?;
    for job in jobs::newest(&read, listed).await? {
        let state = serde_json::to_value(job.status)?;
        println!(
            "{}  {:9}  {:20} attempt {} of {}  due {}",
            job.id,
            state.as_str().unwrap_or_default(),
            job.kind,
            job.attempts,
            job.max_attempts,
            job.run_at.format("%Y-%m-%d %H:%M:%S")
        );
        if let Some(error) = &job.last_error {
            println!("    {error}");
        }
    }
    Ok(())
}
