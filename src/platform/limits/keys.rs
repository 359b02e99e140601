//! Whose a budget is. Promises: making a key allocates nothing, and its text is the same at every replica. Must not know what the ids are
//! of.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;

use uuid::Uuid;

/// Whose a budget is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// Of what has this id.
    Id(Uuid),
    /// Of whoever asks from this address or, as the first of its addresses, from this network.
    Address(IpAddr),
    /// Of what has another name.
    Name(&'a str),
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => fmt::Display::fmt(id, f),
            Self::Address(address) => fmt::Display::fmt(address, f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Keys that are hashes already.
pub(super) type Hashed = BuildHasherDefault<AsItIs>;

/// Takes a number for its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
