//! Who is written with whom, and what they hear.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;
use crate::kernel::ids::IdGen;

fn tickets(count: usize) -> Vec<Ticket> {
    let ids = IdGen::counting();
    let ticket = |_| Ticket {
        id: ids.next(),
        attempt: 1,
    };
    (0..count).map(ticket).collect()
}

#[tokio::test]
async fn those_who_come_meanwhile_are_written_together() {
    let (together, tasks) = (Together::<bool>::default(), TaskTracker::new());
    let writes = Arc::new(AtomicUsize::new(0));
    let asked = tickets(50);
    let ask = |ticket: &Ticket| {
        let writes = writes.clone();
        let write = move |tickets: Vec<Ticket>| {
            writes.fetch_add(1, Ordering::SeqCst);
            async move {
                sleep(Duration::from_millis(5)).await;
                Ok(tickets.into_iter().map(|ticket| (ticket, true)).collect())
            }
        };
        together.ask(&tasks, *ticket, write)
    };
    let answers = join_all(asked.iter().map(ask)).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap()));
    let few = writes.load(Ordering::SeqCst);
    assert!(few <= 2, "{few} transactions");
}

#[tokio::test]
async fn of_two_with_one_ticket_one_gets_the_answer() {
    let (together, tasks) = (Together::<Option<u8>>::default(), TaskTracker::new());
    let ticket = tickets(1)[0];
    let ask = || {
        let write = |tickets: Vec<Ticket>| async move {
            sleep(Duration::from_millis(5)).await;
            Ok(HashMap::from([(tickets[0], Some(1))]))
        };
        together.ask(&tasks, ticket, write)
    };
    // The first two are written together; nobody has asked before.
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!([one.unwrap(), two.unwrap()], [Some(1), None]);
}

fn panics() -> Error {
    panic!("a defect")
}

#[tokio::test]
async fn all_hear_of_a_failure_and_the_next_is_written_again() {
    let (together, tasks) = (Together::<bool>::default(), TaskTracker::new());
    let ticket = tickets(1)[0];
    let failing = || {
        let write = |_: Vec<Ticket>| async { Err(Error::internal("away")) };
        together.ask(&tasks, ticket, write)
    };
    let (one, two) = tokio::join!(failing(), failing());
    assert!(one.is_err() && two.is_err());
    let panicking = |_: Vec<Ticket>| async { Err(panics()) };
    assert!(together.ask(&tasks, ticket, panicking).await.is_err());
    let write = |tickets: Vec<Ticket>| async move { Ok(HashMap::from([(tickets[0], true)])) };
    assert!(together.ask(&tasks, ticket, write).await.unwrap());
}

#[tokio::test]
async fn one_that_is_never_answered_does_not_keep_the_next_ones() {
    let together = Together::<bool> {
        patience: Duration::from_millis(50),
        ..Together::default()
    };
    let (tasks, asked) = (TaskTracker::new(), tickets(2));
    let writes = Arc::new(AtomicUsize::new(0));
    let ask = |ticket: Ticket| {
        let writes = writes.clone();
        let write = move |tickets: Vec<Ticket>| {
            let is_first = writes.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if is_first {
                    std::future::pending::<()>().await;
                }
                Ok(tickets.into_iter().map(|ticket| (ticket, true)).collect())
            }
        };
        together.ask(&tasks, ticket, write)
    };
    let next = async {
        sleep(Duration::from_millis(5)).await;
        ask(asked[1]).await
    };
    let both = async { tokio::join!(ask(asked[0]), next) };
    let (first, second) = timeout(Duration::from_secs(5), both).await.unwrap();
    assert!(first.is_err() && second.unwrap());
}

#[test]
fn attempts_of_one_number_are_one_group() {
    let mut asked = tickets(3);
    asked[1].attempt = 2;
    let groups = by_attempt(&asked);
    assert_eq!(groups[&1], [asked[0].id, asked[2].id]);
    assert_eq!(groups[&2], [asked[1].id]);
}
