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

#[test]
fn the_words_of_an_entry_go_on_after_its_number() {
    let entry = Audit {
        action: "task.updated",
        entity_type: "Task",
        entity_id: Uuid::nil(),
        changes: Some(json!({ "title": "\"\u{e4}\\" })),
    };
    let (actor, at) = (Actor::system(), Instant::default());
    let text = format!("[7{}", words_of_new(&entry, &actor, at));
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read.as_array().map(Vec::len), Some(9));
    assert_eq!(read[0], 7);
    assert_eq!(read.to_string(), text);
    let mut hasher = Sha256::new();
    hasher.update([1_u8, 2, 3]);
    hasher.update(&text);
    assert_eq!(
        hash_of_new(&[1, 2, 3], 7, &entry, &actor, at),
        hasher.finalize().to_vec()
    );
}
