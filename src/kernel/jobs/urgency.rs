//! How jobs of one queue stand to each other. Data only: the ledger decides whose turn it is.

/// Who waits for a job. Within a queue those that a person waits for go first; the others still get every fourth turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Nobody looks.
    #[default]
    Background,
    /// Somebody sits in front of a screen.
    Interactive,
}

impl Urgency {
    /// Both, the first to be served first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Background];

    /// The stored number. Whatever is above zero counts as interactive, also numbers of other versions.
    pub const fn priority(self) -> i16 {
        match self {
            Self::Background => 0,
            Self::Interactive => 10,
        }
    }
}
