//! Addresses as CalDAV servers write them, brought into one spelling.
//!
//! Promises: the same resource gets the same text whether the server writes it absolute or relative, with `%40` or `@`,
//! with `%7e` or `~`; nothing is changed that could name another resource. Pure.

use url::Url;

/// The URL that an href of an answer means.
pub(super) fn resolve(answered_by: &Url, href: &str) -> Option<Url> {
    let mut url = answered_by.join(href.trim()).ok()?;
    if url.cannot_be_a_base() {
        return None;
    }
    url.set_fragment(None);
    let path = canonical(url.path());
    url.set_path(&path);
    Some(url)
}

/// The key of an object: its path. A server behind a proxy may call itself by another name; then only what lies inside
/// the collection is believed. `None` for what cannot be an object of this collection, the collection itself included.
pub(super) fn object_key(collection: &Url, href: &str) -> Option<String> {
    let url = resolve(collection, href)?;
    let inside = url
        .path()
        .strip_prefix(canonical(collection.path()).trim_end_matches('/'));
    if inside.is_some_and(|rest| rest.trim_matches('/').is_empty()) {
        return None;
    }
    if url.origin() != collection.origin() && !inside.is_some_and(|rest| rest.starts_with('/')) {
        return None;
    }
    Some(url.path().to_owned())
}

/// Whether a password given for `home` may be sent to `other`: the same origin, or a host under the same parent domain
/// without a step down from https. Large services spread one account over such hosts.
pub(super) fn trusts(home: &Url, other: &Url) -> bool {
    if home.origin() == other.origin() {
        return true;
    }
    let (Some(from), Some(to)) = (home.domain(), other.domain()) else {
        return false;
    };
    let parent = match from.split_once('.') {
        Some((_, rest)) if rest.contains('.') => rest,
        _ => from,
    };
    other.scheme() == "https"
        && (to == parent || to.strip_suffix(parent).is_some_and(|head| head.ends_with('.')))
}

/// Decodes what needs no encoding (RFC 3986, section 6.2.2, and `@`, which servers write both ways), and writes the rest
/// in upper case.
fn canonical(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest
            .get(at + 1..at + 3)
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) => out.push(byte as char),
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None => {
                out.push_str("%25");
                rest = &rest[at + 1..];
                continue;
            }
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
