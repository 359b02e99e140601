//! What was measured, as tables for people and JSON for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::documents::Question;
use crate::options::Options;
use crate::server::{Boot, Server};
use crate::{Result, process};

/// One measurement of one server with one question. CPU in milliseconds for each request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) server: f64,
    pub(crate) database: f64,
    pub(crate) answered: u64,
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

/// One measurement of the fan-out. `database` is in milliseconds for each change.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fanout {
    pub(crate) per_cpu_second: f64,
    pub(crate) database: f64,
    pub(crate) per_second: f64,
    pub(crate) p95: f64,
    pub(crate) memory: f64,
}

/// Idle subscribers. `cpu` is a share of one core.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) sockets: usize,
    pub(crate) memory: f64,
    pub(crate) cpu: f64,
}

/// A server by itself. Memory in MiB; `quiet` is a share of one core while nobody asks.
#[derive(Clone, Debug, Default, Serialize)]
struct Own {
    boot_cpu: f64,
    boot_wall: f64,
    idle: f64,
    quiet: f64,
    loaded: f64,
}

/// Everything of one run, by row.
#[derive(Serialize)]
pub(crate) struct Report {
    command: String,
    commit: String,
    machine: String,
    rows: Vec<String>,
    own: BTreeMap<String, Own>,
    requests: BTreeMap<&'static str, BTreeMap<String, Vec<Round>>>,
    fanout: BTreeMap<usize, BTreeMap<String, Vec<Fanout>>>,
    idle: BTreeMap<String, Idle>,
    failures: Vec<String>,
    binary: u64,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            command: options.command.clone(),
            commit: options.commit.clone(),
            machine: process::machine(),
            rows: options.rows.clone(),
            own: BTreeMap::new(),
            requests: BTreeMap::new(),
            fanout: BTreeMap::new(),
            idle: BTreeMap::new(),
            failures: Vec::new(),
            binary: std::fs::metadata(&options.meridian).map_or(0, |file| file.len()),
        }
    }

    pub(crate) fn boot(&mut self, row: &str, boot: Boot) {
        let own = self.own.entry(row.to_owned()).or_default();
        (own.boot_cpu, own.boot_wall) = (boot.cpu, boot.wall);
    }

    /// Watches a server that nobody asks.
    pub(crate) async fn idle(&mut self, server: &Server, rest: Duration) -> Result<()> {
        let before = process::cpu(server.pid)?;
        tokio::time::sleep(rest).await;
        let own = self.own.entry(server.name.clone()).or_default();
        own.quiet = (process::cpu(server.pid)? - before) / rest.as_secs_f64();
        own.idle = process::resident(server.pid)? / 1024.0;
        Ok(())
    }

    pub(crate) fn loaded(&mut self, server: &Server) -> Result<()> {
        self.own.entry(server.name.clone()).or_default().loaded = process::resident(server.pid)? / 1024.0;
        Ok(())
    }

    pub(crate) fn round(&mut self, question: Question, server: &Server, round: Round) {
        let rows = self.requests.entry(question.name()).or_default();
        rows.entry(server.name.clone()).or_default().push(round);
    }

    pub(crate) fn fanout(&mut self, subscribers: usize, server: &Server, round: Fanout) {
        let rows = self.fanout.entry(subscribers).or_default();
        rows.entry(server.name.clone()).or_default().push(round);
    }

    pub(crate) fn sockets(&mut self, server: &Server, idle: Idle) {
        self.idle.insert(server.name.clone(), idle);
    }

    /// Notes what a server could not do.
    pub(crate) fn failed(&mut self, what: &str) {
        eprintln!("FAILED: {what}");
        self.failures.push(what.to_owned());
    }

    /// Writes both forms where the options say; the tables also go to the terminal.
    pub(crate) fn write(&self, options: &Options) -> Result<()> {
        let text = self.markdown()?;
        println!("{text}");
        if let Some(path) = &options.markdown {
            std::fs::write(path, &text)?;
        }
        if let Some(path) = &options.json {
            std::fs::write(path, serde_json::to_vec_pretty(self)?)?;
        }
        Ok(())
    }

    fn markdown(&self) -> Result<String> {
        let mut out = format!(
            "`{}` at commit {} on {}.\n",
            self.command, self.commit, self.machine
        );
        if !self.requests.is_empty() {
            self.table(
                &mut out,
                "CPU ms per request, server / PostgreSQL",
                |rounds, _| {
                    format!(
                        "{:.3} / {:.3}",
                        median(rounds, |round| round.server),
                        median(rounds, |round| round.database)
                    )
                },
            )?;
            self.table(&mut out, "Server CPU against the first row", |rounds, first| {
                format!("×{:.2}", ratio(rounds, first, |round| round.server))
            })?;
            self.table(
                &mut out,
                "Server and database CPU against the first row",
                |rounds, first| {
                    format!(
                        "×{:.2}",
                        ratio(rounds, first, |round| round.server + round.database)
                    )
                },
            )?;
            self.table(
                &mut out,
                "Latency in ms, p50 / p95 / p99; requests per second",
                |rounds, _| {
                    let of = |pick: fn(&Round) -> f64| median(rounds, pick);
                    let times = (
                        of(|round| round.p50),
                        of(|round| round.p95),
                        of(|round| round.p99),
                    );
                    format!(
                        "{:.1} / {:.1} / {:.1}; {:.0}",
                        times.0,
                        times.1,
                        times.2,
                        of(|round| round.per_second)
                    )
                },
            )?;
        }
        for (subscribers, rows) in &self.fanout {
            write!(
                out,
                "\n| {subscribers} subscribers | messages per CPU second | per second | ms until the last heard, p95 | "
            )?;
            write!(
                out,
                "database ms per change | KiB each |\n|---|---|---|---|---|---|\n"
            )?;
            for (row, rounds) in self.in_order(rows) {
                let of = |pick: fn(&Fanout) -> f64| median(rounds, pick);
                let counts = (of(|round| round.per_cpu_second), of(|round| round.per_second));
                let rest = (
                    of(|round| round.p95),
                    of(|round| round.database),
                    of(|round| round.memory),
                );
                writeln!(
                    out,
                    "| {row} | {:.0} | {:.0} | {:.1} | {:.2} | {:.1} |",
                    counts.0, counts.1, rest.0, rest.1, rest.2
                )?;
            }
        }
        if !self.idle.is_empty() {
            writeln!(
                out,
                "\n| Idle subscribers | sockets | KiB each | % of a core |\n|---|---|---|---|"
            )?;
            for (row, idle) in self.in_order(&self.idle) {
                writeln!(
                    out,
                    "| {row} | {} | {:.1} | {:.1} |",
                    idle.sockets,
                    idle.memory,
                    idle.cpu * 100.0
                )?;
            }
        }
        write!(
            out,
            "\n| | boot to first answer, CPU s / s | idle MiB | idle % of a core | MiB after load |\n|---|---|---|---|---|\n"
        )?;
        for (row, own) in self.in_order(&self.own) {
            let numbers = (
                own.boot_cpu,
                own.boot_wall,
                own.idle,
                own.quiet * 100.0,
                own.loaded,
            );
            writeln!(
                out,
                "| {row} | {:.2} / {:.2} | {:.1} | {:.2} | {:.1} |",
                numbers.0, numbers.1, numbers.2, numbers.3, numbers.4
            )?;
        }
        for failure in &self.failures {
            writeln!(out, "\nFailed: {failure}")?;
        }
        writeln!(
            out,
            "\nThe stripped program has {:.1} MiB.",
            self.binary as f64 / 1_048_576.0
        )?;
        Ok(out)
    }

    /// A table with a row for each server and a column for each question.
    fn table(
        &self,
        out: &mut String,
        title: &str,
        cell: impl Fn(&[Round], &[Round]) -> String,
    ) -> Result<()> {
        let questions: Vec<_> = self.requests.keys().collect();
        let heads: String = questions.iter().map(|name| format!(" {name} |")).collect();
        write!(
            out,
            "\n| {title} |{heads}\n|---|{}\n",
            "---|".repeat(questions.len())
        )?;
        for row in &self.rows {
            write!(out, "| {row} |")?;
            for question in &questions {
                let rows = &self.requests[*question];
                let first = self
                    .rows
                    .iter()
                    .find_map(|row| rows.get(row))
                    .map_or(&[][..], Vec::as_slice);
                write!(
                    out,
                    " {} |",
                    rows.get(row)
                        .map_or_else(String::new, |rounds| cell(rounds, first))
                )?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn in_order<'a, T>(&'a self, rows: &'a BTreeMap<String, T>) -> impl Iterator<Item = (&'a String, &'a T)> {
        self.rows.iter().filter_map(|row| rows.get_key_value(row))
    }
}

fn median<T>(rounds: &[T], pick: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(pick).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

/// Median of the ratios of each round, so that what disturbs a round disturbs both sides.
fn ratio(rounds: &[Round], first: &[Round], pick: impl Fn(&Round) -> f64) -> f64 {
    let ratios: Vec<f64> = rounds
        .iter()
        .zip(first)
        .map(|(ours, theirs)| pick(ours) / pick(theirs))
        .collect();
    median(&ratios, |ratio| *ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0], |value| *value) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[1.0, 2.0], |value| *value) - 1.5).abs() < f64::EPSILON);
    }
}
