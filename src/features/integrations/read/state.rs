//! How all integrations of the installation are, for monitors.

use entity::enums::IntegrationStatus;
use entity::integration;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// How far behind their services all integrations are. Paused ones do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// When the one that waits longest was last in step, or was connected.
    pub oldest: Option<Instant>,
    /// Those that need somebody.
    pub failing: u64,
}

/// Looks at every integration; to be asked seldom.
pub async fn staleness(platform: &Platform) -> Result<Staleness> {
    use integration::Column;
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<integration::Entity>()
        .select_only()
        .columns([Column::Status, Column::LastSyncedAt, Column::CreatedAt])
        .filter(Column::Status.ne(IntegrationStatus::Paused));
    let rows: Vec<(IntegrationStatus, Option<Instant>, Instant)> = select.into_tuple().all(&read).await?;
    let needs_somebody = |status: &IntegrationStatus| {
        matches!(
            status,
            IntegrationStatus::NeedsReauth | IntegrationStatus::Error | IntegrationStatus::Held
        )
    };
    Ok(Staleness {
        oldest: rows.iter().map(|(_, synced, made)| synced.unwrap_or(*made)).min(),
        failing: rows.iter().filter(|(status, ..)| needs_somebody(status)).count() as u64,
    })
}
