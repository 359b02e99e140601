//! One question after the other: all servers in turn, several rounds.

use serde_json::Value;

use crate::answers::{canonical, without_id};
use crate::documents::Question;
use crate::http::{Connection, Prepared, drive};
use crate::options::Options;
use crate::report::{Report, Round};
use crate::sample::{Dice, Sample, count, pick};
use crate::server::Server;
use crate::{Result, process};

/// Different requests for each question.
const VARIETY: usize = 4_000;
/// Answers that are compared before and after the load.
const CHECKED: usize = 24;

/// Asks every server, round by round.
pub(crate) async fn measure(
    question: Question,
    servers: &[Server],
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let mut prepared = Vec::new();
    for server in servers {
        let samples = pick(&server.data, VARIETY as i64).await?;
        prepared.push((server, requests(question, server, &samples)));
    }
    check(question, &prepared).await?;
    for round in 0..options.rounds {
        for (server, requests) in &prepared {
            let warm_up = if round == 0 {
                options.warm_up * 3
            } else {
                options.warm_up
            };
            let measured = one(question, server, requests, warm_up, options).await?;
            eprintln!(
                "{} {} of {} {:<16} {:>8.4} / {:.4} ms, {} answers",
                question.name(),
                round + 1,
                options.rounds,
                server.name,
                measured.server,
                measured.database,
                measured.answered
            );
            report.round(question, server, measured);
        }
    }
    check(question, &prepared).await
}

fn requests(question: Question, server: &Server, samples: &[Sample]) -> Vec<Prepared> {
    let mut dice = Dice(7);
    let make = |number| server.request(question, &samples[dice.below(samples.len())], number);
    (0..VARIETY).map(make).collect()
}

async fn one(
    question: Question,
    server: &Server,
    requests: &[Prepared],
    warm_up: std::time::Duration,
    options: &Options,
) -> Result<Round> {
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(Connection::open(server.address).await?);
    }
    // New rows are counted, so that no answer was only words.
    let counted = server
        .postgres
        .as_deref()
        .filter(|_| question == Question::Create);
    let before = match counted {
        Some(url) => Some(count(url).await?),
        None => None,
    };
    let warm = drive(&mut connections, requests, warm_up).await?;
    let (own, database) = (
        process::cpu(server.pid)?,
        process::cpu_of_tree(options.postmaster)?,
    );
    let started = std::time::Instant::now();
    let mut tally = drive(&mut connections, requests, options.length).await?;
    let wall = started.elapsed().as_secs_f64();
    let (own, database) = (
        process::cpu(server.pid)? - own,
        process::cpu_of_tree(options.postmaster)? - database,
    );
    if tally.failed + warm.failed > 0 {
        return Err(format!(
            "{}: {} of {} requests failed",
            server.name,
            tally.failed,
            question.name()
        )
        .into());
    }
    if let (Some(url), Some(before)) = (counted, before) {
        let (made, said) = (
            count(url).await? - before,
            (warm.answered + tally.answered) as i64,
        );
        if made != said {
            return Err(format!("{} made {made} tasks and said {said}", server.name).into());
        }
    }
    let answered = tally.answered as f64;
    Ok(Round {
        server: own * 1000.0 / answered,
        database: if server.postgres.is_some() {
            database * 1000.0 / answered
        } else {
            0.0
        },
        answered: tally.answered,
        per_second: answered / wall,
        p50: tally.percentile(0.5),
        p95: tally.percentile(0.95),
        p99: tally.percentile(0.99),
    })
}

/// Compares the answers of all servers on the same data with those of the first of them.
async fn check(question: Question, prepared: &[(&Server, Vec<Prepared>)]) -> Result<()> {
    let Some((reference, theirs)) = prepared.first() else {
        return Ok(());
    };
    for (server, ours) in prepared
        .iter()
        .filter(|(server, _)| server.data == reference.data)
    {
        let mut left = Connection::open(reference.address).await?;
        let mut right = Connection::open(server.address).await?;
        for index in (0..CHECKED).map(|step| step * VARIETY / CHECKED) {
            let expected = theirs[index].send(&mut left).await?;
            let found = ours[index].send(&mut right).await?;
            if question == Question::Create {
                same(
                    question,
                    server,
                    &without_id(canonical(&expected)?),
                    &without_id(canonical(&found)?),
                )?;
                continue;
            }
            same(question, server, &canonical(&expected)?, &canonical(&found)?)?;
            if server.dialect == reference.dialect && expected.body != found.body {
                return Err(format!("{} writes {} with other bytes", server.name, question.name()).into());
            }
        }
    }
    Ok(())
}

fn same(question: Question, server: &Server, expected: &Value, found: &Value) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let name = question.name();
    Err(format!(
        "{} answers {name} differently:\n{found}\ninstead of\n{expected}",
        server.name
    )
    .into())
}
