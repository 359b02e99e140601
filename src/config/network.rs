//! Who may be reached from here, and whose word about a client's address is trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Url;

use super::server::Environment;
use super::setting::{Reader, Setting};

/// A range of addresses, for example `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads an address or an address with a prefix length.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix.parse::<u32>().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Whether the address lies in this range; an IPv4 address inside an IPv6 one counts as itself.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                self.prefix == 0 || differing >> (32 - self.prefix) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                self.prefix == 0 || differing >> (128 - self.prefix) == 0
            }
            _ => false,
        }
    }

    /// Whether any address of this machine to itself lies in this range, as a proxy beside the program has one.
    fn meets_loopback(&self) -> bool {
        self.address.to_canonical().is_loopback()
            || self.contains(IpAddr::V4(Ipv4Addr::LOCALHOST))
            || self.contains(IpAddr::V6(Ipv6Addr::LOCALHOST))
    }
}

const OUTBOUND_ALLOW: Setting = Setting::new(
    "MERIDIAN_OUTBOUND_ALLOW",
    "",
    "Private addresses that calendar connections and sign-in providers may have, as host:port with commas between them. Everything else that is \
     private, loopback or link-local is refused.",
);
const TRUSTED_PROXIES: Setting = Setting::new(
    "MERIDIAN_TRUSTED_PROXIES",
    "",
    "Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed, with commas between them: 10.0.0.0/8",
);

const INTERNAL_NETWORKS: Setting = Setting::new(
    "MERIDIAN_INTERNAL_NETWORKS",
    "",
    "Addresses or networks of internal services, with commas between them. No budget per minute stops requests from there; sizes and \
     credentials are checked as everywhere. In production behind a proxy it needs MERIDIAN_TRUSTED_PROXIES.",
);

pub(super) const SETTINGS: &[Setting] = &[OUTBOUND_ALLOW, TRUSTED_PROXIES, INTERNAL_NETWORKS];

pub(super) fn read_outbound_allow(reader: &mut Reader<'_>) -> Vec<String> {
    reader.list(
        &OUTBOUND_ALLOW,
        "host:port, for example radicale.internal:5232",
        |text| {
            let (host, port) = text.rsplit_once(':')?;
            let port_ok = port.parse::<u16>().is_ok_and(|port| port > 0);
            // An IPv6 address stands in brackets, so that its colons are not taken for the port's.
            let host_ok = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(address) => address.parse::<Ipv6Addr>().is_ok(),
                None => {
                    !host.is_empty()
                        && host
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
                }
            };
            (port_ok && host_ok).then(|| text.to_ascii_lowercase())
        },
    )
}

pub(super) fn read_trusted_proxies(reader: &mut Reader<'_>) -> Vec<Network> {
    reader.list(
        &TRUSTED_PROXIES,
        "an address or a network, for example 10.0.0.0/8",
        Network::parse,
    )
}

pub(super) fn read_internal_networks(
    reader: &mut Reader<'_>,
    env: Option<Environment>,
    public_url: Option<&Url>,
    trusted_proxies: &[Network],
) -> Vec<Network> {
    let networks = reader.list(
        &INTERNAL_NETWORKS,
        "an address or a network, for example 10.1.0.0/16",
        Network::parse,
    );
    // Somebody else ends TLS. Unless that proxy's word is believed everybody has its address, and if that is an internal one no budget
    // stops anybody. Where it stands is only known of one beside the program, so behind https every network needs the setting.
    let is_behind_proxy = public_url.is_some_and(|url| url.scheme() == "https");
    let may_be_everybody =
        !networks.is_empty() && (is_behind_proxy || networks.iter().any(Network::meets_loopback));
    if env == Some(Environment::Production) && may_be_everybody && trusted_proxies.is_empty() {
        reader.fail(
            &INTERNAL_NETWORKS,
            "everybody who comes through a proxy has its address, and would be an internal service when it lies in one of these networks. \
             Write the addresses of your proxies into MERIDIAN_TRUSTED_PROXIES, for example 127.0.0.1, or leave this setting empty.",
        );
    }
    networks
}

/// Whether the text is a scheme, a host and perhaps a port, as the `Origin` header has it.
pub(super) fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.origin().ascii_serialization() == text.to_ascii_lowercase()
    })
}

#[cfg(test)]
mod tests;
