//! What reading a message yields, one at a time: fields and notes.

use crate::fields::{Field, ValueType};
use crate::notes::Note;
use crate::span::Span;
use core::net::{Ipv4Addr, Ipv6Addr};

/// [`Item::table`] of a field.
pub const TABLE_FIELDS: u16 = 1;
/// [`Item::table`] of a note.
pub const TABLE_NOTES: u16 = 2;

/// The value is computed, not read as it stands on the wire.
pub const GENERATED: u32 = 1;
/// The bytes of the span are percent-encoded ([`crate::text`] decodes them).
pub const PERCENT_ENCODED: u32 = 2;
/// Items below this field follow.
pub const PARENT: u32 = 4;
/// Of a [`Field::Param`] and its [`Field::ParamValue`]: by its key it may be
/// secret or personal, as fields are that have
/// [the flag](crate::fields::SECRET).
pub const SECRET: u32 = 8;

/// A field with its value, or a note.
///
/// Items come in the order in which header lines, parameters and entries of
/// lists stand in the message; what is said of the whole comes first or last.
/// An item of level 0 belongs to the message, one of level `n` to the last
/// field before it of level `n - 1`, though it need not lie inside of its span.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// [`TABLE_FIELDS`] or [`TABLE_NOTES`].
    pub table: u16,
    /// Depth below the message.
    pub level: u16,
    /// Number of the [`Field`] or the [`Note`].
    pub id: u32,
    /// [`GENERATED`], [`PERCENT_ENCODED`], [`PARENT`], [`SECRET`].
    pub flags: u32,
    /// [`Charset`](crate::Charset) that the span's bytes are declared to be.
    pub charset: u32,
    /// Where the item is read from. For a text it is the value itself.
    pub span: Span,
    /// Value of a numeric field; of a note, the number of the [`Field`] that
    /// it is about: [`Field::Type`] for one about the message, and the field
    /// of a key also where its value is only shown as [`Field::Param`].
    pub number: u64,
    /// Value of an address: its first 4, 6 or 16 bytes, in network order.
    pub bytes: [u8; 16],
}

/// The value of a field, typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// The bytes of the item's span, as text.
    Text,
    /// A number.
    Number(u64),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A MAC address.
    Ether([u8; 6]),
}

impl Item {
    /// A text field: its value is the bytes of `span`.
    pub(crate) fn text(field: Field, level: u16, span: Span) -> Item {
        Item {
            table: TABLE_FIELDS,
            id: field as u32,
            level,
            span,
            ..Item::default()
        }
    }

    /// A numeric field.
    pub(crate) fn number(
        field: Field,
        level: u16,
        span: Span,
        number: u64,
    ) -> Item {
        Item { number, ..Item::text(field, level, span) }
    }

    /// A field that is an address.
    pub(crate) fn address(
        field: Field,
        level: u16,
        span: Span,
        address: &[u8],
    ) -> Item {
        let mut item = Item::text(field, level, span);
        item.bytes[..address.len()].copy_from_slice(address);
        item
    }

    /// A note on the last item of the level above.
    pub(crate) fn note(
        note: Note,
        about: Field,
        level: u16,
        span: Span,
    ) -> Item {
        Item {
            table: TABLE_NOTES,
            id: note as u32,
            level,
            span,
            number: about as u64,
            ..Item::default()
        }
    }

    /// The same item, marked as computed.
    pub(crate) fn generated(mut self) -> Item {
        self.flags |= GENERATED;
        self
    }

    /// Which field this is, if it is one.
    pub fn as_field(&self) -> Option<Field> {
        (self.table == TABLE_FIELDS).then(|| Field::from_number(self.id))?
    }

    /// Which note this is, if it is one.
    pub fn as_note(&self) -> Option<Note> {
        (self.table == TABLE_NOTES).then(|| Note::from_number(self.id))?
    }

    /// The field that a note is about, if this is a note.
    pub fn about(&self) -> Option<Field> {
        self.as_note()?;
        Field::from_number(u32::try_from(self.number).ok()?)
    }

    /// The typed value, if this is a field.
    pub fn value(&self) -> Option<Value> {
        let bytes = &self.bytes;
        Some(match self.as_field()?.info().value_type {
            ValueType::String => Value::Text,
            ValueType::Ipv4 => Value::Ipv4(Ipv4Addr::new(
                bytes[0], bytes[1], bytes[2], bytes[3],
            )),
            ValueType::Ipv6 => Value::Ipv6(Ipv6Addr::from(*bytes)),
            ValueType::Ether => Value::Ether([
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
            ]),
            _ => Value::Number(self.number),
        })
    }
}
