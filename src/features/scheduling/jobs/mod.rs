//! Making plans in the background: when somebody asks, and when something changed around a plan in force.

mod credit;
mod ended;
mod generate;
mod listen;
mod make;
mod replan;
mod save;
mod suggest;

pub use credit::credit_of;
pub use generate::generate;
pub use make::{Prepared, only, prepare};
pub use replan::{replan, start_due};
pub use save::{locked, record, replace_slots, requested};
