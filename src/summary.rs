//! A message in a line, as Wireshark's Info column has it.
//!
//! ```text
//! Provisioning request, terminal 00:1f:67:a1:b2:c3 (Hitachi)
//! Provisioning response, Success, 0312345678, SIP 121.0.34.41:5060
//! Firmware request, RTS300HI 4.02.0179 → PRRTRV-S3X0HI12020003.bin
//! ```
//! It names what tells one message from another of its kind, the first value
//! of each, and no secret but numbers of terminals and telephones.

use crate::fields::Field;
use crate::format::{Shown, Style};
use crate::item::Item;
use crate::message::{Message, KIND_RESPONSE};
use crate::notes::Note;
use crate::types::{
    TypeInfo, TYPE_EXTENSION_LIST_REQUEST, TYPE_FIRMWARE_REQUEST,
    TYPE_FIRMWARE_RESPONSE, TYPE_SETUP_PUSH_RESPONSE,
};
use core::fmt::{self, Display, Formatter, Write};

impl Message {
    /// This message in a line; none of one that is not ours. `input` is what
    /// it was parsed from, `body` is [`Message::body_bytes`].
    pub fn summary<'a>(
        &'a self,
        input: &'a [u8],
        body: &'a [u8],
    ) -> Option<Summary<'a>> {
        let info = TypeInfo::of(self.message_type)?;
        Some(Summary { message: self, info, input, body, vendor: "" })
    }
}

/// A message, ready to be written in a line. Control characters and what
/// turns the direction of writing are shown as dots, so it can go to a
/// terminal as it is.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    message: &'a Message,
    info: &'static TypeInfo,
    input: &'a [u8],
    body: &'a [u8],
    vendor: &'a str,
}

impl<'a> Summary<'a> {
    /// The same with this behind the terminal, in parentheses: who made it,
    /// for those who have a table of [`Field::TerminalIdOui`].
    #[must_use]
    pub fn with_vendor(self, vendor: &'a str) -> Summary<'a> {
        Summary { vendor, ..self }
    }

    /// What of the message it is made of.
    fn parts(&self) -> Parts<'a> {
        let Summary { message, info, input, body, .. } = *self;
        let mut parts = Parts::default();
        // Of another head nothing matters.
        if info.id == TYPE_FIRMWARE_REQUEST || !message.query.is_empty() {
            for item in message.head_items(input) {
                parts.keep(item, input);
            }
        }
        for item in message.body_items(body) {
            parts.keep(item, body);
        }
        parts
    }

    fn write(&self, out: &mut impl Write) -> fmt::Result {
        let Summary { message, info, .. } = self;
        let parts = self.parts();
        out.write_str(info.name())?;
        if info.id == TYPE_FIRMWARE_REQUEST {
            return parts.firmware(out);
        }
        if let Some(terminal) = parts.terminal.filter(Part::says_something) {
            write!(out, ", terminal {terminal}")?;
        }
        if parts.terminal.is_some() && !self.vendor.is_empty() {
            write!(out, " ({})", self.vendor)?;
        }
        if info.kind == KIND_RESPONSE {
            let firmware = info.id == TYPE_FIRMWARE_RESPONSE;
            match (parts.result, message.status) {
                (Some(_), _) if parts.success => out.write_str(", Success"),
                (Some(result), _) => write!(out, ", result {result}"),
                (None, 0) => Ok(()),
                (None, 200) if !firmware => Ok(()),
                (None, status) => write!(out, ", {status}"),
            }?;
        }
        if let Some(size) = parts.size {
            write!(out, ", {size} bytes")?;
        }
        if parts.extensions {
            self.extensions(out)?;
        }
        parts.line(info.id, out)
    }

    /// The extensions of a list.
    fn extensions(&self, out: &mut impl Write) -> fmt::Result {
        let mut before = ", extensions ";
        for item in self.message.body_items(self.body) {
            if item.as_field() == Some(Field::Extension) {
                out.write_str(before)?;
                write!(out, "{}", item.format(self.body, Style::Text))?;
                before = ",";
            }
        }
        Ok(())
    }
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(&mut Shown { out: f, by: |_| '.' })
    }
}

/// A value of the message.
#[derive(Clone, Copy)]
struct Part<'a> {
    item: Item,
    from: &'a [u8],
    style: Style,
}

impl Part<'_> {
    fn says_something(&self) -> bool {
        !self.item.span.is_empty()
    }
}

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.item.format(self.from, self.style).fmt(f)
    }
}

/// What a summary is made of: the first of each kind.
#[derive(Default)]
struct Parts<'a> {
    terminal: Option<Part<'a>>,
    terminals: u32,
    result: Option<Part<'a>>,
    success: bool,
    number: Option<Part<'a>>,
    address: Option<Part<'a>>,
    netmask: Option<Part<'a>>,
    sip_address: Option<Part<'a>>,
    sip_port: Option<Part<'a>>,
    model: Option<Part<'a>>,
    firmware: Option<Part<'a>>,
    file: Option<Part<'a>>,
    size: Option<Part<'a>>,
    extensions: bool,
}

impl<'a> Parts<'a> {
    fn keep(&mut self, item: Item, from: &'a [u8]) {
        let Some(field) = item.as_field() else {
            return self.failure(item, from);
        };
        let mut style = Style::Value;
        let place = match field {
            Field::TerminalId => {
                self.terminals += 1;
                &mut self.terminal
            }
            // Better to read than the id as it was sent.
            Field::TerminalIdMac if self.terminals == 1 => {
                self.terminal = None;
                &mut self.terminal
            }
            Field::ResultCode => {
                self.success |= self.result.is_none() && item.number == 0;
                // "0012" says more than "12".
                style = Style::Text;
                &mut self.result
            }
            Field::IpTelNum => &mut self.number,
            Field::IpAddr => &mut self.address,
            Field::Netmask => &mut self.netmask,
            Field::SipsvAddr => &mut self.sip_address,
            Field::SipsvPort => &mut self.sip_port,
            Field::DeviceModel => &mut self.model,
            Field::DeviceFirmware => &mut self.firmware,
            Field::FirmwareFile => &mut self.file,
            Field::FirmwareSize => &mut self.size,
            Field::Extension => {
                self.extensions = true;
                return;
            }
            _ => return,
        };
        place.get_or_insert(Part { item, from, style });
    }

    /// A result that is no number has no field.
    fn failure(&mut self, item: Item, from: &'a [u8]) {
        let failed = item.as_note() == Some(Note::ResultCodeFailure);
        if failed && !item.span.is_empty() {
            let style = Style::Text;
            self.result.get_or_insert(Part { item, from, style });
        }
    }

    /// What the telephone line is, or the extension.
    fn line(&self, message_type: u32, out: &mut impl Write) -> fmt::Result {
        let number = self.number.filter(Part::says_something);
        if let Some(number) = number {
            let home = TYPE_EXTENSION_LIST_REQUEST..=TYPE_SETUP_PUSH_RESPONSE;
            let home = home.contains(&message_type);
            let what = if home { "extension " } else { "" };
            write!(out, ", {what}{number}")?;
        }
        if let Some(address) = self.address {
            let at = if number.is_some() { " at " } else { ", " };
            write!(out, "{at}{address}")?;
            if let Some(netmask) = self.netmask {
                write!(out, "/{netmask}")?;
            }
        }
        if let Some(address) = self.sip_address {
            write!(out, ", SIP {address}")?;
            if let Some(port) = self.sip_port {
                write!(out, ":{port}")?;
            }
        }
        Ok(())
    }

    /// What runs on a device, and what it asks for.
    fn firmware(&self, out: &mut impl Write) -> fmt::Result {
        // There is no firmware without a model.
        let arrow = self.model.map_or(", ", |_| " \u{2192} ");
        for (part, joint) in
            [(self.model, ", "), (self.firmware, " "), (self.file, arrow)]
        {
            if let Some(part) = part {
                write!(out, "{joint}{part}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::message::{self, Context, Request};
    use crate::types::*;

    fn answer(asked: u32, status: u16, body: &str) -> String {
        let context = Context::answering(Request::new(asked));
        let parts = message::Parts::response(status, context);
        let body = body.as_bytes();
        let message = message::from_parts(&parts, body).unwrap();
        message.summary(&[], body).unwrap().to_string()
    }

    #[test]
    fn answers() {
        let (gateway, phone) =
            (TYPE_PROVISIONING_REQUEST, TYPE_EXTENSION_CONFIGURATION_REQUEST);
        let list = TYPE_EXTENSION_LIST_REQUEST;
        for (asked, status, body, said) in [
            (
                gateway,
                200,
                "ResultCode=0000\nip_addr=172.20.0.2\nnetmask=30\n\
                 sipsv_addr=192.0.2.1\nsipsv_port=5060\nip_tel_num=03\n\
                 ip_tel_num1=04\n",
                "Provisioning response, Success, 03 at 172.20.0.2/30, \
                 SIP 192.0.2.1:5060",
            ),
            (
                gateway,
                200,
                "ResultCode=000\nip_addr=172.20.0.2\nip_tel_num=\n\
                 ip_tel_num1=04\nsipsv_addr=192.0.2.1\n",
                "Provisioning response, Success, 172.20.0.2, SIP 192.0.2.1",
            ),
            // Without an address the rest of it says nothing.
            (
                gateway,
                200,
                "netmask=30\nsipsv_port=5060\n",
                "Provisioning response",
            ),
            (
                phone,
                200,
                "ResultCode=0010\nResultCode=0000\nip_tel_num=3\n",
                "Extension configuration response, result 0010, extension 3",
            ),
            // One that is no number, one that is empty.
            (
                phone,
                200,
                "ResultCode=a,b\nResultCode=0000\n",
                "Extension configuration response, result a,b",
            ),
            (
                phone,
                200,
                "ResultCode=\nResultCode=0000\n",
                "Extension configuration response, Success",
            ),
            (
                list,
                200,
                "ResultCode=0000\nlist=3,,4,5\n",
                "Extension list response, Success, extensions 3,4,5",
            ),
            (gateway, 503, "", "Provisioning response, 503"),
            (
                gateway,
                503,
                "ResultCode=0012\n",
                "Provisioning response, result 0012",
            ),
            (
                TYPE_FIRMWARE_REQUEST,
                200,
                "image",
                "Firmware response, 200, 5 bytes",
            ),
            (TYPE_FIRMWARE_REQUEST, 404, "no", "Firmware response, 404"),
        ] {
            assert_eq!(answer(asked, status, body), said);
        }
    }

    fn request(input: &str, vendor: &str) -> Option<String> {
        let input = input.as_bytes();
        let message = message::parse(input, &Context::default()).unwrap();
        let summary = message.summary(input, message.body.of(input))?;
        Some(summary.with_vendor(vendor).to_string())
    }

    #[test]
    fn requests() {
        for (form, vendor, said) in [
            (
                "TerminalID=001F67A1B2C3&TerminalID=00022B000001",
                "Hitachi",
                ", terminal 00:1f:67:a1:b2:c3 (Hitachi)",
            ),
            ("TerminalID=001F67XXXXXX", "", ", terminal 001F67XXXXXX"),
            ("TerminalID=&TerminalID=001F67A1B2C3", "", ""),
            ("CompanyCode=1", "Hitachi", ""),
        ] {
            let length = form.len();
            let input = format!(
                "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
                 Content-Length: {length}\r\n\r\n{form}"
            );
            let said = format!("Provisioning request{said}");
            assert_eq!(request(&input, vendor), Some(said));
        }
        let push = "GET /voip_setup.cgi?ip_tel_num=3&sipsv_addr=192.0.2.1 \
            HTTP/1.1\r\n\r\n";
        let said = "Setup push, extension 3, SIP 192.0.2.1";
        assert_eq!(request(push, "").as_deref(), Some(said));
        let page = "GET / HTTP/1.1\r\nHost: www.example.jp\r\n\r\n";
        assert_eq!(request(page, ""), None);
    }

    #[test]
    fn firmware() {
        for (agent, path, said) in [
            ("7.0 (A 4.02; N)", "/fw/A/b.bin", ", A 4.02 \u{2192} b.bin"),
            ("7.0 (A; N)", "/fw/A/b.bin", ", A \u{2192} b.bin"),
            ("7.0", "/fw/A/b.bin", ", b.bin"),
            ("7.0 (A 4.02; N)", "/fw/A/", ", A 4.02"),
            ("7.0", "/fw/", ""),
        ] {
            let input = format!(
                "GET {path} HTTP/1.1\r\nHost: verup-mcas.x.flets\r\n\
                 User-Agent: M-CAS/{agent}\r\n\r\n"
            );
            let said = format!("Firmware request{said}");
            assert_eq!(request(&input, "Hitachi"), Some(said));
        }
    }

    /// What acts on a terminal, or turns the line round, is seen as a dot.
    #[test]
    fn fit_for_a_line() {
        let body =
            "ResultCode=0000\nip_tel_num=\u{1b}[31m\0\u{202e}\u{2028}\n";
        let said = answer(TYPE_PROVISIONING_REQUEST, 200, body);
        let shown = "Provisioning response, Success, .[31m\u{2400}..";
        assert_eq!(said, shown);
    }
}
