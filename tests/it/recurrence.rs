//! The recurrence engine through `meridian expand`: every vector, with both policies for what a change of clocks leaves out.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/recurrence.json");
/// Rules that other programs read differently, with the words of the RFC that decide.
const DECIDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/decided.json");

fn vectors(file: &str) -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// What the program says, one value a line.
fn expand(file: &str, gap: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["expand", file, "--gap", gap])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn all_vectors_pass_with_both_gap_policies() {
    for file in [VECTORS, DECIDED] {
        let vectors = vectors(file);
        for gap in ["shift", "skip"] {
            let found: HashMap<String, Value> = expand(file, gap)
                .into_iter()
                .map(|line| (line["id"].to_string(), line))
                .collect();
            assert_eq!(found.len(), vectors.len());
            for vector in &vectors {
                let line = &found[&vector["id"].to_string()];
                let wanted = vector
                    .get("expected")
                    .unwrap_or(&vector[format!("expected_{gap}")]);
                let limit = usize::try_from(vector["limit"].as_u64().unwrap()).unwrap();
                let starts = |list: &Value| -> Vec<Value> {
                    list.as_array().unwrap().iter().take(limit).cloned().collect()
                };
                assert_eq!(starts(&line["starts"]), starts(wanted), "{gap}: {vector}");
                assert_eq!(line.get("truncated").or(line.get("error")), None, "{vector}");
            }
        }
    }
}

#[test]
fn bad_cases_say_what_is_wrong_and_cost_no_other() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines = [
        r#"{"id": 1, "dtstart": "20260105T090000", "tzid": "Mars/Olympus", "rrule": "FREQ=DAILY"}"#,
        r#"{"id": 2, "dtstart": "20260105T090000", "tzid": null, "rrule": "FREQ=YEARLY;RSCALE=CHINESE"}"#,
        r#"{"id": 3, "dtstart": "soon", "tzid": null, "rrule": "FREQ=DAILY"}"#,
        r#"{"id": 4, "dtstart": "20260105", "tzid": null, "rrule": "FREQ=DAILY", "limit": 1}"#,
        r#"{"id": 5, "dtstart": "20260105", "tzid": null, "rdate": ["20260107"]}"#,
    ];
    fs::write(file.path(), lines.join("\n")).unwrap();
    let said = expand(file.path().to_str().unwrap(), "shift");
    let errors: Vec<&str> = said.iter().filter_map(|line| line["error"].as_str()).collect();
    assert_eq!(
        errors,
        [
            "`Mars/Olympus` is not a time zone",
            "The calendar `CHINESE` is not supported; only `GREGORIAN` is.",
            "`soon` is not a date or time",
        ]
    );
    assert_eq!(said[3]["starts"], serde_json::json!(["20260105"]));
    assert_eq!(said[4]["starts"], serde_json::json!(["20260105", "20260107"]));
}
