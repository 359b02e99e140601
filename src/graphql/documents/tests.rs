//! What documents does with good and bad input.

use super::*;

fn limits() -> Limits {
    crate::config::Config::parse(&Default::default()).unwrap().limits
}

fn has_repeats(text: &str) -> bool {
    let limits = limits();
    Documents::default().read(text, &limits).unwrap().repeats()
}

#[test]
fn only_keys_with_selections_repeat() {
    assert!(!has_repeats("{ a a b: a c { d } e: c { d } }"));
    assert!(has_repeats("{ c { d } c { e } }"));
    assert!(has_repeats("{ x { c { d } ... { c { e } } } }"));
    assert!(has_repeats("{ x { ...F c { d } } } fragment F on X { c { e } }"));
    assert!(!has_repeats(
        "{ x { ...F } y { ...F } } fragment F on X { c { e } }"
    ));
}

#[test]
fn a_document_is_read_once() {
    let documents = Documents::default();
    let limits = limits();
    let first = documents.read("{ a }", &limits).unwrap();
    assert!(Arc::ptr_eq(&first, &documents.read("{ a }", &limits).unwrap()));
    assert!(documents.read("{ a", &limits).is_err());
}
