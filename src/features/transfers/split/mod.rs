//! Where the objects of a file are. Pure: each scanner is fed the bytes of a file in order and remembers places, never contents.
//!
//! Promises: linear time, and memory for the number of objects only, whatever the length of a line or of an object.

pub(super) mod ics;
pub(super) mod json;
pub(super) mod rows;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// First byte.
    pub(super) start: u64,
    /// Number of bytes.
    pub(super) len: u64,
    /// Line in which it begins, from 1.
    pub(super) line: u32,
}

impl Piece {
    fn between(start: u64, end: u64, line: u32) -> Self {
        Self {
            start,
            len: end.saturating_sub(start),
            line,
        }
    }
}
