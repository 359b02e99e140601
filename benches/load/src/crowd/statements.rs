//! How long statements take inside PostgreSQL, by its own log of a sample of them.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};

use crate::Result;
use crate::options::Options;

/// How far the log had come.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl Place {
    /// The end of the log.
    pub(super) fn now(options: &Options) -> Result<Self> {
        Ok(Self(match &options.postgres_log {
            Some(path) => std::fs::metadata(path)?.len(),
            None => 0,
        }))
    }
}

/// Times in microseconds of everything that the log says of execution, and of planning and binding, since a place.
pub(super) fn since(options: &Options, place: Place) -> Result<(Vec<u32>, Vec<u32>)> {
    let (mut executed, mut bound) = (Vec::new(), Vec::new());
    let Some(path) = &options.postgres_log else {
        return Ok((executed, bound));
    };
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(place.0))?;
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        let Some((micros, is_execution)) = read(&String::from_utf8_lossy(&line)) else {
            continue;
        };
        if is_execution {
            executed.push(micros);
        } else {
            bound.push(micros);
        }
    }
    Ok((executed, bound))
}

/// `… LOG:  duration: 0.123 ms  execute sqlx_s_1: SELECT …`
fn read(line: &str) -> Option<(u32, bool)> {
    let (_, rest) = line.split_once("duration: ")?;
    let (millis, rest) = rest.split_once(" ms")?;
    let micros = (millis.parse::<f64>().ok()? * 1_000.0).round() as u32;
    match rest.trim_start() {
        step if step.starts_with("execute") || step.starts_with("statement") => Some((micros, true)),
        step if step.starts_with("bind") || step.starts_with("parse") => Some((micros, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_from_the_log() {
        let line = "2026-11-28 09:00:00.000 UTC [7] LOG:  duration: 1.250 ms  execute sqlx_s_1: SELECT 1";
        assert_eq!(read(line), Some((1_250, true)));
        assert_eq!(read("LOG:  duration: 0.020 ms  bind sqlx_s_1: SELECT 1"), Some((20, false)));
        assert_eq!(read("LOG:  checkpoint starting: time"), None);
    }
}
