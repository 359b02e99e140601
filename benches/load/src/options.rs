//! What the command line says. `benches/run` fills it in; see there for what a person types.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::Result;
use crate::documents::Question;

/// Everything that one run needs to know.
pub(crate) struct Options {
    /// Servers to measure, the floor first when it is there.
    pub(crate) rows: Vec<String>,
    pub(crate) questions: Vec<Question>,
    pub(crate) subscribers: Vec<usize>,
    /// Idle sockets; none are opened when zero.
    pub(crate) idle: usize,
    /// People of a crowd; everything else is left out when there is one.
    pub(crate) people: usize,
    /// Time between two requests of one of them.
    pub(crate) pause: Duration,
    /// PostgreSQL's log, for what statements take.
    pub(crate) postgres_log: Option<PathBuf>,
    pub(crate) rounds: usize,
    pub(crate) connections: usize,
    /// Length of one measurement.
    pub(crate) length: Duration,
    /// Load before each measurement that is not counted.
    pub(crate) warm_up: Duration,
    /// Quiet before idle memory is read.
    pub(crate) rest: Duration,
    /// Changes of one round of the fan-out, for each workspace that somebody watches.
    pub(crate) changes: usize,
    pub(crate) postgres: String,
    /// The same with ten times the tasks.
    pub(crate) large: Option<String>,
    pub(crate) redis: Option<String>,
    /// Process of PostgreSQL whose children do the work.
    pub(crate) postmaster: u32,
    pub(crate) meridian: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) peers: PathBuf,
    /// Folder with the SQLite database, and for logs.
    pub(crate) folder: PathBuf,
    pub(crate) markdown: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    /// For the report: what was typed, and the commit that was built.
    pub(crate) command: String,
    pub(crate) commit: String,
}

impl Options {
    /// Reads `--name value` pairs.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut given = HashMap::new();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            given.insert(name, value);
        }
        let mut take = |name: &str| given.remove(name).filter(|value| !value.is_empty());
        let mut need = |name: &str| take(name).ok_or_else(|| format!("{name} is missing"));
        let list = |text: String| -> Vec<String> {
            text.split(',')
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let options = Self {
            rows: list(need("--rows")?),
            rounds: need("--rounds")?.parse()?,
            connections: need("--connections")?.parse()?,
            length: Duration::from_secs_f64(need("--seconds")?.parse()?),
            warm_up: Duration::from_secs_f64(need("--warm-up")?.parse()?),
            rest: Duration::from_secs_f64(need("--rest")?.parse()?),
            changes: need("--changes")?.parse()?,
            postgres: need("--postgres")?,
            postmaster: need("--postmaster")?.parse()?,
            meridian: need("--meridian")?.into(),
            floor: need("--floor")?.into(),
            peers: need("--peers")?.into(),
            folder: need("--folder")?.into(),
            command: need("--command")?,
            commit: need("--commit")?,
            questions: list(take("--questions").unwrap_or_default())
                .iter()
                .map(|name| Question::named(name))
                .collect::<Result<_>>()?,
            subscribers: list(take("--subscribers").unwrap_or_default())
                .iter()
                .map(|count| Ok(count.parse()?))
                .collect::<Result<_>>()?,
            idle: take("--idle").unwrap_or_else(|| "0".into()).parse()?,
            people: take("--people").unwrap_or_else(|| "0".into()).parse()?,
            pause: Duration::from_secs_f64(take("--pause").unwrap_or_else(|| "60".into()).parse()?),
            postgres_log: take("--postgres-log").map(PathBuf::from),
            large: take("--large"),
            redis: take("--redis"),
            markdown: take("--markdown").map(PathBuf::from),
            json: take("--json").map(PathBuf::from),
        };
        match given.keys().next() {
            Some(unknown) => Err(format!("unknown option {unknown}").into()),
            None => Ok(options),
        }
    }
}
