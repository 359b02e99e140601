//! Local delivery; the Redis twin is covered by the integration tests.

use entity::ids::{JobId, TypedId as _};

use super::*;
use crate::kernel::ids::IdGen;

fn topic(ids: &IdGen) -> Topic {
    Topic::Job(ids.next::<JobId>())
}

async fn text(subscription: &mut Subscription) -> String {
    match subscription.recv().await {
        Signal::Message(text) => text.to_string(),
        other => panic!("not a message: {other:?}"),
    }
}

#[tokio::test]
async fn every_subscriber_hears_its_topic_and_no_other() {
    let (pubsub, ids) = (PubSub::local(), IdGen::counting());
    let (mine, other) = (topic(&ids), topic(&ids));
    let mut first = pubsub.subscribe(mine);
    let mut second = pubsub.subscribe(mine);
    pubsub.publish(other, &"no").await;
    pubsub.publish(mine, &"yes").await;
    assert_eq!(text(&mut first).await, "\"yes\"");
    assert_eq!(text(&mut second).await, "\"yes\"");
}

#[tokio::test]
async fn a_slow_subscriber_is_told_to_resync() {
    let (pubsub, ids) = (PubSub::local(), IdGen::counting());
    let mine = topic(&ids);
    let mut slow = pubsub.subscribe(mine);
    for number in 0..BACKLOG + 1 {
        pubsub.publish(mine, &number).await;
    }
    assert!(matches!(slow.recv().await, Signal::Resync));
    assert_eq!(text(&mut slow).await, "1");
}

#[tokio::test]
async fn a_topic_without_subscribers_takes_no_memory() {
    let pubsub = PubSub::local();
    let mine = Topic::Job(JobId::from_uuid(uuid::Uuid::nil()));
    let first = pubsub.subscribe(mine);
    let second = pubsub.subscribe(mine);
    drop(first);
    assert_eq!(pubsub.topics.senders.len(), 1);
    drop(second);
    assert!(pubsub.topics.senders.is_empty());
    pubsub.publish(mine, &()).await;
    assert_eq!(pubsub.failures(), 0);
}

#[tokio::test]
async fn closing_ends_subscriptions_after_what_was_sent() {
    let pubsub = PubSub::local();
    let mut subscription = pubsub.subscribe(Topic::JobsDue);
    pubsub.publish(Topic::JobsDue, &1).await;
    pubsub.close();
    assert_eq!(text(&mut subscription).await, "1");
    assert!(matches!(subscription.recv().await, Signal::Closed));
}
