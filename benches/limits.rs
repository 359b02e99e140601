//! What the check of a warm budget costs: `cargo bench --bench limits`. It has to stay below 150 ns, or the program fails.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement prints what it measured, by the clock of the machine"
)]

use std::hint::black_box;
use std::time::Instant;

use meridian::config::Config;
use meridian::kernel::time::Clock;
use meridian::platform::limits::{Key, Limit, Limits};

const CHECKS: u32 = 2_000_000;
const MOST_NANOS: f64 = 150.0;

fn main() {
    let settings = [("MERIDIAN_RATE_CALLER_REQUESTS".to_owned(), "100000000".to_owned())];
    let config = Config::parse(&settings.into()).unwrap();
    let limits = Limits::new(&config.rates, Clock::system());
    let keys: Vec<String> = (0..1_000).map(|n| format!("user_{n:026}")).collect();
    let round = || {
        let began = Instant::now();
        for n in 0..CHECKS {
            let key = &keys[n as usize % keys.len()];
            black_box(limits.check(Limit::CallerRequests, Key::Name(black_box(key)), 1));
        }
        began.elapsed().as_nanos() as f64 / f64::from(CHECKS)
    };
    // The first round warms the keys; of the others the quickest is least disturbed.
    round();
    let nanos = (0..5).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!("one check of a warm budget: {nanos:.0} ns");
    assert!(
        cfg!(debug_assertions) || nanos <= MOST_NANOS,
        "at most {MOST_NANOS} ns are allowed"
    );
}
