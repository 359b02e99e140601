//! Plain pages without scripts, for the moments in which no front end is there: everything in them is text of ours or escaped.

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY};
use url::Url;

/// A page that says something, with a way on.
pub(in super::super) fn message(status: StatusCode, title: &str, text: &str, next: Option<&Url>) -> Response {
    let mut body = format!("<p>{}</p>", escaped(text));
    if let Some(next) = next {
        let _ = write!(body, "<p><a href=\"{}\">Continue</a></p>", escaped(next.as_str()));
    }
    page(status, title, &body)
}

/// A page with a body of ours.
pub(in super::super) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1>{body}</html>"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        // Without any referrer a browser would send the page's form with the origin `null`.
        (REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, html).into_response()
}

/// Text as HTML shows it, inside elements and attributes.
pub(in super::super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<b a=\"x\">'&"), "&lt;b a=&quot;x&quot;&gt;&#39;&amp;");
    }
}
