//! Rows that a transaction keeps for itself until it ends.

use sea_orm::sea_query::LockType;
use sea_orm::{EntityTrait, QuerySelect as _, Select};

/// Keeps what is found for this transaction, where others refer to it, as to a person or a workspace.
pub trait Hold {
    /// Whoever would hold or change these rows waits, but not whoever stores rows that refer to them: new tasks are stored while the numbers
    /// of their workspace are held, and whoever holds a person and waits for those numbers would wait for the task, which waits for the
    /// person. Not for rows that are to be deleted.
    #[must_use]
    fn hold(self) -> Self;
}

impl<E: EntityTrait> Hold for Select<E> {
    fn hold(self) -> Self {
        self.lock(LockType::NoKeyUpdate)
    }
}
