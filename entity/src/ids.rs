//! Typed identifiers: one newtype over UUID for each kind of object.
//!
//! The database column stays a plain UUID; the text form that clients see is a TypeID, `task_` plus 26 characters of
//! lower-case Crockford base32. Parsing is strict, so that every id has exactly one spelling. Nothing here makes new
//! ids and nothing here knows what the objects are.

use std::fmt;

use sea_orm::entity::prelude::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;
const LONGEST_PREFIX: usize = 5;

/// An identifier that knows which kind of object it names.
pub trait TypedId: Copy {
    /// Text in front of the underscore, for example `task`.
    const PREFIX: &'static str;
    /// Name of the object's GraphQL type, for example `Task`.
    const TYPE: &'static str;
    /// Takes a UUID that is known to name this kind of object.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID as it is stored.
    fn uuid(self) -> Uuid;
}

/// Why a text is not an identifier of the wanted kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseIdError {
    /// There is no prefix, or it is that of another kind.
    Prefix,
    /// The part after the prefix does not have 26 characters.
    Length,
    /// A character is outside the lower-case alphabet.
    Character,
    /// The value needs more than 128 bits.
    Overflow,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "the id is not of this kind",
            Self::Length => "the id has the wrong length",
            Self::Character => "the id has a character that ids do not use",
            Self::Overflow => "the id is too large",
        })
    }
}

impl std::error::Error for ParseIdError {}

/// Splits the text of any identifier into its prefix and UUID, for look-ups that learn the kind from the prefix.
pub fn split(text: &str) -> Result<(&str, Uuid), ParseIdError> {
    let (prefix, value) = text.rsplit_once('_').ok_or(ParseIdError::Prefix)?;
    Ok((prefix, decode(value)?))
}

/// The text of the identifier of an object whose kind is known only by the name of its GraphQL type; the reverse of [`split`].
pub fn compose(kind: &str, uuid: Uuid) -> Option<String> {
    struct Text(&'static str, Uuid);
    impl fmt::Display for Text {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_text(f, self.0, self.1)
        }
    }
    let (prefix, _) = KINDS.iter().find(|(_, known)| *known == kind)?;
    Some(Text(prefix, uuid).to_string())
}

/// Appends the text of an identifier, as `Display` writes it.
pub fn append<T: TypedId>(id: T, out: &mut Vec<u8>) {
    out.extend_from_slice(T::PREFIX.as_bytes());
    out.push(b'_');
    out.extend_from_slice(&encode(id.uuid()));
}

/// From the right, five bits a character: 26 characters hold 130 bits, so the first one only ever uses three.
fn encode(uuid: Uuid) -> [u8; TEXT_LEN] {
    let value = uuid.as_u128();
    let mut text = [0; TEXT_LEN];
    let (first, rest) = text.split_at_mut(2);
    let (middle, last) = rest.split_at_mut(12);
    // Twelve characters are 60 bits, which fit in a word: shifting all 128 for each character takes twice as long.
    for (part, shift) in [(last, 0), (middle, 60), (first, 120)] {
        let mut bits = (value >> shift) as u64;
        for slot in part.iter_mut().rev() {
            *slot = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
        }
    }
    text
}

/// Writes `prefix_value`; shared by the `Display` of every id type.
fn write_text(f: &mut fmt::Formatter<'_>, prefix: &str, uuid: Uuid) -> fmt::Result {
    // Written at once: a text that grows by parts is moved in between.
    let mut text = [b'_'; LONGEST_PREFIX + 1 + TEXT_LEN];
    let (front, back) = text.split_at_mut(LONGEST_PREFIX + 1);
    back.copy_from_slice(&encode(uuid));
    let start = LONGEST_PREFIX.checked_sub(prefix.len()).ok_or(fmt::Error)?;
    front[start..LONGEST_PREFIX].copy_from_slice(prefix.as_bytes());
    f.write_str(std::str::from_utf8(&text[start..]).map_err(|_| fmt::Error)?)
}

fn parse_text(prefix: &str, text: &str) -> Result<Uuid, ParseIdError> {
    let value = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(ParseIdError::Prefix)?;
    decode(value)
}

fn decode(text: &str) -> Result<Uuid, ParseIdError> {
    if text.len() != TEXT_LEN {
        return Err(ParseIdError::Length);
    }
    let mut value: u128 = 0;
    for (index, byte) in text.bytes().enumerate() {
        let digit = digit(byte).ok_or(ParseIdError::Character)?;
        if index == 0 && digit > 7 {
            return Err(ParseIdError::Overflow);
        }
        value = value << 5 | u128::from(digit);
    }
    Ok(Uuid::from_u128(value))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'h' => Some(byte - b'a' + 10),
        b'j' | b'k' => Some(byte - b'j' + 18),
        b'm' | b'n' => Some(byte - b'm' + 20),
        b'p'..=b't' => Some(byte - b'p' + 22),
        b'v'..=b'z' => Some(byte - b'v' + 27),
        _ => None,
    }
}

macro_rules! typed_ids {
    ($($name:ident = $prefix:literal, $kind:literal;)+) => {
        $(
            #[doc = concat!("Identifier of a `", $kind, "`, written `", $prefix, "_…`.")]
            #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, sea_orm::DeriveValueType)]
            pub struct $name(pub Uuid);

            impl TypedId for $name {
                const PREFIX: &'static str = $prefix;
                const TYPE: &'static str = $kind;

                fn from_uuid(uuid: Uuid) -> Self {
                    Self(uuid)
                }

                fn uuid(self) -> Uuid {
                    self.0
                }
            }

            const _: () = assert!($prefix.len() <= LONGEST_PREFIX);
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write_text(f, $prefix, self.0)
                }
            }

            impl std::str::FromStr for $name {
                type Err = ParseIdError;

                fn from_str(text: &str) -> Result<Self, ParseIdError> {
                    parse_text($prefix, text).map(Self)
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }

            // SeaORM asks this of primary keys; the database never numbers ours.
            impl sea_orm::TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                    Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
                }
            }
        )+

        /// Prefix and GraphQL type of every kind of id.
        pub const KINDS: &[(&str, &str)] = &[$(($prefix, $kind)),+];
    };
}

typed_ids! {
    UserId = "user", "User";
    AccountId = "acct", "Account";
    SessionId = "sess", "Session";
    ApiTokenId = "tok", "ApiToken";
    VerificationTokenId = "vtok", "VerificationToken";
    WorkspaceId = "ws", "Workspace";
    MembershipId = "mem", "WorkspaceMember";
    InvitationId = "inv", "WorkspaceInvitation";
    CalendarId = "cal", "Calendar";
    CalendarEventId = "evt", "CalendarEvent";
    EventOverrideId = "ovr", "EventOverride";
    AttendeeId = "att", "EventAttendee";
    ReminderId = "rem", "EventReminder";
    TaskId = "task", "Task";
    ScheduleId = "sched", "Schedule";
    ScheduleSlotId = "slot", "ScheduleSlot";
    UnscheduledTaskId = "uns", "UnscheduledTask";
    IntegrationId = "int", "Integration";
    SyncRunId = "run", "SyncRun";
    ExternalEventLinkId = "link", "ExternalEventLink";
    NotificationId = "notif", "Notification";
    FocusSessionId = "focus", "FocusSession";
    BookingPageId = "page", "BookingPage";
    BookingId = "bk", "Booking";
    BookingSlotId = "bslot", "BookingSlot";
    AuditLogId = "audit", "AuditLog";
    JobId = "job", "Job";
    AvailabilityScheduleId = "avs", "AvailabilitySchedule";
    AvailabilityRuleId = "avr", "AvailabilityRule";
    WebhookEndpointId = "hook", "WebhookEndpoint";
    DataTransferId = "xfer", "DataTransfer";
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "task_01jdb2k9x4e5vb4pex5vsknk08";

    #[test]
    fn text_and_uuid_convert_both_ways() {
        let id: TaskId = SAMPLE.parse().unwrap();
        assert_eq!(id.to_string(), SAMPLE);
        assert_eq!(split(SAMPLE), Ok(("task", id.0)));
        assert_eq!(compose("Task", id.0).as_deref(), Some(SAMPLE));
        assert_eq!(compose("Nothing", id.0), None);
    }

    #[test]
    fn every_bit_of_an_id_is_in_its_text() {
        let bits = (0..128).map(|bit| Uuid::from_u128(1 << bit));
        let ends = [Uuid::nil(), Uuid::max()];
        for uuid in bits.chain(ends) {
            let id = TaskId(uuid);
            let mut text = Vec::new();
            append(id, &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), id.to_string());
            assert_eq!(id.to_string().parse::<TaskId>(), Ok(id));
        }
    }

    #[test]
    fn the_published_example_of_the_format_is_read() {
        // From the TypeID specification: 01h455vb4pex5vsknk084sn02q.
        let uuid = Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
        assert_eq!(TaskId(uuid).to_string(), "task_01h455vb4pex5vsknk084sn02q");
    }

    #[test]
    fn the_ends_of_the_range_fit() {
        assert_eq!(TaskId(Uuid::nil()).to_string(), "task_00000000000000000000000000");
        assert_eq!(TaskId(Uuid::max()).to_string(), "task_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!("task_7zzzzzzzzzzzzzzzzzzzzzzzzz".parse(), Ok(TaskId(Uuid::max())));
        assert_eq!(
            "task_80000000000000000000000000".parse::<TaskId>(),
            Err(ParseIdError::Overflow)
        );
    }

    #[test]
    fn every_digit_of_the_alphabet_is_its_own_inverse() {
        for (value, byte) in ALPHABET.iter().enumerate() {
            assert_eq!(digit(*byte), Some(value as u8));
        }
        let readable = (0..=u8::MAX).filter(|byte| digit(*byte).is_some()).count();
        assert_eq!(readable, ALPHABET.len());
    }

    #[test]
    fn a_second_spelling_is_refused() {
        let cases = [
            ("", ParseIdError::Prefix),
            ("01jdb2k9x4e5vb4pex5vsknk08", ParseIdError::Prefix),
            ("user_01jdb2k9x4e5vb4pex5vsknk08", ParseIdError::Prefix),
            ("Task_01jdb2k9x4e5vb4pex5vsknk08", ParseIdError::Prefix),
            ("task-01jdb2k9x4e5vb4pex5vsknk08", ParseIdError::Prefix),
            ("task_", ParseIdError::Length),
            ("task_01jdb2k9x4e5vb4pex5vsknk0", ParseIdError::Length),
            ("task_01jdb2k9x4e5vb4pex5vsknk088", ParseIdError::Length),
            ("task_01JDB2K9X4E5VB4PEX5VSKNK08", ParseIdError::Character),
            ("task_01jdb2k9x4e5vb4pex5vsknki8", ParseIdError::Character),
            ("task_01jdb2k9x4e5vb4pex5vsknk0é", ParseIdError::Length),
            (" task_01jdb2k9x4e5vb4pex5vsknk08", ParseIdError::Prefix),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<TaskId>(), Err(error), "{text}");
        }
    }

    #[test]
    fn json_uses_the_text_form() {
        let id: TaskId = SAMPLE.parse().unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{SAMPLE}\""));
        assert_eq!(serde_json::from_str::<TaskId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<UserId>(&json).is_err());
    }

    #[test]
    fn prefixes_and_types_are_unique() {
        let mut prefixes: Vec<_> = KINDS.iter().map(|(prefix, _)| prefix).collect();
        let mut types: Vec<_> = KINDS.iter().map(|(_, kind)| kind).collect();
        prefixes.sort();
        prefixes.dedup();
        types.sort();
        types.dedup();
        assert_eq!((prefixes.len(), types.len()), (KINDS.len(), KINDS.len()));
    }
}
