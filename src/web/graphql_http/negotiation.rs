//! Content negotiation as GraphQL over HTTP has it.

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

/// Media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the operation began.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

impl MediaType {
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// [`Self::header`], checked when this is compiled.
    pub(super) fn value(self) -> HeaderValue {
        match self {
            Self::GraphqlResponse => const { HeaderValue::from_static(Self::GraphqlResponse.header()) },
            Self::Json => const { HeaderValue::from_static(Self::Json.header()) },
        }
    }
}

/// Picks the media type of the answer; `None` when the client accepts neither. Without a preference it is `application/json`, which
/// clients that do not know better expect.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<MediaType> {
    let offers = || {
        let values = headers.get_all(ACCEPT).iter();
        values.filter_map(|value| value.to_str().ok())
    };
    if offers().all(|text| text.trim().is_empty()) {
        return Some(MediaType::Json);
    }
    let mut graphql = Wish::default();
    let mut json = Wish::default();
    for offer in offers().flat_map(|text| text.split(',')) {
        let mut parts = offer.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let (mut charset, mut quality) = (None, None);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim_matches('"');
            if name.eq_ignore_ascii_case("charset") {
                charset = charset.or(Some(value));
            } else if name.eq_ignore_ascii_case("q") {
                quality = quality.or(Some(value));
            }
        }
        if charset.is_some_and(|charset| !is_utf8(charset)) {
            continue;
        }
        let quality = quality.map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is("application/graphql-response+json") {
            graphql.say(3, quality);
        } else if is("application/json") {
            json.say(3, quality);
        } else if is("application/*") {
            graphql.say(2, quality);
            json.say(2, quality);
        } else if is("*/*") {
            graphql.say(1, quality);
            json.say(1, quality);
        }
    }
    // Named on equal terms, the exact type wins; by a wildcard only, the familiar one.
    let prefers_graphql =
        graphql.exactness == 3 && graphql.quality >= json.quality || graphql.quality > json.quality;
    match (graphql.quality > 0.0, json.quality > 0.0) {
        (true, _) if prefers_graphql => Some(MediaType::GraphqlResponse),
        (_, true) => Some(MediaType::Json),
        (true, false) => Some(MediaType::GraphqlResponse),
        (false, false) => None,
    }
}

/// What `Accept` says about one type: its most exact entry counts.
#[derive(Default)]
struct Wish {
    exactness: u8,
    quality: f32,
}

impl Wish {
    fn say(&mut self, exactness: u8, quality: f32) {
        if exactness >= self.exactness {
            *self = Self { exactness, quality };
        }
    }
}

/// Whether the body is plain JSON in UTF-8; on failure, what to send instead.
pub(super) fn check_content(headers: &HeaderMap) -> Result<(), &'static str> {
    const EXPECTED: &str = "Send JSON with `Content-Type: application/json`.";
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err("Compressed requests are not supported. Send the body without `Content-Encoding`.");
    }
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .ok_or(EXPECTED)?;
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(EXPECTED);
    }
    for part in parts {
        if let Some((name, charset)) = part.split_once('=')
            && name.eq_ignore_ascii_case("charset")
            && !is_utf8(charset.trim_matches('"'))
        {
            return Err("JSON is sent in UTF-8. Leave out the charset or write `charset=utf-8`.");
        }
    }
    Ok(())
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests;
