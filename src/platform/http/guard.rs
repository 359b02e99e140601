//! Which addresses an outgoing request may reach.
//!
//! Promises: only addresses of the public internet pass; anything that could lead into the operator's own network
//! (private, loopback, link-local, metadata, carrier-grade NAT, multicast, and IPv6 forms that embed such an IPv4
//! address) is refused unless the operator listed that exact `host:port`. Pure: knows nothing of DNS, HTTP or calendars.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The `host:port` pairs that the operator opened, in one spelling.
#[derive(Debug, Clone, Default)]
pub struct OutboundAllow(HashSet<String>);

impl OutboundAllow {
    /// Reads entries like `127.0.0.1:5232`, `[::1]:8080` or `dav.internal:443`. Names are compared without case.
    pub fn new(entries: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self(
            entries
                .into_iter()
                .map(|entry| entry.as_ref().trim().to_ascii_lowercase())
                .filter(|e| !e.is_empty())
                .collect(),
        )
    }

    /// Whether the URL's own host and port were listed. What the name resolves to does not matter: the operator vouches
    /// for the name.
    pub fn allows(&self, url: &Url) -> bool {
        match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) => self.0.contains(&format!("{}:{port}", host.to_ascii_lowercase())),
            _ => false,
        }
    }
}

/// Whether the URL names its target by address, and that address is not public. Names are checked when they resolve.
pub fn is_blocked_literal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => !is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => !is_public(IpAddr::V6(ip)),
        Some(Host::Domain(_)) => false,
        None => true,
    }
}

/// Whether the address belongs to the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match (a, b, c) {
        // "This network", private, loopback, multicast, reserved and broadcast.
        (0 | 10 | 127, ..) | (224.., ..) => true,
        // Carrier-grade NAT, where some clouds keep their metadata service.
        (100, 64..=127, _) => true,
        // Link-local: the metadata service of most clouds.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, the 6to4 relay, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    // Azure answers its virtual machines from this public-looking address.
    !special && ip != Ipv4Addr::new(168, 63, 129, 16)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let s = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    // NAT64 (RFC 6052): the last 32 bits are the real target.
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return embedded(s[6], s[7]);
    }
    // ISATAP interface ids carry an IPv4 address too.
    if (s[4] == 0 || s[4] == 0x0200) && s[5] == 0x5efe && !embedded(s[6], s[7]) {
        return false;
    }
    match s[0] {
        // 6to4: the 32 bits after the prefix are the gateway.
        0x2002 => embedded(s[1], s[2]),
        // Teredo and the other protocol assignments of 2001::/23, and documentation.
        0x2001 => s[1] >= 0x200 && s[1] != 0xdb8,
        0x3fff => s[1] >= 0x1000,
        // Global unicast is 2000::/3; the rest is loopback, local, multicast or unassigned.
        first => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests;
