//! Items as text: the value alone, for programs, or a line, for people.

use crate::fields::Display;
use crate::item::{Item, Value, GENERATED};
use crate::notes::Severity;
use crate::numbered::numbered;
use crate::text;
use crate::Field;
use core::fmt::{self, Write};
use core::mem::MaybeUninit;

numbered! {
    /// How an item is written.
    pub enum Style {
        /// The value alone, such as `5060`, `172.20.184.194`, `00:1f:67` or
        /// `0xb8`; of a note, the filter name of the field that it is about.
        /// Nothing of a text is lost.
        Value = 0,
        /// What stands on the wire, as text, such as `0000` for a result code of
        /// 0 or the value that a note finds invalid.
        Text = 1,
        /// `Result code: Success (0)`, in brackets if it is computed, and
        /// `Warning: The value does not read as its type`. Control characters
        /// are shown by others, so it can go to a terminal as it is.
        Line = 2,
        /// What the value is called, and in parentheses what stands on the
        /// wire, such as `Success (0000)`; of a computed one, its value:
        /// `Provisioning request (1)`. Without a name, that alone.
        Named = 3,
    }
}

/// An item with the bytes it was read from, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Formatted<'a> {
    item: &'a Item,
    input: &'a [u8],
    style: Style,
}

impl Item {
    /// The item as text; `input` is what it was read from.
    pub fn format<'a>(
        &'a self,
        input: &'a [u8],
        style: Style,
    ) -> Formatted<'a> {
        Formatted { item: self, input, style }
    }
}

impl fmt::Display for Formatted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            Style::Value => value(self.item, self.input, f),
            Style::Text => text::write(self.item, self.input, f),
            Style::Line => {
                let mut out = Shown { out: f, by: picture };
                line(self.item, self.input, &mut out)
            }
            Style::Named => named(self.item, self.input, f),
        }
    }
}

fn value(item: &Item, input: &[u8], out: &mut impl Write) -> fmt::Result {
    let Some(value) = item.value() else {
        return match item.about() {
            Some(field) => out.write_str(field.info().name()),
            None => Ok(()),
        };
    };
    let display = item.as_field().map(|field| field.info().display);
    match (value, display) {
        (Value::Text, _) => text::write(item, input, out),
        (Value::Number(n), Some(Display::Hex)) => write!(out, "{n:#04x}"),
        (Value::Number(n), Some(Display::Oui)) => {
            let [.., a, b, c] = n.to_be_bytes();
            write!(out, "{a:02x}:{b:02x}:{c:02x}")
        }
        (Value::Number(n), _) => write!(out, "{n}"),
        (Value::Ipv4(address), _) => write!(out, "{address}"),
        (Value::Ipv6(address), _) => write!(out, "{address}"),
        (Value::Ether([a, b, c, d, e, f]), _) => {
            write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
        }
    }
}

fn line(item: &Item, input: &[u8], out: &mut impl Write) -> fmt::Result {
    if let Some(note) = item.as_note() {
        let info = note.info();
        out.write_str(match info.severity {
            Severity::Chat => "Chat: ",
            Severity::Note => "Note: ",
            Severity::Warn => "Warning: ",
        })?;
        out.write_str(info.summary())?;
        return match item.about().filter(|&field| field != Field::Type) {
            Some(field) => write!(out, " ({})", field.info().label()),
            None => Ok(()),
        };
    }
    let Some(field) = item.as_field() else { return Ok(()) };
    let info = field.info();
    let generated = item.flags & GENERATED != 0;
    out.write_str(if generated { "[" } else { "" })?;
    write!(out, "{}: ", info.label())?;
    match info.name_of(item.number) {
        Some(name) => write!(out, "{name} ({})", item.number)?,
        None => value(item, input, out)?,
    }
    out.write_str(if generated { "]" } else { "" })
}

fn named(item: &Item, input: &[u8], out: &mut impl Write) -> fmt::Result {
    let info = item.as_field().map(Field::info);
    let name = info.and_then(|info| info.name_of(item.number));
    out.write_str(name.unwrap_or_default())?;
    out.write_str(if name.is_some() { " (" } else { "" })?;
    if item.flags & GENERATED != 0 {
        value(item, input, out)?;
    } else {
        text::write(item, input, out)?;
    }
    out.write_str(if name.is_some() { ")" } else { "" })
}

/// Whether a character acts on the text around it instead of being seen:
/// controls, line ends, and what turns the direction of writing.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The picture of a character that acts, or U+FFFD where there is none.
fn picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')
        }
        '\x7f' => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// Shows characters that act by others.
pub(crate) struct Shown<'a, W> {
    pub out: &'a mut W,
    /// Another character for one that acts.
    pub by: fn(char) -> char,
}

impl<W: Write> Write for Shown<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.contains(acts) {
            return self.out.write_str(text);
        }
        text.chars().try_for_each(|c| {
            self.out.write_char(if acts(c) { (self.by)(c) } else { c })
        })
    }
}

/// Writes `text` to `out` as UTF-8, with a NUL behind it, as far as there is
/// room: whole characters only. Returns how many bytes the whole text has,
/// the NUL not counted.
pub(crate) fn write_to(
    text: &impl fmt::Display,
    out: &mut [MaybeUninit<u8>],
) -> usize {
    let room = out.len().saturating_sub(1);
    let mut to = Room { out: &mut out[..room], written: 0, needed: 0 };
    // It takes anything.
    let _ = write!(to, "{text}");
    let (written, needed) = (to.written, to.needed);
    if let Some(end) = out.get_mut(written) {
        end.write(0);
    }
    needed
}

/// Memory of the caller's, and how much would have been needed.
struct Room<'a> {
    out: &'a mut [MaybeUninit<u8>],
    written: usize,
    needed: usize,
}

impl Write for Room<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Once a character did not fit, no shorter one may follow it.
        let all = self.written == self.needed;
        self.needed += text.len();
        let room = &mut self.out[self.written..];
        let fits = if !all {
            0
        } else if text.len() <= room.len() {
            text.len()
        } else {
            let mut end = room.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            end
        };
        for (slot, byte) in room.iter_mut().zip(text[..fits].bytes()) {
            slot.write(byte);
        }
        self.written += fits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::Note;
    use crate::span::Span;

    fn both(item: Item, input: &str) -> [String; 2] {
        [Style::Value, Style::Line].map(|style| {
            let input = input.as_bytes();
            let formatted = item.format(input, style);
            let text = formatted.to_string();
            // As much as fits, in whole characters, and always a NUL.
            for room in 0..text.len() + 3 {
                let mut out = vec![MaybeUninit::new(0xa5); room];
                let needed = write_to(&formatted, &mut out);
                assert_eq!(needed, text.len());
                let out: Vec<u8> = out
                    .iter()
                    // SAFETY: all of it was initialised above.
                    .map(|byte| unsafe { byte.assume_init() })
                    .collect();
                let Some(nul) = out.iter().position(|&b| b == 0) else {
                    assert_eq!(room, 0);
                    continue;
                };
                let kept = std::str::from_utf8(&out[..nul]).unwrap();
                assert!(text.starts_with(kept));
                assert!(kept.len() + 4 > text.len().min(room - 1));
                assert!(out[nul + 1..].iter().all(|&b| b == 0xa5));
            }
            text
        })
    }

    #[test]
    fn fields() {
        let span = Span::between(0, 3);
        let number =
            |field, n| both(Item::number(field, 0, span, n), "").map(|s| s);
        let address =
            |field, bytes| both(Item::address(field, 0, span, bytes), "");
        for (pair, value, line) in [
            (number(Field::ResultCode, 0), "0", "Result code: Success (0)"),
            (number(Field::ResultCode, 7), "7", "Result code: 7"),
            (number(Field::DscpTos, 0xb8), "0xb8", "TOS byte: 0xb8"),
            (number(Field::DscpTos, 8), "0x08", "TOS byte: 0x08"),
            (
                number(Field::TerminalIdOui, 0x1f67),
                "00:1f:67",
                "OUI: 00:1f:67",
            ),
            (
                address(Field::IpAddr, &[172, 20, 0, 1]),
                "172.20.0.1",
                "IP address: 172.20.0.1",
            ),
            (
                address(Field::TerminalIdMac, &[0, 31, 103, 1, 2, 3]),
                "00:1f:67:01:02:03",
                "MAC address: 00:1f:67:01:02:03",
            ),
            (
                address(
                    Field::BigipAddr6,
                    &[32, 1, 1, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48],
                ),
                "2001:112::30",
                "Server IPv6 address: 2001:112::30",
            ),
        ] {
            assert_eq!(pair, [value, line]);
        }
    }

    #[test]
    fn texts() {
        let field = Field::SipDomain;
        let text =
            |s: &str| both(Item::text(field, 0, Span::between(0, s.len())), s);
        assert_eq!(text("ntt"), ["ntt", "SIP domain: ntt"]);
        assert_eq!(text("電話"), ["電話", "SIP domain: 電話"]);
        assert_eq!(
            text("a\u{1b}[\u{9b}\0\x7f"),
            ["a\u{1b}[\u{9b}\u{2400}\x7f", "SIP domain: a␛[\u{fffd}␀␡"]
        );
        let turned = "1\u{202e}2\u{2028}3\u{2066}4";
        assert_eq!(
            text(turned)[1],
            "SIP domain: 1\u{fffd}2\u{fffd}3\u{fffd}4"
        );
    }

    #[test]
    fn notes() {
        let masked = Note::ValueMasked;
        let mut note = Item::note(masked, Field::Type, 1, Span::EMPTY);
        let line =
            "Note: The value was masked by whoever published the capture";
        assert_eq!(both(note, ""), ["mcas.type", line]);
        note.id = Note::ParamMissing as u32;
        note.number = Field::IpAddr as u64;
        assert_eq!(
            both(note, ""),
            [
                "mcas.ip_addr",
                "Note: A successful provisioning response should have this \
                 parameter (IP address)"
            ]
        );
    }

    #[test]
    fn generated() {
        let item = Item::number(Field::Type, 0, Span::EMPTY, 2).generated();
        let line = "[Message type: Provisioning response (2)]";
        assert_eq!(both(item, ""), ["2", line]);
    }

    #[test]
    fn named() {
        let result = |text: &str, n| {
            let span = Span::between(0, text.len());
            let item = Item::number(Field::ResultCode, 0, span, n);
            item.format(text.as_bytes(), Style::Named).to_string()
        };
        assert_eq!(result("0000", 0), "Success (0000)");
        assert_eq!(result("0012", 12), "0012");
        for (item, said) in [
            (
                Item::number(Field::Type, 0, Span::EMPTY, 1).generated(),
                "Provisioning request (1)",
            ),
            (Item::text(Field::DeviceModel, 1, Span::between(0, 2)), "ab"),
            (
                Item::note(
                    Note::ResultCodeFailure,
                    Field::ResultCode,
                    1,
                    Span::between(1, 3),
                ),
                "bc",
            ),
        ] {
            assert_eq!(item.format(b"abc", Style::Named).to_string(), said);
        }
    }

    /// What C may hand in.
    #[test]
    fn any_bits() {
        for table in 0..4 {
            for id in [0, 5, 57, 58, u32::MAX] {
                let (number, level) = (u64::MAX, u16::MAX);
                let span = Span { offset: u32::MAX, length: u32::MAX };
                let flags = u32::MAX;
                let (charset, bytes) = (u32::MAX, [0xff; 16]);
                both(
                    Item {
                        table,
                        level,
                        id,
                        flags,
                        charset,
                        span,
                        number,
                        bytes,
                    },
                    "abc",
                );
            }
        }
    }
}
