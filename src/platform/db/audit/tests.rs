//! What audit does with good and bad input.

use super::*;
use serde_json::json;

#[test]
fn equal_documents_have_one_spelling() {
    let text = canonical(&json!({ "b": [1, { "d": null, "c": "\"x\"" }], "a": true }));
    assert_eq!(text, r#"{"a":true,"b":[1,{"c":"\"x\"","d":null}]}"#);
}

#[test]
fn every_fact_changes_the_hash() {
    let entry = Audit {
        action: "task.updated",
        entity_type: "Task",
        entity_id: Uuid::nil(),
        changes: None,
    };
    let at = Instant::default();
    let first = hash_of_new(&[], 1, &entry, &Actor::system(), at);
    assert_eq!(first, hash_of_new(&[], 1, &entry, &Actor::system(), at));
    let others = [
        hash_of_new(&first, 1, &entry, &Actor::system(), at),
        hash_of_new(&[], 2, &entry, &Actor::system(), at),
        hash_of_new(
            &[],
            1,
            &Audit {
                action: "task.deleted",
                ..entry.clone()
            },
            &Actor::system(),
            at,
        ),
        hash_of_new(
            &[],
            1,
            &Audit {
                changes: Some(json!({})),
                ..entry.clone()
            },
            &Actor::system(),
            at,
        ),
    ];
    assert!(others.iter().all(|other| *other != first));
}
