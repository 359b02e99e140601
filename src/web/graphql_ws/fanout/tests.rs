//! The circle against a model: commits, joins, resumes, slow and stuck readers in a random order, and every subscriber must hear exactly
//! what was committed after the place where it began.

use std::sync::Arc;

use super::circle::{Circle, News};
use super::payload::Payload;
use super::seat::Seat;
use crate::access::Caller;
use crate::kernel::actor::Origin;
use crate::web::graphql_ws::bell::Bell;

/// A small generator, so that a failure names the seed that makes it again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A subscriber as its socket sees it.
struct Reader {
    seat: Option<Seat>,
    /// What it read from the log by itself, then what the circle gave it.
    heard: Vec<i64>,
    began: i64,
    is_stuck: bool,
}

impl Reader {
    /// Sits down knowing everything up to `position`, and reads what it missed.
    fn sit(circle: &Arc<Circle>, began: i64) -> Self {
        let (bell, caller) = (Arc::<Bell>::default(), Arc::new(Caller::guest(Origin::default())));
        let (mut seat, sent) = circle.sit(&bell, &caller, began).unwrap();
        let heard: Vec<i64> = (began + 1..=sent).collect();
        seat.advance(sent);
        Self {
            seat: Some(seat),
            heard,
            began,
            is_stuck: false,
        }
    }

    /// Takes up to `most` messages; true when it was too slow.
    fn read(&mut self, most: u64) -> bool {
        let Some(seat) = &mut self.seat else { return false };
        seat.stall(false);
        for _ in 0..most {
            match seat.take() {
                Some(News::Payload(payload)) => self.heard.push(payload.seq),
                Some(News::Overflow) => {
                    assert_eq!(seat.position(), self.heard.last().copied().unwrap_or(self.began));
                    self.seat = None;
                    return true;
                }
                Some(_) => panic!("nobody was sent away"),
                None => return false,
            }
        }
        false
    }

    fn check(&self, seed: u64) {
        let expected: Vec<i64> = (self.began + 1..).take(self.heard.len()).collect();
        assert_eq!(self.heard, expected, "seed {seed}");
    }
}

#[test]
fn everybody_hears_everything_once_from_where_they_began() {
    for seed in 1..=200 {
        let mut dice = Dice(seed * 0x9e37_79b9);
        let mut log = i64::try_from(dice.roll(100)).unwrap();
        let circle = Arc::new(Circle::starting(log));
        let mut readers: Vec<Reader> = Vec::new();
        for _ in 0..600 {
            match dice.roll(8) {
                0 => {
                    // Commits that the circle has not seen yet are in front of a newcomer who begins at the end of the log.
                    let ahead = i64::try_from(dice.roll(3)).unwrap();
                    readers.push(Reader::sit(&circle, log + ahead));
                    (0..ahead).for_each(|_| commit(&circle, &mut log, &mut readers));
                }
                1 => {
                    let back = i64::try_from(dice.roll(40)).unwrap();
                    readers.push(Reader::sit(&circle, (log - back).max(0)));
                }
                2 if !readers.is_empty() => {
                    let index = usize::try_from(dice.roll(readers.len() as u64)).unwrap();
                    readers.swap_remove(index).check(seed);
                }
                3 if !readers.is_empty() => {
                    let index = usize::try_from(dice.roll(readers.len() as u64)).unwrap();
                    let reader = &mut readers[index];
                    reader.is_stuck = !reader.is_stuck;
                    match &mut reader.seat {
                        Some(seat) if reader.is_stuck => seat.stall(true),
                        // It may hear that it was too slow meanwhile.
                        _ => _ = reader.read(1),
                    }
                }
                4 => {
                    let most = dice.roll(20);
                    for reader in readers.iter_mut().filter(|reader| !reader.is_stuck) {
                        reader.read(most);
                    }
                }
                _ => commit(&circle, &mut log, &mut readers),
            }
        }
        for reader in &mut readers {
            let was_slow = reader.read(u64::MAX);
            reader.check(seed);
            if reader.seat.is_some() && !was_slow {
                assert_eq!(
                    reader.began.max(log),
                    reader.heard.last().copied().unwrap_or(reader.began),
                    "seed {seed}"
                );
            }
        }
    }
}

/// One more change. Readers that could read are given the time to when the circle waits for them.
fn commit(circle: &Arc<Circle>, log: &mut i64, readers: &mut [Reader]) {
    *log += 1;
    let payload = Arc::new(Payload::plain(*log, "x"));
    while !circle.try_send(&payload, false) {
        for reader in readers.iter_mut().filter(|reader| !reader.is_stuck) {
            assert!(!reader.read(1), "who reads is not cut off");
        }
    }
}

#[test]
fn one_who_does_not_read_holds_up_nobody_and_learns_where_to_resume() {
    let circle = Arc::new(Circle::starting(0));
    let (mut slow, mut quick) = (Reader::sit(&circle, 0), Reader::sit(&circle, 0));
    assert!(!slow.read(3));
    slow.seat.as_mut().unwrap().stall(true);
    for seq in 1..=500 {
        assert!(circle.try_send(&Arc::new(Payload::plain(seq, "x")), false));
        assert!(!quick.read(1));
    }
    assert!(slow.read(u64::MAX), "it was cut off");
    assert_eq!(quick.heard.len(), 500);
    slow.check(0);
}

#[test]
fn one_who_could_read_is_waited_for() {
    let circle = Arc::new(Circle::starting(0));
    let mut late = Reader::sit(&circle, 0);
    let mut seq = 0;
    while circle.try_send(&Arc::new(Payload::plain(seq + 1, "x")), false) {
        seq += 1;
    }
    assert!(seq > 10, "some messages wait");
    assert!(!late.read(1));
    assert!(circle.try_send(&Arc::new(Payload::plain(seq + 1, "x")), false));
    assert!(
        circle.try_send(&Arc::new(Payload::plain(seq + 2, "x")), true),
        "but not for ever"
    );
    assert!(late.read(u64::MAX));
}

#[test]
fn long_messages_wait_in_smaller_numbers() {
    let circle = Arc::new(Circle::starting(0));
    let _late = Reader::sit(&circle, 0);
    let long = "x".repeat(700 * 1024);
    assert!(circle.try_send(&Arc::new(Payload::plain(1, &long)), false));
    assert!(!circle.try_send(&Arc::new(Payload::plain(2, &long)), false));
}

#[test]
fn who_is_sent_away_hears_nothing_more() {
    let circle = Arc::new(Circle::starting(0));
    let mut gone = Reader::sit(&circle, 0);
    let mut stays = Reader::sit(&circle, 0);
    assert!(circle.try_send(&Arc::new(Payload::plain(1, "x")), false));
    circle.recheck(&[0]);
    assert!(circle.try_send(&Arc::new(Payload::plain(2, "x")), false));
    assert!(matches!(gone.seat.as_mut().unwrap().take(), Some(News::Recheck)));
    assert_eq!(circle.people().len(), 1);
    assert!(!stays.read(9));
    assert_eq!(stays.heard, [1, 2]);
    drop((gone.seat.take(), stays.seat.take()));
    assert!(circle.close_if_empty());
    let caller = Arc::new(Caller::guest(Origin::default()));
    assert!(
        circle.sit(&Arc::default(), &caller, 2).is_none(),
        "it is too late"
    );
}
