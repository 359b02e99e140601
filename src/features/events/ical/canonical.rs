//! The canonical form of components, hashed.
//!
//! Promises: equal for two texts that differ only in folding, order of properties and parameters, letter case of
//! names, quotes around parameters, line breaks, and DTSTAMP (which servers renew at every answer).

use sha2::{Digest as _, Sha256};

use super::{component::Component, line};

/// Hash of the components of one object, in any order.
pub(super) fn hash(components: &[&Component<'_>]) -> [u8; 32] {
    let mut parts: Vec<[u8; 32]> = components.iter().map(|component| of(component)).collect();
    parts.sort_unstable();
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Depth is bounded where components are read.
fn of(component: &Component<'_>) -> [u8; 32] {
    let lines = component.lines.iter().filter(|line| !line.is("DTSTAMP"));
    let mut lines: Vec<String> = lines.map(|line| canonical_line(line.text())).collect();
    lines.sort_unstable();
    let mut children: Vec<[u8; 32]> = component.children.iter().map(of).collect();
    children.sort_unstable();
    let mut hasher = Sha256::new();
    hasher.update(component.kind.as_bytes());
    for line in &lines {
        hasher.update(b"\n");
        hasher.update(line.as_bytes());
    }
    for child in &children {
        hasher.update(b"\n\n");
        hasher.update(child);
    }
    hasher.finalize().into()
}

fn canonical_line(text: &str) -> String {
    let Some(value) = line::value_start(text) else {
        return text.trim().to_owned();
    };
    let (head, value) = (&text[..value - 1], text[value..].trim());
    let mut in_quotes = false;
    let mut parts = head.split(|letter: char| {
        in_quotes ^= letter == '"';
        letter == ';' && !in_quotes
    });
    let name = parts.next().unwrap_or_default().trim().to_ascii_uppercase();
    let mut params: Vec<String> = parts
        .map(|part| match part.split_once('=') {
            Some((key, value)) => format!(
                "{}={}",
                key.trim().to_ascii_uppercase(),
                value.trim().trim_matches('"')
            ),
            None => part.trim().to_ascii_uppercase(),
        })
        .collect();
    params.sort_unstable();
    format!("{name};{}:{value}", params.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count_but_content_does() {
        let one = canonical_line("dtstart;VALUE=DATE-TIME;TZID=\"Europe/Berlin\":20250310T090000 ");
        assert_eq!(
            one,
            canonical_line("DTSTART;TZID=Europe/Berlin;value=DATE-TIME:20250310T090000")
        );
        assert_ne!(
            one,
            canonical_line("DTSTART;TZID=Europe/Paris;value=DATE-TIME:20250310T090000")
        );
        assert_eq!(canonical_line("X-A;P=\"a;b:c\":v"), "X-A;P=a;b:c:v");
        assert_eq!(canonical_line(" rubbish "), "rubbish");
    }
}
