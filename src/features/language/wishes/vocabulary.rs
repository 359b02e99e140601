//! The words in which wishes are put, in lower case. What is in none of these lists makes a clause one that is not understood.

pub(super) const NEGATIONS: &[&str] = &[
    "nothing", "no", "not", "don't", "dont", "never", "none", "can't", "cant", "cannot", "won't", "wont",
];
/// What turns a wish around without saying no.
pub(super) const LESSENINGS: &[&str] = &[
    "less", "fewer", "without", "shorter", "smaller", "avoid", "skip", "except",
];
pub(super) const START: &[&str] = &["start", "begin", "starting", "beginning", "starts", "begins"];
pub(super) const STOP: &[&str] = &[
    "stop",
    "finish",
    "end",
    "ends",
    "finishes",
    "stopping",
    "finishing",
    "done",
    "finished",
    "quit",
];
/// Words that change nothing: who wishes, and that it is a wish.
pub(super) const POLITE: &[&str] = &[
    "please", "i", "me", "my", "to", "want", "would", "like", "i'd", "need", "the", "a", "an", "on", "in",
    "at", "of", "for", "it", "this", "that", "and", "just", "should", "must", "be", "let", "let's", "also",
    "then", "so", "always",
];
/// Work in general; anything that is more precise is the name of something.
pub(super) const WORK: &[&str] = &[
    "work",
    "working",
    "task",
    "tasks",
    "anything",
    "any",
    "plan",
    "planned",
    "planning",
    "schedule",
    "scheduled",
    "put",
    "place",
    "do",
    "all",
    "day",
    "days",
    "things",
    "stuff",
];
pub(super) const FREE: &[&str] = &["free", "clear", "empty", "alone", "unplanned", "block", "reserve"];
/// Said of hours with these words: nothing is planned in them.
pub(super) const AWAY: &[&str] = &["off", "away", "out", "busy", "unavailable", "skip", "avoid"];
pub(super) const KEEPING: &[&str] = &[
    "keep",
    "leave",
    "make",
    "stay",
    "stays",
    "remain",
    "up",
    "out",
    "off",
    "time",
    "personal",
    "private",
    "family",
    "kids",
    "myself",
    "life",
    "lunch",
    "lunchtime",
    "break",
    "completely",
    "entirely",
    "whole",
    "day",
    "days",
];
pub(super) const ABSENT: &[&str] = &[
    "i'm", "im", "i'll", "am", "will", "take", "taking", "have", "having", "get", "day", "days", "office",
];
pub(super) const BREAKS: &[&str] = &[
    "break", "breaks", "buffer", "buffers", "gap", "gaps", "pause", "pauses",
];
pub(super) const BREAKING: &[&str] = &[
    "with",
    "give",
    "add",
    "leave",
    "put",
    "keep",
    "between",
    "tasks",
    "task",
    "things",
    "everything",
    "each",
    "least",
    "minimum",
    "some",
    "have",
    "take",
    "long",
];
pub(super) const MORE: &[&str] = &["more", "longer", "bigger", "larger"];
pub(super) const LIMIT: &[&str] = &[
    "most", "max", "maximum", "only", "limit", "up", "cap", "under", "than",
];
pub(super) const LIMITING: &[&str] = &[
    "per", "day", "daily", "each", "work", "working", "tasks", "task", "do", "plan", "schedule", "hours",
    "it",
];
pub(super) const DEMANDING: &[&str] = &[
    "demanding",
    "hard",
    "hardest",
    "difficult",
    "focus",
    "focused",
    "intense",
];
pub(super) const EASY: &[&str] = &["easy", "light", "shallow", "undemanding"];
pub(super) const PLACING: &[&str] = &[
    "keep", "put", "do", "schedule", "plan", "place", "prefer", "only", "work", "task", "tasks", "time",
    "stuff", "things", "first", "thing", "during", "when", "have", "get",
];
