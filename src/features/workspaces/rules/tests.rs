//! What rules does with good and bad input.

use super::*;

fn valid(slug: &str) -> bool {
    let mut checks = Checks::default();
    check_slug(&mut checks, "input.slug", slug);
    checks.finish().is_ok()
}

#[test]
fn url_names_are_told_from_rubbish() {
    for slug in ["a", "team-7", "2026", "a-b-c"] {
        assert!(valid(slug), "{slug}");
    }
    for slug in ["", "-", "-a", "a-", "a--b", "Team", "a b", "ä", "a/b", "a\n"] {
        assert!(!valid(slug), "{slug:?}");
    }
    assert!(!valid(&"a".repeat(49)));
}

#[test]
fn every_name_becomes_a_valid_url_name() {
    for (name, slug) in [
        ("Team Blau", "team-blau"),
        ("  Müller & Söhne! ", "mueller-soehne"),
        ("日本", "workspace"),
        ("", "workspace"),
    ] {
        assert_eq!(slug_of(name), slug);
    }
    assert!(valid(&slug_of(&"x-".repeat(100))));
}

#[test]
fn a_taken_url_name_gets_a_number() {
    let taken = ["a", "a-2"].map(String::from);
    assert_eq!(free_slug("a", &taken), "a-3");
    assert_eq!(free_slug("b", &taken), "b");
}

#[test]
fn only_owners_touch_owners() {
    use WorkspaceRole::{Admin, Member, Owner};
    assert!(check_power(Admin, Member, Some(Admin)).is_ok());
    assert!(check_power(Admin, Member, Some(Owner)).is_err());
    assert!(check_power(Admin, Owner, None).is_err());
    assert!(check_power(Owner, Owner, Some(Member)).is_ok());
}

#[test]
fn the_audit_log_has_no_name_of_a_person() {
    let row = |r#type, name: &str, slug: &str| workspace::Model {
        id: entity::ids::WorkspaceId(uuid::Uuid::nil()),
        name: name.into(),
        slug: slug.into(),
        r#type,
        time_zone: "UTC".into(),
        version: 1,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    };
    let diff = |r#type| {
        audit_diff(
            &row(r#type, "Ann Lee", "ann-lee"),
            &row(r#type, "Ann Ray", "ann-ray"),
        )
    };
    let own = json!({ "name": { "changed": true }, "slug": { "changed": true } });
    assert_eq!(diff(WorkspaceType::Personal), own);
    let of_a_team = json!({ "name": { "changed": true }, "slug": { "from": "ann-lee", "to": "ann-ray" } });
    assert_eq!(diff(WorkspaceType::Team), of_a_team);
}
