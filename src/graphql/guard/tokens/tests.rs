//! What tokens does with good and bad input.

use super::*;

fn count(document: &str) -> (usize, usize, usize) {
    let tally = tally(document);
    (tally.tokens, tally.directives, tally.nesting)
}

#[test]
fn tokens_are_counted_as_the_specification_has_them() {
    assert_eq!(count(""), (0, 0, 0));
    assert_eq!(count("{ a, b # c { d }\n }"), (4, 0, 1));
    assert_eq!(
        count("query Q($a: [Int!] = [1, -2.5e+3]) { f(a: $a) ...F @skip(if: true) }"),
        (34, 1, 2)
    );
    assert_eq!(
        count(r#"{ f(s: "a\"}} @ {{", t: """x \""" { y""") }"#),
        (11, 0, 2)
    );
}

#[test]
fn unfinished_and_foreign_text_ends() {
    assert_eq!(count(r#"{ f(s: "abc"#), (6, 0, 2));
    assert_eq!(count("\"\\"), (1, 0, 0));
    assert_eq!(count("é ü \u{0}"), (3, 0, 0));
}

#[test]
fn a_tower_of_brackets_is_only_counted() {
    assert_eq!(tally(&"{a".repeat(50_000)).nesting, 50_000);
}
