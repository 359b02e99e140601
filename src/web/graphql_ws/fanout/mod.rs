//! One execution for many subscribers. Those who asked the same and may see the same sit in one circle; a task follows the change log for it,
//! or whatever else it is about, executes each change once and writes the answer once. Promises: the same messages that each subscriber would get
//! alone, none of them twice and none missing; who lost the right to sit is sent away before the next message.

mod circle;
mod driver;
mod echo;
mod join;
mod payload;
mod seat;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use self::circle::Circle;
use self::driver::Driver;
use crate::access::Caller;
use crate::graphql::live::{GroupKey, Plan};
use crate::platform::presence::Watch;
use crate::web::Web;
use crate::web::graphql_ws::bell::Bell;

pub(super) use circle::{Ending, News};
pub(super) use join::{Joined, Joiner, Place};
pub(super) use payload::Payload;
use seat::Seat;

/// All circles of this process.
#[derive(Default)]
pub(super) struct Fanout {
    groups: DashMap<GroupKey, Group>,
    /// Grows whenever somebody begins to ask who may still sit.
    rechecks: AtomicU64,
}

#[derive(Clone)]
struct Group {
    plan: Arc<Plan>,
    circle: Arc<Circle>,
}

/// A seat, and what has to be known about where it is.
struct Taken {
    seat: Seat,
    plan: Arc<Plan>,
    /// Position of the last message before.
    sent: i64,
}

/// Where a circle begins that does not exist yet.
struct Begin {
    /// In the change log.
    position: i64,
    /// What has been heard of those who are present since before anybody sat down.
    crowd: Option<Watch>,
}

impl Fanout {
    /// Sits down in the circle of this name, which begins there when there is none.
    fn sit(
        &self,
        web: &Web,
        key: GroupKey,
        plan: &Arc<Plan>,
        (bell, caller): (&Arc<Bell>, &Arc<Caller>),
        begin: Begin,
    ) -> Option<Taken> {
        let position = begin.position;
        let entry = self.groups.entry(key.clone());
        if let Entry::Occupied(known) = &entry
            && let Some((seat, sent)) = known.get().circle.sit(bell, caller, position)
        {
            let plan = known.get().plan.clone();
            return Some(Taken { seat, plan, sent });
        }
        let group = Group {
            plan: plan.clone(),
            circle: Arc::new(match plan.about().is_state() {
                true => Circle::keeping(),
                false => Circle::starting(position),
            }),
        };
        let (seat, sent) = group.circle.sit(bell, caller, position)?;
        let plan = group.plan.clone();
        let driver = Driver::new(web.clone(), key, group.clone(), begin.crowd);
        match entry {
            Entry::Occupied(mut known) => drop(known.insert(group)),
            Entry::Vacant(place) => drop(place.insert(group)),
        }
        web.platform.spawn(driver.run(position));
        Some(Taken { seat, plan, sent })
    }

    /// Forgets a circle that has come to its end.
    fn forget(&self, key: &GroupKey, circle: &Arc<Circle>) {
        self.groups
            .remove_if(key, |_, group| Arc::ptr_eq(&group.circle, circle));
    }

    /// How often it was asked who may still sit. Whoever found out about themselves before the last time has to ask again.
    fn rechecks(&self) -> u64 {
        self.rechecks.load(Ordering::SeqCst)
    }

    fn begin_recheck(&self) {
        self.rechecks.fetch_add(1, Ordering::SeqCst);
    }
}
