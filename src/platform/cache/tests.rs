//! What stays and what does not.

use entity::enums::ChangeAction;
use entity::ids::{UserId, WorkspaceId};
use uuid::Uuid;

use super::*;
use crate::kernel::changes::{Change, Committed, ObjectType, Topic};
use crate::kernel::ids::IdGen;

struct Numbers;

impl Kept for Numbers {
    const NAME: &'static str = "numbers";
    type Key = u32;
    type Value = u32;
    const CAPACITY: u64 = 10;
    const TIME_TO_LIVE: Duration = Duration::from_secs(60);
}

async fn read(cache: &Cache, group: Group, value: u32) -> u32 {
    cache
        .get::<Numbers, _>(7, group, async { Ok(value) })
        .await
        .unwrap()
}

fn committed(kind: ObjectType) -> Committed {
    let change = Change {
        seq: 1,
        action: ChangeAction::Updated,
        object_type: kind,
        object_id: Uuid::nil(),
        calendar_id: None,
        at: chrono::DateTime::UNIX_EPOCH,
    };
    Committed {
        last_seq: 1,
        changes: vec![change],
    }
}

#[tokio::test]
async fn a_value_stays_until_its_group_changes() {
    let pubsub = PubSub::local();
    let cache = Cache::new(pubsub.clone());
    let workspace = IdGen::counting().next::<WorkspaceId>();
    let group = Group::Workspace(workspace);
    assert_eq!(read(&cache, group, 1).await, 1);
    assert_eq!(read(&cache, group, 2).await, 1);
    // Tasks are no reference rows.
    pubsub
        .publish(Topic::Changes(workspace), &committed(ObjectType::Task))
        .await;
    assert_eq!(read(&cache, group, 2).await, 1);
    pubsub
        .publish(Topic::Changes(workspace), &committed(ObjectType::Calendar))
        .await;
    assert_eq!(read(&cache, group, 3).await, 3);
    assert_eq!(cache.counts(), [("numbers", 2, 2)]);
}

#[tokio::test]
async fn a_value_that_was_read_while_its_group_changed_is_old_at_once() {
    let pubsub = PubSub::local();
    let cache = Cache::new(pubsub.clone());
    let user = IdGen::counting().next::<UserId>();
    let group = Group::Person(user);
    let slow = cache.get::<Numbers, _>(7, group, async {
        pubsub.publish(Topic::Revoked(user), &()).await;
        Ok(1)
    });
    assert_eq!(slow.await.unwrap(), 1);
    assert_eq!(read(&cache, group, 2).await, 2);
    let owner = |_: &u32| Some(Group::Memberships);
    let slow = cache.get_owned::<Numbers, _>(8, owner, async {
        pubsub.publish(Topic::Revoked(user), &()).await;
        Ok(1)
    });
    assert_eq!(slow.await.unwrap(), 1);
    let again = cache.get_owned::<Numbers, _>(8, owner, async { Ok(2) });
    assert_eq!(again.await.unwrap(), 2);
}

#[tokio::test]
async fn what_was_withdrawn_from_one_person_is_old_and_that_of_others_is_not() {
    let pubsub = PubSub::local();
    let cache = Cache::new(pubsub.clone());
    let ids = IdGen::counting();
    let (ana, ben) = (ids.next::<UserId>(), ids.next::<UserId>());
    // Two people of one stripe are read again together.
    let stripes = [ana, ben].map(|id| cache.0.groups.stamp(Group::Person(id)));
    cache.withdrawn(ana);
    if cache.0.groups.stamp(Group::Person(ben)) != stripes[1] {
        return;
    }
    assert_ne!(cache.0.groups.stamp(Group::Person(ana)), stripes[0]);
    let (hers, his) = (Group::MembershipsOf(ana), Group::MembershipsOf(ben));
    assert_eq!(read(&cache, his, 1).await, 1);
    cache.withdrawn(ana);
    assert_eq!(read(&cache, his, 2).await, 1);
    assert_eq!(read(&cache, hers, 3).await, 3);
    // Who it was is not said.
    let workspace = ids.next::<WorkspaceId>();
    let message = committed(ObjectType::WorkspaceMember);
    pubsub.publish(Topic::Changes(workspace), &message).await;
    assert_eq!(read(&cache, hers, 4).await, 4);
    cache.doubt();
    assert_eq!(read(&cache, hers, 5).await, 5);
}

#[tokio::test]
async fn a_forgetful_cache_reads_each_time() {
    let cache = Cache::forgetful(PubSub::local());
    assert_eq!(read(&cache, Group::Memberships, 1).await, 1);
    assert_eq!(read(&cache, Group::Memberships, 2).await, 2);
    assert_eq!(cache.counts(), [("numbers", 0, 2)]);
}
