//! What documents does with good and bad input.

use serde_json::json;

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

#[test]
fn a_document_that_comes_again_is_judged_as_if_it_were_new() {
    let limits = limits();
    let documents = [
        "query Q($id: ID!, $n: Int = 7) { workspace(id: $id) { tasks(first: $n, filter: {search: \"a\"}) { nodes { id } } } }",
        "query Q($id: ID!, $n: Int) { ...F } fragment F on Query { workspace(id: $id) { tasks(last: $n) { nodes { id } } } }",
        "query Q($id: ID!, $n: Int) { workspace(id: $id) { tasks(first: \"x\") { nodes { id } } } }",
        "mutation Q($id: ID!, $n: Int) { deleteTask(id: $id) { userErrors { code } } }",
        "query Q($id: ID!, $n: Int) { task(id: $id) { id } } query R { viewer { id } }",
    ];
    let sent = [
        json!({ "id": "a", "n": 10 }),
        json!({ "id": "a", "n": 10 }),
        json!({ "id": "b", "n": 20 }),
        json!({ "id": "b" }),
        json!({ "id": "b", "n": 4_000_000 }),
        json!({ "id": "b", "n": "x" }),
        json!({ "id": ["b"], "n": 20 }),
        json!({ "id": "a\u{0}", "n": 20 }),
        json!({ "n": 20 }),
        json!({ "id": null }),
        json!({}),
        json!({ "id": "a", "n": 10 }),
    ];
    for text in documents {
        let prepared = Documents::default().read(text, &limits).unwrap();
        for (variables, name) in sent
            .iter()
            .flat_map(|sent| [(sent, Some("Q")), (sent, None), (sent, Some("R"))])
        {
            let mut again = Variables::from_json(variables.clone());
            let mut fresh = again.clone();
            let checked = prepared.check(text, name, &mut again, &limits);
            let meant = guard::check(text, &prepared.document, name, &mut fresh, &limits);
            assert_eq!(checked, meant, "{text} with {variables}");
            assert_eq!(again, fresh, "{text} with {variables}");
            if meant.is_err() {
                continue;
            }
            let bad = arguments::check(&prepared.document, name, &fresh);
            assert_eq!(prepared.bad_values(name, &again), bad, "{text} with {variables}");
        }
    }
}

#[test]
fn nothing_of_what_is_sent_stays_with_a_document() {
    let limits = limits();
    let text = "query ($x: [ID!]!) { a(ids: $x) }";
    let prepared = Documents::default().read(text, &limits).unwrap();
    let sent = json!({ "x": vec!["a secret"; 100_000] });
    let mut variables = Variables::from_json(sent);
    prepared.check(text, None, &mut variables, &limits).unwrap();
    let kept = format!("{:?}", prepared.measured);
    assert!(kept.len() < 500 && !kept.contains("secret"), "{kept}");
}
