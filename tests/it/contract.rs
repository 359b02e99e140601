//! The exported schema is the contract with every client: the file in the repository is current, nothing is undocumented, and what exists
//! has the names, types and defaults of the design.

mod compare;
pub mod model;

use std::fs;
use std::path::PathBuf;

use meridian::graphql;
use model::Model;

use crate::support::repository::{report, root};

/// What our schema has beyond the design, each with its reason. Members are written `Type.field`, arguments `Type.field(argument)`.
const ADDITIONS: &[(&str, &str)] = &[
    (
        "ReplanPolicy",
        "whether applied schedules are mended is a person's choice",
    ),
    ("UserPreferences.replanPolicy", "as above"),
    ("UpdatePreferencesInput.replanPolicy", "as above"),
    (
        "EventOccurrence.isTruncated",
        "a rule that gives more than anybody can draw must not be cut silently",
    ),
    (
        "EventOccurrence.attendees",
        "one occurrence may have other guests than its series, and clients show them there",
    ),
    (
        "EventOccurrence.reminders",
        "a person may set other reminders for one occurrence, and sees them there",
    ),
    (
        "UpdateCalendarEventPayload.affectedCalendarEvents",
        "splitting a series changes two events, and clients need both",
    ),
    (
        "MoveCalendarEventPayload.affectedCalendarEvents",
        "splitting a series changes two events, and clients need both",
    ),
    ("Task.workingHours", "some tasks have hours of their own"),
    ("CreateTaskInput.workingHours", "as above"),
    ("UpdateTaskInput.workingHours", "as above"),
    ("QuietHours", "hours in which e-mail waits"),
    ("QuietHoursInput", "hours in which e-mail waits"),
    ("UpdatePreferencesInput.quietHours", "hours in which e-mail waits"),
    ("UserPreferences.quietHours", "hours in which e-mail waits"),
    ("UpdatePreferencesInput.digestAt", "one e-mail a day"),
    ("UserPreferences.digestAt", "one e-mail a day"),
];

fn sdl() -> String {
    graphql::sdl(&graphql::builder().finish())
}

/// The design stands next to the project; a checkout on its own does not have it.
fn design() -> Option<PathBuf> {
    let file = root().join("../shared/design/api.graphql");
    file.is_file().then_some(file)
}

#[test]
fn the_schema_file_is_current() {
    let file = root().join("schema.graphql");
    let current = sdl();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &current).unwrap();
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    let difference = stored
        .lines()
        .zip(current.lines())
        .find(|(stored, current)| stored != current)
        .map_or("their lengths".to_owned(), |(stored, current)| {
            format!("\n- {stored}\n+ {current}")
        });
    assert!(
        stored == current,
        "schema.graphql is stale; write it again with `cargo run -- schema > schema.graphql`. The first difference: {difference}"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    report(&compare::undescribed(&Model::parse(&sdl())));
}

#[test]
fn the_schema_is_part_of_the_design() {
    let Some(design) = design() else { return };
    let design = Model::parse(&fs::read_to_string(design).unwrap());
    let ours = Model::parse(&sdl());
    let mut additions = Vec::new();
    let mut problems = Vec::new();
    for difference in compare::differences(&ours, &design) {
        match difference {
            compare::Difference::Added(name) => additions.push(name),
            compare::Difference::Changed(what) => problems.push(what),
        }
    }
    for name in &additions {
        if !ADDITIONS.iter().any(|(known, _)| known == name) {
            problems.push(format!("{name} is not in the design"));
        }
    }
    for (known, reason) in ADDITIONS {
        if !additions.iter().any(|name| name == known) {
            problems.push(format!("{known} is no addition any more ({reason})"));
        }
    }
    report(&problems);
}

#[test]
fn deviations_from_a_design_are_found() {
    let design = r#"
        "A." scalar Day
        "A." interface Node { "A." id: ID! }
        "A." type Task implements Node { "A." id: ID! "A." title("A." upper: Boolean = false): String! }
        "A." enum Status { "A." DONE "A." TODO }
        "A." union Anything = Task
        "A." input Choice @oneOf { "A." one: Int "A." two: Int = 2 "A." must: Int! }
    "#;
    let cases = [
        ("scalar Hour", "+ Hour"),
        ("type Day { a: Int }", "Day is an object, the design has a scalar"),
        ("type Task { id: ID! }", "Task does not implement Node"),
        (
            "type Task implements Node { id: ID }",
            "Task.id is ID, the design has ID!",
        ),
        ("type Task implements Node { id: ID! size: Int }", "+ Task.size"),
        ("type Task implements Node { id(a: Int): ID! }", "+ Task.id(a)"),
        (
            "type Task implements Node { title: String! }",
            "Task.title lacks the argument upper",
        ),
        (
            "type Task implements Node { title(upper: Boolean): String! }",
            "Task.title(upper) has no default, the design has false",
        ),
        (
            "type Task implements Node { title(upper: Boolean! = false): String! }",
            "Task.title(upper) is Boolean!, the design has Boolean",
        ),
        ("enum Status { DONE LATER }", "+ Status.LATER"),
        ("union Anything = Task | Day", "+ Anything.Day"),
        (
            "input Choice { one: Int must: Int! }",
            "Choice is not @oneOf, the design is",
        ),
        (
            "input Choice @oneOf { two: Int = 3 must: Int! }",
            "Choice.two has the default 3, the design has 2",
        ),
        (
            "input Choice @oneOf { one: Int }",
            "Choice lacks the required field must",
        ),
    ];
    let design = Model::parse(design);
    for (ours, expected) in cases {
        let found: Vec<String> = compare::differences(&Model::parse(ours), &design)
            .into_iter()
            .map(|difference| match difference {
                compare::Difference::Added(name) => format!("+ {name}"),
                compare::Difference::Changed(what) => what,
            })
            .collect();
        assert_eq!(found, [expected], "{ours}");
        assert!(!compare::undescribed(&Model::parse(ours)).is_empty(), "{ours}");
    }
    assert!(compare::differences(&design, &design).is_empty());
    assert!(compare::undescribed(&design).is_empty());
}
