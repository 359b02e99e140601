//! What is said where there is no rule to say.

use crate::features::events::recurrence::chosen_dates;

#[test]
fn starts_without_a_rule_are_told_in_each_language() {
    for (locale, words) in [
        ("en", "On chosen dates"),
        ("de", "An ausgewählten Tagen"),
        ("DE_ch", "An ausgewählten Tagen"),
        ("fr", "On chosen dates"),
        ("", "On chosen dates"),
    ] {
        assert_eq!(chosen_dates(locale), words, "{locale}");
    }
}
