//! Reading some columns of a table. What is not read is blank in the row, so whoever asks for a part of a row must look at nothing else;
//! the plans of `graphql::shape` know what they look at.

mod slot;

use std::sync::{Arc, LazyLock};

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait, QueryResult, QuerySelect as _,
    QueryTrait as _, Select, Statement,
};

use super::read::Read;
use crate::kernel::Result;
use slot::{Fill as _, Slot, is_null};

/// A table whose rows can be read in part.
pub trait Partial: EntityTrait {
    /// A row without anything.
    fn blank() -> Self::Model;

    /// Reads these columns, in their order, into a blank row.
    fn read_into(model: &mut Self::Model, row: &QueryResult, columns: &[Self::Column]) -> Result<(), DbErr>;

    /// Reads these columns, in their order; the others are blank.
    fn read_columns(row: &QueryResult, columns: &[Self::Column]) -> Result<Self::Model, DbErr> {
        Self::Model::filled(Self::blank(), |model| Self::read_into(model, row, columns))
    }

    /// The columns with a bit in `mask`, or all, and those that are needed `always`.
    fn columns_in(mask: Option<u64>, always: &[Self::Column]) -> Vec<Self::Column>;

    /// The bits of these columns.
    fn mask_of(columns: &[Self::Column]) -> u64;
}

/// How a row is kept.
pub trait Holder<M>: Sized {
    /// What keeps the row when it was filled.
    fn filled(blank: M, fill: impl FnOnce(&mut M) -> Result<(), DbErr>) -> Result<Self, DbErr>;
}

impl<M> Holder<M> for M {
    fn filled(mut blank: M, fill: impl FnOnce(&mut M) -> Result<(), DbErr>) -> Result<Self, DbErr> {
        fill(&mut blank)?;
        Ok(blank)
    }
}

impl<M> Holder<M> for Arc<M> {
    fn filled(blank: M, fill: impl FnOnce(&mut M) -> Result<(), DbErr>) -> Result<Self, DbErr> {
        let mut held = Self::new(blank);
        // Nobody else has it yet.
        if let Some(model) = Self::get_mut(&mut held) {
            fill(model)?;
        }
        Ok(held)
    }
}

/// The rows of a select with only these columns.
async fn fetch<E: Partial>(select: Select<E>, columns: &[E::Column], read: &Read) -> Result<Vec<E::Model>> {
    fetched::<E, E::Model>(reading(select, columns, read), columns, read).await
}

/// The statement that reads only these columns of a select.
pub fn reading<E: Partial>(select: Select<E>, columns: &[E::Column], read: &Read) -> Statement {
    let select = select.select_only().columns(columns.iter().copied());
    select.build(read.get_database_backend())
}

/// The rows of a statement that reads these columns: as they are, or as an `Arc` of each, for those that are handed on often, as they
/// are large.
pub async fn fetched<E: Partial, R: Holder<E::Model>>(
    statement: Statement,
    columns: &[E::Column],
    read: &Read,
) -> Result<Vec<R>> {
    let rows = read.query_all_raw(statement).await?;
    let mut found: Vec<R> = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(R::filled(E::blank(), |model| E::read_into(model, row, columns))?);
    }
    Ok(found)
}

/// Every row of a select, whole. Values are found by their places; `Select::all` looks each one up by its name.
pub async fn fetch_all<E: Partial>(select: Select<E>, read: &Read) -> Result<Vec<E::Model>> {
    fetch(select, &E::columns_in(None, &[]), read).await
}

/// Bits of the columns that may be NULL.
fn nullable<E: Partial>() -> u64 {
    let columns = E::columns_in(None, &[]).into_iter();
    let columns: Vec<E::Column> = columns.filter(|column| column.def().is_null()).collect();
    E::mask_of(&columns)
}

macro_rules! partial {
    ($table:ident: $($column:ident $field:ident),+ $(,)?) => {
        impl Partial for entity::$table::Entity {
            fn blank() -> Self::Model {
                // A column that is missing in the list below does not compile.
                entity::$table::Model { $($field: Default::default()),+ }
            }

            fn read_into(
                model: &mut Self::Model,
                row: &QueryResult,
                columns: &[Self::Column],
            ) -> Result<(), DbErr> {
                static NULLABLE: LazyLock<u64> = LazyLock::new(nullable::<entity::$table::Entity>);
                let optional = *NULLABLE;
                for (index, column) in columns.iter().enumerate() {
                    // What may be missing is blank already.
                    if optional & (1 << (*column as u32)) != 0 && is_null(row, index) {
                        continue;
                    }
                    match column {
                        $(entity::$table::Column::$column => Slot(&mut model.$field).fill(row, index)?),+
                    }
                }
                Ok(())
            }

            fn columns_in(mask: Option<u64>, always: &[Self::Column]) -> Vec<Self::Column> {
                let mut mask = mask.unwrap_or(u64::MAX);
                for column in always {
                    mask |= 1 << (*column as u32);
                }
                let all = [$(entity::$table::Column::$column),+];
                all.into_iter().filter(|column| mask & (1 << (*column as u32)) != 0).collect()
            }

            fn mask_of(columns: &[Self::Column]) -> u64 {
                columns.iter().fold(0, |mask, column| mask | 1 << (*column as u32))
            }
        }
    };
}

partial!(
    task:
    Id id,
    WorkspaceId workspace_id,
    Version version,
    Title title,
    Description description,
    Status status,
    Priority priority,
    Energy energy,
    DurationMinutes duration_minutes,
    CompletedMinutes completed_minutes,
    MinChunkMinutes min_chunk_minutes,
    MaxChunkMinutes max_chunk_minutes,
    StartAfter start_after,
    DueAt due_at,
    IsHardDeadline is_hard_deadline,
    IsAutoScheduled is_auto_scheduled,
    WorkingHours working_hours,
    Labels labels,
    AssigneeId assignee_id,
    CreatedBy created_by,
    ParentId parent_id,
    Position position,
    RecurrenceRule recurrence_rule,
    SeriesId series_id,
    CompletedAt completed_at,
    CreatedAt created_at,
    UpdatedAt updated_at,
);
partial!(
    calendar_event:
    Id id,
    WorkspaceId workspace_id,
    CalendarId calendar_id,
    Version version,
    Uid uid,
    Title title,
    Description description,
    Location location,
    ConferenceUrl conference_url,
    Kind kind,
    StartLocal start_local,
    EndLocal end_local,
    StartZone start_zone,
    EndZone end_zone,
    StartDate start_date,
    EndDate end_date,
    StartUtc start_utc,
    EndUtc end_utc,
    TzdataVersion tzdata_version,
    TimeZone time_zone,
    Status status,
    Transparency transparency,
    Visibility visibility,
    Rrule rrule,
    Rdates rdates,
    Exdates exdates,
    SeriesEndUtc series_end_utc,
    IsRecurring is_recurring,
    SplitFrom split_from,
    Sequence sequence,
    RecurrenceId recurrence_id,
    OrganizerEmail organizer_email,
    OrganizerName organizer_name,
    Color color,
    ExternalUrl external_url,
    SourceIcs source_ics,
    TaskId task_id,
    BookingId booking_id,
    CreatedBy created_by,
    CreatedAt created_at,
    UpdatedAt updated_at,
);
partial!(
    event_override:
    Id id,
    WorkspaceId workspace_id,
    EventId event_id,
    OriginalStartUtc original_start_utc,
    OriginalStart original_start,
    Cancelled cancelled,
    Patch patch,
    StartUtc start_utc,
    EndUtc end_utc,
    Version version,
    CreatedAt created_at,
    UpdatedAt updated_at,
);
partial!(
    calendar:
    Id id,
    WorkspaceId workspace_id,
    OwnerId owner_id,
    IntegrationId integration_id,
    ExternalId external_id,
    Name name,
    Description description,
    Color color,
    TimeZone time_zone,
    IsDefault is_default,
    IsReadOnly is_read_only,
    CountsAsBusy counts_as_busy,
    IsMirrored is_mirrored,
    FeedSecretHash feed_secret_hash,
    SealedFeedSecret sealed_feed_secret,
    Version version,
    CreatedAt created_at,
    UpdatedAt updated_at,
);
partial!(
    user:
    Id id,
    Name name,
    Email email,
    AvatarUrl avatar_url,
    EmailVerifiedAt email_verified_at,
    IsAdmin is_admin,
    Version version,
    CreatedAt created_at,
    UpdatedAt updated_at,
);
partial!(
    membership:
    Id id,
    WorkspaceId workspace_id,
    UserId user_id,
    Role role,
    JoinedAt joined_at,
    Version version,
    CreatedAt created_at,
    UpdatedAt updated_at,
);
