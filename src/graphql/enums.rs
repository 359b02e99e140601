//! The enums of the contract, each the twin of a database enum. A name that is missing on either side does not compile.

use async_graphql::Enum;
use entity::enums as db;

/// Kind of a workspace.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::WorkspaceType")]
pub enum WorkspaceType {
    /// Belongs to one user and has no other members.
    Personal,
    /// Shared by its members.
    Team,
}

/// Role of a member, from most to least powerful.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::WorkspaceRole")]
pub enum WorkspaceRole {
    /// Everything, including deleting the workspace.
    Owner,
    /// Manage members, integrations and settings.
    Admin,
    /// Create and change events, tasks and schedules.
    Member,
    /// Read only.
    Viewer,
}

/// Confirmation state of an event.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::EventStatus")]
pub enum EventStatus {
    /// Takes place.
    Confirmed,
    /// Planned but not certain.
    Tentative,
    /// Does not take place.
    Cancelled,
}

/// Whether an event blocks time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::EventTransparency")]
pub enum EventTransparency {
    /// The time is busy.
    Busy,
    /// The time stays free.
    Free,
}

/// Who may see the details of an event.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::EventVisibility")]
pub enum EventVisibility {
    /// As the calendar's default.
    Default,
    /// All members of the workspace.
    Public,
    /// Only the owner and guests; others see a busy block.
    Private,
}

/// Answer of a guest.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::AttendeeResponse")]
pub enum AttendeeResponse {
    /// No answer yet.
    NeedsAction,
    /// Takes part.
    Accepted,
    /// Does not take part.
    Declined,
    /// Perhaps takes part.
    Tentative,
}

/// External calendar services.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::IntegrationProvider")]
pub enum IntegrationProvider {
    /// Google Calendar, two-way.
    Google,
    /// Any CalDAV server, two-way.
    Caldav,
    /// An ICS feed by URL, read only.
    IcsFeed,
}

/// Connection state of an integration.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::IntegrationStatus")]
pub enum IntegrationStatus {
    /// Waiting for the user to grant access.
    Pending,
    /// Works.
    Active,
    /// A sync is running.
    Syncing,
    /// Access was revoked or expired; the user must reconnect.
    NeedsReauth,
    /// The last sync failed; it will be retried.
    Error,
    /// A sync would delete most events of a calendar and waits for `confirmSync`.
    Held,
    /// Paused by the user.
    Paused,
}

/// State of a task.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::TaskStatus")]
pub enum TaskStatus {
    /// Not started.
    Todo,
    /// Being worked on.
    InProgress,
    /// Finished.
    Done,
    /// Will not be done.
    Cancelled,
}

/// Importance of a task.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::TaskPriority")]
pub enum TaskPriority {
    /// When there is time.
    Low,
    /// Ordinary.
    Medium,
    /// Important.
    High,
    /// Before everything else.
    Urgent,
}

/// Energy a task needs.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::EnergyLevel")]
pub enum EnergyLevel {
    /// Routine work.
    Low,
    /// Ordinary work.
    Medium,
    /// Deep work; placed in the user's peak hours.
    High,
}

/// Kinds of notifications.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::NotificationType")]
pub enum NotificationType {
    /// An event starts soon.
    EventReminder,
    /// The viewer was invited to an event, or it changed.
    EventChanged,
    /// A task was assigned to the viewer.
    TaskAssigned,
    /// A task is due soon.
    TaskDue,
    /// A schedule is ready or failed.
    ScheduleReady,
    /// A booking was made, changed or cancelled.
    BookingChanged,
    /// A sync needs attention.
    IntegrationProblem,
    /// An invitation to a workspace.
    WorkspaceInvitation,
    /// A security message, for example a new sign-in. Cannot be switched off.
    Security,
}

/// Ways to deliver notifications.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::NotificationChannel")]
pub enum NotificationChannel {
    /// In the application, live over `notificationReceived`.
    InApp,
    /// By e-mail.
    Email,
}

/// Queues of background jobs.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::JobQueueName")]
pub enum JobQueueName {
    /// Calendar synchronisation.
    CalendarSync,
    /// Sending e-mail.
    Email,
    /// AI schedule generation.
    ScheduleGeneration,
    /// Delivering notifications and reminders.
    Notification,
    /// Import and export.
    DataTransfer,
    /// Clean-up of expired rows.
    Maintenance,
}

/// State of a background job.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::JobStatus")]
pub enum JobStatus {
    /// Waits for a worker, or for its next attempt.
    Queued,
    /// A worker runs it.
    Running,
    /// Ended well.
    Succeeded,
    /// The last attempt failed; another follows after backoff.
    Retrying,
    /// All attempts failed; waits in the dead letters for an admin.
    Dead,
    /// Cancelled.
    Cancelled,
}

/// Permissions of an API token.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::ApiTokenScope")]
pub enum ApiTokenScope {
    /// Read everything its user can read.
    Read,
    /// Create, update and delete workspace data. Includes `READ`.
    Write,
    /// Manage members, integrations and tokens. Includes `WRITE`.
    Admin,
}

/// What happened to an object that a subscription reports.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::ChangeAction")]
pub enum ChangeAction {
    /// The object was created.
    Created,
    /// One or more fields of the object changed.
    Updated,
    /// The object was deleted. The object field of the change is null; use its ID to evict caches.
    Deleted,
}

/// Day of the week.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::Weekday")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// Part of the day with most energy.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::EnergyPeriod")]
pub enum EnergyPeriod {
    /// From start of work to noon.
    Morning,
    /// From noon to 17:00.
    Afternoon,
    /// After 17:00.
    Evening,
}

/// State of a focus session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "db::FocusSessionStatus")]
pub enum FocusSessionStatus {
    /// Running.
    Active,
    /// Paused.
    Paused,
    /// Ended as planned.
    Completed,
    /// Ended early.
    Abandoned,
}

/// Sort direction of an ordered connection.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OrderDirection {
    /// Smallest, oldest or A first.
    #[default]
    Asc,
    /// Largest, newest or Z first.
    Desc,
}
