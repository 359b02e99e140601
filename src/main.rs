//! Starts Meridian: hands the arguments to [`meridian::cli`].

#![recursion_limit = "256"]

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meridian::cli::run()
}
