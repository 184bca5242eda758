//! What to type next: the settings of an answer as commands and files for
//! Linux and Asterisk.
//!
//! People read a provisioning answer to do with it what the gateway did, and
//! they paste what they are given into a shell, as root. So [`Config`] writes
//! a shell script that does nothing to the system but bring an interface up
//! and set its address and routes; what is for Asterisk it writes to files in
//! the current folder. Who wants but the one that matters there asks for
//! [`PJSIP`].
//!
//! Run again it changes nothing: what is there is replaced, and a file is
//! written anew, unless it is somebody else's. Its last line fails if anything
//! did. It may be pasted, so it has neither `set -e` nor `exit`, which would
//! take the shell along, and no comment within a command.
//!
//! Nothing on the wire may become a line of its own, a command or an option:
//!
//! - Addresses, prefix lengths, ports and code points are written from the
//!   numbers that were read, not from the text that stood there.
//! - Texts stand in here-documents with a quoted delimiter, where a shell
//!   takes everything literally; a number of a telephone and a domain have
//!   only the characters that such a thing has, and a user name and a password
//!   only printable ASCII, with `;` escaped as Asterisk wants it.
//! - All are short: Asterisk reads on behind 8191 bytes as on a new line.
//! - Comments name keys and numbers, never a text, and have no character that
//!   a shell without comments, such as an interactive zsh, would act upon.
//!
//! What does not fit is left out, and a comment says so.

use crate::fields::{Field, FIELDS};
use crate::format::Style;
use crate::item::{Item, Value};
use crate::message::{Message, HEAD_COMPLETE, UNMATCHED};
use crate::notes::Note;
use crate::span::MAX_INPUT;
use crate::types::{
    TYPE_EXTENSION_CONFIGURATION_RESPONSE, TYPE_PROVISIONING_RESPONSE,
};
use crate::value::mask;
use core::fmt::{self, Display, Formatter, Write};
use core::net::Ipv4Addr;

/// A line about what is odd: our words, keys and numbers only.
macro_rules! warning {
    ($settings:expr, $f:expr, $($text:tt)*) => {{
        let mark = $settings.mark();
        writeln!($f, "{mark} warning: {}", format_args!($($text)*))
    }};
}

/// Passwords are written; otherwise a comment stands in their place.
pub const SECRETS: u32 = 1;

/// Only the sections of Asterisk's `pjsip.conf`, as they stand in that file,
/// with its kind of comments. Where no section can be written, there are
/// comments alone, which say why.
pub const PJSIP: u32 = 2;

/// The first line of a file that the script writes, by which it knows its own.
const OURS: &str = "; written by M-CAS Configuration, anew each time";

/// How a command ends that may fail; the last line asks for that. It stays so,
/// since the text may go on with another answer.
const OR_FAILED: &str = " || hikari=failed";

/// Most networks that are routed: the time it takes stays in proportion.
const ROUTES: usize = 64;

/// Most bytes of a text.
const TEXT: usize = 128;

/// Keys whose values are made use of.
const USED: [Field; 15] = [
    Field::IpAddr,
    Field::Netmask,
    Field::Gateway,
    Field::DestNwAddr,
    Field::SipsvAddr,
    Field::SipsvPort,
    Field::RegsvAddr,
    Field::RegsvPort,
    Field::SipDomain,
    Field::Username,
    Field::Password,
    Field::IpTelNum,
    Field::Dscp,
    Field::Rtpport1,
    Field::Rtpport2,
];

/// Those of them that pjsip.conf has nothing of.
const ELSEWHERE: [Field; 5] = [
    Field::Netmask,
    Field::Gateway,
    Field::DestNwAddr,
    Field::Rtpport1,
    Field::Rtpport2,
];

impl Message {
    /// The settings in this message as commands, if it is an answer that has
    /// settings: of the provisioning server, or of a gateway to a phone.
    /// `body` is [`Message::body_bytes`]; `flags` is 0 or what is wanted of
    /// [`SECRETS`] and [`PJSIP`].
    pub fn config<'a>(
        &'a self,
        body: &'a [u8],
        flags: u32,
    ) -> Option<Config<'a>> {
        let has_settings = matches!(
            self.message_type,
            TYPE_PROVISIONING_RESPONSE | TYPE_EXTENSION_CONFIGURATION_RESPONSE
        );
        let fits = body.len() <= MAX_INPUT;
        (has_settings && fits && self.has(HEAD_COMPLETE)).then_some(Config {
            message: self,
            body,
            flags,
        })
    }
}

/// The settings of an answer, ready to be written as a shell script or, with
/// [`PJSIP`], as a file.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    message: &'a Message,
    body: &'a [u8],
    flags: u32,
}

impl Display for Config<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pjsip = self.flags & PJSIP != 0;
        let secrets = self.flags & SECRETS != 0;
        let settings = Settings::read(self.message, self.body, pjsip);
        let mark = settings.mark();
        match settings.number(Field::ResultCode) {
            Some(0) => {}
            Some(code) => {
                return writeln!(
                    f,
                    "{mark} no settings: result code {code:04}"
                );
            }
            None => {
                let why = "no result code that reads";
                return writeln!(f, "{mark} no settings: {why}");
            }
        }
        settings.odd(f)?;
        let phone = self.message.message_type
            == TYPE_EXTENSION_CONFIGURATION_RESPONSE
            // Nobody saw to whom this answer went.
            || self.message.has(UNMATCHED)
                && !settings.came(Field::IpAddr)
                && !settings.came(Field::Gateway);
        if pjsip {
            return match settings.sip(f, phone)? {
                Some(sip) => sip.write(f, &settings, secrets),
                None => Ok(()),
            };
        }
        if !phone {
            settings.network(f)?;
        }
        if let Some(sip) = settings.sip(f, phone)? {
            writeln!(f, "# for /etc/asterisk/pjsip.conf")?;
            // By number: several answers may stand in one text.
            let number = &sip.number;
            begin_file(f, format_args!("hikari-{number}-pjsip.conf"))?;
            sip.write(f, &settings, secrets)?;
            end_file(f)?;
        }
        settings.rtp(f)?;
        writeln!(f, "[ \"${{hikari-}}\" != failed ]")
    }
}

/// What was read from an answer.
struct Settings<'a> {
    message: &'a Message,
    body: &'a [u8],
    /// Only pjsip.conf is written.
    pjsip: bool,
    /// The first readable item of each field.
    first: [Option<Item>; FIELDS.len()],
    routes: [Network; ROUTES],
    /// How many routes there were, those without room included.
    count: usize,
    unread_routes: u32,
    // Fields by number, whose value
    invalid: u64,
    masked: u64,
    /// came again, and differs.
    again: u64,
    cut: bool,
}

const _: () = assert!(FIELDS.len() <= 64);

fn bit(field: Field) -> u64 {
    1 << field as u32
}

impl<'a> Settings<'a> {
    fn read(
        message: &'a Message,
        body: &'a [u8],
        pjsip: bool,
    ) -> Settings<'a> {
        let mut settings = Settings {
            message,
            body,
            pjsip,
            first: [None; FIELDS.len()],
            routes: [NOWHERE; ROUTES],
            count: 0,
            unread_routes: 0,
            invalid: 0,
            masked: 0,
            again: 0,
            cut: false,
        };
        for item in message.body_items(body) {
            match (item.as_field(), item.as_note()) {
                (Some(field), _) => settings.field(field, item),
                (_, Some(note)) => settings.note(note, &item),
                _ => {}
            }
        }
        settings
    }

    fn field(&mut self, field: Field, item: Item) {
        match (field, item.value()) {
            (Field::DestNwAddrNetwork, Some(Value::Ipv4(address))) => {
                if let Some(route) = self.routes.get_mut(self.count) {
                    *route = Network { address, prefix: 32 };
                }
                self.count += 1;
            }
            (Field::DestNwAddrPrefix, Some(Value::Number(prefix))) => {
                let last = self.count.wrapping_sub(1);
                if let Some(route) = self.routes.get_mut(last) {
                    route.prefix = prefix as u8;
                }
            }
            _ => {}
        }
        match &self.first[field as usize] {
            None => self.first[field as usize] = Some(item),
            // Other numbers of the line follow the main one, and of networks
            // there may be any number.
            Some(_)
                if matches!(field, Field::IpTelNum | Field::DestNwAddr) => {}
            Some(first) => {
                let text = |item: &Item| item.span.of(self.body);
                if text(first) != text(&item) {
                    self.again |= bit(field);
                }
            }
        }
    }

    fn note(&mut self, note: Note, item: &Item) {
        let Some(about) = item.about() else { return };
        match note {
            Note::Truncated => self.cut = true,
            Note::ValueInvalid | Note::ValueMasked
                if about == Field::DestNwAddr =>
            {
                self.unread_routes += 1;
            }
            Note::ValueMasked => {
                // Not where it is another than the one that is taken.
                let first = &self.first[about as usize];
                if first.is_none_or(|first| first.span == item.span) {
                    self.masked |= bit(about);
                }
            }
            // Without a value a key says no more than if it were not there.
            Note::ValueInvalid if !item.span.is_empty() => {
                self.invalid |= bit(about);
            }
            _ => {}
        }
    }

    /// What a comment begins with: for Asterisk `#` is no such thing.
    fn mark(&self) -> char {
        if self.pjsip {
            ';'
        } else {
            '#'
        }
    }

    fn came(&self, field: Field) -> bool {
        self.first[field as usize].is_some()
            || (self.invalid | self.masked) & bit(field) != 0
    }

    fn number(&self, field: Field) -> Option<u64> {
        match self.first[field as usize]?.value()? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn address(&self, field: Field) -> Option<Ipv4Addr> {
        match self.first[field as usize]?.value()? {
            Value::Ipv4(address) => Some(address),
            _ => None,
        }
    }

    /// A text, unless it is empty or masked.
    fn text(&self, field: Field) -> Option<Text> {
        let item = &self.first[field as usize]?;
        if item.span.is_empty() || self.masked & bit(field) != 0 {
            return None;
        }
        Some(Text::of(item, self.body))
    }

    /// A text that is made of certain characters, or a warning.
    fn checked(
        &self,
        f: &mut Formatter<'_>,
        field: Field,
        allow: fn(&str) -> bool,
    ) -> Result<Option<Text>, fmt::Error> {
        let Some(text) = self.text(field) else { return Ok(None) };
        if text.fits && allow(text.as_str()) {
            return Ok(Some(text));
        }
        warning!(
            self,
            f,
            "{} has characters that cannot be taken over",
            key(field)
        )?;
        Ok(None)
    }

    /// An address that a host may have, or a warning.
    fn host(
        &self,
        f: &mut Formatter<'_>,
        field: Field,
    ) -> Result<Option<Ipv4Addr>, fmt::Error> {
        let address = self.address(field);
        match address {
            Some(address) if !of_hosts(address) => {
                let key = key(field);
                warning!(self, f, "{key} {address} is no address of a host")?;
                Ok(None)
            }
            _ => Ok(address),
        }
    }

    /// What is odd about single values.
    fn odd(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.cut {
            warning!(self, f, "the answer is cut, there may be more")?;
        }
        for field in USED {
            if self.pjsip && ELSEWHERE.contains(&field) {
                continue;
            }
            for (which, what) in [
                (self.masked, "is masked"),
                (self.invalid, "does not read"),
                (self.again, "came twice, the first is taken"),
            ] {
                if which & bit(field) != 0 {
                    warning!(self, f, "{} {what}", key(field))?;
                }
            }
        }
        if self.unread_routes > 0 && !self.pjsip {
            let count = self.unread_routes;
            warning!(self, f, "dest_nw_addr: {count} do not read")?;
        }
        Ok(())
    }

    /// Address and routes.
    fn network(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(address) = self.host(f, Field::IpAddr)? else {
            return warning!(self, f, "no address, so no routes either");
        };
        let prefix = match self.number(Field::Netmask) {
            Some(prefix @ 8..=32) => prefix as u8,
            Some(prefix) => {
                warning!(
                    self,
                    f,
                    "netmask {prefix} is too short, 32 is taken"
                )?;
                32
            }
            None => {
                warning!(self, f, "no netmask, 32 is taken")?;
                32
            }
        };
        writeln!(
            f,
            "# eth0 stands for the interface to the telephone network"
        )?;
        writeln!(f, "dev=${{dev:-eth0}}")?;
        writeln!(f, "ip link set \"$dev\" up{OR_FAILED}")?;
        let own = Network { address, prefix };
        writeln!(f, "ip addr replace {own} dev \"$dev\"{OR_FAILED}")?;
        if own.is_end(address) {
            warning!(self, f, "{address} is no host of {}", own.cleared())?;
        }
        let Some(gateway) = self.host(f, Field::Gateway)? else {
            return warning!(self, f, "no gateway, so no routes");
        };
        if gateway == address {
            return warning!(
                self,
                f,
                "the gateway is the device itself, so no routes"
            );
        }
        if own.contains(gateway) && own.is_end(gateway) {
            return warning!(
                self,
                f,
                "gateway {gateway} is no host of {}, so no routes",
                own.cleared(),
            );
        }
        let onlink = if own.contains(gateway) {
            ""
        } else {
            warning!(
                self,
                f,
                "gateway {gateway} is outside of {}",
                own.cleared()
            )?;
            " onlink"
        };
        let via = Via { gateway, onlink };
        self.destinations(f, own, &via)?;
        writeln!(f, "# all else, where no other default route goes before")?;
        writeln!(f, "ip route replace default {via} metric 1024{OR_FAILED}")
    }

    /// Routes to the networks of telephony.
    fn destinations(
        &self,
        f: &mut Formatter<'_>,
        own: Network,
        via: &Via,
    ) -> fmt::Result {
        let listed = &self.routes[..self.count.min(ROUTES)];
        if self.count > ROUTES {
            warning!(self, f, "only {ROUTES} networks are taken over")?;
        }
        for (i, network) in listed.iter().enumerate() {
            if network.prefix == 0 {
                writeln!(f, "# {network} is the default route, below")?;
            } else if !network.is_routable() {
                warning!(
                    self,
                    f,
                    "{network} is not for hosts or too large, left out"
                )?;
            } else if let Some(other) = covering(i, listed, own) {
                writeln!(f, "# {network} lies in {}", other.cleared())?;
            } else {
                if network.cleared() != *network {
                    writeln!(f, "# {network} has host bits")?;
                }
                via.route(f, network.cleared())?;
            }
        }
        // In what was observed, the SIP server is in none of the networks.
        let mut last = None;
        for field in [Field::SipsvAddr, Field::RegsvAddr] {
            let Some(address) = self.address(field) else { continue };
            let server = Network { address, prefix: 32 };
            let reached = own.contains(address)
                || last == Some(address)
                || listed.iter().any(|network| {
                    network.is_routable() && network.contains(address)
                });
            if !reached && of_hosts(address) {
                let key = key(field);
                writeln!(f, "# {key} is in none of these networks")?;
                via.route(f, server)?;
            }
            last = Some(address);
        }
        Ok(())
    }

    /// What it takes to register, to call and to be called.
    fn sip(
        &self,
        f: &mut Formatter<'_>,
        phone: bool,
    ) -> Result<Option<Sip>, fmt::Error> {
        let server = self.host(f, Field::SipsvAddr)?;
        let registrar = self.host(f, Field::RegsvAddr)?;
        let (Some(server), Some(registrar)) =
            (server.or(registrar), registrar.or(server))
        else {
            warning!(self, f, "no SIP server, so nothing for Asterisk")?;
            return Ok(None);
        };
        let Some(number) = self.checked(f, Field::IpTelNum, is_number)? else {
            warning!(self, f, "no telephone number, so nothing for Asterisk")?;
            return Ok(None);
        };
        let domain = self.checked(f, Field::SipDomain, is_domain)?;
        if domain.is_none() {
            warning!(self, f, "no sip_domain, {registrar} is taken")?;
        }
        let server = (server, self.port(f, Field::SipsvPort)?);
        let registrar = (registrar, self.port(f, Field::RegsvPort)?);
        let user = self.checked(f, Field::Username, is_printable)?;
        let password = self.checked(f, Field::Password, is_printable)?;
        match (&user, &password) {
            (None, Some(_)) => {
                warning!(self, f, "no username, the number is taken")
            }
            (Some(_), None) => {
                warning!(self, f, "a username without a password")
            }
            (None, None) if phone => {
                warning!(self, f, "no username, no password")
            }
            // The operator's servers know a line by its address.
            _ => Ok(()),
        }?;
        let own = self.address(Field::IpAddr).filter(|a| of_hosts(*a));
        Ok(Some(Sip {
            number,
            domain: Or(domain, registrar.0),
            server,
            registrar,
            user,
            password,
            bind: own.filter(|_| !phone),
            tos: self.number(Field::Dscp).map(|dscp| dscp << 2),
        }))
    }

    /// Contracts with extra numbers: who is called stands in the request.
    fn other_numbers(
        &self,
        f: &mut Formatter<'_>,
        main: &Text,
    ) -> fmt::Result {
        for item in self.message.body_items(self.body) {
            if item.as_field() != Some(Field::IpTelNum) {
                continue;
            }
            let number = Text::of(&item, self.body);
            let good = number.fits && is_number(number.as_str());
            if good && number.as_str() != main.as_str() {
                writeln!(f, "; calls for {number} come here, too")?;
            }
        }
        Ok(())
    }

    /// A port, or SIP's own.
    fn port(
        &self,
        f: &mut Formatter<'_>,
        field: Field,
    ) -> Result<u64, fmt::Error> {
        match self.number(field) {
            Some(port @ 1..) => Ok(port),
            _ => {
                warning!(self, f, "no {}, 5060 is taken", key(field))?;
                Ok(5060)
            }
        }
    }

    /// The range of ports for media.
    fn rtp(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ports = [Field::Rtpport1, Field::Rtpport2];
        let (first, last) = match ports.map(|field| self.number(field)) {
            [Some(first), Some(last)] => (first, last),
            [None, None] => return Ok(()),
            _ => return warning!(self, f, "half a range of RTP ports"),
        };
        if first >= last || first < 1024 {
            return warning!(
                self,
                f,
                "RTP ports {first} to {last} are no range to take"
            );
        }
        writeln!(f, "# for /etc/asterisk/rtp.conf")?;
        begin_file(f, format_args!("hikari-rtp.conf"))?;
        writeln!(f, "[general]\nrtpstart = {first}\nrtpend = {last}")?;
        end_file(f)
    }
}

/// What follows goes into the file of that name, up to [`end_file`]. One that
/// does not begin as ours do may be somebody's, with other settings in it.
fn begin_file(f: &mut Formatter<'_>, name: fmt::Arguments<'_>) -> fmt::Result {
    writeln!(f, "if [ -e {name} ] && ! grep -qx '{OURS}' {name}")?;
    writeln!(f, "then echo {name} is not ours, and stays as it is >&2")?;
    writeln!(f, "hikari=failed")?;
    writeln!(f, "else cat >{name} <<'END'{OR_FAILED}")?;
    writeln!(f, "{OURS}")
}

fn end_file(f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "END\nfi")
}

fn key(field: Field) -> &'static str {
    field.info().key().unwrap_or_default()
}

/// Whether a host may have the address (RFC 6890).
fn of_hosts(address: Ipv4Addr) -> bool {
    !matches!(address.octets()[0], 0 | 127 | 224..)
}

/// Telephone numbers and extensions.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=32).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_domain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// What Asterisk reads as it stands: it strips blanks at both ends.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.trim() == text
}

/// A network, or a host in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: Ipv4Addr,
    prefix: u8,
}

const NOWHERE: Network = Network { address: Ipv4Addr::UNSPECIFIED, prefix: 0 };

impl Network {
    /// Without host bits.
    fn cleared(self) -> Network {
        let address = self.address.to_bits() & mask(self.prefix);
        Network { address: address.into(), ..self }
    }

    fn contains(self, address: Ipv4Addr) -> bool {
        Network { address, ..self }.cleared() == self.cleared()
    }

    /// Whether it is the network's own address or its broadcast address.
    fn is_end(self, address: Ipv4Addr) -> bool {
        let host = address.to_bits() & !mask(self.prefix);
        self.prefix <= 30 && (host == 0 || host == !mask(self.prefix))
    }

    /// Whether there may be hosts in it, and not half the world's.
    fn is_routable(self) -> bool {
        self.prefix >= 8 && of_hosts(self.address)
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// What Asterisk is told.
struct Sip {
    number: Text,
    domain: Or,
    server: (Ipv4Addr, u64),
    registrar: (Ipv4Addr, u64),
    user: Option<Text>,
    password: Option<Text>,
    /// The address that is set for telephony.
    bind: Option<Ipv4Addr>,
    tos: Option<u64>,
}

impl Sip {
    /// The sections of pjsip.conf. Each is called after the number, so that
    /// those of several answers may stand in one file.
    fn write(
        &self,
        f: &mut Formatter<'_>,
        settings: &Settings<'_>,
        secrets: bool,
    ) -> fmt::Result {
        let Sip { number, domain, server, registrar, tos, .. } = self;
        self.section(f, "transport")?;
        writeln!(f, "protocol = udp")?;
        match self.bind {
            Some(own) => writeln!(f, "bind = {own}:5060")?,
            // Any port that is free: other extensions may stand beside it.
            None => writeln!(f, "bind = 0.0.0.0:0")?,
        }
        if let Some(tos) = tos {
            writeln!(f, "tos = {tos:#04x}")?;
        }
        writeln!(f)?;

        self.section(f, "registration")?;
        writeln!(f, "transport = hikari-{number}")?;
        writeln!(f, "client_uri = sip:{number}@{domain}")?;
        writeln!(f, "server_uri = sip:{domain}")?;
        proxy(f, *registrar)?;
        writeln!(f, "contact_user = {number}")?;
        self.outbound_auth(f)?;
        writeln!(f)?;

        if let Some(password) = &self.password {
            self.section(f, "auth")?;
            writeln!(f, "auth_type = userpass")?;
            let user = self.user.as_ref().unwrap_or(number);
            writeln!(f, "username = {}", Escaped(user))?;
            if secrets {
                writeln!(f, "password = {}", Escaped(password))?;
            } else {
                writeln!(f, "; password: not shown unless asked for")?;
            }
            writeln!(f)?;
        }

        self.section(f, "aor")?;
        writeln!(f, "contact = sip:{domain}\n")?;

        self.section(f, "endpoint")?;
        writeln!(f, "transport = hikari-{number}")?;
        writeln!(f, "aors = hikari-{number}")?;
        writeln!(f, "context = from-hikari")?;
        settings.other_numbers(f, number)?;
        writeln!(f, "; not in the answer: Hikari Denwa speaks G.711")?;
        writeln!(f, "allow = ulaw")?;
        writeln!(f, "from_user = {number}\nfrom_domain = {domain}")?;
        proxy(f, *server)?;
        if let Some(tos) = tos {
            writeln!(f, "tos_audio = {tos:#04x}")?;
        }
        self.outbound_auth(f)?;
        writeln!(f)?;

        self.section(f, "identify")?;
        writeln!(f, "endpoint = hikari-{number}\nmatch = {}", server.0)?;
        if registrar.0 != server.0 {
            writeln!(f, "match = {}", registrar.0)?;
        }
        Ok(())
    }

    fn section(&self, f: &mut Formatter<'_>, kind: &str) -> fmt::Result {
        writeln!(f, "[hikari-{}]\ntype = {kind}", self.number)
    }

    fn outbound_auth(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.password {
            Some(_) => writeln!(f, "outbound_auth = hikari-{}", self.number),
            None => Ok(()),
        }
    }
}

/// The domain need not be where the server is.
fn proxy(f: &mut Formatter<'_>, server: (Ipv4Addr, u64)) -> fmt::Result {
    writeln!(f, "outbound_proxy = sip:{}:{}\\;lr", server.0, server.1)
}

/// What makes a route superfluous: the device's own network, a larger one of
/// the list, or the same one before.
fn covering(i: usize, listed: &[Network], own: Network) -> Option<Network> {
    let network = listed[i];
    let covers = |other: &Network| {
        other.prefix <= network.prefix && other.contains(network.address)
    };
    let larger = |&(j, other): &(usize, &Network)| {
        other.is_routable()
            && covers(other)
            && (other.prefix < network.prefix || j < i)
    };
    if covers(&own) {
        return Some(own);
    }
    listed.iter().enumerate().find(larger).map(|(_, other)| *other)
}

/// The way to a network.
struct Via {
    gateway: Ipv4Addr,
    onlink: &'static str,
}

impl Via {
    fn route(&self, f: &mut Formatter<'_>, to: Network) -> fmt::Result {
        writeln!(f, "ip route replace {to} {self}{OR_FAILED}")
    }
}

impl Display for Via {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Via { gateway, onlink } = self;
        write!(f, "via {gateway} dev \"$dev\"{onlink}")
    }
}

/// A short text.
struct Text {
    bytes: [u8; TEXT],
    length: usize,
    /// All of it.
    fits: bool,
}

impl Text {
    fn of(item: &Item, body: &[u8]) -> Text {
        let mut text = Text { bytes: [0; TEXT], length: 0, fits: true };
        // What does not fit says so itself.
        let _ = write!(text, "{}", item.format(body, Style::Value));
        text
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        match self.bytes.get_mut(self.length..end) {
            Some(room) if self.fits => {
                room.copy_from_slice(text.as_bytes());
                self.length = end;
                Ok(())
            }
            _ => {
                self.fits = false;
                Err(fmt::Error)
            }
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text, or an address in its place.
struct Or(Option<Text>, Ipv4Addr);

impl Display for Or {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => text.fmt(f),
            None => self.1.fmt(f),
        }
    }
}

/// A text as a value in Asterisk's files, where `;` begins a comment.
struct Escaped<'a>(&'a Text);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.as_str().chars().try_for_each(|c| {
            f.write_str(if c == ';' { "\\" } else { "" })?;
            f.write_char(c)
        })
    }
}
