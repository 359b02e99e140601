//! Personal settings of the viewer: profile, preferences, and where notifications go.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use entity::user_preferences;

use super::enums::{EnergyPeriod, NotificationChannel, NotificationType, ReplanPolicy, Weekday};
use super::ids::reference;
use super::paging::payload;
use super::people::User;
use super::scalars::{LocalTime, TimeZone, Url};
use super::straight::{command, commands, shaped_payload};
use super::workspaces::{Workspace, workspace_of};
use super::{access, patch, set};
use crate::features::people::{self, Delivery, PreferencesPatch, ProfilePatch};
use crate::kernel;

/// Personal settings of the viewer.
#[derive(Description)]
pub struct UserPreferences(pub user_preferences::Model);

#[Object(use_type_description)]
impl UserPreferences {
    /// Home time zone.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.0.time_zone.clone())
    }

    /// BCP 47 language tag, for example `en-GB`.
    async fn locale(&self) -> &str {
        &self.0.locale
    }

    /// First day of the week in calendar views.
    async fn week_starts_on(&self) -> Weekday {
        self.0.week_starts_on.into()
    }

    /// Weekly hours in which tasks may be scheduled.
    async fn working_hours(&self) -> Vec<WorkingHours> {
        people::working_hours_of(&self.0)
            .into_iter()
            .map(WorkingHours::from)
            .collect()
    }

    /// Duration given to new tasks without one.
    async fn default_task_duration_minutes(&self) -> i32 {
        self.0.default_task_duration_minutes
    }

    /// Default length of a focus session.
    async fn default_focus_minutes(&self) -> i32 {
        self.0.default_focus_minutes
    }

    /// Smallest gap the planner keeps between two scheduled items.
    async fn buffer_minutes(&self) -> i32 {
        self.0.buffer_minutes
    }

    /// Most minutes of tasks the planner places on one day.
    async fn max_daily_task_minutes(&self) -> i32 {
        self.0.max_daily_task_minutes
    }

    /// Time of day when the viewer has most energy.
    async fn peak_energy(&self) -> EnergyPeriod {
        self.0.peak_energy.into()
    }

    /// What the planner does when the calendar no longer fits the applied schedule.
    async fn replan_policy(&self) -> ReplanPolicy {
        self.0.replan_policy.into()
    }

    /// Workspace opened after sign-in.
    async fn default_workspace(&self, ctx: &Context<'_>) -> Option<Result<Workspace>> {
        workspace_of(ctx, self.0.default_workspace_id).await
    }

    /// Hours of every day in which e-mail about notifications waits, except security messages and reminders. Null when there are none.
    async fn quiet_hours(&self) -> Option<QuietHours> {
        people::quiet_hours_of(&self.0).map(Into::into)
    }

    /// Time of day at which notifications by e-mail go out as one message, except what would be late then. Null when each goes out at once.
    async fn digest_at(&self) -> Option<LocalTime> {
        people::clock_time_of(self.0.digest_at.as_deref()).map(LocalTime)
    }
}

/// Hours of every day in the home time zone.
#[derive(SimpleObject)]
pub struct QuietHours {
    /// Start.
    from: LocalTime,
    /// End. When it is not after `from`, it is on the next day.
    until: LocalTime,
}

impl From<people::QuietHours> for QuietHours {
    fn from(hours: people::QuietHours) -> Self {
        Self {
            from: LocalTime(hours.from),
            until: LocalTime(hours.until),
        }
    }
}

/// Working hours of one weekday.
#[derive(SimpleObject)]
pub struct WorkingHours {
    /// Day of the week.
    weekday: Weekday,
    /// Start of work.
    start: LocalTime,
    /// End of work. When it is not after `start`, work ends on the next day.
    end: LocalTime,
}

impl From<people::WorkingHours> for WorkingHours {
    fn from(hours: people::WorkingHours) -> Self {
        Self {
            weekday: hours.weekday.into(),
            start: LocalTime(hours.start),
            end: LocalTime(hours.end),
        }
    }
}

/// How one type of notification is delivered.
#[derive(SimpleObject)]
pub struct NotificationPreference {
    /// Kind of notification.
    r#type: NotificationType,
    /// Channels in use. Empty when switched off.
    channels: Vec<NotificationChannel>,
}

impl From<Delivery> for NotificationPreference {
    fn from(one: Delivery) -> Self {
        Self {
            r#type: one.r#type.into(),
            channels: one.channels.into_iter().map(Into::into).collect(),
        }
    }
}

/// Changes to the viewer's profile.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// Full name.
    name: MaybeUndefined<String>,
    /// Avatar image. Null removes it.
    avatar_url: MaybeUndefined<Url>,
}

/// Changes to personal settings. Omitted fields stay as they are.
#[derive(InputObject)]
pub struct UpdatePreferencesInput {
    /// Home time zone.
    time_zone: MaybeUndefined<TimeZone>,
    /// BCP 47 language tag.
    locale: MaybeUndefined<String>,
    /// First day of the week.
    week_starts_on: MaybeUndefined<Weekday>,
    /// Replaces all working hours.
    working_hours: MaybeUndefined<Vec<WorkingHoursInput>>,
    /// Duration of new tasks, 5 to 1440.
    default_task_duration_minutes: MaybeUndefined<i32>,
    /// Length of a focus session, 5 to 240.
    default_focus_minutes: MaybeUndefined<i32>,
    /// Gap between scheduled items, 0 to 120.
    buffer_minutes: MaybeUndefined<i32>,
    /// Most minutes of tasks on one day, 0 to 1440.
    max_daily_task_minutes: MaybeUndefined<i32>,
    /// Time of day with most energy.
    peak_energy: MaybeUndefined<EnergyPeriod>,
    /// What the planner does when the calendar no longer fits the applied schedule.
    replan_policy: MaybeUndefined<ReplanPolicy>,
    /// Workspace opened after sign-in. Null for none.
    default_workspace_id: MaybeUndefined<ID>,
    /// Hours of every day in which e-mail waits. Null for none.
    quiet_hours: MaybeUndefined<QuietHoursInput>,
    /// Time of the one e-mail a day. Null to get each at once.
    digest_at: MaybeUndefined<LocalTime>,
}

/// Hours of every day in the home time zone.
#[derive(InputObject)]
pub struct QuietHoursInput {
    /// Start.
    from: LocalTime,
    /// End. When it is not after `from`, it is on the next day.
    until: LocalTime,
}

impl UpdatePreferencesInput {
    fn into_model(self) -> kernel::Result<PreferencesPatch> {
        let workspace = patch(self.default_workspace_id);
        Ok(PreferencesPatch {
            time_zone: set(self.time_zone, "input.timeZone")?.map(|zone| zone.0),
            locale: set(self.locale, "input.locale")?,
            week_starts_on: set(self.week_starts_on, "input.weekStartsOn")?.map(Into::into),
            working_hours: set(self.working_hours, "input.workingHours")?
                .map(|all| all.into_iter().map(people::WorkingHours::from).collect()),
            default_task_duration_minutes: set(
                self.default_task_duration_minutes,
                "input.defaultTaskDurationMinutes",
            )?,
            default_focus_minutes: set(self.default_focus_minutes, "input.defaultFocusMinutes")?,
            buffer_minutes: set(self.buffer_minutes, "input.bufferMinutes")?,
            max_daily_task_minutes: set(self.max_daily_task_minutes, "input.maxDailyTaskMinutes")?,
            peak_energy: set(self.peak_energy, "input.peakEnergy")?.map(Into::into),
            replan_policy: set(self.replan_policy, "input.replanPolicy")?.map(Into::into),
            default_workspace_id: workspace.try_map(|id| reference(&id, "input.defaultWorkspaceId"))?,
            quiet_hours: patch(self.quiet_hours.map_value(|hours| people::QuietHours {
                from: hours.from.0,
                until: hours.until.0,
            })),
            digest_at: patch(self.digest_at.map_value(|time| time.0)),
        })
    }
}

/// Hours of one weekday.
#[derive(InputObject)]
pub struct WorkingHoursInput {
    /// Day of the week.
    weekday: Weekday,
    /// Start.
    start: LocalTime,
    /// End. When it is not after `start`, work ends on the next day.
    end: LocalTime,
}

impl From<WorkingHoursInput> for people::WorkingHours {
    fn from(hours: WorkingHoursInput) -> Self {
        Self {
            weekday: hours.weekday.into(),
            start: hours.start.0,
            end: hours.end.0,
        }
    }
}

/// New delivery settings.
#[derive(InputObject)]
pub struct UpdateNotificationPreferencesInput {
    /// Types to change.
    preferences: Vec<NotificationPreferenceInput>,
}

/// Delivery of one type of notification.
#[derive(InputObject)]
pub struct NotificationPreferenceInput {
    /// Kind of notification.
    r#type: NotificationType,
    /// Channels to use. Empty switches the type off.
    channels: Vec<NotificationChannel>,
}

shaped_payload!(
    UpdateProfilePayload,
    "updateProfile",
    /// The user after the change. Null when the mutation failed.
    one user: Option<User>
);
payload!(
    UpdatePreferencesPayload,
    "updatePreferences",
    /// The preferences after the change. Null when the mutation failed.
    preferences: UserPreferences
);
payload!(
    UpdateNotificationPreferencesPayload,
    "updateNotificationPreferences",
    /// The notification preferences after the change. Null when the mutation failed.
    notification_preferences: Vec<NotificationPreference>
);

commands! {
    UpdateProfile(input "input": UpdateProfileInput) -> UpdateProfilePayload, |access| {
        access.caller().require_user()?;
        let profile = ProfilePatch {
            name: set(input.name, "input.name")?,
            avatar_url: patch(input.avatar_url.map_value(|url| url.0)),
        };
        let row = people::update_profile(access, profile).await?;
        Ok(UpdateProfilePayload::of(User(Arc::new(row))))
    };
}

#[derive(Default)]
pub struct PreferencesMutation;

#[Object]
impl PreferencesMutation {
    /// Changes the viewer's name and avatar.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        command::<UpdateProfile>(ctx, (input,)).await
    }

    /// Changes the viewer's personal settings. Omitted fields stay as they are.
    async fn update_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: UpdatePreferencesInput,
    ) -> Result<UpdatePreferencesPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            people::update_preferences(access(ctx), input.into_model()?).await
        };
        UpdatePreferencesPayload::new(result.await, UserPreferences)
    }

    /// Sets the channels of the given notification types. Other types stay as they are.
    async fn update_notification_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: UpdateNotificationPreferencesInput,
    ) -> Result<UpdateNotificationPreferencesPayload> {
        let delivery = |one: NotificationPreferenceInput| Delivery {
            r#type: one.r#type.into(),
            channels: one.channels.into_iter().map(Into::into).collect(),
        };
        let wanted = input.preferences.into_iter().map(delivery).collect();
        let result = people::update_deliveries(access(ctx), wanted).await;
        UpdateNotificationPreferencesPayload::new(result, |all| all.into_iter().map(Into::into).collect())
    }
}
