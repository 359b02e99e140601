//! `audit verify`: walks the hash chains of the audit logs and says whether every entry is as it was written.

use clap::Subcommand;
use entity::ids::WorkspaceId;

use super::Outcome;
use crate::access::Ctx;
use crate::app;
use crate::config::Config;
use crate::features::audit;

/// What to do with audit logs.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Check that no entry was changed, removed or slipped in. Fails when one was.
    Verify {
        /// Only this workspace.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
}

pub(super) async fn run(config: Config, action: Action) -> Outcome {
    let Action::Verify { workspace } = action;
    let platform = app::open(config).await?;
    let workspaces = match workspace {
        Some(id) => vec![id],
        None => audit::workspaces(&platform).await?,
    };
    let mut broken = 0;
    for id in &workspaces {
        let found = audit::verify(&Ctx::system(&platform, *id)).await?;
        match found.broken_at {
            None => println!("{id}: {} entries, all intact{}", found.intact, before(found.cut)),
            Some(seq) => {
                broken += 1;
                println!(
                    "{id}: BROKEN at entry {seq}, after {} intact ones{}",
                    found.intact,
                    before(found.cut)
                );
            }
        }
    }
    app::close(&platform).await;
    match broken {
        0 => Ok(()),
        _ => Err(format!(
            "{broken} of {} audit logs are not as they were written",
            workspaces.len()
        )
        .into()),
    }
}

/// What retention took away before these.
fn before(cut: i64) -> String {
    match cut {
        0 => String::new(),
        cut => format!("; those up to {cut} were cut off by retention"),
    }
}
