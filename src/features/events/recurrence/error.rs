//! What can be wrong with a rule, said so that a person can mend it.
//!
//! Promises: every error names the part it is about and reads as a sentence.

use std::fmt;

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The part it is about, such as `COUNT`; empty when it is about the rule as a whole.
    pub part: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no text.
    Empty,
    /// It is longer than any rule needs to be.
    TooLong,
    /// The part is missing.
    Missing,
    /// The part is not one of RFC 5545 or RFC 7529.
    Unknown,
    /// The part is there twice.
    Twice,
    /// Its value is not of the right form. Holds what would be.
    Malformed(&'static str),
    /// Its value is a number outside of these bounds.
    OutOfRange(i64, i64),
    /// The two parts exclude each other.
    NotWith(&'static str),
    /// The part needs another one.
    Needs(&'static str),
    /// The part means nothing in a rule of this frequency.
    NotWithFrequency(&'static str),
    /// Numbers in front of weekdays mean nothing here.
    NumberedDays,
    /// A calendar other than the Gregorian one.
    Calendar(String),
    /// UNTIL is before the first start.
    BeforeStart,
    /// UNTIL is a day and the series has times, or the other way round.
    OtherKind(&'static str),
    /// No occurrence ever comes of it.
    Never,
    /// It repeats more often than a new series may.
    TooFrequent,
}

impl RuleError {
    pub(super) fn new(part: &str, reason: Reason) -> Self {
        Self {
            part: part.to_owned(),
            reason,
        }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.part;
        match &self.reason {
            Reason::Empty => write!(f, "The recurrence rule is empty."),
            Reason::TooLong => write!(f, "The recurrence rule is too long."),
            Reason::Missing => write!(f, "The recurrence rule has no `{part}`."),
            Reason::Unknown => write!(f, "`{part}` is not a part of a recurrence rule."),
            Reason::Twice => write!(f, "`{part}` is given twice."),
            Reason::Malformed(form) => write!(f, "`{part}` must be {form}."),
            Reason::OutOfRange(least, most) => write!(f, "`{part}` must be between {least} and {most}."),
            Reason::NotWith(other) => write!(f, "`{part}` and `{other}` cannot be given together."),
            Reason::Needs(other) => write!(f, "`{part}` needs {other}."),
            Reason::NotWithFrequency(name) => write!(f, "`{part}` cannot be used with `FREQ={name}`."),
            Reason::NumberedDays => write!(
                f,
                "`{part}` has a number in front of a weekday, which only monthly rules and yearly ones without `BYWEEKNO` can have."
            ),
            Reason::Calendar(name) => {
                write!(f, "The calendar `{name}` is not supported; only `GREGORIAN` is.")
            }
            Reason::BeforeStart => write!(f, "`{part}` is before the first start."),
            Reason::OtherKind(form) => write!(f, "`{part}` must be {form}, like the start."),
            Reason::Never => write!(f, "The recurrence rule never gives an occurrence."),
            Reason::TooFrequent => write!(
                f,
                "New series repeat daily or less often; hourly ones need `COUNT` or `UNTIL`."
            ),
        }
    }
}

impl std::error::Error for RuleError {}
