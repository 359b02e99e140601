//! Database enums: closed sets of words, stored as snake case text and checked by the database.
//!
//! Variants are named as in the GraphQL contract, so that the edge maps them one to one. A new variant needs a
//! migration that widens the column's check. No behaviour lives here beyond the order of priorities.

/// To walk all words of an enum without knowing the database.
pub use sea_orm::Iterable;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

macro_rules! text_enums {
    ($($(#[$doc:meta])+ $name:ident { $first:ident $(, $variant:ident)* $(,)? })+) => {
        $(
            $(#[$doc])+
            #[derive(
                Clone, Copy, Default, PartialEq, Eq, Hash, Debug, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
            )]
            #[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
            #[serde(rename_all = "snake_case")]
            pub enum $name {
                /// The default, which stands in rows whose column was not read.
                #[default]
                $first,
                $($variant),*
            }
        )+

        /// Name of every text enum with its stored words, to compare with the checks of the database.
        pub fn text_enum_words() -> Vec<(&'static str, Vec<String>)> {
            vec![$((stringify!($name), <$name as sea_orm::Iterable>::iter().map(|word| word.to_value()).collect())),+]
        }
    };
}

text_enums! {
    /// How an account proves who signs in.
    AuthProvider { Google, Oidc, Email }
    /// What an API token may do; each includes the ones before it.
    ApiTokenScope { Read, Write, Admin }
    /// What a one-use secret is good for.
    VerificationPurpose { VerifyEmail, SignInLink, OidcLogin }
    /// Day of the week.
    Weekday { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday }
    /// Part of the day with most energy.
    EnergyPeriod { Morning, Afternoon, Evening }
    /// What the planner does when an applied plan no longer fits.
    ReplanPolicy { Off, Suggest, Apply }
    /// Kind of a workspace.
    WorkspaceType { Personal, Team }
    /// Role of a member, from most to least powerful.
    WorkspaceRole { Owner, Admin, Member, Viewer }
    /// What happened to an object in the change log.
    ChangeAction { Created, Updated, Deleted }
    /// Who acted in an audited change.
    ActorKind { User, Token, System }
    /// What the times of an event mean: wall time in a zone, whole days, or wall time wherever one is.
    EventKind { Timed, AllDay, Floating }
    /// Confirmation state of an event.
    EventStatus { Confirmed, Tentative, Cancelled }
    /// Whether an event blocks time.
    EventTransparency { Busy, Free }
    /// Who may see the details of an event.
    EventVisibility { Default, Public, Private }
    /// Answer of a guest.
    AttendeeResponse { NeedsAction, Accepted, Declined, Tentative }
    /// External calendar service.
    IntegrationProvider { Google, Caldav, IcsFeed }
    /// Connection state of an integration.
    IntegrationStatus { Pending, Active, Syncing, NeedsReauth, Error, Held, Paused }
    /// Where the sync of one calendar stands.
    SyncState { Idle, Full, Delta, Backfill }
    /// State of a task.
    TaskStatus { Todo, InProgress, Done, Cancelled }
    /// Energy a task needs.
    EnergyLevel { Low, Medium, High }
    /// State of a plan.
    ScheduleStatus { Generating, Proposed, Applied, Discarded, Superseded, Failed }
    /// Step a plan's generation has reached.
    SchedulePhase { Queued, Collecting, Reasoning, Solving, Saving, Done, Failed }
    /// What made a plan.
    PlannerEngine { Solver, Ai }
    /// Kind of a planned slot.
    ScheduleSlotKind { Task, Focus, Break, Buffer }
    /// Why a task could not be placed.
    UnscheduledReason { NoCapacity, Blocked, Fragmented, DeadlinePassed }
    /// State of a focus session.
    FocusSessionStatus { Active, Paused, Completed, Abandoned }
    /// How hosts of a booking page are chosen.
    BookingHostMode { Collective, RoundRobin }
    /// State of a booking.
    BookingStatus { Pending, Confirmed, Cancelled, Declined, Completed, NoShow }
    /// Whether a host's slot is taken: all but `Released` exclude overlapping ones.
    BookingSlotStatus { Held, Pending, Confirmed, Released }
    /// Kind of a notification.
    NotificationType {
        EventReminder, EventChanged, TaskAssigned, TaskDue, ScheduleReady, BookingChanged, IntegrationProblem,
        WorkspaceInvitation, Security,
    }
    /// Way to deliver a notification.
    NotificationChannel { InApp, Email }
    /// Queue of background jobs.
    JobQueueName { CalendarSync, Email, ScheduleGeneration, Notification, DataTransfer, Maintenance }
    /// State of a background job, a sync run or a data transfer.
    JobStatus { Queued, Running, Succeeded, Retrying, Dead, Cancelled }
    /// Direction of a data transfer.
    DataTransferDirection { Import, Export }
    /// File format of a data transfer.
    DataFormat { Ics, Json, Csv }
    /// What a process of the installation runs: everything, only the API, or only background workers.
    ProcessRole { Serve, Api, Worker }
}

/// Importance of a task, stored as its rank so that the database sorts it.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Debug,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
#[serde(rename_all = "snake_case")]
pub enum TaskPriority {
    /// When there is time.
    #[default]
    #[sea_orm(num_value = 0)]
    Low,
    /// Ordinary.
    #[sea_orm(num_value = 1)]
    Medium,
    /// Important.
    #[sea_orm(num_value = 2)]
    High,
    /// Before everything else.
    #[sea_orm(num_value = 3)]
    Urgent,
}

impl TaskPriority {
    /// Position by importance, 0 for `Low`; equals the stored value.
    pub fn rank(self) -> i16 {
        self.to_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_snake_case() {
        assert_eq!(EventKind::AllDay.to_value(), "all_day");
        assert_eq!(IntegrationProvider::IcsFeed.to_value(), "ics_feed");
        assert_eq!(
            EventKind::try_from_value(&"all_day".to_owned()).unwrap(),
            EventKind::AllDay
        );
        assert!(EventKind::try_from_value(&"AllDay".to_owned()).is_err());
    }

    #[test]
    fn json_and_database_use_the_same_words() {
        for channel in <NotificationChannel as sea_orm::Iterable>::iter() {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.to_value());
        }
    }

    #[test]
    fn priorities_sort_by_importance() {
        let ranks: Vec<i16> = <TaskPriority as sea_orm::Iterable>::iter()
            .map(TaskPriority::rank)
            .collect();
        assert_eq!(ranks, [0, 1, 2, 3]);
        assert!(TaskPriority::Urgent > TaskPriority::Low);
    }
}
