//! The tables of Meridian as SeaORM entities, one file per table.
//!
//! Promises: ids are typed, closed sets of words are enums, and what is written here equals what the migrations build
//! (a test compares both). Holds no behaviour and knows neither GraphQL nor how clients see the data.
//! Times are UTC and always set by the application; the database has no defaults.

pub mod enums;
pub mod ids;

pub mod account;
pub mod api_token;
pub mod attendee;
pub mod audit_cut;
pub mod audit_log;
pub mod availability_rule;
pub mod availability_schedule;
pub mod booking;
pub mod booking_page;
pub mod booking_page_host;
pub mod booking_slot;
pub mod calendar;
pub mod calendar_event;
pub mod calendar_setting;
pub mod calendar_sync;
pub mod change_log;
pub mod data_transfer;
pub mod event_override;
pub mod external_event_link;
pub mod focus_session;
pub mod idempotency_record;
pub mod integration;
pub mod invitation;
pub mod job;
pub mod job_queue;
pub mod job_tick;
pub mod job_worker;
pub mod membership;
pub mod notification;
pub mod notification_preference;
pub mod process;
pub mod reminder;
pub mod schedule;
pub mod schedule_slot;
pub mod sent_letter;
pub mod session;
pub mod sync_run;
pub mod task;
pub mod task_dependency;
pub mod task_label;
pub mod task_notice;
pub mod transfer_chunk;
pub mod unscheduled_task;
pub mod user;
pub mod user_preferences;
pub mod verification_token;
pub mod webhook_endpoint;
pub mod withdrawal;
pub mod workspace;
pub mod workspace_counter;

use sea_orm::{ColumnTrait, ColumnType, EntityTrait, Iden, Iterable};

/// A table as its entity declares it.
pub struct Table {
    /// Name in the database.
    pub name: String,
    /// Columns in declaration order.
    pub columns: Vec<Column>,
}

impl Table {
    /// Whether rows can belong to a workspace.
    pub fn has_workspace(&self) -> bool {
        self.columns.iter().any(|column| column.name == "workspace_id")
    }

    /// Whether every row belongs to a workspace.
    pub fn is_workspace_owned(&self) -> bool {
        self.columns
            .iter()
            .any(|column| column.name == "workspace_id" && !column.nullable)
    }
}

/// A column as its entity declares it.
pub struct Column {
    /// Name in the database.
    pub name: String,
    /// Type in SeaORM's words.
    pub kind: ColumnType,
    /// Whether the field is an `Option`.
    pub nullable: bool,
}

fn table<E: EntityTrait>(entity: E) -> Table {
    let columns = E::Column::iter()
        .map(|column| {
            let def = column.def();
            Column {
                name: column.to_string(),
                kind: def.get_column_type().clone(),
                nullable: def.is_null(),
            }
        })
        .collect();
    Table {
        name: entity.table_name().to_owned(),
        columns,
    }
}

/// Every table of the product, for tests that compare it with a database.
pub fn catalog() -> Vec<Table> {
    vec![
        table(account::Entity),
        table(api_token::Entity),
        table(attendee::Entity),
        table(audit_cut::Entity),
        table(audit_log::Entity),
        table(availability_rule::Entity),
        table(availability_schedule::Entity),
        table(booking::Entity),
        table(booking_page::Entity),
        table(booking_page_host::Entity),
        table(booking_slot::Entity),
        table(calendar::Entity),
        table(calendar_event::Entity),
        table(calendar_setting::Entity),
        table(calendar_sync::Entity),
        table(change_log::Entity),
        table(data_transfer::Entity),
        table(event_override::Entity),
        table(external_event_link::Entity),
        table(focus_session::Entity),
        table(idempotency_record::Entity),
        table(integration::Entity),
        table(invitation::Entity),
        table(job::Entity),
        table(job_queue::Entity),
        table(job_tick::Entity),
        table(job_worker::Entity),
        table(membership::Entity),
        table(notification::Entity),
        table(notification_preference::Entity),
        table(process::Entity),
        table(reminder::Entity),
        table(schedule::Entity),
        table(schedule_slot::Entity),
        table(sent_letter::Entity),
        table(session::Entity),
        table(sync_run::Entity),
        table(task::Entity),
        table(task_dependency::Entity),
        table(task_label::Entity),
        table(task_notice::Entity),
        table(transfer_chunk::Entity),
        table(unscheduled_task::Entity),
        table(user::Entity),
        table(user_preferences::Entity),
        table(verification_token::Entity),
        table(webhook_endpoint::Entity),
        table(withdrawal::Entity),
        table(workspace::Entity),
        table(workspace_counter::Entity),
    ]
}
