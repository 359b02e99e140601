//! What href does with good and bad input.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn one_resource_has_one_key() {
    let calendar = url("https://dav.example.com/u/me%40example.com/work/");
    for href in [
        "/u/me@example.com/work/a%20b~c.ics",
        "/u/me%40example.com/work/a b%7ec.ics",
        "https://dav.example.com/u/me%40example.com/work/a%20b~c.ics",
        "https://dav.example.com:443/u/me%40example.com/work/a%20b~c.ics#x",
        "http://internal:8080/u/me%40example.com/work/a%20b~c.ics",
        "a%20b~c.ics",
    ] {
        assert_eq!(
            object_key(&calendar, href).as_deref(),
            Some("/u/me@example.com/work/a%20b~c.ics"),
            "{href}"
        );
    }
}

#[test]
fn different_resources_keep_different_keys() {
    let calendar = url("https://example.com/c/");
    let key = |href| object_key(&calendar, href).unwrap();
    assert_eq!(key("/c/a%2fb.ics"), "/c/a%2Fb.ics");
    assert_eq!(key("/c/a%2Bb.ics"), "/c/a%2Bb.ics");
    assert_eq!(key("/c/a+b.ics"), "/c/a+b.ics");
    assert_eq!(key("/c/100%25.ics"), "/c/100%25.ics");
    assert_eq!(key("/c/100%.ics"), "/c/100%25.ics");
    assert_eq!(key("/c/é.ics"), "/c/%C3%A9.ics");
}

#[test]
fn the_collection_and_strangers_are_no_objects() {
    let calendar = url("https://example.com/c/");
    for href in [
        "/c/",
        "/c",
        "https://example.com/c/",
        "http://internal/c",
        "http://internal/elsewhere/a.ics",
        "mailto:a@b",
    ] {
        assert_eq!(object_key(&calendar, href), None, "{href}");
    }
}

#[test]
fn passwords_go_to_the_same_service_only() {
    let trusted = |a: &str, b: &str| trusts(&url(a), &url(b));
    assert!(trusted(
        "https://caldav.icloud.com/",
        "https://p12-caldav.icloud.com/x/"
    ));
    assert!(trusted("https://example.com/", "https://dav.example.com/"));
    assert!(trusted("https://dav.example.com/", "https://example.com/"));
    assert!(trusted("http://127.0.0.1:5232/", "http://127.0.0.1:5232/x"));
    assert!(!trusted("http://127.0.0.1:5232/", "http://127.0.0.1:5233/x"));
    assert!(!trusted("https://example.com/", "https://evilexample.com/"));
    assert!(!trusted("https://example.com/", "https://example.org/"));
    assert!(!trusted("https://dav.example.com/", "http://dav.example.com/"));
}
