//! What network does with good and bad input.

use super::*;

#[test]
fn a_network_contains_its_addresses() {
    let contains = |network: &str, address: &str| {
        Network::parse(network)
            .unwrap()
            .contains(address.parse().unwrap())
    };
    assert!(contains("10.0.0.0/8", "10.255.0.1"));
    assert!(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
    assert!(contains("0.0.0.0/0", "8.8.8.8"));
    assert!(contains("fd00::/8", "fd12::1"));
    assert!(contains("127.0.0.1", "127.0.0.1"));
    assert!(!contains("127.0.0.1", "127.0.0.2"));
    assert!(!contains("10.0.0.0/8", "11.0.0.1"));
    assert!(!contains("::/0", "10.0.0.1"));
}

#[test]
fn rubbish_is_not_a_network() {
    for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.1/"] {
        assert!(Network::parse(text).is_none(), "{text}");
    }
}

#[test]
fn an_origin_has_no_path() {
    assert!(is_origin("https://app.example.org") && is_origin("http://localhost:3000"));
    for text in [
        "app.example.org",
        "https://app.example.org/",
        "https://a/b",
        "ftp://a",
        "null",
        "*",
    ] {
        assert!(!is_origin(text), "{text}");
    }
}
