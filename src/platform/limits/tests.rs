//! Budgets of one process.

use std::collections::BTreeMap;

use super::*;
use crate::config::Config;

fn limits(pairs: &[(&str, &str)]) -> Limits {
    let values: BTreeMap<_, _> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Limits::new(
        &Config::parse(&values).unwrap().rates,
        Clock::manual(Instant::default()),
    )
}

#[test]
fn a_budget_is_spent_and_told() {
    let limits = limits(&[("MERIDIAN_RATE_GUEST_REQUESTS", "3")]);
    let check = |name| limits.check(Limit::GuestRequests, Key::Name(name), 1);
    let first = check("a");
    assert_eq!(
        (first.allowed, first.limit, first.remaining, first.retry_after),
        (true, 3, 2, 0)
    );
    assert_eq!(first.reset_after, 20);
    assert_eq!(limits.full_at(&first).timestamp(), 20);
    assert!(check("a").allowed && check("a").allowed);
    let refused = check("a");
    assert_eq!((refused.allowed, refused.remaining), (false, 0));
    assert!((19..=20).contains(&refused.retry_after), "{refused:?}");
    assert_eq!(refused.into_result().unwrap_err().code(), ErrorCode::RateLimited);
    assert!(check("b").allowed, "others are not concerned");
}

#[test]
fn points_are_spent_together_or_not_at_all() {
    let limits = limits(&[("MERIDIAN_RATE_CALLER_POINTS", "100")]);
    let check = |cost| limits.check(Limit::CallerPoints, Key::Name("a"), cost);
    assert_eq!(check(60).remaining, 40);
    assert!(!check(60).allowed);
    assert!(check(40).allowed);
}

#[test]
fn more_than_a_full_budget_spends_all_of_it() {
    let limits = limits(&[("MERIDIAN_RATE_CALLER_POINTS", "100")]);
    let decision = limits.check(Limit::CallerPoints, Key::Name("a"), 5_000);
    assert_eq!((decision.allowed, decision.remaining), (true, 0));
    assert!(!limits.check(Limit::CallerPoints, Key::Name("a"), 1).allowed);
}

#[test]
fn every_limit_finds_its_own_budget() {
    assert!(
        Limit::ALL
            .iter()
            .enumerate()
            .all(|(place, limit)| *limit as usize == place)
    );
}

#[test]
fn every_limit_has_a_setting_of_its_own() {
    for limit in Limit::ALL {
        let one = limits(&[(limit.setting(), "2")]);
        assert_eq!(one.free(limit).limit, 2, "{}", limit.setting());
    }
}

#[tokio::test]
async fn without_redis_a_process_decides_alone() {
    let limits = limits(&[
        ("MERIDIAN_RATE_CALLER_REQUESTS", "2"),
        ("MERIDIAN_RATE_CALLER_POINTS", "10"),
    ]);
    let charges = |cost| {
        [Limit::CallerRequests, Limit::CallerPoints].map(|kind| Charge {
            kind,
            key: Key::Name("a"),
            cost: if kind == Limit::CallerPoints { cost } else { 1 },
        })
    };
    let [requests, points] = limits.spend(charges(4)).await;
    assert_eq!((requests.remaining, points.remaining), (1, 6));
    assert!(!limits.spend(charges(7)).await[1].allowed);
    assert_eq!(limits.decided_alone(), 0, "there is no Redis to miss");
}

#[test]
fn one_at_a_time_pays_in_advance_for_an_owner() {
    let leases = Leases::default();
    let first = leases.payer(1);
    assert!(first.is_some());
    for _ in 0..3 {
        assert!(
            leases.payer(1).is_none(),
            "whoever is refused does not end the right of whoever has it"
        );
    }
    assert!(leases.payer(2).is_some(), "others are not concerned");
    drop(first);
    assert!(leases.payer(1).is_some());
}

const QUARTER: u64 = WINDOW_MICROS / 4;

fn requests(limit: u32) -> [Part; 1] {
    [Part {
        kind: Limit::CallerRequests as usize,
        limit,
        cost: 1,
    }]
}

/// Whether Redis has to be asked about a request; it tells how much of the budget is used, as time.
fn asks(leases: &Leases, charges: &[Part; 1], used: u64, now: tokio::time::Instant) -> bool {
    if leases.take(1, charges, now).is_some() {
        return false;
    }
    let payer = leases.payer(1).unwrap();
    let ahead = leases.in_advance(&payer, charges, now);
    leases.keep(&payer, charges, ahead, [used], now);
    true
}

/// How often Redis is asked about one minute of five requests each second, after another of them.
fn asked(limit: u32, used: u64) -> usize {
    let leases = Leases::default();
    let began = tokio::time::Instant::now();
    let answers = (0..600).map(|number: u32| {
        let now = began + Duration::from_millis(200) * number;
        asks(&leases, &requests(limit), used, now)
    });
    answers.skip(300).filter(|asked| *asked).count()
}

#[test]
fn redis_is_asked_less_often_about_whoever_is_far_from_the_limit() {
    assert_eq!(asked(100_000, QUARTER), 6, "each ten seconds");
    assert_eq!(asked(100_000, QUARTER + 1), 28, "each two seconds");
    assert_eq!(asked(1_000, QUARTER), 18, "each sixty-fourth of a budget");
    assert_eq!(asked(639, 0), 300, "small budgets are exact");
}

#[test]
fn what_is_paid_in_advance_is_a_small_part_and_ends() {
    let charges = requests(6_400);
    for (used, seconds) in [(QUARTER, 10), (QUARTER + 1, 2)] {
        let leases = Leases::default();
        let mut now = tokio::time::Instant::now();
        let (mut free, mut most) = (0, 0);
        for _ in 0..2_000 {
            now += Duration::from_millis(1);
            free = if asks(&leases, &charges, used, now) {
                0
            } else {
                free + 1
            };
            most = most.max(free);
        }
        assert_eq!(most, 100, "however quickly they come");
        while !asks(&leases, &charges, used, now) {}
        let end = now + Duration::from_secs(seconds);
        assert!(leases.take(1, &charges, end).is_some());
        assert!(leases.take(1, &charges, end + Duration::from_millis(1)).is_none());
    }
}

#[test]
fn whoever_comes_near_the_limit_is_held_to_it_again() {
    let (leases, charges) = (Leases::default(), requests(6_400));
    let mut now = tokio::time::Instant::now();
    for used in [0, 0, QUARTER + 1] {
        now += Duration::from_millis(1);
        while !asks(&leases, &charges, used, now) {}
    }
    assert!(
        leases
            .take(1, &charges, now + Duration::from_millis(2_001))
            .is_none()
    );
}

#[test]
fn keys_of_every_kind_have_a_text_of_their_own() {
    let address = |text: &str| Key::Address(text.parse().unwrap());
    let keys = [
        Key::Id(uuid::Uuid::from_u128(1)),
        address("192.0.2.1"),
        address("2001:db8::"),
        Key::Name("operators"),
    ];
    assert_eq!(
        keys.map(|key| key.to_string()),
        [
            "00000000-0000-0000-0000-000000000001",
            "192.0.2.1",
            "2001:db8::",
            "operators"
        ]
    );
}

#[test]
fn a_shared_budget_is_told_like_ones_own() {
    let limits = limits(&[("MERIDIAN_RATE_CALLER_POINTS", "100000")]);
    let after = |micros| {
        limits
            .decision(Limit::CallerPoints, 100_000, Duration::from_micros(micros), 0)
            .remaining
    };
    assert_eq!(
        [after(0), after(2_400), after(2_401), after(60_000_000)],
        [100_000, 99_996, 99_995, 0]
    );
    let refused = limits.decision(Limit::CallerPoints, 100_000, Duration::from_secs(60), 3);
    assert_eq!(
        (refused.allowed, refused.remaining, refused.retry_after),
        (false, 0, 3)
    );
}
