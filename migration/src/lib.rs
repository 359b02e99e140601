//! Schema migrations for SQLite and PostgreSQL.
//!
//! One migration for each area, in the order in which areas refer to each other; each runs in a transaction of its own.
//! `schema` holds the words they are written with. Names are plain text on purpose: a migration describes the schema of
//! its day, so this crate never imports the entities, and a test compares the result with them.

mod m0001_foundation;
mod m0002_people;
mod m0003_workspaces;
mod m0004_work;
mod m0005_calendars;
mod m0006_tasks;
mod m0007_booking;
mod m0008_events;
mod m0009_plans;
mod m0010_exchange;
mod m0011_sign_in;
mod m0013_lookups;
mod m0014_event_windows;
mod m0015_tzdata;
mod m0016_search;
mod m0017_feed_changes;
mod m0018_job_workers;
mod m0019_delivery;
mod m0020_plans_in_force;
mod m0025_one_policy;
mod m0026_transfer_files;
mod m0027_search_letters;
mod m0029_wishes_and_work;
mod m0030_job_turns;
mod m0031_job_ticks;
mod m0033_audit_cuts;
mod m0034_walks;
mod m0036_traces;
mod m0037_own_reminders;
mod m0039_processes;
mod m0040_withdrawals;
mod m0041_search_occurrences;
mod schema;

pub use schema::security::{APP_ROLE, SYSTEM_ROLE, USER_OWNED};
pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

use schema::area::Area;
use schema::indexes::AddIndex;
use sea_orm_migration::MigrationTrait;

/// All migrations, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Foundation),
            Area::boxed("m0002_people", m0002_people::tables),
            Area::boxed("m0003_workspaces", m0003_workspaces::tables),
            Area::boxed("m0004_work", m0004_work::tables),
            Area::boxed("m0005_calendars", m0005_calendars::tables),
            Area::boxed("m0006_tasks", m0006_tasks::tables),
            Area::boxed("m0007_booking", m0007_booking::tables),
            Area::boxed("m0008_events", m0008_events::tables),
            Area::boxed("m0009_plans", m0009_plans::tables),
            Area::boxed("m0010_exchange", m0010_exchange::tables),
            Box::new(m0011_sign_in::SignIn),
            Box::new(m0013_lookups::Lookups),
            Box::new(m0014_event_windows::EventWindows),
            Box::new(m0015_tzdata::Tzdata),
            Box::new(m0016_search::Search),
            Box::new(m0017_feed_changes::FeedChanges),
            Area::boxed("m0018_job_workers", m0018_job_workers::tables),
            Box::new(m0019_delivery::Delivery),
            Box::new(m0020_plans_in_force::PlansInForce),
            Box::new(m0025_one_policy::OnePolicy),
            Box::new(m0026_transfer_files::TransferFiles),
            Box::new(m0027_search_letters::SearchLetters),
            Box::new(m0029_wishes_and_work::WishesAndWork),
            Box::new(m0030_job_turns::JobTurns),
            Area::boxed("m0031_job_ticks", m0031_job_ticks::tables),
            Box::new(m0033_audit_cuts::AuditCuts),
            Box::new(m0034_walks::Walks),
            // Which plans are in force is asked with every page of tasks; old plans stay, so it must not be found by looking at all of them.
            AddIndex::boxed(
                "m0035_plans_by_status",
                "schedules_ws_status_idx",
                "schedules (workspace_id, status)",
            ),
            Box::new(m0036_traces::Traces),
            Box::new(m0037_own_reminders::OwnReminders),
            // Imports and syncs ask for events by their UIDs with every page. The unique indexes with UIDs are two, each over a part of the rows,
            // so that neither answers; without this one SQLite looks at the whole calendar each time.
            AddIndex::boxed(
                "m0038_events_by_uid",
                "calendar_events_ws_calendar_id_uid_idx",
                "calendar_events (workspace_id, calendar_id, uid)",
            ),
            Area::boxed("m0039_processes", m0039_processes::tables),
            Box::new(m0040_withdrawals::Withdrawals),
            Box::new(m0041_search_occurrences::SearchOccurrences),
        ]
    }
}
