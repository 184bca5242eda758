//! What an answer teaches of the traffic behind it: where the device speaks
//! SIP, where its RTP arrives, and where update notifications go.
//!
//! Who reads packets looks there for what no port gives away. What is named
//! is the word of whoever answered: [`Protocol::look`] tells whether a packet
//! looks the part, and [`UNMATCHED`](crate::message::UNMATCHED) answers are
//! anybody's.

use crate::fields::Field;
use crate::item::Item;
use crate::message::Message;
use crate::notes::Note;
use crate::numbered::numbered;
use crate::sniff::{sniff, Sniff};
use crate::span::Span;
use crate::text;
use crate::types::{
    TYPE_EXTENSION_CONFIGURATION_RESPONSE, TYPE_PROVISIONING_RESPONSE,
    TYPE_SETUP_PUSH,
};
use crate::value;
use core::ffi::CStr;
use core::fmt::{self, Display, Formatter};
use core::net::Ipv4Addr;

/// The most endpoints that a message names.
pub const MOST: usize = 4;

/// [`Endpoint::transports`]: UDP.
pub const UDP: u32 = 1;
/// [`Endpoint::transports`]: TCP.
pub const TCP: u32 = 2;

/// [`Endpoint::flags`]: no host can have it. The address is none of a host's,
/// the port is 0, or the last port lies before the first.
pub const IMPLAUSIBLE: u32 = 1;
/// [`Endpoint::flags`]: it is named in the head, by a query.
pub const IN_HEAD: u32 = 2;

numbered! {
    /// What is spoken at an endpoint.
    pub enum Protocol {
        /// SIP, at the server and at the registrar.
        Sip = 0,
        /// RTP, and RTCP beside it, at the device.
        Rtp = 1,
        /// HTTP: update notifications.
        Http = 2,
    }
}

numbered! {
    /// What a packet looks like.
    pub enum Packet {
        /// None of these.
        Other = 0,
        /// A SIP message, or the beginning of one.
        Sip = 1,
        /// RTP.
        Rtp = 2,
        /// RTCP.
        Rtcp = 3,
        /// An HTTP message that may be ours, or any response.
        Http = 4,
    }
}

impl Protocol {
    /// Its name, such as `SIP`.
    pub fn name(self) -> &'static str {
        self.c_name().to_str().unwrap_or_default()
    }

    /// The same for C.
    pub(crate) fn c_name(self) -> &'static CStr {
        match self {
            Protocol::Sip => c"SIP",
            Protocol::Rtp => c"RTP",
            Protocol::Http => c"HTTP",
        }
    }

    /// Whether the payload of a packet, or the first bytes of a TCP
    /// connection, look like what is spoken at such an endpoint. RTP and RTCP
    /// have little to be known by: two bits, and so many bytes.
    pub fn look(self, bytes: &[u8]) -> Packet {
        match self {
            Protocol::Sip if begins_sip(bytes) => Packet::Sip,
            Protocol::Rtp => look_at_rtp(bytes),
            Protocol::Http
                if sniff(bytes) != Sniff::No
                    || bytes.starts_with(b"HTTP/1.") =>
            {
                Packet::Http
            }
            _ => Packet::Other,
        }
    }
}

/// Whether bytes begin a SIP message (RFC 3261, section 7). Of a request's
/// first line the scheme suffices: TCP may deliver it in pieces.
fn begins_sip(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let target = bytes[method..].strip_prefix(b" ").unwrap_or_default();
    let schemes: [&[u8]; 3] = [b"sip:", b"sips:", b"tel:"];
    let begins = |scheme: &[u8]| {
        let begin = target.get(..scheme.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    bytes.starts_with(b"SIP/2.0 ")
        || method >= 3 && schemes.into_iter().any(begins)
}

/// Version 2; the second byte tells them apart (RFC 5761, section 4).
fn look_at_rtp(bytes: &[u8]) -> Packet {
    match bytes {
        [0x80..=0xbf, 192..=223, ..] if bytes.len() >= 8 => Packet::Rtcp,
        [0x80..=0xbf, 0..=191 | 224.., ..] if bytes.len() >= 12 => Packet::Rtp,
        _ => Packet::Other,
    }
}

/// Where something is spoken.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// [`Protocol`] that is spoken there.
    pub protocol: u32,
    /// [`UDP`], [`TCP`], or both.
    pub transports: u32,
    /// [`IMPLAUSIBLE`], [`IN_HEAD`].
    pub flags: u32,
    /// Number of the [`Field`] that names it: [`Field::SipsvAddr`],
    /// [`Field::RegsvAddr`], [`Field::Rtpport1`] or [`Field::UrlUpdateCas`].
    pub field: u32,
    /// Where the value of that field stands, in the body or, with
    /// [`IN_HEAD`], in the input.
    pub span: Span,
    /// IPv4 address, in network order.
    pub address: [u8; 4],
    /// First port.
    pub first_port: u16,
    /// Last port: another one of a range only.
    pub last_port: u16,
}

/// `RTP at 198.51.100.7:5004-5035`.
impl Display for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let protocol = Protocol::from_number(self.protocol);
        let name = protocol.map_or("?", Protocol::name);
        let address = Ipv4Addr::from(self.address);
        write!(f, "{name} at {address}:{}", self.first_port)?;
        if self.last_port != self.first_port {
            write!(f, "-{}", self.last_port)?;
        }
        Ok(())
    }
}

impl Message {
    /// The endpoints that this message names, if it is a successful answer of
    /// the provisioning server or of a gateway to a phone, or a setup push.
    /// `input` is what it was parsed from, `body` is [`Message::body_bytes`].
    ///
    /// A phone's RTP arrives at the address that has received the message,
    /// which no such message says: `receiver`, if it is known.
    pub fn endpoints(
        &self,
        input: &[u8],
        body: &[u8],
        receiver: Option<Ipv4Addr>,
    ) -> impl Iterator<Item = Endpoint> {
        let teaches = match self.message_type {
            TYPE_PROVISIONING_RESPONSE
            | TYPE_EXTENSION_CONFIGURATION_RESPONSE => self.status == 200,
            TYPE_SETUP_PUSH => true,
            _ => false,
        };
        let receiver = receiver
            .filter(|_| self.message_type != TYPE_PROVISIONING_RESPONSE);
        let named = teaches.then(|| Named::read(self, input, body)).flatten();
        let found = named.map(|named| named.endpoints(receiver));
        found.into_iter().flatten().flatten()
    }
}

/// Fields that name an endpoint, or a part of one.
const FIELDS: [Field; 8] = [
    Field::SipsvAddr,
    Field::SipsvPort,
    Field::RegsvAddr,
    Field::RegsvPort,
    Field::IpAddr,
    Field::Rtpport1,
    Field::Rtpport2,
    Field::UrlUpdateCas,
];

/// A value, and whether it stands in the head.
type Value = (Item, bool);

/// The first value of each of these fields.
struct Named<'a> {
    input: &'a [u8],
    body: &'a [u8],
    first: [Option<Value>; FIELDS.len()],
}

impl<'a> Named<'a> {
    /// Who was refused has nothing, whatever else the refusal says.
    fn read(
        message: &Message,
        input: &'a [u8],
        body: &'a [u8],
    ) -> Option<Named<'a>> {
        let mut named = Named { input, body, first: [None; FIELDS.len()] };
        for (items, in_head) in [
            (message.head_items(input), true),
            (message.body_items(body), false),
        ] {
            for item in items {
                if item.as_note() == Some(Note::ResultCodeFailure) {
                    return None;
                }
                if let Some(place) = place(item.as_field()) {
                    named.first[place].get_or_insert((item, in_head));
                }
            }
        }
        Some(named)
    }

    fn first(&self, field: Field) -> Option<Value> {
        self.first[place(Some(field))?]
    }

    fn address(&self, field: Field) -> Option<Ipv4Addr> {
        let (item, _) = self.first(field)?;
        let [a, b, c, d, ..] = item.bytes;
        Some(Ipv4Addr::new(a, b, c, d))
    }

    fn port(&self, field: Field) -> Option<u16> {
        let (item, _) = self.first(field)?;
        u16::try_from(item.number).ok()
    }

    fn endpoints(
        &self,
        receiver: Option<Ipv4Addr>,
    ) -> [Option<Endpoint>; MOST] {
        let server = self.server(Field::SipsvAddr, Field::SipsvPort);
        let registrar = self.server(Field::RegsvAddr, Field::RegsvPort);
        // They may be one.
        let registrar = registrar.filter(|registrar| {
            server.is_none_or(|server| {
                server.address != registrar.address
                    || server.first_port != registrar.first_port
            })
        });
        [server, registrar, self.media(receiver), self.notifications()]
    }

    fn server(&self, address: Field, port: Field) -> Option<Endpoint> {
        let transports = UDP | TCP;
        let port = self.port(port)?;
        self.endpoint(
            address,
            (Protocol::Sip, transports),
            self.address(address)?,
            (port, port),
        )
    }

    fn media(&self, receiver: Option<Ipv4Addr>) -> Option<Endpoint> {
        let (first, last) = (Field::Rtpport1, Field::Rtpport2);
        self.endpoint(
            first,
            (Protocol::Rtp, UDP),
            receiver.or(self.address(Field::IpAddr))?,
            (self.port(first)?, self.port(last)?),
        )
    }

    fn notifications(&self) -> Option<Endpoint> {
        let field = Field::UrlUpdateCas;
        let (item, in_head) = self.first(field)?;
        let bytes = if in_head { self.input } else { self.body };
        let percent = item.flags & crate::item::PERCENT_ENCODED != 0;
        let url = text::bytes(item.span.of(bytes), percent);
        let (address, port) = url_endpoint(url)?;
        let http = (Protocol::Http, TCP);
        self.endpoint(field, http, address, (port, port))
    }

    fn endpoint(
        &self,
        field: Field,
        (protocol, transports): (Protocol, u32),
        address: Ipv4Addr,
        (first_port, last_port): (u16, u16),
    ) -> Option<Endpoint> {
        let (item, in_head) = self.first(field)?;
        let of_no_host = address.is_unspecified()
            || address.octets()[0] >= 224 // multicast, broadcast
            || first_port == 0
            || first_port > last_port;
        Some(Endpoint {
            protocol: protocol as u32,
            transports,
            flags: if of_no_host { IMPLAUSIBLE } else { 0 }
                | if in_head { IN_HEAD } else { 0 },
            field: field as u32,
            span: item.span,
            address: address.octets(),
            first_port,
            last_port,
        })
    }
}

fn place(field: Option<Field>) -> Option<usize> {
    FIELDS.iter().position(|&of| Some(of) == field)
}

/// Address and port of a URL. A host that is a name is none: what it stands
/// for is the word of whoever answered.
fn url_endpoint(url: impl Iterator<Item = u8>) -> Option<(Ipv4Addr, u16)> {
    /// What any may have in front of its path, and two bytes more, so that
    /// what is too long does not fit.
    const LONGEST: usize = "http://255.255.255.255:65535/".len() + 2;

    let mut room = [0; LONGEST];
    let begin = room.iter_mut().zip(url);
    let length = begin.map(|(to, byte)| *to = byte).count();
    let (scheme, rest) = room[..length].split_at_checked(7)?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?'));
    let authority = &rest[..end.unwrap_or(rest.len())];
    let mut parts = authority.splitn(2, |&b| b == b':');
    let address = value::ipv4(parts.next()?)?;
    let port = match parts.next() {
        Some(digits) if digits.len() <= 5 => {
            value::number_up_to(digits, u16::MAX.into())?
        }
        Some(_) => return None,
        None => 80,
    };
    let http = scheme.eq_ignore_ascii_case(b"http://");
    http.then_some((address.into(), port as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{self, from_parts, Context, Parts, Request};
    use crate::types::*;

    const ALL: &str = "ResultCode=0000\nip_addr=198.51.100.7\n\
        sipsv_addr=192.0.2.86\nsipsv_port=5070\nregsv_addr=192.0.2.87\n\
        regsv_port=5071\nrtpport1=5004\nrtpport2=5035\n\
        url_update_cas=http://192.0.2.88:50080/verup\n";

    /// What an answer names, with a mark on what is implausible.
    fn named(asked: u32, status: u16, body: &str) -> Vec<String> {
        let context = Context::answering(Request::new(asked));
        let parts = Parts::response(status, context);
        let body = body.as_bytes();
        let message = from_parts(&parts, body).unwrap();
        let receiver = Some(Ipv4Addr::new(192, 168, 1, 9));
        message
            .endpoints(&[], body, receiver)
            .map(|endpoint| {
                let field = Field::from_number(endpoint.field).unwrap();
                let value = endpoint.span.of(body);
                let key = field.info().key().unwrap();
                let line = [key.as_bytes(), b"=", value].concat();
                assert!(body.windows(line.len()).any(|part| part == line));
                let implausible = endpoint.flags & IMPLAUSIBLE != 0;
                let mark = if implausible { "?" } else { "" };
                format!("{endpoint}{mark}")
            })
            .collect()
    }

    #[test]
    fn of_a_gateway() {
        let gateway = TYPE_PROVISIONING_REQUEST;
        let all = [
            "SIP at 192.0.2.86:5070",
            "SIP at 192.0.2.87:5071",
            "RTP at 198.51.100.7:5004-5035",
            "HTTP at 192.0.2.88:50080",
        ];
        assert_eq!(named(gateway, 200, ALL), all);
        // The first of each key counts; what is said twice is one.
        let again = format!("{ALL}sipsv_port=1\nrtpport2=9\n");
        let again = again.replace("92.0.2.87", "92.0.2.86");
        let again = again.replace("5071", "5070");
        let one = [all[0], all[2], all[3]];
        assert_eq!(named(gateway, 200, &again), one);
        // One half says nothing.
        for key in ["sipsv_port", "regsv_addr", "rtpport2", "ip_addr"] {
            let less = ALL.replace(key, "x");
            assert_eq!(named(gateway, 200, &less).len(), 3, "{key}");
        }
    }

    #[test]
    fn of_a_phone() {
        let phone = TYPE_EXTENSION_CONFIGURATION_REQUEST;
        let rtp = "RTP at 192.168.1.9:5004-5035";
        assert_eq!(named(phone, 200, ALL)[2], rtp);
        let push = |query: &str, form: &str| {
            let length = form.len();
            let input = format!(
                "POST /voip_setup.cgi?{query} HTTP/1.1\r\n\
                 Content-Length: {length}\r\n\r\n{form}"
            );
            let input = input.as_bytes();
            let message = message::parse(input, &Context::default()).unwrap();
            assert_eq!(message.message_type, TYPE_SETUP_PUSH);
            let body = message.body.of(input);
            let found: Vec<Endpoint> =
                message.endpoints(input, body, None).collect();
            for endpoint in &found {
                let in_head = endpoint.flags & IN_HEAD != 0;
                let value =
                    endpoint.span.of(if in_head { input } else { body });
                assert!(value.starts_with(b"1") || value.starts_with(b"http"));
            }
            found
        };
        let found = push(
            "ip_tel_num=3&sipsv_addr=1.2.3.4",
            "sip_domain=a&sipsv_port=5060&\
             url_update_cas=http%3a%2F%2F1.2.3.4%3A81%2F",
        );
        let texts: Vec<String> =
            found.iter().map(Endpoint::to_string).collect();
        assert_eq!(texts, ["SIP at 1.2.3.4:5060", "HTTP at 1.2.3.4:81"]);
        assert_eq!(found[0].flags, IN_HEAD);
        assert_eq!(found[1].flags, 0);
    }

    #[test]
    fn refusals_and_others() {
        for result in ["0010", "ABCD", ""] {
            let refused = ALL.replace("0000", result);
            let named = named(TYPE_PROVISIONING_REQUEST, 200, &refused);
            assert!(named.is_empty());
        }
        for (asked, status) in [
            (TYPE_PROVISIONING_REQUEST, 404),
            (TYPE_EXTENSION_LIST_REQUEST, 200),
            (TYPE_OTHER_REQUEST, 200),
            (TYPE_NONE, 200),
        ] {
            assert!(named(asked, status, ALL).is_empty(), "{asked}");
        }
    }

    #[test]
    fn implausible() {
        for (from, to, said) in [
            ("192.0.2.86", "0.0.0.0", "SIP at 0.0.0.0:5070?"),
            ("192.0.2.86", "255.255.255.255", "SIP at 255.255.255.255:5070?"),
            ("198.51.100.7", "224.0.0.1", "RTP at 224.0.0.1:5004-5035?"),
            ("5070", "0", "SIP at 192.0.2.86:0?"),
            ("5035", "5003", "RTP at 198.51.100.7:5004-5003?"),
            ("5035", "5004", "RTP at 198.51.100.7:5004"),
            (":50080", ":0", "HTTP at 192.0.2.88:0?"),
        ] {
            let body = ALL.replace(from, to);
            let named = named(TYPE_PROVISIONING_REQUEST, 200, &body);
            assert!(named.iter().any(|n| n == said), "{said}: {named:?}");
        }
    }

    #[test]
    fn urls() {
        let read = |url: &str| {
            let (address, port) = url_endpoint(url.bytes())?;
            Some(format!("{address} {port}"))
        };
        for (url, expected) in [
            ("http://192.0.2.1", "192.0.2.1 80"),
            ("HTTP://192.0.2.1/a:1", "192.0.2.1 80"),
            ("http://192.0.2.1:8080?", "192.0.2.1 8080"),
            ("http://192.0.2.1:00080/", "192.0.2.1 80"),
            ("http://255.255.255.255:65535/", "255.255.255.255 65535"),
            ("http://255.255.255.255:65535", "255.255.255.255 65535"),
        ] {
            assert_eq!(read(url).as_deref(), Some(expected), "{url}");
        }
        for url in [
            "",
            "http:/",
            "http://",
            "https://192.0.2.1/",
            "http://x.invalid/",
            "http://192.0.2.1:/",
            "http://192.0.2.1:65536/",
            "http://192.0.2.1:000080/",
            "http://192.0.2.1x/",
            "http://192.0.2.1:80:80/",
            "http://a@192.0.2.1/",
            "http://01.0.2.1/",
            "http://255.255.255.255:655355/",
            "http://255.255.255.255:65535.a/",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }

    #[test]
    fn packets() {
        use Protocol::{Http, Rtp, Sip};
        let voice = [0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
        let report = [0x81, 200, 0, 1, 1, 2, 3, 4];
        for (protocol, bytes, packet) in [
            (Sip, &b"SIP/2.0 200 OK"[..], Packet::Sip),
            (Sip, b"OPTIONS sip:", Packet::Sip),
            (Sip, b"ACK TEL:1", Packet::Sip),
            (Sip, b"REGISTER sips:h", Packet::Sip),
            (Sip, b"SIP/2.0", Packet::Other),
            (Sip, b"OK sip:h", Packet::Other),
            (Sip, b"OPTIONS", Packet::Other),
            (Sip, b"OPTIONS  sip:h", Packet::Other),
            (Sip, b"options sip:h", Packet::Other),
            (Sip, b"GET http://h/", Packet::Other),
            (Sip, b"", Packet::Other),
            (Rtp, &voice, Packet::Rtp),
            (Rtp, &voice[..11], Packet::Other),
            (Rtp, &report, Packet::Rtcp),
            (Rtp, &report[..7], Packet::Other),
            (Rtp, &[7; 40], Packet::Other),
            (Rtp, b"", Packet::Other),
            (Http, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", Packet::Http),
            (Http, b"HTTP/1.1 200 OK", Packet::Http),
            (Http, b"SSH-2.0-OpenSSH", Packet::Other),
            (Http, b"", Packet::Other),
        ] {
            let text = bytes.escape_ascii();
            assert_eq!(protocol.look(bytes), packet, "{protocol:?} {text}");
        }
        for first in [0x7f, 0x80, 0xbf, 0xc0] {
            for second in [191, 192, 223, 224] {
                let looks = Rtp.look(&[[first, second], [0; 2]].concat());
                assert_eq!(looks, Packet::Other);
                let bytes = [&[first, second][..], &[0; 10]].concat();
                let expected = match (first >> 6, second) {
                    (2, 192..=223) => Packet::Rtcp,
                    (2, _) => Packet::Rtp,
                    _ => Packet::Other,
                };
                assert_eq!(Rtp.look(&bytes), expected);
            }
        }
    }
}
