//! Many subscribers and a few writers: how many messages a second of the server's CPU carries.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::documents::change;
use crate::http::Connection;
use crate::options::Options;
use crate::report::{Fanout, Report};
use crate::sample::{Sample, pick};
use crate::server::Server;
use crate::socket::{Room, Subscriber};
use crate::{Result, process};

/// Workspaces that the subscribers watch.
const ROOMS: usize = 4;
/// Connecting at once is not what is measured.
const AT_ONCE: usize = 50;
const PATIENCE: Duration = Duration::from_secs(20);

/// Every server in turn with this many subscribers.
pub(crate) async fn measure(
    subscribers: usize,
    servers: &[Server],
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    for server in servers {
        // A server that loses subscribers says so in the report; the others are measured all the same.
        if let Err(error) = one(subscribers, server, options, report).await {
            report.failed(&format!("{subscribers} subscribers of {}: {error}", server.name));
        }
    }
    Ok(())
}

async fn one(subscribers: usize, server: &Server, options: &Options, report: &mut Report) -> Result<()> {
    let mut open = Audience::gather(subscribers, server).await?;
    open.rounds(server, options, (options.changes / 4).max(1)).await?;
    for round in 0..options.rounds {
        let measured = open.rounds(server, options, options.changes).await?;
        eprintln!(
            "{subscribers} subscribers {} of {} {:<16} {:>9.0} messages per CPU second",
            round + 1,
            options.rounds,
            server.name,
            measured.per_cpu_second
        );
        report.fanout(subscribers, server, measured);
    }
    Ok(())
}

/// Everybody who listens to one server.
pub(crate) struct Audience {
    rooms: Vec<(Sample, Arc<Room>)>,
    listeners: JoinSet<Result<()>>,
    each: usize,
    /// KiB of the server for each subscriber.
    pub(crate) memory: f64,
    number: usize,
}

impl Audience {
    /// Opens the subscriptions, spread over the workspaces and over the people in them.
    pub(crate) async fn gather(subscribers: usize, server: &Server) -> Result<Self> {
        let mut seen = HashSet::new();
        let people = pick(&server.data, 4_000).await?;
        let first: Vec<Sample> = people
            .iter()
            .filter(|one| seen.insert(one.workspace))
            .take(ROOMS)
            .cloned()
            .collect();
        let members = |room: &Sample| -> Vec<Sample> {
            people
                .iter()
                .filter(|one| one.workspace == room.workspace)
                .cloned()
                .collect()
        };
        let before = process::resident(server.pid)?;
        let each = subscribers / first.len();
        let mut listeners = JoinSet::new();
        let mut rooms = Vec::new();
        for (place, sample) in first.into_iter().enumerate() {
            let (room, members) = (Arc::new(Room::default()), members(&sample));
            for batch in (0..each).collect::<Vec<_>>().chunks(AT_ONCE) {
                let open = batch.iter().map(|&index| {
                    Subscriber::open(server, &members[index % members.len()], place * each + index)
                });
                for subscriber in join_all(open).await {
                    listeners.spawn(subscriber?.listen(room.clone()));
                }
            }
            rooms.push((sample, room));
        }
        // `subscribe` has no answer: the last ones get a moment.
        sleep(Duration::from_secs(2)).await;
        let memory = (process::resident(server.pid)? - before) / subscribers as f64;
        Ok(Self {
            rooms,
            listeners,
            each,
            memory,
            number: 0,
        })
    }

    /// Whether somebody was cut off.
    pub(crate) fn complain(&mut self) -> Result<()> {
        match self.listeners.try_join_next() {
            Some(ended) => ended?,
            None => Ok(()),
        }
    }

    async fn rounds(&mut self, server: &Server, options: &Options, changes: usize) -> Result<Fanout> {
        let (own, database) = (
            process::cpu(server.pid)?,
            process::cpu_of_tree(options.postmaster)?,
        );
        let started = Instant::now();
        let (each, number) = (self.each, self.number);
        self.number += changes;
        let writers = self
            .rooms
            .iter()
            .map(|(sample, room)| write(server, sample, room, each, number, changes));
        let mut slowest = Vec::new();
        for times in join_all(writers).await {
            slowest.extend(times?);
        }
        self.complain()?;
        let (own, database) = (
            process::cpu(server.pid)? - own,
            process::cpu_of_tree(options.postmaster)? - database,
        );
        let messages = (changes * each * self.rooms.len()) as f64;
        slowest.sort_by(f64::total_cmp);
        Ok(Fanout {
            per_cpu_second: messages / own,
            database: database * 1000.0 / (changes * self.rooms.len()) as f64,
            per_second: messages / started.elapsed().as_secs_f64(),
            p95: slowest[(slowest.len() - 1) * 95 / 100],
            memory: self.memory,
        })
    }
}

/// Makes one change after the other, each when everybody has heard of the last; milliseconds until the last one heard.
async fn write(
    server: &Server,
    sample: &Sample,
    room: &Room,
    each: usize,
    first: usize,
    changes: usize,
) -> Result<Vec<f64>> {
    let mut connection = Connection::open(server.address).await?;
    let mut times = Vec::with_capacity(changes);
    for number in first..first + changes {
        let target = room.heard.load(Ordering::Relaxed) + each as u64;
        let (name, document, variables) = change(server.dialect, sample, number);
        let started = Instant::now();
        let request = server.request_of(name, document, &variables, sample);
        crate::answers::canonical(&request.send(&mut connection).await?).or_else(|error| {
            // PostGraphile calls it `result`.
            if error.to_string().starts_with("nothing was found") {
                Ok(serde_json::Value::Null)
            } else {
                Err(error)
            }
        })?;
        let everybody = async {
            while room.heard.load(Ordering::Relaxed) < target {
                room.news.notified().await;
            }
        };
        if timeout(PATIENCE, everybody).await.is_err() {
            let missing = target - room.heard.load(Ordering::Relaxed);
            return Err(format!(
                "{}: {missing} of {each} subscribers did not hear of a change",
                server.name
            )
            .into());
        }
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}
