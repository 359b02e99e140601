//! The registry of personal columns. A table says how its rows concern a person and which of its columns tell something about one; a test
//! fails when a column of the database is not here.

/// How rows of a table concern a person, by a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The column has the person's id, and the row goes with them by its foreign key.
    Goes(&'static str),
    /// The column has the person's id, and becomes null by its foreign key; the row is somebody else's too, and is told to the person only
    /// as long as they are a member of its workspace.
    Cleared(&'static str),
    /// The column has the person's id, and the row is deleted when they are erased.
    Deleted(&'static str),
    /// The column has the person's address, and the row is deleted when they are erased.
    DeletedByAddress(&'static str),
    /// The column begins with these words and the person's id as clients know it, and the row is deleted when they are erased.
    DeletedByStart(&'static str, &'static str),
    /// The column has a sealed letter, and the row is deleted when the letter is to the person, or names them and need not be
    /// sent any more.
    DeletedByLetter(&'static str),
    /// The column has the id of the person who caused the row. It is for somebody else, who alone may read it, and names them: it is deleted
    /// when they are erased.
    Caused(&'static str),
    /// The column has the person's id or address. The row is somebody else's, who alone may read it, and stays; these columns of it become
    /// null when they are erased.
    Emptied(&'static str, &'static [&'static str]),
    /// The column has the person's id or address and stays, for this reason.
    Kept(&'static str, &'static str),
}

/// What a column tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Something about a person.
    Personal,
    /// Something that nobody is shown: hashes and sealed secrets.
    Secret,
    /// Nothing about a person.
    Plain,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How its rows concern people. Rows of a personal workspace concern its person in any case.
    pub concerns: &'static [Concern],
    personal: &'static str,
    secret: &'static str,
    plain: &'static str,
}

impl Table {
    /// Every column with what it tells.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, Class)> {
        let of = |text: &'static str, class| text.split_whitespace().map(move |name| (name, class));
        of(self.personal, Class::Personal)
            .chain(of(self.secret, Class::Secret))
            .chain(of(self.plain, Class::Plain))
    }

    /// Whether its rows belong to a workspace.
    pub fn has_workspace(&self) -> bool {
        self.columns().any(|(name, _)| name == "workspace_id")
    }
}

/// What a database keeps beside the tables: copies of their rows, which its triggers change and delete together with them.
#[derive(Clone, Copy, Debug)]
pub struct Shadow {
    /// Its name, with which the names of its own parts begin.
    pub name: &'static str,
    /// The tables that it follows.
    pub follows: &'static [&'static str],
    /// Its columns with what they tell.
    pub columns: &'static [(&'static str, Class)],
}

use Concern::{
    Caused, Cleared, Deleted, DeletedByAddress, DeletedByLetter, DeletedByStart, Emptied, Goes, Kept,
};

const fn table(
    name: &'static str,
    concerns: &'static [Concern],
    personal: &'static str,
    secret: &'static str,
    plain: &'static str,
) -> Table {
    Table {
        name,
        concerns,
        personal,
        secret,
        plain,
    }
}

const LOG: &str = "an opaque id; without it the order and the chain of the log could not be checked";
const SIGN: &str = "an opaque id by which processes forget what they keep of the person; deleted after a day";
const GUEST: &str = "a guest list belongs to the event of somebody else";

/// Every table.
pub const TABLES: &[Table] = &[
    table(
        "users",
        &[Goes("id")],
        "id name email avatar_url email_verified_at",
        "",
        "is_admin version created_at updated_at",
    ),
    table(
        "accounts",
        &[Goes("user_id")],
        "user_id provider provider_name issuer subject email scopes",
        "",
        "id created_at updated_at",
    ),
    table(
        "sent_letters",
        &[],
        "",
        "",
        "key message_id attempts sending_until sent_at refused_at refusal created_at updated_at",
    ),
    table(
        "sessions",
        &[Goes("user_id")],
        "user_id provider_name user_agent ip_address last_used_at",
        "token_hash",
        "id expires_at revoked_at created_at updated_at",
    ),
    table(
        "verification_tokens",
        &[Goes("user_id"), DeletedByAddress("email")],
        "user_id email",
        "token_hash payload",
        "id purpose expires_at used_at created_at updated_at",
    ),
    table(
        "notification_preferences",
        &[Goes("user_id")],
        "user_id channels",
        "",
        "type created_at updated_at",
    ),
    table(
        "user_preferences",
        &[Goes("user_id")],
        "user_id time_zone locale week_starts_on working_hours default_task_duration_minutes default_focus_minutes buffer_minutes max_daily_task_minutes peak_energy replan_policy default_workspace_id quiet_from quiet_until digest_at",
        "",
        "version created_at updated_at",
    ),
    table(
        "api_tokens",
        &[Goes("user_id")],
        "user_id name last_used_at",
        "token_hash",
        "id workspace_id prefix scopes expires_at revoked_at created_at updated_at",
    ),
    table(
        "notifications",
        &[Goes("user_id"), Caused("actor_id")],
        "user_id title body actor_id",
        "",
        "id workspace_id type subject_type subject_id read_at dedup_key mail_due_at mailed_at mail_only_since created_at updated_at",
    ),
    table(
        "idempotency_records",
        &[DeletedByStart("caller", "")],
        "caller",
        "body_hash answer",
        "key workspace_id expires_at created_at updated_at",
    ),
    table(
        "workspaces",
        &[],
        "name slug time_zone",
        "",
        "id type version created_at updated_at",
    ),
    table(
        "workspace_counters",
        &[],
        "",
        "",
        "workspace_id change_seq audit_seq audit_hash created_at updated_at",
    ),
    table(
        "memberships",
        &[Goes("user_id")],
        "user_id role joined_at",
        "",
        "id workspace_id version created_at updated_at",
    ),
    table(
        "invitations",
        &[Cleared("invited_by"), DeletedByAddress("email")],
        "email invited_by role",
        "token_hash",
        "id workspace_id expires_at accepted_at declined_at revoked_at created_at updated_at",
    ),
    table(
        "change_log",
        &[Kept("actor_id", LOG)],
        "actor_id",
        "",
        "workspace_id seq action object_type object_id calendar_id created_at",
    ),
    table(
        "audit_cuts",
        &[],
        "",
        "",
        "workspace_id seq hash created_at updated_at",
    ),
    // `changes` has ids, times, numbers and choices, before and after: a deadline, a length, a role. Together with who acted that tells
    // something about them. It has no words, names or addresses, because it stays when they are erased: the chain covers it.
    table(
        "audit_logs",
        &[Kept("actor_id", LOG)],
        "actor_id ip_address user_agent changes",
        "",
        "id workspace_id seq actor_kind api_token_id action entity_type entity_id request_id prev_hash hash created_at",
    ),
    table(
        "jobs",
        &[
            Cleared("created_by"),
            DeletedByStart("unique_key", "mail-notifications:"),
            DeletedByLetter("payload"),
        ],
        "created_by unique_key",
        "payload",
        "id queue kind workspace_id status attempts max_attempts run_at lease_owner lease_until priority progress_percent last_error started_at finished_at cancel_requested timeout_seconds created_at updated_at",
    ),
    table("job_queues", &[], "", "", "name is_paused created_at updated_at"),
    table("job_ticks", &[], "", "", "name last_tick created_at updated_at"),
    table(
        "job_workers",
        &[],
        "",
        "",
        "name queue slots created_at updated_at",
    ),
    table("processes", &[], "", "", "name role created_at updated_at"),
    table(
        "withdrawals",
        &[Kept("user_id", SIGN)],
        "user_id",
        "",
        "number created_at",
    ),
    table(
        "integrations",
        &[Goes("owner_id")],
        "owner_id account_label server_url username",
        "sealed_credentials",
        "id workspace_id provider status settings refresh_minutes last_synced_at next_sync_at last_error version created_at updated_at",
    ),
    table(
        "sync_runs",
        &[],
        "problems",
        "",
        "id workspace_id integration_id job_id status created_count updated_count deleted_count pushed_count problem_count error calendar_id processed_count percent started_at finished_at created_at updated_at",
    ),
    table(
        "calendars",
        &[Deleted("owner_id")],
        "owner_id name description external_id",
        "feed_secret_hash sealed_feed_secret",
        "id workspace_id integration_id color time_zone is_default is_read_only counts_as_busy is_mirrored version created_at updated_at",
    ),
    table(
        "calendar_settings",
        &[Goes("user_id")],
        "user_id is_visible",
        "",
        "calendar_id workspace_id created_at updated_at",
    ),
    table(
        "calendar_syncs",
        &[],
        "",
        "",
        "calendar_id workspace_id integration_id state sync_token ctag page_cursor etag last_modified lease_owner lease_until lease_fence last_success_at last_error held_deletes created_at updated_at",
    ),
    table(
        "calendar_events",
        &[
            Cleared("created_by"),
            Emptied("organizer_email", &["organizer_email", "organizer_name"]),
        ],
        "title description location conference_url start_local end_local start_zone end_zone start_date end_date start_utc end_utc time_zone rrule rdates exdates organizer_email organizer_name external_url source_ics created_by uid",
        "",
        "id workspace_id calendar_id version kind tzdata_version status transparency visibility series_end_utc is_recurring split_from sequence recurrence_id color task_id booking_id created_at updated_at",
    ),
    table(
        "event_overrides",
        &[],
        "patch original_start start_utc end_utc",
        "",
        "id workspace_id event_id original_start_utc cancelled version created_at updated_at",
    ),
    table(
        "attendees",
        &[
            Cleared("user_id"),
            Emptied("user_id", &["name", "comment"]),
            Emptied("email", &["name", "comment"]),
            Kept("email", GUEST),
        ],
        "email name user_id response comment",
        "",
        "id workspace_id event_id is_optional is_organizer created_at updated_at",
    ),
    table(
        "reminders",
        &[Goes("user_id")],
        "user_id minutes_before channel original_start",
        "",
        "id workspace_id event_id event_version planned_version due_at due_start due_original holds_for_later is_silent created_at updated_at",
    ),
    table(
        "external_event_links",
        &[],
        "base href uid",
        "",
        "id workspace_id calendar_id event_id etag content_hash pushed_version last_seen_run tombstoned_at created_at updated_at",
    ),
    table(
        "tasks",
        &[Cleared("assignee_id"), Cleared("created_by")],
        "title description labels assignee_id created_by start_after due_at completed_minutes completed_at working_hours",
        "",
        "id workspace_id version status priority energy duration_minutes min_chunk_minutes max_chunk_minutes is_hard_deadline is_auto_scheduled parent_id position recurrence_rule series_id created_at updated_at",
    ),
    table(
        "task_dependencies",
        &[],
        "",
        "",
        "task_id depends_on_id workspace_id created_at updated_at",
    ),
    table(
        "task_labels",
        &[],
        "label",
        "",
        "workspace_id task_id created_at updated_at",
    ),
    table(
        "task_notices",
        &[Goes("user_id")],
        "user_id",
        "",
        "workspace_id task_id due_at created_at updated_at",
    ),
    table(
        "schedules",
        &[Goes("user_id")],
        "user_id instructions feedback wishes explanation start_date end_date",
        "undo",
        "id workspace_id status engine auto_apply task_ids base_schedule_id calendar_id job_id score stats diff error phase percent progress_message placed_task_count total_task_count generated_at applied_at seen_seq seen_at version created_at updated_at",
    ),
    table(
        "schedule_slots",
        &[],
        "start_utc end_utc reasons",
        "",
        "id workspace_id schedule_id kind task_id calendar_event_id is_locked previous_start_utc credited_at created_at updated_at",
    ),
    table(
        "unscheduled_tasks",
        &[],
        "message",
        "",
        "id workspace_id schedule_id task_id reason missing_minutes relaxations created_at updated_at",
    ),
    table(
        "focus_sessions",
        &[Goes("user_id")],
        "user_id planned_minutes focused_seconds started_at ended_at notes interruption_count",
        "",
        "id workspace_id task_id status running_since version created_at updated_at",
    ),
    table(
        "availability_schedules",
        &[Deleted("user_id")],
        "user_id name time_zone",
        "",
        "id workspace_id is_default version created_at updated_at",
    ),
    table(
        "availability_rules",
        &[],
        "weekday date start_minute end_minute is_available effective_from effective_until",
        "",
        "id workspace_id schedule_id created_at updated_at",
    ),
    table(
        "booking_pages",
        &[Cleared("created_by")],
        "title slug description created_by",
        "",
        "id workspace_id is_active duration_minutes slot_interval_minutes buffer_before_minutes buffer_after_minutes min_notice_minutes max_days_ahead max_per_day max_per_week availability_schedule_id host_mode calendar_id requires_confirmation version created_at updated_at",
    ),
    table(
        "booking_page_hosts",
        &[Goes("user_id")],
        "user_id last_booked_at",
        "",
        "page_id workspace_id position created_at updated_at",
    ),
    table(
        "bookings",
        &[Kept(
            "guest_email",
            "a booking belongs to its hosts, who have to know whom they met",
        )],
        "guest_name guest_email guest_time_zone notes cancellation_reason conference_url start_utc end_utc",
        "guest_token_hash",
        "id workspace_id page_id status idempotency_key sequence version created_at updated_at",
    ),
    table(
        "booking_slots",
        &[Goes("host_id")],
        "host_id start_utc end_utc",
        "",
        "id workspace_id page_id booking_id status expires_at created_at updated_at",
    ),
    table(
        "data_transfers",
        // With their files, which whoever has the address could fetch for a day.
        &[Deleted("requested_by")],
        "requested_by parameters problems",
        "",
        "id workspace_id calendar_id direction format status job_id size_bytes processed_count error expires_at finished_at created_at updated_at",
    ),
    table(
        "transfer_chunks",
        &[],
        "",
        // Copies of what is elsewhere, gone within days.
        "bytes",
        "workspace_id transfer_id seq created_at updated_at",
    ),
    table(
        "webhook_endpoints",
        &[Cleared("created_by")],
        "created_by url description",
        "sealed_secret",
        "id workspace_id event_types is_active failure_count last_delivery_at disabled_at version created_at updated_at",
    ),
];

/// Everything that is no table of its own. PostgreSQL has an index instead.
pub const SHADOWS: &[Shadow] = &[Shadow {
    name: "search_texts",
    follows: &["calendar_events", "event_overrides", "tasks"],
    columns: &[
        ("scope", Class::Plain),
        ("title", Class::Personal),
        ("body", Class::Personal),
        ("kind", Class::Plain),
        ("object", Class::Plain),
    ],
}];
