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
    /// What a person is a member of.
    MembershipsOf(UserId),
    /// The reference rows of a workspace: itself, its calendars and members.
    Workspace(WorkspaceId),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp(u64, u64);

/// One counter for each group that changed, shared by groups of one stripe.
pub(super) struct Groups {
    everything: AtomicU64,
    memberships: AtomicU64,
    /// Of people who are not named.
    others_memberships: AtomicU64,
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
            others_memberships: AtomicU64::new(0),
            people: stripes(),
            workspaces: stripes(),
            hasher: RandomState::new(),
        }
    }

    fn stripe(&self, id: Uuid) -> usize {
        self.hasher.hash_one(id) as usize % STRIPES
    }

    pub(super) fn stamp(&self, group: Group) -> Stamp {
        let count = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let person = |id: UserId| count(&self.people[self.stripe(id.0)]);
        let counted = match group {
            Group::Memberships => count(&self.memberships),
            // Neither counter ever goes back, so their sum tells when one of them advanced.
            Group::MembershipsOf(id) => count(&self.others_memberships) + person(id),
            Group::Person(id) => person(id),
            Group::Workspace(id) => count(&self.workspaces[self.stripe(id.0)]),
        };
        Stamp(count(&self.everything), counted)
    }

    /// All that is kept becomes old.
    pub(super) fn everything_changed(&self) {
        self.everything.fetch_add(1, Ordering::AcqRel);
    }

    /// What a person may do is another. In this order: whoever finds the person's counter advanced finds the other one so, too.
    pub(super) fn person_changed(&self, id: UserId) {
        self.memberships.fetch_add(1, Ordering::AcqRel);
        self.people[self.stripe(id.0)].fetch_add(1, Ordering::AcqRel);
    }

    /// Somebody came to a workspace, left it, or has another role.
    fn members_changed(&self) {
        self.memberships.fetch_add(1, Ordering::AcqRel);
        self.others_memberships.fetch_add(1, Ordering::AcqRel);
    }

    fn workspace_changed(&self, id: WorkspaceId) {
        self.workspaces[self.stripe(id.0)].fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn hear(&self, heard: Heard<'_>) {
        let Heard::Message { topic, text } = heard else {
            return self.everything_changed();
        };
        let id = |text: &str| Uuid::parse_str(text).ok();
        if let Some(user) = topic.strip_prefix("revoked:").and_then(id) {
            self.person_changed(UserId::from_uuid(user));
        } else if let Some(workspace) = topic.strip_prefix("changes:").and_then(id) {
            let Ok(committed) = serde_json::from_str::<Committed>(text) else {
                return self.everything_changed();
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
                self.members_changed();
            }
            if touches(&[
                ObjectType::Workspace,
                ObjectType::WorkspaceMember,
                ObjectType::Calendar,
            ]) {
                self.workspace_changed(WorkspaceId::from_uuid(workspace));
            }
        }
    }
}
