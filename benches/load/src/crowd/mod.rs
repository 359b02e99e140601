//! A crowd: many signed-in people in front of two replicas, each with a socket on which they hear of changes, reading and writing now and then
//! as a front end does. Requests come when their time has come whether the last ones were answered or not, so that a slow server cannot hide.
//! Promises: bounded in time, every message that is due is waited for and counted, and whoever is cut off shows in the report.

mod people;
mod statements;
mod summary;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};
use uuid::Uuid;

use crate::documents::Question;
use crate::http::{Connection, Tally};
use crate::options::Options;
use crate::sample::{Dice, Sample};
use crate::server::Server;
use crate::socket::Subscriber;
use crate::{Result, process};
use summary::{Memory, Summary};

/// The replicas.
const REPLICAS: [&str; 2] = ["replica-1", "replica-2"];
/// Connections that carry requests, as a proxy in front of the replicas would keep them.
const LANES: usize = 128;
/// People who arrive at once.
const AT_ONCE: usize = 50;
/// Load before anything is counted.
const WARM_UP: Duration = Duration::from_secs(10);
/// How long the last messages may take.
const LAST_MESSAGES: Duration = Duration::from_secs(10);
/// Files for everything but sockets.
const OTHER_FILES: usize = 400;
/// Of a hundred requests so many are of each kind.
const MIX: [(Question, usize); 4] = [
    (Question::Tasks, 40),
    (Question::Week, 25),
    (Question::Task, 15),
    (Question::Create, 20),
];
/// Begins the title of what a crowd writes; when it was due follows, in microseconds since the beginning.
const MARK: &str = "crowd ";

/// What everybody who listens shares.
struct Ears {
    began: Instant,
    heard: AtomicU64,
    /// Microseconds from when a change was due to when somebody heard of it.
    delays: std::sync::Mutex<Vec<u32>>,
}

/// Runs a crowd and says how it went.
pub(crate) async fn measure(options: &Options) -> Result<()> {
    let room = process::open_files()?.saturating_sub(OTHER_FILES);
    let count = options.people.min(room);
    if count < options.people {
        eprintln!("only {count} people: a process may have {room} more files open. Raise `ulimit -n`");
    }
    let mut replicas = Vec::new();
    for name in REPLICAS {
        eprintln!("starting {name}");
        replicas.push(Server::start(name, options).await?.0);
    }
    let people = people::pick(&options.postgres, count).await?;
    let began = Instant::now();
    let ears = Arc::new(Ears {
        began,
        heard: AtomicU64::new(0),
        delays: std::sync::Mutex::default(),
    });
    let mut sockets = arrive(&people, &replicas, &ears).await?;
    let arrived = began.elapsed();
    eprintln!("{count} people are here after {:.0} s", arrived.as_secs_f64());

    let rate = count as f64 / options.pause.as_secs_f64();
    act(&people, &replicas, rate, WARM_UP, began).await?;
    sleep(Duration::from_secs(2)).await;
    // What was heard so far belongs to the warming up.
    ears.heard.store(0, Ordering::Relaxed);
    lock(&ears.delays).clear();
    let log = statements::Place::now(options)?;
    let watched = tokio::spawn(watch(
        replicas.iter().map(|server| server.pid).collect(),
        options.length,
    ));
    let cpu = replicas.iter().map(|server| process::cpu(server.pid)).sum::<Result<f64>>()?;
    let database = process::cpu_of_tree(options.postmaster)?;
    let mut acted = act(&people, &replicas, rate, options.length, began).await?;
    let cpu = replicas.iter().map(|server| process::cpu(server.pid)).sum::<Result<f64>>()? - cpu;
    let database = process::cpu_of_tree(options.postmaster)? - database;
    let due = acted.due(&people);
    let patience = Instant::now();
    while ears.heard.load(Ordering::Relaxed) < due && patience.elapsed() < LAST_MESSAGES {
        sleep(Duration::from_millis(100)).await;
    }
    let mut gone = Vec::new();
    while let Some(ended) = sockets.try_join_next() {
        gone.push(match ended? {
            Ok(()) => "it ended".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    let memory: Vec<Memory> = watched.await??;
    let delays = std::mem::take(&mut *lock(&ears.delays));
    let heard = ears.heard.load(Ordering::Relaxed);
    let summary = Summary {
        people: count,
        wanted: options.people,
        arrived,
        length: options.length,
        rate,
        operations: acted.tallies(),
        failures: acted.failures,
        delays,
        heard,
        due,
        gone,
        memory,
        cpu: cpu / options.length.as_secs_f64(),
        database_cpu: database / options.length.as_secs_f64(),
        statements: statements::since(options, log)?,
    };
    drop(sockets);
    for server in replicas {
        server.stop().await?;
    }
    summary.write(options)
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Opens the sockets, half of them at each replica.
async fn arrive(people: &[Sample], replicas: &[Server], ears: &Arc<Ears>) -> Result<JoinSet<Result<()>>> {
    let mut sockets = JoinSet::new();
    let indexes: Vec<usize> = (0..people.len()).collect();
    for batch in indexes.chunks(AT_ONCE) {
        let open = batch
            .iter()
            .map(|&index| Subscriber::open(&replicas[index % replicas.len()], &people[index], index));
        for subscriber in join_all(open).await {
            sockets.spawn(listen(subscriber?, ears.clone()));
        }
    }
    // `subscribe` has no answer: the last ones get a moment.
    sleep(Duration::from_secs(2)).await;
    Ok(sockets)
}

/// Hears of changes until the server hangs up.
async fn listen(mut subscriber: Subscriber, ears: Arc<Ears>) -> Result<()> {
    loop {
        let text = subscriber.next().await?;
        if text.contains("\"errors\"") || text.contains("\"type\":\"error\"") {
            return Err(format!("a subscription failed: {text}").into());
        }
        let Some((_, rest)) = text.split_once(MARK) else {
            continue;
        };
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        let due: u64 = digits.unwrap_or_default().parse()?;
        let now = u64::try_from(ears.began.elapsed().as_micros())?;
        lock(&ears.delays).push(u32::try_from(now.saturating_sub(due)).unwrap_or(u32::MAX));
        ears.heard.fetch_add(1, Ordering::Relaxed);
    }
}

/// What came of a stretch of acting.
#[derive(Default)]
struct Acted {
    tallies: HashMap<&'static str, Tally>,
    failures: Vec<String>,
    /// Changes that were accepted, by workspace.
    written: HashMap<Uuid, u64>,
}

impl Acted {
    /// Messages that everybody who listens is to get.
    fn due(&self, people: &[Sample]) -> u64 {
        let listeners = people
            .iter()
            .map(|person| self.written.get(&person.workspace).copied().unwrap_or(0));
        listeners.sum()
    }

    fn tallies(&mut self) -> Vec<(&'static str, Tally)> {
        let names = MIX.map(|(question, _)| question.name());
        names
            .into_iter()
            .filter_map(|name| Some((name, self.tallies.remove(name)?)))
            .collect()
    }
}

/// Lets people act at this rate. The n-th request is due at its time; each connection carries every `LANES`-th of them.
async fn act(
    people: &[Sample],
    replicas: &[Server],
    rate: f64,
    length: Duration,
    began: Instant,
) -> Result<Acted> {
    let start = Instant::now();
    let total = (rate * length.as_secs_f64()) as usize;
    let lanes = (0..LANES.min(total.max(1))).map(|first| async move {
        let mut acted = Acted::default();
        let server = &replicas[first % replicas.len()];
        let mut connection = Connection::open(server.address).await?;
        let mut dice = Dice(first as u64 + total as u64);
        for number in (first..total).step_by(LANES) {
            let due = start + Duration::from_secs_f64(number as f64 / rate);
            sleep_until(due.into()).await;
            let person = &people[dice.below(people.len())];
            let question = question(dice.below(100));
            let title = format!("{MARK}{}", (due - began).as_micros());
            let answer = ask(server, &mut connection, question, person, number, &title).await;
            let tally = acted.tallies.entry(question.name()).or_default();
            let micros = u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX);
            tally.latencies.push(micros);
            match answer {
                Ok(()) => {
                    tally.answered += 1;
                    if question == Question::Create {
                        *acted.written.entry(person.workspace).or_default() += 1;
                    }
                }
                Err(error) => {
                    tally.failed += 1;
                    acted.failures.push(format!("{}: {error}", question.name()));
                    connection = Connection::open(server.address).await?;
                }
            }
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(acted)
    });
    let mut sum = Acted::default();
    for lane in join_all(lanes).await {
        let lane = lane?;
        for (name, tally) in lane.tallies {
            let all = sum.tallies.entry(name).or_default();
            all.answered += tally.answered;
            all.failed += tally.failed;
            all.latencies.extend(tally.latencies);
        }
        for (workspace, count) in lane.written {
            *sum.written.entry(workspace).or_default() += count;
        }
        sum.failures.extend(lane.failures);
    }
    Ok(sum)
}

fn question(number: usize) -> Question {
    let mut left = number;
    for (question, share) in MIX {
        if left < share {
            return question;
        }
        left -= share;
    }
    Question::Task
}

async fn ask(
    server: &Server,
    connection: &mut Connection,
    question: Question,
    person: &Sample,
    number: usize,
    title: &str,
) -> Result<()> {
    let mut variables = question.variables(server.dialect, person, number);
    if question == Question::Create {
        variables["input"]["title"] = json!(title);
    }
    let document = question.document(server.dialect);
    let request = server.request_of(question.name(), document, &variables, person);
    let answer = request.send(connection).await?;
    let text = String::from_utf8_lossy(answer.body);
    let is_good = answer.status == 200
        && !text.contains("\"errors\"")
        && (question != Question::Create || text.contains("\"userErrors\":[]"));
    if is_good {
        return Ok(());
    }
    Err(format!("{} {}", answer.status, text.chars().take(200).collect::<String>()).into())
}

/// Memory of the replicas, every second, and once a minute what they have open.
async fn watch(replicas: Vec<u32>, length: Duration) -> Result<Vec<Memory>> {
    let began = Instant::now();
    let mut seen = Vec::new();
    while began.elapsed() < length {
        let resident = replicas.iter().map(|pid| process::resident(*pid));
        let resident: Result<Vec<f64>> = resident.collect();
        let mut memory = Memory {
            at: began.elapsed(),
            resident: resident?.into_iter().map(|kib| kib / 1024.0).collect(),
            open: Vec::new(),
        };
        // Not at the beginning, when the connections that carry requests are about to be opened.
        if seen.len() % 60 == 59 {
            memory.open = replicas.iter().map(|pid| process::open(*pid)).collect::<Result<_>>()?;
            eprintln!("{}", memory.line());
        }
        seen.push(memory);
        sleep(Duration::from_secs(1)).await;
    }
    Ok(seen)
}
