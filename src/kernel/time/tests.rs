//! Clocks that are set and moved.

use super::*;

fn at(seconds: i64) -> Instant {
    from_micros(seconds * 1_000_000)
}

#[test]
fn a_span_ends_after_it_starts() {
    assert!(Span::new(at(1), at(1)).is_none());
    assert!(Span::new(at(2), at(1)).is_none());
    assert!(Span::new(at(1), at(2)).is_some());
}

#[test]
fn back_to_back_is_not_an_overlap() {
    let a = Span {
        start: at(0),
        end: at(10),
    };
    assert!(!a.overlaps(&Span {
        start: at(10),
        end: at(20)
    }));
    assert!(a.overlaps(&Span {
        start: at(9),
        end: at(20)
    }));
}

#[test]
fn a_manual_clock_moves_only_when_told() {
    let clock = Clock::manual(at(5));
    assert_eq!(clock.now(), at(5));
    clock.advance(chrono::Duration::seconds(3));
    assert_eq!(clock.now(), at(8));
    clock.correct(chrono::Duration::seconds(60));
    assert_eq!(clock.now(), at(8));
}

#[test]
fn the_machines_clock_is_corrected_for_all_who_share_it() {
    let (clock, other) = (Clock::system(), Clock::system());
    let shared = clock.clone();
    clock.correct(chrono::Duration::seconds(90));
    let ahead = (shared.now() - other.now()).num_seconds();
    assert!((89..=91).contains(&ahead), "{ahead}");
}
