//! Reading WebDAV answers: a tolerant view of `DAV:multistatus`.
//!
//! Promises: what one response lacks or gets wrong stays with that response (libdav's own parsers give up on the whole
//! answer, so only its names and request bodies are used); document type definitions, and so entities, are refused;
//! characters that XML forbids, which servers copy out of bad objects, are dropped before parsing.

use std::borrow::Cow;

use http::StatusCode;
use libdav::{PropertyName, names, xmlutils};
use roxmltree::{Document, Node, ParsingOptions};

/// More elements than any honest answer within our size limits has.
const MAX_NODES: u32 = 4_000_000;

/// The text of a body, readable by an XML parser.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(body);
    if text.chars().all(is_xml_char) {
        text
    } else {
        Cow::Owned(text.chars().filter(|c| is_xml_char(*c)).collect())
    }
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Parses an answer. `None` when it is not XML or not a multistatus.
pub(super) fn parse(text: &str) -> Option<Document<'_>> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).trim_start();
    let document = Document::parse_with_options(text, options).ok()?;
    let is_multistatus = document.root_element().tag_name() == PropertyName::new(names::DAV, "multistatus");
    is_multistatus.then_some(document)
}

/// Whether an error body names this precondition.
pub(super) fn names_precondition(body: &[u8], name: &PropertyName<'_, '_>) -> bool {
    Document::parse(&text(body))
        .is_ok_and(|document| document.descendants().any(|node| node.tag_name() == *name))
}

/// The token of a `sync-collection` answer.
pub(super) fn sync_token(document: &Document<'_>) -> Option<String> {
    child(document.root_element(), &names::SYNC_TOKEN).and_then(value)
}

/// One `DAV:response`.
#[derive(Clone, Copy)]
pub(super) struct Response<'a, 'input>(Node<'a, 'input>);

/// The responses of an answer, in order.
pub(super) fn responses<'a, 'input>(
    document: &'a Document<'input>,
) -> impl Iterator<Item = Response<'a, 'input>> {
    document
        .root_element()
        .children()
        .filter(|node| node.tag_name() == names::RESPONSE)
        .map(Response)
}

impl<'a, 'input> Response<'a, 'input> {
    /// The addresses it speaks about: one, or several that share a status.
    pub(super) fn hrefs(self) -> impl Iterator<Item = String> {
        self.0
            .children()
            .filter(|node| node.tag_name() == names::HREF)
            .filter_map(value)
    }

    /// The status of the resource itself, which is only there when there are no properties.
    pub(super) fn status(self) -> Option<StatusCode> {
        status_of(self.0)
    }

    /// A property that the server found.
    pub(super) fn property(self, name: &PropertyName<'_, '_>) -> Option<Node<'a, 'input>> {
        self.property_with_status(name)
            .and_then(|(node, status)| status.is_none_or(|s| s.is_success()).then_some(node))
    }

    /// The status under which the server lists a property.
    pub(super) fn property_status(self, name: &PropertyName<'_, '_>) -> Option<StatusCode> {
        self.property_with_status(name).and_then(|(_, status)| status)
    }

    fn property_with_status(
        self,
        name: &PropertyName<'_, '_>,
    ) -> Option<(Node<'a, 'input>, Option<StatusCode>)> {
        let mut missing = None;
        for propstat in self
            .0
            .children()
            .filter(|node| node.tag_name() == names::PROPSTAT)
        {
            let status = status_of(propstat);
            if let Some(node) = child(propstat, &names::PROP).and_then(|prop| child(prop, name)) {
                if status.is_none_or(|status| status.is_success()) {
                    return Some((node, status));
                }
                missing = Some((node, status));
            }
        }
        missing
    }

    /// The text of a property that the server found.
    pub(super) fn property_text(self, name: &PropertyName<'_, '_>) -> Option<String> {
        self.property(name).and_then(value)
    }

    /// Whether a property holds an element, at any depth.
    pub(super) fn property_has(self, name: &PropertyName<'_, '_>, inner: &PropertyName<'_, '_>) -> bool {
        self.property(name)
            .is_some_and(|node| node.descendants().any(|n| n.tag_name() == *inner))
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &PropertyName<'_, '_>) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name() == *name)
}

fn status_of(node: Node<'_, '_>) -> Option<StatusCode> {
    child(node, &names::STATUS).and_then(|status| xmlutils::parse_statusline(status.text()?.trim()).ok())
}

/// The trimmed text of an element; `None` when it has none.
fn value(node: Node<'_, '_>) -> Option<String> {
    let text = whole_text(node);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// All text of an element: comments may split it in parts.
pub(super) fn whole_text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut parts = node
        .children()
        .filter(Node::is_text)
        .filter_map(|part| part.text());
    match (parts.next(), parts.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => Cow::Owned([first, second].into_iter().chain(parts).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_response_leaves_the_others_readable() {
        let xml = "\u{FEFF}<?xml version='1.0'?><x:multistatus xmlns:x='DAV:'>
            <x:response><x:href> /a </x:href><x:propstat><x:prop><x:getetag>\"1\"</x:getetag></x:prop>
                <x:status>HTTP/1.1 200 OK</x:status></x:propstat></x:response>
            <x:response><x:href>/b</x:href><x:status>nonsense</x:status></x:response>
            <x:response><x:status>HTTP/1.1 404 Not Found</x:status></x:response>
            <x:response><x:href>/c</x:href><x:href>/d</x:href><x:status>HTTP/2 404</x:status></x:response>
            <x:sync-token>t</x:sync-token></x:multistatus>";
        let document = parse(xml).unwrap();
        let seen: Vec<_> = responses(&document)
            .map(|r| {
                (
                    r.hrefs().collect::<Vec<_>>().join(" "),
                    r.status(),
                    r.property_text(&names::GETETAG),
                )
            })
            .collect();
        let not_found = Some(StatusCode::NOT_FOUND);
        assert_eq!(
            seen,
            [
                ("/a".into(), None, Some("\"1\"".into())),
                ("/b".into(), None, None),
                (String::new(), not_found, None),
                ("/c /d".into(), not_found, None),
            ]
        );
        assert_eq!(sync_token(&document).as_deref(), Some("t"));
    }

    #[test]
    fn entities_are_refused_and_forbidden_characters_dropped() {
        let bomb = "<!DOCTYPE m [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><multistatus xmlns='DAV:'>&b;</multistatus>";
        assert!(parse(bomb).is_none());
        assert!(parse("<html><body>Sign in</body></html>").is_none());
        let dirty = text(b"<multistatus xmlns='DAV:'>a\x0b\x00b\xff</multistatus>");
        assert_eq!(whole_text(parse(&dirty).unwrap().root_element()), "ab\u{FFFD}");
    }

    #[test]
    fn text_around_a_comment_is_one_text() {
        let xml = "<multistatus xmlns='DAV:'>a<!-- x --><![CDATA[<b>]]>c</multistatus>";
        assert_eq!(whole_text(parse(xml).unwrap().root_element()), "a<b>c");
    }
}
