//! Who sent a request: the other end of its connection, or whom a trusted proxy says it stands
//! for.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection that a request came by: an extension of the request, which
/// whoever listens gives it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The proxies that are believed in whom they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads addresses and networks, separated by commas: `10.0.0.7, 192.168.0.0/16, fd00::/8`.
    fn from_str(text: &str) -> Result<Self, String> {
        let one = |text: &str| {
            let network = text.parse::<IpNet>();
            let network = network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| text.to_owned())
        };
        text.split(',')
            .map(str::trim)
            .map(one)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl TrustedProxies {
    fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request: the peer, and where that is a trusted proxy the last address of
    /// `X-Forwarded-For` that is none. What stands before it anybody may have written, and what
    /// an untrusted peer sends is not read at all.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.0;
        let told = headers.get_all(FORWARDED_FOR).into_iter();
        let told: Vec<&[u8]> = told.map(HeaderValue::as_bytes).collect();
        let mut before = told
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(|byte| *byte == b','));
        while self.has(client) {
            // What cannot be read ends the way: behind it anybody may have written.
            let Some(address) = before.next().and_then(address) else {
                break;
            };
            client = address;
        }
        client.to_canonical()
    }
}

/// An address, with a port or without one: proxies write either.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|both| both.ip());
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok().or_else(with_port)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, told: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for value in told {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let peer = Peer(peer.parse().unwrap());
        trusted.client(peer, &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_say_whom_they_stand_for() {
        let rows: [(&str, &str, &[&[u8]], &str); 12] = [
            ("10.0.0.0/8", "192.0.2.1", &[b"198.51.100.1"], "192.0.2.1"),
            ("10.0.0.0/8", "10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &[b"198.51.100.1"], "198.51.100.1"),
            // The client wrote the first one itself.
            (
                "10.0.0.0/8",
                "10.0.0.1",
                &[b"203.0.113.9, 198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "10.0.0.0/8",
                "10.0.0.1",
                &[b"203.0.113.9", b"198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            (
                "10.0.0.0/8",
                "10.0.0.1",
                &[b"198.51.100.1, unknown"],
                "10.0.0.1",
            ),
            (
                "10.0.0.1",
                "::ffff:10.0.0.1",
                &[b"198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1, fd00::/8",
                "fd00::7",
                &[b"2001:db8::1"],
                "2001:db8::1",
            ),
            ("10.0.0.1", "10.0.0.2", &[b"198.51.100.1"], "10.0.0.2"),
            (
                "10.0.0.1",
                "10.0.0.1",
                &[b"198.51.100.1:4711"],
                "198.51.100.1",
            ),
            ("10.0.0.1", "10.0.0.1", &[b"[2001:db8::1]"], "2001:db8::1"),
            // A line that is no text ends the way: what stands before it is not looked at.
            ("10.0.0.1", "10.0.0.1", &[b"6.6.6.6", b"\xff"], "10.0.0.1"),
        ];
        for (trusted, peer, told, expected) in rows {
            assert_eq!(
                client(trusted, peer, told),
                expected,
                "{trusted} {peer} {told:?}"
            );
        }
        let wrong = "10.0.0.0/8, proxy.example".parse::<TrustedProxies>();
        assert_eq!(wrong, Err("proxy.example".to_owned()));
        assert!("".parse::<TrustedProxies>().is_err());
    }
}
