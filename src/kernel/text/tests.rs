//! What text does with good and bad input.

use super::*;

#[test]
fn addresses_are_told_from_rubbish() {
    assert_eq!(email(" Ana@Example.org ").as_deref(), Some("ana@example.org"));
    assert!(email("ana+tag@sub.example.org").is_some());
    for text in [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@localhost",
        "a b@example.org",
        "a..b@example.org",
        "a@-x.org",
        "a\r\n@x.org",
    ] {
        assert!(email(text).is_none(), "{text:?}");
    }
}

#[test]
fn colours_are_six_digits() {
    assert!(is_hex_color("#00aaFF"));
    for text in ["", "#fff", "00aaff0", "#00aaf", "#00aafg", "#é0aaf"] {
        assert!(!is_hex_color(text), "{text:?}");
    }
}

#[test]
fn all_problems_are_reported_together() {
    let mut checks = Checks::default();
    checks.title("input.title", "  ", 10);
    checks.title("input.name", "a\u{0}b", 10);
    checks.prose("input.description", &"x".repeat(11), 10);
    checks.range("input.durationMinutes", 4, 5, 10);
    let Err(crate::kernel::Error::User(errors)) = checks.finish() else {
        panic!("must fail")
    };
    assert_eq!(errors.len(), 4);
    assert_eq!(errors[0].field, ["input", "title"]);
}
