//! What the guard lets through and what it refuses.

use std::collections::BTreeMap;

use async_graphql::parser::types::OperationType;
use async_graphql::{Name, Value, Variables};

use super::{Checked, GuardError, read};
use crate::config::{Config, Limits};
use crate::kernel::ErrorCode::{
    self, GraphqlParseFailed, GraphqlValidationFailed, QueryTooComplex, QueryTooDeep,
};

fn check(
    query: &str,
    operation_name: Option<&str>,
    variables: &mut Variables,
    limits: &Limits,
) -> Result<Checked, GuardError> {
    let document = read(query, limits)?;
    super::check(query, &document, operation_name, variables, limits)
}

fn limits() -> Limits {
    Config::parse(&BTreeMap::new()).unwrap().limits
}

fn run(query: &str) -> Result<Checked, GuardError> {
    check(query, None, &mut Variables::default(), &limits())
}

fn cost(query: &str) -> u32 {
    run(query).unwrap().cost
}

fn refused(query: &str) -> ErrorCode {
    run(query).unwrap_err().code
}

#[test]
fn fields_cost_one_and_pages_multiply() {
    assert_eq!(cost("{ a b { c d } }"), 4);
    // tasks, edges × 10 × (edge, cursor, node, id), pageInfo and its field, totalCount.
    let page =
        "{ w { tasks(first: 10) { edges { cursor node { id } } pageInfo { endCursor } totalCount } } }";
    assert_eq!(cost(page), 1 + 1 + 10 * 4 + 2 + 1);
    assert_eq!(cost("{ tasks { nodes { id } } }"), 1 + 50 * 2, "the default page");
    assert_eq!(cost("{ tasks(last: 3) { nodes { id } } }"), 1 + 3 * 2);
    assert_eq!(
        cost("{ changes(after: \"x\", first: 100) { items { id } cursor } }"),
        1 + 100 * 2 + 1
    );
}

#[test]
fn page_sizes_come_from_variables_and_their_defaults() {
    let query = "query($n: Int = 7) { tasks(first: $n) { nodes { id } } }";
    assert_eq!(cost(query), 1 + 7 * 2);
    let mut variables = Variables::default();
    variables.insert(Name::new("n"), Value::from(20));
    assert_eq!(
        check(query, None, &mut variables, &limits()).unwrap().cost,
        1 + 20 * 2
    );
    assert_eq!(
        cost("{ tasks(first: 1000000) { nodes { id } } }"),
        1 + 500 * 2,
        "its resolver refuses it more kindly"
    );
    assert_eq!(cost("{ tasks(first: -5) { nodes { id } } }"), 1 + 2);
}

#[test]
fn pages_inside_pages_are_too_expensive() {
    let query = "{ a(first: 100) { nodes { b(first: 100) { nodes { id } } } } }";
    let error = run(query).unwrap_err();
    assert_eq!(error.code, QueryTooComplex);
    assert!(
        error.message.contains("20201") || error.message.contains("20200"),
        "{}",
        error.message
    );
}

#[test]
fn defaults_are_filled_in_where_nothing_was_sent() {
    let query = "query($a: Boolean = true, $b: Int = 1) { a @include(if: $a) b(x: $b) }";
    let mut variables = Variables::default();
    variables.insert(Name::new("b"), Value::Null);
    check(query, None, &mut variables, &limits()).unwrap();
    assert_eq!(variables["a"], Value::from(true));
    assert_eq!(variables["b"], Value::Null, "an explicit null stays");
}

#[test]
fn every_limit_is_a_wall() {
    let nested = |depth: usize| format!("{}{}", "{ a ".repeat(depth), "}".repeat(depth));
    assert!(run(&nested(15)).is_ok());
    assert_eq!(refused(&nested(16)), QueryTooDeep);
    assert_eq!(refused(&nested(60)), QueryTooDeep);

    let fields = |count: usize| (0..count).map(|n| format!("f{n} ")).collect::<String>();
    assert!(run(&format!("{{ {} }}", fields(20))).is_ok());
    assert_eq!(refused(&format!("{{ {} }}", fields(21))), QueryTooComplex);
    assert_eq!(
        refused(&format!("{{ ...F }} fragment F on Query {{ {} }}", fields(21))),
        QueryTooComplex
    );
    assert_eq!(
        refused(&format!("{{ a {{ {} }} }}", fields(2_000))),
        QueryTooComplex,
        "tokens"
    );

    let aliases = |count: usize| (0..count).map(|n| format!("a{n}: f ")).collect::<String>();
    assert!(run(&format!("{{ x {{ {} }} }}", aliases(30))).is_ok());
    assert_eq!(
        refused(&format!("{{ x {{ {} }} }}", aliases(31))),
        QueryTooComplex
    );

    assert!(run(&format!("{{ a {} }}", "@skip(if: false) ".repeat(30))).is_ok());
    assert_eq!(
        refused(&format!("{{ a {} }}", "@skip(if: false) ".repeat(31))),
        QueryTooComplex
    );

    let fragments = |count: usize| {
        (0..count)
            .map(|n| format!("fragment F{n} on Q {{ a }} "))
            .collect::<String>()
    };
    assert!(run(&format!("{{ ...F0 }} {}", fragments(30))).is_ok());
    assert_eq!(
        refused(&format!("{{ ...F0 }} {}", fragments(31))),
        QueryTooComplex
    );

    assert_eq!(
        refused(&format!("{{ a }} # {}", "x".repeat(32_768))),
        QueryTooComplex
    );
}

#[test]
fn doubling_fragments_are_counted_without_writing_them_out() {
    let fragments = |last: usize| {
        let mut document = format!("{{ a {{ ...F0 }} }} fragment F{last} on T {{ a }} ");
        for n in 0..last {
            let next = n + 1;
            document += &format!("fragment F{n} on T {{ ...F{next} ...F{next} }} ");
        }
        document
    };
    assert!(run(&fragments(10)).is_ok(), "1,024 fields");
    assert_eq!(refused(&fragments(11)), QueryTooComplex);
    assert_eq!(refused(&fragments(29)), QueryTooComplex, "half a billion fields");
    let unused = fragments(29).replace("{ a { ...F0 } }", "{ a }");
    assert_eq!(
        refused(&unused),
        QueryTooComplex,
        "validation would walk unused ones too"
    );
}

#[test]
fn fragments_that_contain_themselves_are_refused() {
    assert_eq!(
        refused("{ ...A } fragment A on Q { a ...B } fragment B on Q { ...A }"),
        GraphqlValidationFailed
    );
    assert_eq!(refused("{ a } fragment A on Q { ...A }"), GraphqlValidationFailed);
}

#[test]
fn a_tower_does_not_overflow_the_stack() {
    for part in ["{a", "{a(x:[", "{a(x:{y:"] {
        let limits = Limits {
            query_bytes: 1_000_000,
            tokens: 1_000_000,
            ..limits()
        };
        let error = check(&part.repeat(50_000), None, &mut Variables::default(), &limits).unwrap_err();
        assert_eq!(error.code, QueryTooDeep, "{part}");
    }
    let limits = Limits {
        query_bytes: 1_000_000,
        tokens: 1_000_000,
        ..limits()
    };
    let types = format!("query($a: {}) {{ a }}", "[".repeat(50_000));
    assert_eq!(
        check(&types, None, &mut Variables::default(), &limits)
            .unwrap_err()
            .code,
        QueryTooDeep
    );
}

#[test]
fn mistakes_are_told_apart() {
    let error = run("{ a ").unwrap_err();
    assert_eq!(error.code, GraphqlParseFailed);
    assert!(
        error.message.starts_with("Syntax error: expected") && !error.locations.is_empty(),
        "{error:?}"
    );
    assert_eq!(refused(""), GraphqlParseFailed);
    assert_eq!(refused("query A { a } query A { b }"), GraphqlValidationFailed);
    assert_eq!(
        refused("query A { a } query B { b }"),
        GraphqlValidationFailed,
        "no name was sent"
    );
    assert_eq!(refused("subscription { a b }"), GraphqlValidationFailed);
}

#[test]
fn the_operation_is_picked_by_name() {
    let document = "query A { a } mutation B { a b }";
    let pick = |name| check(document, Some(name), &mut Variables::default(), &limits());
    assert_eq!(pick("A").unwrap().kind, OperationType::Query);
    let second = pick("B").unwrap();
    assert_eq!((second.kind, second.cost), (OperationType::Mutation, 2));
    assert_eq!(pick("C").unwrap_err().code, GraphqlValidationFailed);
}

#[test]
fn required_variables_must_be_sent() {
    let query = "query($id: ID!) { a(id: $id) }";
    assert_eq!(refused(query), ErrorCode::BadUserInput);
    let mut variables = Variables::default();
    variables.insert(Name::new("id"), Value::Null);
    assert_eq!(
        check(query, None, &mut variables, &limits()).unwrap_err().code,
        ErrorCode::BadUserInput
    );
    assert!(run("query($id: ID! = \"x\") { a(id: $id) }").is_ok());
}

const INTROSPECTION: &str = include_str!("introspection.graphql");

#[test]
fn the_standard_introspection_query_passes() {
    let checked = run(INTROSPECTION).unwrap();
    assert!(checked.introspects && checked.cost < 500, "{}", checked.cost);
    assert!(!run("{ __typename a }").unwrap().introspects);
}

#[test]
fn introspection_that_explodes_is_refused() {
    assert!(run("{ __schema { types { fields { type { fields { name } } } } } }").is_ok());
    assert_eq!(
        refused("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"),
        QueryTooDeep
    );
}

#[test]
fn lists_without_pages_multiply_what_they_select() {
    assert_eq!(cost("{ a { recentSyncs { id } } }"), 1 + 1 + 20);
    assert_eq!(cost("{ nodes(ids: [\"a\", \"b\", \"c\"]) { id } }"), 1 + 3);
    let nested = format!(
        "{{ a {}{{ id }}{} }}",
        "{ recentSyncs { integration ".repeat(4),
        "} }".repeat(4)
    );
    assert_eq!(run(&nested).unwrap_err().code, ErrorCode::QueryTooComplex);
    let tasks = "{ w { tasks(first: 100) { nodes { dependencies { dependents { dependencies { dependents { id } } } } } } } }";
    assert_eq!(run(tasks).unwrap_err().code, ErrorCode::QueryTooComplex);
    assert!(
        run("{ w { tasks(first: 100) { nodes { id title subtasks { id title } dependencies { id } } } } }")
            .is_ok()
    );
}

#[test]
fn long_lists_do_not_lie_inside_each_other() {
    assert_eq!(cost("{ a { invitations { id } } }"), 1 + 1 + 10);
    for nested in [
        "{ a { invitations { b { invitations { id } } } } }",
        "{ a { eventOccurrences { event { ...F } } } } fragment F on CalendarEvent { occurrences { id } }",
        "{ a { occurrences { event { b: occurrences { id } } } } }",
        "{ a { subtasks { parent { subtasks { id } } } } }",
        "{ a { subtasks { parent { dependents { id } } } } }",
        "{ a { scheduledSlots { task { scheduledSlots { id } } } } }",
        "{ a { dependents { dependencies { dependents { id } } } } }",
        "{ a { dependents { dependents { dependents { id } } } } }",
    ] {
        assert_eq!(refused(nested), QueryTooComplex, "{nested}");
    }
    for flat in [
        "{ a { eventOccurrences { id } invitations { id } b { occurrences { id } } } }",
        "{ a { subtasks { subtasks { id } parent { id } dependents { id } } dependencies { dependents { id } } } }",
    ] {
        assert!(run(flat).is_ok(), "{flat}");
    }
}

#[test]
fn nothing_is_looked_for_with_a_nul_in_it() {
    let code = |query: &str, variables: serde_json::Value| {
        let mut variables = Variables::from_json(variables);
        check(query, None, &mut variables, &limits()).map_err(|error| error.code)
    };
    let query = "query ($s: [String]) { a(b: $s) }";
    assert_eq!(
        code(query, serde_json::json!({ "s": ["a\u{0}b"] })).unwrap_err(),
        ErrorCode::BadUserInput
    );
    assert_eq!(
        code("{ a(b: \"x\\u0000\") }", serde_json::json!({})).unwrap_err(),
        ErrorCode::BadUserInput
    );
    assert!(code(query, serde_json::json!({ "s": ["a"] })).is_ok());
    assert!(
        code(
            "mutation ($s: String) { a(b: $s) }",
            serde_json::json!({ "s": "\u{0}" })
        )
        .is_ok()
    );
}
