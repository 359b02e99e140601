//! What is stored of a calendar's objects, for providers that compare.

use std::collections::HashMap;

use async_trait::async_trait;
use entity::external_event_link::{Column, Entity};
use entity::ids::CalendarId;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use crate::access::Ctx;
use crate::features::integrations::providers::KnownObjects;

/// The links of one calendar. One object usually holds one event; the links of an object with several are its address, `#` and the UID.
pub(super) struct Known {
    pub(super) ctx: Ctx,
    pub(super) calendar_id: CalendarId,
}

#[async_trait]
impl KnownObjects for Known {
    async fn etags(&self) -> Result<HashMap<String, String>, Box<dyn std::error::Error + Send + Sync>> {
        let read = self.ctx.read().await?;
        let select = read
            .find::<Entity>()
            .select_only()
            .column(Column::Href)
            .column(Column::Etag)
            .filter(Column::CalendarId.eq(self.calendar_id));
        let rows: Vec<(String, Option<String>)> = select.into_tuple().all(&read).await?;
        Ok(rows
            .into_iter()
            .map(|(key, etag)| (address_of(&key).to_owned(), etag.unwrap_or_default()))
            .collect())
    }
}

/// The address of the object that a link belongs to. An address of the web has no `#`.
pub(super) fn address_of(key: &str) -> &str {
    key.split_once('#').map_or(key, |(address, _)| address)
}
