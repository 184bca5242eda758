//! What a Rust program does that wants the values of a provisioning response
//! and nothing else, and wants them fast: `httparse` for the head, `memchr`
//! and readers of its own for the rest. No spans, no notes, no charsets, one
//! spelling of keys, no message that is cut.

use memchr::memchr;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddrV4};

fn number(text: &[u8]) -> Option<u32> {
    let mut sum = 0u32;
    for digit in text {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!text.is_empty()).then_some(sum)
}

fn narrow<T: TryFrom<u32>>(text: &[u8]) -> Option<T> {
    number(text)?.try_into().ok()
}

fn address(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split(|&b| b == b'.');
    for octet in &mut octets {
        *octet = narrow(parts.next()?)?;
    }
    parts.next().is_none().then_some(octets.into())
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = memchr(at, text)?;
    Some((&text[..place], &text[place + 1..]))
}

/// The values of a body.
#[derive(Default)]
pub struct Settings<'a> {
    pub result_code: Option<u16>,
    pub ip_addr: Option<Ipv4Addr>,
    pub netmask: Option<u8>,
    pub gateway: Option<Ipv4Addr>,
    networks: [Option<(Ipv4Addr, u8)>; 8],
    count: usize,
    pub sipsv_addr: Option<Ipv4Addr>,
    pub sipsv_port: Option<u16>,
    pub regsv_addr: Option<Ipv4Addr>,
    pub regsv_port: Option<u16>,
    pub sip_domain: &'a [u8],
    pub username: &'a [u8],
    pub password: &'a [u8],
    pub ip_tel_num: &'a [u8],
    pub area_code: &'a [u8],
    pub url_update: &'a [u8],
    pub url_update_cas: &'a [u8],
    pub dscp: Option<u8>,
    pub rtpport1: Option<u16>,
    pub rtpport2: Option<u16>,
}

impl<'a> Settings<'a> {
    pub fn read(mut body: &'a [u8]) -> Settings<'a> {
        let mut settings = Settings::default();
        while let Some((line, rest)) = split(body, b'\n') {
            body = rest;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some((key, value)) = split(line, b'=') else { continue };
            match key {
                b"ResultCode" => settings.result_code = narrow(value),
                b"ip_addr" => settings.ip_addr = address(value),
                b"netmask" => settings.netmask = narrow(value),
                b"gateway" => settings.gateway = address(value),
                b"dest_nw_addr" => settings.read_networks(value),
                b"sipsv_addr" => settings.sipsv_addr = address(value),
                b"sipsv_port" => settings.sipsv_port = narrow(value),
                b"regsv_addr" => settings.regsv_addr = address(value),
                b"regsv_port" => settings.regsv_port = narrow(value),
                b"sip_domain" => settings.sip_domain = value,
                b"username" => settings.username = value,
                b"password" => settings.password = value,
                b"ip_tel_num" => settings.ip_tel_num = value,
                b"area_code" => settings.area_code = value,
                b"url_update" => settings.url_update = value,
                b"url_update_cas" => settings.url_update_cas = value,
                b"dscp" => settings.dscp = narrow(value),
                b"rtpport1" => settings.rtpport1 = narrow(value),
                b"rtpport2" => settings.rtpport2 = narrow(value),
                _ => {}
            }
        }
        settings
    }

    fn read_networks(&mut self, list: &[u8]) {
        let networks = list.split(|&b| b == b'&').filter_map(|entry| {
            let (network, prefix) = split(entry, b'/')?;
            Some((address(network)?, narrow(prefix)?))
        });
        for (slot, network) in self.networks.iter_mut().zip(networks) {
            *slot = Some(network);
            self.count += 1;
        }
    }

    pub fn networks(&self) -> &[Option<(Ipv4Addr, u8)>] {
        &self.networks[..self.count]
    }
}

/// The values of a response.
pub struct Answer<'a> {
    pub status: u16,
    /// The server behind the balancer.
    pub server: Option<SocketAddrV4>,
    pub settings: Settings<'a>,
}

impl<'a> Answer<'a> {
    /// Reads a response; `None` where it is none, or not whole.
    pub fn read(input: &'a [u8]) -> Option<Answer<'a>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let head = response.parse(input).ok()?;
        let httparse::Status::Complete(head) = head else { return None };
        let mut length = None;
        let mut server = None;
        for header in response.headers.iter() {
            if header.name.eq_ignore_ascii_case("Content-Length") {
                length = number(header.value);
            } else if header.name.eq_ignore_ascii_case("Set-Cookie") {
                server = balanced(header.value);
            }
        }
        let body = input[head..].get(..length? as usize)?;
        let settings = Settings::read(body);
        Some(Answer { status: response.code?, server, settings })
    }
}

/// The server that a BIG-IP cookie names.
fn balanced(cookie: &[u8]) -> Option<SocketAddrV4> {
    let (pair, _) = split(cookie, b';').unwrap_or((cookie, b""));
    let (_, value) = split(pair.strip_prefix(b"BIGipServer")?, b'=')?;
    let (address, rest) = split(value, b'.')?;
    let (port, _) = split(rest, b'.')?;
    let address = Ipv4Addr::from(number(address)?.to_le_bytes());
    Some(SocketAddrV4::new(address, narrow::<u16>(port)?.swap_bytes()))
}

pub fn whole(response: &[u8]) -> usize {
    black_box(Answer::read(response)).map_or(0, |answer| answer.settings.count)
}

pub fn body(body: &[u8]) -> usize {
    black_box(Settings::read(body)).count
}

/// What nobody can go below: the head's lines found and checked by
/// `httparse`, the body's line ends by `memchr`; nothing is read.
pub fn floor(response: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(response) {
        Ok(httparse::Status::Complete(head)) => lines(&response[head..]),
        _ => 0,
    }
}

/// Number of the lines of a body.
pub fn lines(body: &[u8]) -> usize {
    let mut at = 0;
    let mut count = 0;
    while let Some(length) = memchr(b'\n', &body[at..]) {
        at += length + 1;
        count += 1;
    }
    count
}

/// Whether a request has a whole head.
pub fn request(input: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut headers);
    black_box(parsed.parse(input)).is_ok().into()
}

/// Whether a response has a whole head.
pub fn response(input: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut headers);
    black_box(parsed.parse(input)).is_ok().into()
}
