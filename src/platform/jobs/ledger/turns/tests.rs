//! Whose turn it is.

use super::*;
use crate::kernel::ids::IdGen;

const QUEUE: JobQueueName = JobQueueName::Email;

#[test]
fn a_ring_goes_on_after_whoever_was_served_last() {
    let turns = Turns::default();
    let party = Uuid::from_u128(7);
    assert_eq!(turns.next(QUEUE, Urgency::Background), Uuid::nil());
    turns.served(QUEUE, Urgency::Background, party);
    assert_eq!(turns.next(QUEUE, Urgency::Background), Uuid::from_u128(8));
    assert_eq!(turns.next(QUEUE, Urgency::Interactive), Uuid::nil());
}

#[test]
fn every_fourth_turn_is_for_the_background_however_they_are_taken() {
    for batch in [1, 2, 3, 4, 7, 32] {
        let turns = Turns::default();
        let (mut taken, mut background) = (0, 0);
        while taken < 672 {
            background += turns.reserved(QUEUE, batch);
            turns.count(QUEUE, batch);
            taken += batch;
        }
        assert_eq!(background, 168, "in batches of {batch}");
    }
}

#[test]
fn jobs_are_dealt_in_rounds() {
    let ids = IdGen::counting();
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let jobs: Vec<JobId> = (0..4).map(|_| ids.next()).collect();
    let found = [(a, jobs[0]), (a, jobs[1]), (b, jobs[2]), (a, jobs[3])];
    let dealt = deal(&[b, a], &found, 3);
    assert_eq!(dealt, [jobs[2], jobs[0], jobs[1]]);
}
