//! The lists of error codes in SETUP.md, made from the program.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use meridian::graphql;
use meridian::kernel::ErrorCode;

use super::read;

/// The guide with its lists written anew.
pub fn refreshed(guide: &str) -> String {
    let guide = replace(guide, "top-level codes", &table(top_level()));
    let guide = replace(&guide, "user error codes", &table(user_errors()));
    replace(&guide, "metrics", &metrics())
}

/// What stands between the two marks of a generated section.
fn replace(guide: &str, section: &str, content: &str) -> String {
    let (begin, end) = (
        format!("<!-- begin: {section} -->\n"),
        format!("<!-- end: {section} -->"),
    );
    let (before, rest) = guide
        .split_once(&begin)
        .unwrap_or_else(|| panic!("SETUP.md lacks `{}`", begin.trim()));
    let (_, after) = rest
        .split_once(&end)
        .unwrap_or_else(|| panic!("SETUP.md lacks `{end}`"));
    format!("{before}{begin}{content}{end}{after}")
}

fn table(rows: Vec<(String, String)>) -> String {
    let mut text = "| Code | Meaning |\n|---|---|\n".to_owned();
    for (code, meaning) in rows {
        text.push_str(&format!("| `{code}` | {meaning} |\n"));
    }
    text
}

/// The codes of top-level errors; their meanings are the comments of the enum.
fn top_level() -> Vec<(String, String)> {
    let source = read("src/kernel/error.rs");
    ErrorCode::ALL
        .iter()
        .map(|code| {
            let variant = format!("\n    {code:?},\n");
            let (before, _) = source
                .split_once(&variant)
                .unwrap_or_else(|| panic!("the enum lacks {code:?}"));
            let comment = before
                .lines()
                .last()
                .and_then(|line| line.trim().strip_prefix("/// "));
            let meaning = comment.unwrap_or_else(|| panic!("{code:?} has no comment"));
            (code.as_str().to_owned(), meaning.to_owned())
        })
        .collect()
}

/// The codes in payloads; their meanings are the descriptions of the schema.
fn user_errors() -> Vec<(String, String)> {
    let sdl = graphql::sdl(&graphql::builder().finish());
    let document = parse_schema(sdl).unwrap();
    let mut rows = Vec::new();
    for definition in document.definitions {
        if let TypeSystemDefinition::Type(definition) = definition
            && definition.node.name.node == "UserErrorCode"
            && let TypeKind::Enum(codes) = definition.node.kind
        {
            rows.extend(codes.values.into_iter().map(|value| {
                let meaning = value.node.description.map(|text| text.node).unwrap_or_default();
                (value.node.value.node.to_string(), meaning)
            }));
        }
    }
    assert!(!rows.is_empty(), "the schema has no UserErrorCode");
    rows
}

/// Every metric with its kind and labels.
fn metrics() -> String {
    let mut text = "| Metric | Kind | Labels | Says |\n|---|---|---|---|\n".to_owned();
    for metric in meridian::platform::metrics::table::ALL {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            metric.name,
            metric.kind.word(),
            metric.labels.join(", "),
            metric.help
        ));
    }
    text
}
