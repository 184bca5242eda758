//! The persistence cookie of an F5 BIG-IP load balancer, which names the
//! real server behind it.
//!
//! The published forms (F5, K6917 «Overview of BIG-IP persistence cookie
//! encoding»):
//!
//! | form | example |
//! |---|---|
//! | IPv4 | `944474890.20480.0000` |
//! | IPv4 in a route domain | `rd5o00000000000000000000ffffc0000201o80` |
//! | IPv6 | `vi20010112000000000000000000000030.20480` |
//! | IPv6 in a route domain | `rd3o20010112000000000000000000000030o80` |
//! | encrypted | `!8NrZ…` |
//!
//! In the forms with dots the address is a little-endian number and the port
//! has its bytes swapped; in the `rd` forms the port is plain decimal.

use crate::scan::find;
use crate::value::{hex, number_up_to};

/// How the name of such a cookie begins; the pool's name follows.
pub const PREFIX: &[u8] = b"BIGipServer";

/// Where an IPv4 address is written as the IPv6 address that maps it.
const MAPPED_IPV4: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/// The server that a cookie names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

/// What a cookie's value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bigip {
    /// Server, port and route domain, if it has one.
    Server {
        /// Its address.
        address: Address,
        /// Its TCP port.
        port: u16,
        /// Number of the route domain.
        route_domain: Option<u32>,
    },
    /// Encrypted: only its balancer can read it.
    Encrypted,
}

/// Reads the value of a cookie; `None` if it has none of the forms.
pub fn parse(value: &[u8]) -> Option<Bigip> {
    if value.first() == Some(&b'!') {
        return Some(Bigip::Encrypted);
    }
    if let Some(rest) = value.strip_prefix(b"rd") {
        return route_domain(rest);
    }
    if let Some(rest) = value.strip_prefix(b"vi") {
        let (address, rest) = split(rest, b'.')?;
        let (port, rest) = split(rest, b'.').unwrap_or((rest, b"0000"));
        return server(Address::V6(hex(address)?), swapped(port, rest)?, None);
    }
    let (address, rest) = split(value, b'.')?;
    let (port, rest) = split(rest, b'.')?;
    let address = number_up_to(address, u32::MAX.into())? as u32;
    let address = Address::V4(address.to_le_bytes());
    server(address, swapped(port, rest)?, None)
}

/// `<id>o<32 hex digits>o<port>`
fn route_domain(rest: &[u8]) -> Option<Bigip> {
    let (id, rest) = split(rest, b'o')?;
    let (address, port) = split(rest, b'o')?;
    let id = number_up_to(id, u32::MAX.into())? as u32;
    let address: [u8; 16] = hex(address)?;
    let address = match address.strip_prefix(&MAPPED_IPV4) {
        Some(&[a, b, c, d]) => Address::V4([a, b, c, d]),
        _ => Address::V6(address),
    };
    server(address, number_up_to(port, u16::MAX.into())? as u16, Some(id))
}

/// A port whose bytes are swapped, and the four digits behind it.
fn swapped(port: &[u8], digits: &[u8]) -> Option<u16> {
    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((number_up_to(port, u16::MAX.into())? as u16).swap_bytes())
}

fn server(
    address: Address,
    port: u16,
    route_domain: Option<u32>,
) -> Option<Bigip> {
    Some(Bigip::Server { address, port, route_domain })
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let i = find(at, text)?;
    Some((&text[..i], &text[i + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn v6(text: &str) -> Address {
        Address::V6(text.parse::<Ipv6Addr>().unwrap().octets())
    }

    #[test]
    fn allow() {
        let v4 = Address::V4;
        for (value, address, port, route_domain) in [
            ("944474890.20480.0000", v4([10, 139, 75, 56]), 80, None),
            ("0.0.0000", v4([0; 4]), 0, None),
            (
                "rd5o00000000000000000000ffffc0000201o80",
                v4([192, 0, 2, 1]),
                80,
                Some(5),
            ),
            (
                "vi20010112000000000000000000000030.20480",
                v6("2001:112::30"),
                80,
                None,
            ),
            (
                "vi20010112000000000000000000000030.20480.0000",
                v6("2001:112::30"),
                80,
                None,
            ),
            (
                "rd3o20010112000000000000000000000030o80",
                v6("2001:112::30"),
                80,
                Some(3),
            ),
        ] {
            assert_eq!(
                parse(value.as_bytes()),
                Some(Bigip::Server { address, port, route_domain }),
                "{value}"
            );
        }
        assert_eq!(parse(b"!8NrZ"), Some(Bigip::Encrypted));
    }

    #[test]
    fn forbid() {
        for value in [
            "",
            "944474890",
            "944474890.20480",
            "944474890.20480.00000",
            "4294967296.20480.0000",
            "944474890.65536.0000",
            "XXXXXXXXX.20480.0000",
            "vi2001.20480",
            "rd5oc0000201o80",
            "rdo00000000000000000000ffffc0000201o80",
            "rd5o00000000000000000000ffffc0000201o65536",
            "rd5o00000000000000000000ffffc0000201",
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
    }
}
