//! What error does with good and bad input.

use bytes::Bytes;
use http::HeaderMap;

use super::*;

fn answer(status: u16, headers: &[(http::HeaderName, &str)]) -> HttpResponse {
    HttpResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect::<HeaderMap>(),
        body: Bytes::new(),
        final_url: url::Url::parse("https://example.com/").unwrap(),
    }
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let seconds = retry_after(&answer(429, &[(RETRY_AFTER, "120")]));
    assert_eq!(seconds, Some(Duration::from_secs(120)));
    let date = [
        (DATE, "Tue, 01 Dec 2026 10:00:00 GMT"),
        (RETRY_AFTER, "Tue, 01 Dec 2026 10:01:30 GMT"),
    ];
    assert_eq!(retry_after(&answer(503, &date)), Some(Duration::from_secs(90)));
    assert_eq!(
        retry_after(&answer(503, &[(RETRY_AFTER, "99999999")])),
        Some(LONGEST_WAIT)
    );
    assert_eq!(retry_after(&answer(503, &[(RETRY_AFTER, "soon")])), None);
}

#[test]
fn statuses_are_sorted_by_what_to_do_next() {
    let of = |status| ProviderError::from_status(&answer(status, &[]));
    assert!(matches!(of(401), ProviderError::Unauthorized));
    assert!(matches!(of(403), ProviderError::NotFound));
    assert!(matches!(
        of(429),
        ProviderError::RateLimited { retry_after: None }
    ));
    assert!(matches!(of(502), ProviderError::Unavailable { .. }));
    assert!(matches!(of(418), ProviderError::Protocol(_)));
}
