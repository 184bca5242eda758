//! **The** table of fields: everything that a message can show is declared
//! here, once.
//!
//! The parser finds a key of the protocol here, the C side enumerates the
//! table ([`crate::capi`]), the plugin registers Wireshark's fields from it
//! in a loop, and tests compare `include/mcas.h` and the documentation with
//! it. To add a field, add a row at the end: numbers are part of the ABI.

use crate::numbered::numbered;
use crate::scan;
use crate::types::NAMES as TYPES;
use core::ffi::CStr;
use core::fmt;

numbered! {
    /// How a value is typed.
    pub enum ValueType {
        /// Text, read with [`crate::text`].
        String = 0,
        /// Unsigned number of 8 bits.
        Uint8 = 1,
        /// Unsigned number of 16 bits.
        Uint16 = 2,
        /// Unsigned number of 24 bits.
        Uint24 = 3,
        /// Unsigned number of 32 bits.
        Uint32 = 4,
        /// Unsigned number of 64 bits.
        Uint64 = 5,
        /// IPv4 address, four bytes.
        Ipv4 = 6,
        /// IPv6 address, 16 bytes.
        Ipv6 = 7,
        /// MAC address, six bytes.
        Ether = 8,
        /// Bytes of any number.
        Bytes = 9,
        /// Number of a frame of the capture, known to the capture's reader only.
        FrameNumber = 10,
        /// Span of time, known to the capture's reader only.
        RelativeTime = 11,
    }
}

numbered! {
    /// How a number is shown, where its type leaves a choice.
    pub enum Display {
        /// As the type says; numbers in decimal.
        Plain = 0,
        /// In hexadecimal.
        Hex = 1,
        /// As an organisation's part of a MAC address.
        Oui = 2,
        /// As a link to the frame of a request.
        Request = 3,
        /// As a link to the frame of a response.
        Response = 4,
    }
}

/// Names for the values of a number.
pub type Names = &'static [(u32, &'static CStr)];

/// The field's value is a secret or personal: a user may want it hidden.
pub const SECRET: u32 = 1;
/// The field comes from the program that reads the capture (frame numbers,
/// times, vendor names, digests): this crate declares but never yields it.
pub const HOST_PROGRAM: u32 = 2;

/// What is in the key of a secret, in any case, where the key itself is not
/// known.
pub const SECRET_WORDS: [&str; 3] = ["pass", "pwd", "secret"];

/// Whether a key, its percent-encoding undone, has one of these words in it.
pub(crate) fn sounds_secret(key: impl Iterator<Item = u8>) -> bool {
    // The last bytes, the very last one lowest.
    let mut last = 0_u64;
    key.map(|byte| byte.to_ascii_lowercase()).any(|byte| {
        last = last << 8 | u64::from(byte);
        WORDS.iter().any(|&(word, mask)| last & mask == word)
    })
}

/// [`SECRET_WORDS`] as numbers of such bytes, with a mask for as many.
const WORDS: [(u64, u64); SECRET_WORDS.len()] = {
    let mut words = [(0, 0); SECRET_WORDS.len()];
    let mut i = 0;
    while i < words.len() {
        let text = SECRET_WORDS[i].as_bytes();
        assert!(!text.is_empty() && text.len() <= 8);
        let mut at = 0;
        while at < text.len() {
            let (word, mask) = words[i];
            words[i] = (word << 8 | text[at] as u64, mask << 8 | 0xff);
            at += 1;
        }
        i += 1;
    }
    words
};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldInfo {
    /// Which field this is.
    pub field: Field,
    // As C has them; Rust asks the methods of these names.
    pub(crate) c_name: &'static CStr,
    pub(crate) c_label: &'static CStr,
    pub(crate) c_description: &'static CStr,
    pub(crate) c_key: Option<&'static CStr>,
    /// Type of the value.
    pub value_type: ValueType,
    /// How it is shown.
    pub display: Display,
    /// Names of its values.
    pub names: Names,
    /// [`SECRET`], [`HOST_PROGRAM`].
    pub flags: u32,
}

impl FieldInfo {
    /// Display-filter name: the public, permanent name of the field.
    pub fn name(&self) -> &'static str {
        self.c_name.to_str().unwrap_or_default()
    }

    /// Label for people.
    pub fn label(&self) -> &'static str {
        self.c_label.to_str().unwrap_or_default()
    }

    /// What the label does not say.
    pub fn description(&self) -> &'static str {
        self.c_description.to_str().unwrap_or_default()
    }

    /// The key on the wire whose value this is, in lower case, if it is one.
    pub fn key(&self) -> Option<&'static str> {
        self.c_key?.to_str().ok()
    }

    /// What a value of the field is called, such as `Success` for a result
    /// code of 0.
    pub fn name_of(&self, number: u64) -> Option<&'static str> {
        self.c_name_of(number)?.to_str().ok()
    }

    /// The same for C.
    pub(crate) fn c_name_of(&self, number: u64) -> Option<&'static CStr> {
        let known = |&(n, _): &(u32, _)| u64::from(n).cmp(&number);
        let place = self.names.binary_search_by(known).ok()?;
        Some(self.names[place].1)
    }
}

macro_rules! fields {
    (@opt) => { None };
    (@opt $x:expr) => { Some($x) };
    (@or $default:expr;) => { $default };
    (@or $default:expr; $x:expr) => { $x };
    ($(
        $number:literal $field:ident $name:literal $label:literal
        $value_type:ident
        $(as $display:ident)?
        $(key $key:literal)?
        $(names $names:ident)?
        $(flags $flags:ident)?
        ; $description:literal
    )*) => {
        /// A field, by its permanent number.
        #[repr(u32)]
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
        )]
        #[non_exhaustive]
        pub enum Field {
            $(
                #[doc = concat!("`", $name, "`: ", $label, ".")]
                #[doc = concat!("\n\n", $description, ".")]
                $field = $number,
            )*
        }

        /// All fields, in the order of their numbers.
        pub static FIELDS: &[FieldInfo] = &[$(
            FieldInfo {
                field: Field::$field,
                c_name: c_str(concat!($name, "\0")),
                c_label: c_str(concat!($label, "\0")),
                c_description: c_str(concat!($description, "\0")),
                c_key: fields!(@opt $(c_str(concat!($key, "\0")))?),
                value_type: ValueType::$value_type,
                display: fields!(@or Display::Plain; $(Display::$display)?),
                names: fields!(@or &[]; $($names)?),
                flags: fields!(@or 0; $($flags)?),
            },
        )*];
    };
}

/// A C string from a literal that ends in NUL, at compile time.
pub(crate) const fn c_str(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a C string ends in its only NUL"),
    }
}

// Rows: number, name in Rust, filter name, label, type; then what applies.
fields! {
    0 Type "mcas.type" "Message type" Uint8 names TYPES
        ; "What the message is for, found from its host, path, \
           User-Agent and body, or from the request it answers"
    1 UserAgent "mcas.user_agent" "User-Agent" String
        ; "Protocol version and device, from the header of that name"
    2 UserAgentVersion "mcas.user_agent.version" "Version" String
        ; "Protocol version behind M-CAS/"
    3 DeviceModel "mcas.device.model" "Device model" String
        ; "As the User-Agent names it"
    4 DeviceFirmware "mcas.device.firmware" "Firmware version" String
        ; "Version of the firmware that the device runs"
    5 DeviceCarrier "mcas.device.carrier" "Carrier" String
        ; "A carrier that the device's firmware is made for"
    6 Host "mcas.host" "Host" String
        ; "Host header or authority of an absolute target, without port"
    7 Odm "mcas.odm" "ODM" String
        ; "Second label of a firmware server's name"
    8 CompanyCode "mcas.company_code" "Company code" String
        key "companycode"
        ; "Empty in all requests that were observed"
    9 ServiceCode "mcas.service_code" "Service code" String
        key "servicecode"
        ; "Empty in all requests that were observed"
    10 ControlCode "mcas.control_code" "Control code" String
        key "controlcode"
        ; "Empty in all requests that were observed"
    11 TerminalId "mcas.terminal_id" "Terminal ID" String
        key "terminalid" flags SECRET
        ; "WAN MAC address of the device, as sent"
    12 TerminalIdMac "mcas.terminal_id.mac" "MAC address" Ether
        flags SECRET
        ; "The terminal ID as a MAC address"
    13 TerminalIdOui "mcas.terminal_id.oui" "OUI" Uint24 as Oui
        ; "First half of the terminal ID, which names the vendor"
    14 TerminalIdOuiResolved "mcas.terminal_id.oui_resolved"
        "OUI (resolved)" String flags HOST_PROGRAM
        ; "Vendor of the device, by the first half of its terminal ID"
    15 ResultCode "mcas.result_code" "Result code" Uint16
        key "resultcode" names RESULTS
        ; "0000 is success"
    16 IpAddr "mcas.ip_addr" "IP address" Ipv4 key "ip_addr"
        ; "The device's own address for telephony"
    17 Netmask "mcas.netmask" "Prefix length" Uint8 key "netmask"
        ; "Length in bits of the network part of the IP address"
    18 Gateway "mcas.gateway" "Gateway" Ipv4 key "gateway"
        ; "Router for the destination networks"
    19 DestNwAddr "mcas.dest_nw_addr" "Destination networks" String
        key "dest_nw_addr"
        ; "Networks to route through the gateway, joined by &"
    20 DestNwAddrNetwork "mcas.dest_nw_addr.network" "Network" Ipv4
        ; "Address part of one entry of the list"
    21 DestNwAddrPrefix "mcas.dest_nw_addr.prefix" "Prefix length" Uint8
        ; "Number of bits of one entry's network part"
    22 SipsvAddr "mcas.sipsv_addr" "SIP server address" Ipv4
        key "sipsv_addr"
        ; "Where calls go"
    23 SipsvPort "mcas.sipsv_port" "SIP server port" Uint16
        key "sipsv_port"
        ; "Port of the server that calls go to"
    24 RegsvAddr "mcas.regsv_addr" "SIP registrar address" Ipv4
        key "regsv_addr"
        ; "Where the device registers"
    25 RegsvPort "mcas.regsv_port" "SIP registrar port" Uint16
        key "regsv_port"
        ; "Port of the server that the device registers with"
    26 SipDomain "mcas.sip_domain" "SIP domain" String key "sip_domain"
        ; "Host part of the device's SIP addresses"
    27 Username "mcas.username" "User name" String
        key "username" flags SECRET
        ; "User name for SIP digest authentication"
    28 Password "mcas.password" "Password" String
        key "password" flags SECRET
        ; "Password for SIP digest authentication"
    29 IpTelNum "mcas.ip_tel_num" "Telephone number" String
        key "ip_tel_num" flags SECRET
        ; "Subscriber number, or extension in the home, without dashes"
    30 IpTelNumIndex "mcas.ip_tel_num.index" "Index" Uint16
        ; "Number at the end of the key; 0 for the main number"
    31 AreaCode "mcas.area_code" "Area code" String key "area_code"
        ; "Such as 03, of the line that the number belongs to"
    32 UrlUpdate "mcas.url_update" "Portal URL" String key "url_update"
        ; "Web page for subscribers"
    33 UrlUpdateCas "mcas.url_update_cas" "Update notification URL" String
        key "url_update_cas"
        ; "Where update notifications are sent"
    34 Dscp "mcas.dscp" "DSCP" Uint8 key "dscp" names DSCPS
        ; "Differentiated services code point for SIP and RTP"
    35 DscpTos "mcas.dscp.tos" "TOS byte" Uint8 as Hex
        ; "The DSCP in its place in the IP header's byte"
    36 Rtpport1 "mcas.rtpport1" "First RTP port" Uint16 key "rtpport1"
        ; "UDP port where the range for media begins"
    37 Rtpport2 "mcas.rtpport2" "Last RTP port" Uint16 key "rtpport2"
        ; "UDP port where the range for media ends"
    38 Bigip "mcas.bigip" "BIG-IP persistence cookie" String
        ; "Value of a load balancer's cookie, which names the real server"
    39 BigipPool "mcas.bigip.pool" "Pool" String
        ; "What the balancer calls the group of servers"
    40 BigipAddr "mcas.bigip.addr" "Server address" Ipv4
        ; "Address of the real server behind the balancer"
    41 BigipAddr6 "mcas.bigip.addr6" "Server IPv6 address" Ipv6
        ; "Address of the real server behind the balancer"
    42 BigipPort "mcas.bigip.port" "Server port" Uint16
        ; "TCP port of the real server behind the balancer"
    43 BigipRouteDomain "mcas.bigip.route_domain" "Route domain" Uint32
        ; "Number of the balancer's routing table"
    44 FirmwarePath "mcas.firmware.path" "Firmware path" String
        ; "Path of the image on the server"
    45 FirmwareModel "mcas.firmware.model" "Firmware model" String
        ; "Folder of the path that names the model"
    46 FirmwareFile "mcas.firmware.file" "Firmware file" String
        ; "Name of the image"
    47 FirmwareSize "mcas.firmware.size" "Firmware size" Uint64
        ; "Bytes of the image, or of the part of it, that were received"
    48 FirmwareSha256 "mcas.firmware.sha256" "Firmware SHA-256" Bytes
        flags HOST_PROGRAM
        ; "Digest of a whole image"
    49 TermType "mcas.term_type" "Terminal type" Uint8
        ; "What kind of phone asks"
    50 Extension "mcas.extension" "Extension" String
        ; "An entry of an extension list: one that is free"
    51 Status "mcas.status" "HTTP status" Uint16 names STATUSES
        ; "Status code of the response"
    52 Param "mcas.param" "Parameter" String
        ; "A line or pair that is not shown as a field of its own"
    53 ParamName "mcas.param.name" "Name" String
        ; "Key, as it came"
    54 ParamValue "mcas.param.value" "Value" String
        ; "What stands behind the =, as it came"
    55 ResponseIn "mcas.response_in" "Response in" FrameNumber as Response
        flags HOST_PROGRAM
        ; "The response to this request is in this frame"
    56 ResponseTo "mcas.response_to" "Response to" FrameNumber as Request
        flags HOST_PROGRAM
        ; "This is the response to the request in this frame"
    57 Time "mcas.time" "Response time" RelativeTime flags HOST_PROGRAM
        ; "Time between the request and its response"
    58 Learned "mcas.learned" "Learned endpoint" String
        flags HOST_PROGRAM
        ; "Where Wireshark looks for a protocol because this message says so"
    59 LearnedProtocol "mcas.learned.protocol" "Protocol" String
        flags HOST_PROGRAM
        ; "SIP, RTP (and RTCP) or HTTP"
    60 LearnedAddr "mcas.learned.addr" "Address" Ipv4 flags HOST_PROGRAM
        ; "Address of the endpoint"
    61 LearnedPort "mcas.learned.port" "Port" Uint16 flags HOST_PROGRAM
        ; "Port of the endpoint, or the first of several"
    62 LearnedLastPort "mcas.learned.last_port" "Last port" Uint16
        flags HOST_PROGRAM
        ; "The last of several ports"
}

impl Field {
    /// The row of the table.
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[self as usize]
    }

    /// The field of that number.
    pub fn from_number(number: u32) -> Option<Field> {
        FIELDS.get(number as usize).map(|info| info.field)
    }

    /// The field of that filter name, such as `mcas.ip_addr`.
    pub fn by_name(name: &str) -> Option<Field> {
        let found = FIELDS.iter().find(|info| info.name() == name);
        found.map(|info| info.field)
    }
}

/// The filter name.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.info().name())
    }
}

/// Longest key there is, in bytes.
const KEY_MAX: usize = 16;

/// A key, or what may be one, ready to be compared: its length, and the words
/// that it begins and ends with, which may overlap.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed(usize, [u64; 2]);

impl Packed {
    /// What is too short or too long for a key.
    const NONE: Packed = Packed(0, [0; 2]);
    /// What equals nothing.
    const EMPTY: Packed = Packed(usize::MAX, [0; 2]);

    #[inline(always)]
    const fn of(key: &[u8]) -> Packed {
        if key.len() > KEY_MAX {
            return Packed::NONE;
        }
        let ends = (key.first_chunk(), key.last_chunk());
        let short_ends = (key.first_chunk(), key.last_chunk());
        let words = if let (Some(a), Some(b)) = ends {
            [u64::from_le_bytes(*a), u64::from_le_bytes(*b)]
        } else if let (Some(a), Some(b)) = short_ends {
            [u32::from_le_bytes(*a) as u64, u32::from_le_bytes(*b) as u64]
        } else {
            return Packed::NONE;
        };
        Packed(key.len(), words)
    }

    fn to_lower(self) -> Packed {
        Packed(self.0, self.1.map(scan::to_lower))
    }

    /// Where a key is looked for in [`BY_KEY`], in any case: its bits mixed so
    /// that no two keys meet.
    #[inline(always)]
    const fn slot(self, mix: u64) -> usize {
        let Packed(length, [a, b]) = self;
        // Upper case to lower; the rest is mixed up alike everywhere.
        let spaces = u64::from_le_bytes([b' '; 8]);
        let bits = (a | spaces).rotate_left(length as u32) ^ (b | spaces);
        (bits.wrapping_mul(mix) >> 56) as usize
    }
}

/// The table by its keys: what has its place in each slot, and the multiplier
/// with which no two meet.
static BY_KEY: ([(Packed, Field); 256], u64) = {
    let mut mix = 0x9e37_79b9_7f4a_7c15;
    'search: loop {
        let mut slots = [(Packed::EMPTY, Field::Type); 256];
        let mut i = 0;
        while i < FIELDS.len() {
            if let Some(key) = FIELDS[i].c_key {
                let key = Packed::of(key.to_bytes());
                assert!(key.0 > 0, "a key that is too short or too long");
                let [a, b] = key.1;
                let lower = [scan::to_lower(a), scan::to_lower(b)];
                assert!(a == lower[0] && b == lower[1], "a key in capitals");
                let slot = &mut slots[key.slot(mix)];
                if slot.0 .0 != Packed::EMPTY.0 {
                    mix += 2;
                    continue 'search;
                }
                *slot = (key, FIELDS[i].field);
            }
            i += 1;
        }
        break (slots, mix);
    }
};

/// The field of a key as it stands on the wire, in any case.
#[inline(always)]
pub(crate) fn by_key(name: &[u8]) -> Option<Field> {
    let (slots, mix) = &BY_KEY;
    let name = Packed::of(name);
    let (key, field) = &slots[name.slot(*mix)];
    // Most come in the case that they have in the table.
    let same = name == *key || name.to_lower() == *key;
    same.then_some(*field)
}

/// Result codes. Only success is published for the provisioning server; the
/// other one is the LAN side's.
const RESULTS: Names =
    &[(0, c"Success"), (10, c"Extension already taken (LAN side)")];

/// Code points of RFC 2474, 2597, 3246, 5865 and 8622.
const DSCPS: Names = &[
    (0, c"CS0"),
    (1, c"LE"),
    (8, c"CS1"),
    (10, c"AF11"),
    (12, c"AF12"),
    (14, c"AF13"),
    (16, c"CS2"),
    (18, c"AF21"),
    (20, c"AF22"),
    (22, c"AF23"),
    (24, c"CS3"),
    (26, c"AF31"),
    (28, c"AF32"),
    (30, c"AF33"),
    (32, c"CS4"),
    (34, c"AF41"),
    (36, c"AF42"),
    (38, c"AF43"),
    (40, c"CS5"),
    (44, c"VOICE-ADMIT"),
    (46, c"EF"),
    (48, c"CS6"),
    (56, c"CS7"),
];

/// Status codes of RFC 9110 and 6585 that a server of this protocol may
/// answer with.
const STATUSES: Names = &[
    (200, c"OK"),
    (201, c"Created"),
    (202, c"Accepted"),
    (204, c"No Content"),
    (206, c"Partial Content"),
    (301, c"Moved Permanently"),
    (302, c"Found"),
    (303, c"See Other"),
    (304, c"Not Modified"),
    (307, c"Temporary Redirect"),
    (308, c"Permanent Redirect"),
    (400, c"Bad Request"),
    (401, c"Unauthorized"),
    (403, c"Forbidden"),
    (404, c"Not Found"),
    (405, c"Method Not Allowed"),
    (406, c"Not Acceptable"),
    (408, c"Request Timeout"),
    (409, c"Conflict"),
    (410, c"Gone"),
    (411, c"Length Required"),
    (412, c"Precondition Failed"),
    (413, c"Content Too Large"),
    (414, c"URI Too Long"),
    (415, c"Unsupported Media Type"),
    (416, c"Range Not Satisfiable"),
    (417, c"Expectation Failed"),
    (421, c"Misdirected Request"),
    (426, c"Upgrade Required"),
    (428, c"Precondition Required"),
    (429, c"Too Many Requests"),
    (431, c"Request Header Fields Too Large"),
    (500, c"Internal Server Error"),
    (501, c"Not Implemented"),
    (502, c"Bad Gateway"),
    (503, c"Service Unavailable"),
    (504, c"Gateway Timeout"),
    (505, c"HTTP Version Not Supported"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_places_in_the_table() {
        for (i, info) in FIELDS.iter().enumerate() {
            assert_eq!(info.field as usize, i, "{}", info.name());
        }
    }

    #[test]
    fn names_are_filter_names_and_differ() {
        let mut seen = HashSet::new();
        for info in FIELDS {
            let name = info.name();
            assert!(seen.insert(name), "{name} twice");
            assert!(name.starts_with("mcas."), "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || b == b'_'
                    || b == b'.'),
                "{name}"
            );
            assert!(!info.c_label.is_empty(), "{name}");
            assert!(!info.c_description.is_empty(), "{name}");
        }
    }

    #[test]
    fn keys_are_in_lower_case_and_differ() {
        let mut seen = HashSet::new();
        for key in FIELDS.iter().filter_map(|info| info.c_key) {
            assert!(seen.insert(key), "{key:?} twice");
            let key = key.to_bytes();
            assert_eq!(key, key.to_ascii_lowercase());
        }
    }

    #[test]
    fn texts_are_utf8_and_found() {
        for info in FIELDS {
            assert_eq!(info.name().as_bytes(), info.c_name.to_bytes());
            assert_eq!(info.label().as_bytes(), info.c_label.to_bytes());
            let text = info.description();
            assert_eq!(text.as_bytes(), info.c_description.to_bytes());
            assert_eq!(info.key().is_some(), info.c_key.is_some());
            assert_eq!(Field::by_name(info.name()), Some(info.field));
            assert_eq!(info.field.to_string(), info.name());
            for &(number, name) in info.names {
                let found = info.name_of(number.into());
                assert_eq!(found, name.to_str().ok());
            }
            assert_eq!(info.name_of(1 << 32), None);
        }
        assert_eq!(Field::by_name("mcas"), None);
        let padded = format!("{:>16}", Field::IpAddr);
        assert_eq!(padded, "    mcas.ip_addr");
    }

    #[test]
    fn secrets_by_their_keys() {
        for (key, expected) in [
            ("password", true),
            ("PassWord2", true),
            ("sip_passwd", true),
            ("x-PWD", true),
            ("the secret of it", true),
            ("passsecre", true),
            ("pwpwd", true),
            ("", false),
            ("pas", false),
            ("pa ss", false),
            ("dwpsecre", false),
            ("username", false),
        ] {
            assert_eq!(sounds_secret(key.bytes()), expected, "{key}");
        }
        for word in SECRET_WORDS {
            assert_eq!(word, word.to_ascii_lowercase());
            assert!(sounds_secret(word.bytes()));
        }
    }

    #[test]
    fn value_names_are_sorted_and_fit() {
        for info in FIELDS {
            assert!(info.names.windows(2).all(|w| w[0].0 < w[1].0));
        }
    }
}
