//! What callers hand to the room of people, and the working hours as they are stored.

use chrono::NaiveTime;
use entity::enums::{EnergyPeriod, NotificationChannel, NotificationType, Weekday};
use entity::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

use crate::kernel::patch::Patch;

/// Somebody who can sign in from now on.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Full name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Whether somebody proved that the address is theirs.
    pub is_email_verified: bool,
    /// May look after jobs of the whole installation.
    pub is_admin: bool,
    /// Home time zone.
    pub time_zone: String,
    /// BCP 47 language tag.
    pub locale: String,
}

/// Changes to what other members see.
#[derive(Clone, Debug, Default)]
pub struct ProfilePatch {
    /// Full name.
    pub name: Option<String>,
    /// Avatar image.
    pub avatar_url: Patch<String>,
}

/// Changes to personal settings.
#[derive(Clone, Debug, Default)]
pub struct PreferencesPatch {
    /// Home time zone.
    pub time_zone: Option<String>,
    /// BCP 47 language tag.
    pub locale: Option<String>,
    /// First day of the week.
    pub week_starts_on: Option<Weekday>,
    /// All working hours.
    pub working_hours: Option<Vec<WorkingHours>>,
    /// Minutes of new tasks.
    pub default_task_duration_minutes: Option<i32>,
    /// Minutes of a focus session.
    pub default_focus_minutes: Option<i32>,
    /// Minutes between scheduled items.
    pub buffer_minutes: Option<i32>,
    /// Most minutes of tasks on one day.
    pub max_daily_task_minutes: Option<i32>,
    /// Time of day with most energy.
    pub peak_energy: Option<EnergyPeriod>,
    /// Workspace opened after sign-in.
    pub default_workspace_id: Patch<WorkspaceId>,
    /// Hours without e-mail.
    pub quiet_hours: Patch<QuietHours>,
    /// Time of the one e-mail a day.
    pub digest_at: Patch<NaiveTime>,
}

/// Hours of every day, in the person's zone, in which e-mail waits. When the end is not after the start, it is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// From then on e-mail waits.
    pub from: NaiveTime,
    /// From then on it goes out again.
    pub until: NaiveTime,
}

/// Hours of work that begin on one weekday. When the end is not after the start, it is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// Day on which the work starts.
    pub weekday: Weekday,
    /// Start, in whole minutes.
    #[serde(with = "clock_time")]
    pub start: NaiveTime,
    /// End, in whole minutes.
    #[serde(with = "clock_time")]
    pub end: NaiveTime,
}

/// Where one kind of notification goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Kind of notification.
    pub r#type: NotificationType,
    /// Channels in use.
    pub channels: Vec<NotificationChannel>,
}

/// `HH:MM`.
mod clock_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    const FORMAT: &str = "%H:%M";

    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format(FORMAT))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, FORMAT).map_err(D::Error::custom)
    }
}
