//! How presence is read and written.

use super::*;

fn sign(status: Status, location: &str, second: i64) -> Sign {
    Sign {
        status,
        location: Some(location.to_owned()),
        seen_at: DateTime::from_timestamp(second, 0).unwrap(),
    }
}

#[test]
fn the_most_lively_client_counts_and_the_newest_says_where() {
    let now = DateTime::from_timestamp(1_000, 0).unwrap();
    let me = UserId(uuid::Uuid::nil());
    let look = |signs: &[Sign]| {
        let seen = seen(me, signs.iter(), now).unwrap();
        (seen.status, seen.location, seen.seen_at.timestamp())
    };
    let here = |place: &str| Some(place.to_owned());
    let (online, idle) = (sign(Status::Online, "a", 990), sign(Status::Online, "b", 900));
    assert_eq!(
        look(std::slice::from_ref(&online)),
        (Status::Online, here("a"), 990)
    );
    assert_eq!(look(std::slice::from_ref(&idle)), (Status::Away, here("b"), 900));
    assert_eq!(
        look(&[idle.clone(), online.clone()]),
        (Status::Online, here("a"), 990)
    );
    let focusing = sign(Status::Focusing, "c", 500);
    assert_eq!(
        look(&[online.clone(), focusing]),
        (Status::Focusing, here("a"), 990)
    );
    let gone = sign(Status::Offline, "d", 999);
    assert_eq!(look(std::slice::from_ref(&gone)), (Status::Offline, None, 999));
    assert_eq!(look(&[gone, online]), (Status::Online, here("a"), 999));
    assert_eq!(seen(me, std::iter::empty(), now), None);
}
