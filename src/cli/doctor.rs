//! `doctor`: the settings in use, secrets masked, one real try of every service, and for each failure its cure.

use dialoguer::console::style;

use super::{Outcome, checks};
use crate::config::{self, Config};

pub(super) async fn run(config: Config) -> Outcome {
    println!("{}", style("Settings").bold());
    for setting in config::effective(&config::variables()?) {
        let value = style(&setting.value);
        let value = if setting.is_set { value } else { value.dim() };
        println!("  {:34} {value}", setting.name);
    }
    println!("\n{}", style("Services").bold());
    let checks = checks::all(&config).await;
    checks.iter().for_each(checks::Check::print);
    match checks.iter().filter(|check| check.is_failed()).count() {
        0 => Ok(()),
        failures => Err(format!("{failures} of the checks failed").into()),
    }
}
