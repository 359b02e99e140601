//! GraphiQL, the page on which people try the API, as data.
//!
//! Promises: everything the page loads is in this binary and comes from this server; the content
//! security policy allows nothing else, and no inline script. The files are built by `.graphiql/`.
//! Must not know: how HTTP is served, who is asking, or what the schema looks like.

mod files;

/// Path below which [`asset`] is served; the page and the built files agree on it.
pub const ASSETS_PATH: &str = "/graphiql/assets/";

/// `Content-Security-Policy` of the page and of its workers.
///
/// Monaco writes style elements, hence `'unsafe-inline'` for styles; a WebSocket to the own origin
/// is `'self'`.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src 'self' data:; img-src 'self' data:; connect-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `Cache-Control` of assets whose name carries a hash of the content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// `Cache-Control` of the others: ask again with the entity tag.
const REVALIDATE: &str = "public, no-cache";

const TEMPLATE: &str = include_str!("assets/index.html");

/// A file of the page, ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Body, encoded as `encoding` says.
    pub bytes: &'static [u8],
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Value of `Content-Encoding`. A client that does not accept it gets 406.
    pub encoding: &'static str,
    /// Value of `ETag`, quotes included.
    pub etag: &'static str,
    /// Value of `Cache-Control`.
    pub cache_control: &'static str,
}

/// Finds a file by its name below [`ASSETS_PATH`].
#[must_use]
pub fn asset(name: &str) -> Option<Asset> {
    let index = files::FILES.binary_search_by_key(&name, |file| file.name).ok()?;
    let file = &files::FILES[index];
    Some(Asset {
        bytes: file.bytes,
        content_type: file.content_type,
        encoding: "br",
        etag: file.etag,
        cache_control: if file.content_type.starts_with("text/plain") {
            REVALIDATE
        } else {
            FOREVER
        },
    })
}

/// Whether an `Accept-Encoding` header allows the encoding of the assets.
///
/// Browsers offer it over HTTPS and to localhost, but not over plain HTTP to other hosts.
#[must_use]
pub fn accepts_brotli(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let refused = parts.any(|parameter| {
            parameter
                .strip_prefix("q=")
                .and_then(|quality| quality.parse::<f32>().ok())
                .is_some_and(|quality| quality <= 0.0)
        });
        !refused && (coding.eq_ignore_ascii_case("br") || coding == "*")
    })
}

/// The HTML page with its settings.
///
/// `settings_json` is a JSON object with `graphqlUrl` and `wsUrl` (paths or addresses of this
/// origin) and optionally `title`, `defaultQuery` and `defaultHeaders` (both as typed in the editor).
#[must_use]
pub fn page(settings_json: &str) -> String {
    // `<` only occurs inside JSON strings, where the escape means the same; so no text can close
    // the script element.
    TEMPLATE.replace("{{settings}}", &settings_json.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_by_name_so_that_they_are_found() {
        assert!(files::FILES.is_sorted_by_key(|file| file.name));
        for file in files::FILES {
            let found = asset(file.name).map(|asset| asset.etag);
            assert_eq!(found, Some(file.etag));
        }
        assert_eq!(asset("../index.html"), None);
    }

    #[test]
    fn the_page_names_only_files_that_exist() {
        let page = page("{}");
        let names: Vec<&str> = page
            .split(ASSETS_PATH)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(names.len(), 2);
        for name in names {
            assert!(asset(name).is_some(), "{name}");
        }
    }

    #[test]
    fn settings_cannot_close_their_element() {
        let page = page(r#"{"title":"</script><script>alert(1)</script>"}"#);
        assert!(page.contains(r#"{"title":"\u003c/script>\u003cscript>alert(1)\u003c/script>"}"#));
        assert!(!page.contains("{{"));
    }

    #[test]
    fn brotli_is_sent_only_to_those_who_take_it() {
        for yes in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5, BR;q=1.0", "*"] {
            assert!(accepts_brotli(yes), "{yes}");
        }
        for no in ["", "gzip, deflate", "br;q=0", "identity"] {
            assert!(!accepts_brotli(no), "{no}");
        }
    }
}
