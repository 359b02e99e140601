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
    let check = |key| limits.check(Limit::GuestRequests, key, 1);
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
    let check = |cost| limits.check(Limit::CallerPoints, "a", cost);
    assert_eq!(check(60).remaining, 40);
    assert!(!check(60).allowed);
    assert!(check(40).allowed);
}

#[test]
fn more_than_a_full_budget_spends_all_of_it() {
    let limits = limits(&[("MERIDIAN_RATE_CALLER_POINTS", "100")]);
    let decision = limits.check(Limit::CallerPoints, "a", 5_000);
    assert_eq!((decision.allowed, decision.remaining), (true, 0));
    assert!(!limits.check(Limit::CallerPoints, "a", 1).allowed);
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
            key: "a",
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
