//! Questions about transfers, and their files on the way out. A transfer shows what its requester may see, so it is theirs alone.

use entity::enums::DataTransferDirection;
use entity::ids::{DataTransferId, TypedId as _};
use entity::{data_transfer, transfer_chunk};
use futures_util::stream::{self, Stream};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::model::{Download, Problem};
use crate::access::{Ctx, errand_of, token_hash};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::Scope;

/// One transfer; NOT_FOUND when it is not the caller's.
pub async fn get(ctx: &Ctx, id: DataTransferId) -> Result<data_transfer::Model> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// Those among these that are the caller's.
pub async fn get_many(ctx: &Ctx, ids: &[DataTransferId]) -> Result<Vec<data_transfer::Model>> {
    let person = ctx.require_person()?;
    let read = ctx.read().await?;
    let select = read
        .find::<data_transfer::Entity>()
        .filter(data_transfer::Column::RequestedBy.eq(person))
        .filter(data_transfer::Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(&read).await?)
}

/// What was left out.
pub fn problems_of(row: &data_transfer::Model) -> Vec<Problem> {
    serde_json::from_value(row.problems.clone()).unwrap_or_default()
}

/// Where the file of an export is fetched, as long as it is there and its requester is a member. Whoever has the address has the file.
pub fn download_url(platform: &Platform, row: &data_transfer::Model) -> Result<Option<String>> {
    let now = platform.clock.now();
    let is_there = row.direction == DataTransferDirection::Export
        && row.size_bytes.is_some()
        && row.expires_at.is_some_and(|end| end > now);
    if !is_there {
        return Ok(None);
    }
    let path = format!("api/export/{}.{}", row.id, secret_of(platform, row)?);
    let url = platform.config.public_url.join(&path);
    url.map(|url| Some(url.to_string()))
        .map_err(|error| Error::internal(error.to_string()))
}

/// The secret that only this installation can make for this file; it changes with the end of the link.
fn secret_of(platform: &Platform, row: &data_transfer::Model) -> Result<String> {
    let end = row.expires_at.map_or(0, |end| end.timestamp_micros());
    let data = format!("{}/{}/{end}", row.workspace_id, row.id);
    let hash = platform.secrets.keyed_hash("exported files", data.as_bytes())?;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The file with this secret; NOT_FOUND when there is none, or none any more.
pub async fn download(platform: &Platform, secret: &str) -> Result<Download> {
    let (id, secret) = secret.split_once('.').ok_or_else(Error::not_found)?;
    let id: DataTransferId = id.parse().map_err(|_| Error::not_found())?;
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<data_transfer::Entity>()
        .filter(data_transfer::Column::Id.eq(id));
    let row = select.one(&read).await?.ok_or_else(Error::not_found)?;
    // Hashes are compared, so that the time it takes tells nothing about the secret.
    let is_right = token_hash(secret) == token_hash(&secret_of(platform, &row)?);
    if !is_right || download_url(platform, &row)?.is_none() {
        return Err(Error::not_found());
    }
    // The address carries the right of whoever asked for the file, as long as they have it.
    let person = row.requested_by.ok_or_else(Error::not_found)?;
    errand_of(platform, person, row.workspace_id).await?;
    Ok(Download {
        format: row.format,
        size: u64::try_from(row.size_bytes.unwrap_or(0)).unwrap_or(0),
        transfer: row,
    })
}

impl Download {
    /// The media type and the name of the file.
    pub fn file_name(&self) -> (&'static str, &'static str) {
        super::rules::file_name(self.format)
    }

    /// The file, a piece at a time.
    pub fn pieces(self, platform: Platform) -> impl Stream<Item = Result<Vec<u8>>> + Send + 'static {
        let transfer = self.transfer;
        stream::try_unfold(-1, move |after: i32| {
            let (platform, transfer) = (platform.clone(), transfer.clone());
            async move {
                use transfer_chunk::{Column, Entity};
                let ctx = Ctx::system(&platform, transfer.workspace_id);
                let read = ctx.read().await?;
                let select = read
                    .find::<Entity>()
                    .filter(Column::TransferId.eq(transfer.id))
                    .filter(Column::Seq.eq(after + 1));
                let found: Option<(i32, Vec<u8>)> = select
                    .select_only()
                    .column(Column::Seq)
                    .column(Column::Bytes)
                    .into_tuple()
                    .one(&read)
                    .await?;
                Ok(found.map(|(seq, bytes)| (bytes, seq)))
            }
        })
    }
}

/// The id as audit entries have it.
pub(super) fn uuid_of(row: &data_transfer::Model) -> uuid::Uuid {
    row.id.uuid()
}
