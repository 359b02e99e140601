//! How much is lent to Redis ahead.

use super::*;

#[test]
fn long_jobs_are_not_lent_ahead_and_short_ones_are() {
    let flow = Flow::new(4);
    let start = Instant::now();
    assert_eq!(flow.window_at(start), None);
    for _ in 0..40 {
        flow.delivered();
    }
    assert_eq!(flow.window_at(start + Duration::from_secs(1)), Some(10));
    for _ in 0..4_000 {
        flow.delivered();
    }
    assert_eq!(flow.window_at(start + Duration::from_secs(2)), Some(48));
    assert_eq!(flow.window_at(start + Duration::from_secs(4)), None);
}

#[test]
fn slots_that_end_together_do_not_make_jobs_short() {
    let flow = Flow::new(4);
    let start = Instant::now();
    for _ in 0..5 {
        flow.delivered();
    }
    assert_eq!(flow.window_at(start + Duration::from_millis(250)), None);
}

#[test]
fn the_relay_is_called_when_half_is_left() {
    let flow = Flow::new(4);
    assert!(flow.is_low(), "jobs may be long");
    for _ in 0..40 {
        flow.delivered();
    }
    flow.window_at(Instant::now() + Duration::from_secs(1));
    flow.filled(7);
    assert!(!flow.delivered());
    assert!(flow.delivered());
    flow.filled(0);
    assert!(flow.delivered());
}
