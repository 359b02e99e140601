//! What guard does with good and bad input.

use super::*;

#[test]
fn addresses_inside_are_refused_however_they_are_written() {
    for ip in [
        "0.0.0.0",
        "10.1.2.3",
        "100.100.100.200",
        "127.0.0.1",
        "127.8.8.8",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2a00::5efe:10.0.0.1",
    ] {
        assert!(!is_public(ip.parse().unwrap()), "{ip} passed");
    }
}

#[test]
fn addresses_of_the_internet_pass() {
    for ip in [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "64:ff9b::808:808",
    ] {
        assert!(is_public(ip.parse().unwrap()), "{ip} refused");
    }
}

#[test]
fn numbers_that_hide_an_address_are_seen_through() {
    for url in [
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://[::ffff:127.0.0.1]/",
    ] {
        assert!(is_blocked_literal(&Url::parse(url).unwrap()), "{url} passed");
    }
}

#[test]
fn the_allow_list_wants_host_and_port() {
    let allow = OutboundAllow::new(["127.0.0.1:5232", " Dav.Internal:443 ", "[::1]:80"]);
    for (url, expected) in [
        ("http://127.0.0.1:5232/a", true),
        ("http://127.0.0.1:5233/", false),
        ("https://dav.internal/", true),
        ("http://dav.internal/", false),
        ("http://[::1]/", true),
        ("http://localhost:5232/", false),
    ] {
        assert_eq!(allow.allows(&Url::parse(url).unwrap()), expected, "{url}");
    }
}
