//! Middleware `real_ip`: where a request comes from, when a proxy says so that may say it.

use std::net::IpAddr;

use super::Options;
use crate::server::Context;

/// The networks of proxies that are trusted unless the options name others.
const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7"];
/// The headers, the most trusted first.
const HEADERS: [&str; 3] = ["true-client-ip", "x-real-ip", "x-forwarded-for"];

pub(super) struct RealIp {
    trusted: Vec<(IpAddr, u32)>,
    all: bool,
}

impl RealIp {
    pub(super) fn new(options: &Options) -> Self {
        let named = options.list("real_ip.trusted.subnets");
        let trusted = if named.is_empty() {
            PRIVATE.iter().filter_map(|text| parse_network(text)).collect()
        } else {
            named.iter().filter_map(|text| parse_network(text)).collect()
        };
        Self { trusted, all: options.flag("real_ip.trust_all") }
    }

    pub(super) fn before(&self, context: &mut Context) {
        let peer = context.peer.ip();
        if !self.all && !self.trusted.iter().any(|(network, bits)| contains(*network, *bits, peer)) {
            return;
        }
        let found = HEADERS.iter().find_map(|name| {
            let first = context.header(*name)?.split(',').next()?.trim();
            first.parse::<IpAddr>().ok()
        });
        if let Some(ip) = found {
            context.remote = ip.to_string();
        }
    }
}

fn parse_network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = if bits.is_empty() { most } else { bits.trim().parse().ok()? };
    (bits <= most).then_some((address, bits))
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let holds = |network: &str, address: &str| {
            let (network, bits) = parse_network(network).unwrap();
            contains(network, bits, address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.1.2.3") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && holds("192.168.1.1", "192.168.1.1"));
        assert!(holds("fc00::/7", "fd00::1") && !holds("fc00::/7", "fe80::1") && !holds("10.0.0.0/8", "::1"));
        assert!(parse_network("10.0.0.0/33").is_none() && parse_network("ten").is_none());
    }
}
