//! When what was kept becomes old: counters that changes advance. Knows which changes touch which group.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use entity::ids::{TypedId as _, UserId, WorkspaceId};
use uuid::Uuid;

use crate::kernel::changes::{Committed, ObjectType};
use crate::platform::pubsub::Heard;

/// Counters per kind of group: two groups that share one only read again too often.
const STRIPES: usize = 4_096;

/// What a kept value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The sign-in and profile of a person.
    Person(UserId),
    /// Who is a member of what, anywhere.
    Memberships,
    /// The reference rows of a workspace: itself, its calendars and members.
    Workspace(WorkspaceId),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp(u64, u64);

/// One counter for each group that changed, shared by groups of one stripe.
pub(super) struct Groups {
    everything: AtomicU64,
    memberships: AtomicU64,
    people: Box<[AtomicU64]>,
    workspaces: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Groups {
    pub(super) fn new() -> Self {
        let stripes = || (0..STRIPES).map(|_| AtomicU64::new(0)).collect();
        Self {
            everything: AtomicU64::new(0),
            memberships: AtomicU64::new(0),
            people: stripes(),
            workspaces: stripes(),
            hasher: RandomState::new(),
        }
    }

    fn counter(&self, group: Group) -> &AtomicU64 {
        let stripe = |id: Uuid| self.hasher.hash_one(id) as usize % STRIPES;
        match group {
            Group::Memberships => &self.memberships,
            Group::Person(id) => &self.people[stripe(id.0)],
            Group::Workspace(id) => &self.workspaces[stripe(id.0)],
        }
    }

    pub(super) fn stamp(&self, group: Group) -> Stamp {
        Stamp(
            self.everything.load(Ordering::Acquire),
            self.counter(group).load(Ordering::Acquire),
        )
    }

    fn changed(&self, group: Group) {
        self.counter(group).fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn hear(&self, heard: Heard<'_>) {
        let Heard::Message { topic, text } = heard else {
            self.everything.fetch_add(1, Ordering::AcqRel);
            return;
        };
        let id = |text: &str| Uuid::parse_str(text).ok();
        if let Some(user) = topic.strip_prefix("revoked:").and_then(id) {
            self.changed(Group::Person(UserId::from_uuid(user)));
            self.changed(Group::Memberships);
        } else if let Some(workspace) = topic.strip_prefix("changes:").and_then(id) {
            let group = Group::Workspace(WorkspaceId::from_uuid(workspace));
            let Ok(committed) = serde_json::from_str::<Committed>(text) else {
                self.everything.fetch_add(1, Ordering::AcqRel);
                return;
            };
            // Many changes travel without their names.
            let unnamed = committed.changes.is_empty();
            let touches = |kinds: &[ObjectType]| {
                unnamed
                    || committed
                        .changes
                        .iter()
                        .any(|change| kinds.contains(&change.object_type))
            };
            if touches(&[ObjectType::Workspace, ObjectType::WorkspaceMember]) {
                self.changed(Group::Memberships);
            }
            if touches(&[
                ObjectType::Workspace,
                ObjectType::WorkspaceMember,
                ObjectType::Calendar,
            ]) {
                self.changed(group);
            }
        }
    }
}
