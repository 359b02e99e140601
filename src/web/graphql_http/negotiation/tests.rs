//! Which answer a client accepts.

use super::MediaType::{GraphqlResponse, Json};
use super::*;

fn headers(name: http::HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, value.parse().unwrap())])
}

#[test]
fn the_best_accepted_type_is_picked() {
    let pick = |accept: &str| negotiate(&headers(ACCEPT, accept));
    assert_eq!(negotiate(&HeaderMap::new()), Some(Json));
    for (accept, expected) in [
        ("*/*", Some(Json)),
        ("application/*", Some(Json)),
        ("application/json", Some(Json)),
        ("application/graphql-response+json", Some(GraphqlResponse)),
        (
            "application/graphql-response+json; charset=utf-8, application/json",
            Some(GraphqlResponse),
        ),
        (
            "application/json, application/graphql-response+json",
            Some(GraphqlResponse),
        ),
        (
            "application/graphql-response+json;q=0.5, application/json",
            Some(Json),
        ),
        (
            "application/graphql-response+json, */*;q=0.1",
            Some(GraphqlResponse),
        ),
        ("application/json;q=0, */*", Some(GraphqlResponse)),
        ("application/json, multipart/mixed", Some(Json)),
        ("text/html", None),
        ("application/json; charset=latin1", None),
        ("application/json;q=0", None),
    ] {
        assert_eq!(pick(accept), expected, "{accept}");
    }
}

#[test]
fn only_plain_json_is_read() {
    let check = |value: &str| check_content(&headers(CONTENT_TYPE, value)).is_ok();
    assert!(
        check("application/json")
            && check("Application/JSON; charset=UTF-8")
            && check("application/json;charset=\"utf-8\"")
    );
    for wrong in [
        "text/plain",
        "application/graphql",
        "application/json; charset=latin1",
        "multipart/form-data; boundary=x",
        "",
    ] {
        assert!(!check(wrong), "{wrong}");
    }
    assert!(check_content(&HeaderMap::new()).is_err());
    let mut compressed = headers(CONTENT_TYPE, "application/json");
    compressed.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
    assert!(check_content(&compressed).is_err());
}
