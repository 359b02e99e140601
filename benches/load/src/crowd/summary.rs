//! What a crowd came to, as a table for people.

use std::fmt::Write as _;
use std::time::Duration;

use crate::http::Tally;
use crate::options::Options;
use crate::process::Open;
use crate::{Result, process};

/// What the design asks for, in milliseconds.
const API_TARGET: f64 = 200.0;
const DATABASE_TARGET: f64 = 50.0;
/// A process may grow this much in the second half of a run before it counts as growth.
const STEADY: f64 = 1.05;
/// A process may have so many files more at the end than after a minute: pools open connections when they need them.
const SPARE_FILES: usize = 32;
/// From this length on growth is a failure; before, caches still fill.
const SOAK: Duration = Duration::from_secs(10 * 60);

/// What each replica has at a moment.
pub(super) struct Memory {
    pub(super) at: Duration,
    /// MiB.
    pub(super) resident: Vec<f64>,
    /// Looked at once a minute.
    pub(super) open: Vec<Open>,
}

impl Memory {
    /// As a row of a table.
    pub(super) fn line(&self) -> String {
        let mut line = format!("| {:.0} |", self.at.as_secs_f64());
        for (resident, open) in self.resident.iter().zip(&self.open) {
            let _ = write!(line, " {resident:.1} | {} | {} |", open.files, open.sockets);
        }
        line
    }
}

/// Everything of one run.
pub(super) struct Summary {
    pub(super) people: usize,
    pub(super) wanted: usize,
    pub(super) arrived: Duration,
    pub(super) length: Duration,
    pub(super) rate: f64,
    pub(super) operations: Vec<(&'static str, Tally)>,
    pub(super) failures: Vec<String>,
    pub(super) delays: Vec<u32>,
    pub(super) heard: u64,
    pub(super) due: u64,
    /// Why sockets are not there any more.
    pub(super) gone: Vec<String>,
    pub(super) memory: Vec<Memory>,
    /// Cores in use.
    pub(super) cpu: f64,
    pub(super) database_cpu: f64,
    /// Execution, and binding with planning.
    pub(super) statements: (Vec<u32>, Vec<u32>),
}

impl Summary {
    /// Prints the tables, and writes them where the options say. Fails when somebody was cut off, something was not answered or not heard, or a
    /// long run made something grow.
    pub(super) fn write(mut self, options: &Options) -> Result<()> {
        let (text, is_good) = self.tables(options)?;
        println!("{text}");
        if let Some(path) = &options.markdown {
            std::fs::write(path, &text)?;
        }
        if is_good {
            return Ok(());
        }
        Err("requests failed, messages were missed, sockets were cut off or something grows: see the report".into())
    }

    fn tables(&mut self, options: &Options) -> Result<(String, bool)> {
        let mut out = format!(
            "`{}` at commit {} on {}.\n\n{} signed-in people ({} wanted), each with a socket and a subscription, in front of two replicas, \
             PostgreSQL and Redis, the load and everything else on this machine. They arrived within {:.0} s. For {:.0} s they sent {:.0} requests \
             a second; times count from when a request was due.\n\n",
            options.command,
            options.commit,
            process::machine(),
            self.people,
            self.wanted,
            self.arrived.as_secs_f64(),
            self.length.as_secs_f64(),
            self.rate,
        );
        writeln!(out, "| ms | p50 | p95 | p99 | most | count | failed |\n|---|---|---|---|---|---|---|")?;
        let (mut all, mut failed, mut slowest) = (Tally::default(), 0, 0.0_f64);
        for (name, tally) in &mut self.operations {
            let line = percentiles(tally);
            slowest = slowest.max(tally.percentile(0.95));
            failed += tally.failed;
            writeln!(out, "| {name} | {line} | {} | {} |", tally.latencies.len(), tally.failed)?;
            all.latencies.append(&mut tally.latencies);
        }
        writeln!(out, "| all requests | {} | {} | {failed} |", percentiles(&mut all), all.latencies.len())?;
        let missed = self.due.saturating_sub(self.heard);
        let mut delays = tally(std::mem::take(&mut self.delays));
        writeln!(
            out,
            "| from a change to whoever hears of it | {} | {} | {missed} |",
            percentiles(&mut delays),
            self.heard
        )?;
        let mut executed = tally(std::mem::take(&mut self.statements.0));
        let mut bound = tally(std::mem::take(&mut self.statements.1));
        for (name, times) in [
            ("statements in PostgreSQL, execution (a sample)", &mut executed),
            ("… planning and binding", &mut bound),
        ] {
            writeln!(out, "| {name} | {} | {} | |", percentiles(times), times.latencies.len())?;
        }
        let database = executed.percentile(0.95);
        let said = |is_met: bool| if is_met { "met" } else { "NOT met" };
        writeln!(
            out,
            "\nTargets: p95 of every kind of request at most {API_TARGET} ms: {} ({slowest:.1}); p95 of statements at most {DATABASE_TARGET} ms: {} ({database:.2}).",
            said(slowest <= API_TARGET),
            said(database <= DATABASE_TARGET),
        )?;
        writeln!(
            out,
            "Cores in use: replicas {:.2}, PostgreSQL {:.2}. Messages: {} heard of {} due. Sockets cut off: {}.",
            self.cpu,
            self.database_cpu,
            self.heard,
            self.due,
            self.gone.len()
        )?;
        let grows = self.memory(&mut out)?;
        for reason in self.failures.iter().chain(&self.gone).take(5) {
            writeln!(out, "\nFailed: {reason}")?;
        }
        let is_steady = !grows || self.length < SOAK;
        Ok((out, failed == 0 && missed == 0 && self.gone.is_empty() && is_steady))
    }

    /// What the replicas have over time, and whether something grows: memory from the second quarter to the last, files from the first minute to
    /// the last.
    fn memory(&self, out: &mut String) -> Result<bool> {
        let replicas = self.memory.first().map_or(0, |first| first.resident.len());
        let minutes: Vec<&Memory> = self.memory.iter().filter(|one| !one.open.is_empty()).collect();
        let mut grows = false;
        for replica in 0..replicas {
            let of = |from: f64, to: f64| {
                let total = self.length.as_secs_f64();
                let within = self
                    .memory
                    .iter()
                    .filter(|one| (from * total..to * total).contains(&one.at.as_secs_f64()));
                let values: Vec<f64> = within.map(|one| one.resident[replica]).collect();
                values.iter().sum::<f64>() / values.len().max(1) as f64
            };
            let most = self.memory.iter().map(|one| one.resident[replica]).fold(0.0, f64::max);
            let (early, late) = (of(0.25, 0.5), of(0.75, 1.0));
            let more = late > early * STEADY;
            writeln!(
                out,
                "Memory of replica {}: {early:.1} MiB in the second quarter, {late:.1} in the last, {most:.1} at most{}.",
                replica + 1,
                said(more)
            )?;
            grows |= more;
            if let (Some(first), Some(last)) = (minutes.first(), minutes.last()) {
                let (first, last) = (first.open[replica], last.open[replica]);
                let more = last.files > first.files + SPARE_FILES;
                writeln!(
                    out,
                    "Open files of replica {}: {} after a minute, {} of them sockets; {} and {} at the end{}.",
                    replica + 1,
                    first.files,
                    first.sockets,
                    last.files,
                    last.sockets,
                    said(more)
                )?;
                grows |= more;
            }
        }
        if self.length >= SOAK {
            write!(out, "\n| s |")?;
            for replica in 1..=replicas {
                write!(out, " MiB of replica {replica} | files | sockets |")?;
            }
            writeln!(out, "\n|---|{}", "---|---|---|".repeat(replicas))?;
            for minute in minutes {
                writeln!(out, "{}", minute.line())?;
            }
        }
        Ok(grows)
    }
}

fn said(grows: bool) -> &'static str {
    if grows { ": it GROWS" } else { "" }
}

fn tally(latencies: Vec<u32>) -> Tally {
    Tally {
        latencies,
        ..Tally::default()
    }
}

fn percentiles(tally: &mut Tally) -> String {
    let [half, most, nearly, all] = [0.5, 0.95, 0.99, 1.0].map(|share| tally.percentile(share));
    format!("{half:.1} | {most:.1} | {nearly:.1} | {all:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty minutes in which one replica goes from some MiB and files to others in the middle.
    fn soak(resident: [f64; 2], files: [usize; 2]) -> Summary {
        let length = Duration::from_secs(1_200);
        let memory = (0..1_200_u64).map(|second| {
            let half = usize::from(second >= 600);
            let open = Open {
                files: files[half],
                sockets: 5,
            };
            Memory {
                at: Duration::from_secs(second),
                resident: vec![resident[half]],
                open: if second % 60 == 59 { vec![open] } else { Vec::new() },
            }
        });
        Summary {
            people: 1,
            wanted: 1,
            arrived: Duration::ZERO,
            length,
            rate: 1.0,
            operations: Vec::new(),
            failures: Vec::new(),
            delays: Vec::new(),
            heard: 0,
            due: 0,
            gone: Vec::new(),
            memory: memory.collect(),
            cpu: 0.0,
            database_cpu: 0.0,
            statements: (Vec::new(), Vec::new()),
        }
    }

    #[test]
    fn memory_and_files_that_grow_are_told() {
        for (resident, files, expected) in [
            ([100.0, 104.0], [5_000, 5_020], false),
            ([100.0, 106.0], [5_000, 5_000], true),
            ([100.0, 100.0], [5_000, 5_033], true),
        ] {
            let mut out = String::new();
            let grows = soak(resident, files).memory(&mut out).unwrap();
            assert_eq!(grows, expected, "{out}");
            // Every minute is a row.
            assert_eq!(out.matches(" | 5 |").count(), 20, "{out}");
        }
    }
}
