//! Every way to die, against real processes: what was acknowledged stays, what has a key happens once, and whoever watches sees the truth
//! again within the bounds that the design names; and a file that is longer than anything else here. Some of it takes minutes: it runs when `MERIDIAN_TEST_LONG` is set, as `tests/faults` does.

#![expect(
    clippy::print_stdout,
    reason = "who runs what takes minutes wants to see the seed and the figures"
)]

mod clocks;
mod crowd;
mod disk;
mod imports;
mod kill;
mod postgres;
mod process;
mod reach;
mod redis;
mod resume;
mod shop;
mod workers;

/// Whether there is time for what takes minutes.
fn has_time() -> bool {
    let has_time = std::env::var_os("MERIDIAN_TEST_LONG").is_some();
    if !has_time {
        println!("takes minutes; `tests/faults` runs it");
    }
    has_time
}
