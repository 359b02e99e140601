//! What it costs to understand a phrase: `cargo bench --bench quick_add`. It has to stay below 100 µs for each, or the program fails.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement prints what it measured, by the clock of the machine"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use meridian::features::language::{Scene, read};
use meridian::kernel::zones;

const ROUNDS: usize = 50;
const MOST_MICROS: f64 = 100.0;

fn main() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/quick_add.json");
    let phrases: BTreeMap<String, Vec<(String, String)>> =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut times: Vec<(f64, &str)> = Vec::new();
    for (locale, phrases) in &phrases {
        let scene = Scene {
            now: "2026-11-18T09:00:00Z".parse().unwrap(),
            zone: zones::zone("Europe/Berlin").unwrap(),
            hours: Vec::new(),
            locale: locale.clone(),
        };
        for (text, _) in phrases {
            // The quickest of the rounds is least disturbed.
            let round = || {
                let began = Instant::now();
                black_box(read(black_box(text), &scene));
                began.elapsed().as_secs_f64() * 1e6
            };
            times.push(((0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min), text));
        }
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (slowest, text) = times[times.len() - 1];
    println!(
        "{} phrases: half take up to {:.1} µs, the slowest {slowest:.1} µs ({text})",
        times.len(),
        times[times.len() / 2].0
    );
    assert!(
        cfg!(debug_assertions) || slowest <= MOST_MICROS,
        "at most {MOST_MICROS} µs are allowed"
    );
}
