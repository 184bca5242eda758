/*!
Parser for M-CAS, the HTTP protocol by which the home gateways of NTT's
Hikari Denwa (telephone over FLET'S lines) get their settings and firmware.

A gateway POSTs a small form to `http://add-con.mcas/` and gets lines of
`key=value` back; it GETs its firmware from `http://verup-mcas.*.flets/`.
This crate reads one HTTP message of either direction from its bytes and
yields what is in it, item by item: fields with their typed value and the
very bytes they were read from, and notes on whatever is odd.

```
use mcas::format::Style;
use mcas::{types, Context, Field, Value};

let request = b"POST / HTTP/1.1\r\n\
    User-Agent: M-CAS/1.0\r\n\
    Host: add-con.mcas\r\n\
    Content-Length: 62\r\n\
    \r\n\
    CompanyCode=&ServiceCode=&ControlCode=&TerminalID=001F67A1B2C3";

let message = mcas::parse(request, &Context::default())?;
assert_eq!(message.message_type, types::TYPE_PROVISIONING_REQUEST);

let body = message.body_bytes(request);
let mac = message
    .body_items(&body)
    .find(|item| item.as_field() == Some(Field::TerminalIdMac))
    .expect("a provisioning request names its terminal");
assert_eq!(mac.value(), Some(Value::Ether([0, 0x1f, 0x67, 0xa1, 0xb2, 0xc3])));
assert_eq!(
    mac.format(&body, Style::Line).to_string(),
    "[MAC address: 00:1f:67:a1:b2:c3]"
);
# Ok::<(), mcas::Error>(())
```

# What it does not do

It knows nothing of connections: which request a response answers is told to
it ([`message::Context`]). It does not undo content codings, and it never
guesses: a value that does not read as its type comes as a plain parameter
with a note.

# Hostile input

Any bytes give a result or an [`Error`]. Parsing allocates nothing, keeps no
state outside of the caller's structs, and takes time linear in the input.
`unsafe` is confined to the C layer (`capi.rs`, whose manual is
`include/mcas.h`).

# Modules, from the outside in

[`sniff`](mod@sniff) takes a first look, [`message`] delimits and classifies
a message, [`items`] reads it; [`fields`] and [`notes`] are the two tables
that say what can come. The parts of the protocol have modules of their own:
[`agent`], [`bigip`], [`firmware`], [`pairs`], [`chunked`].
*/

#![deny(rustdoc::broken_intra_doc_links)]

pub mod agent;
pub mod bigip;
#[doc(hidden)]
pub mod capi;
pub mod charset;
pub mod chunked;
pub mod classify;
pub mod fields;
pub mod firmware;
pub mod format;
mod head;
pub mod item;
pub mod items;
mod lan;
pub mod message;
pub mod notes;
pub mod pairs;
pub mod sniff;
mod span;
mod target;
pub mod text;
pub mod types;
mod value;

pub use charset::Charset;
pub use classify::{classify, Class};
pub use fields::Field;
pub use head::Error;
pub use item::{Item, Value};
pub use message::{parse, Context, Message};
pub use notes::Note;
pub use sniff::{sniff, Sniff};
pub use span::{Span, MAX_INPUT};
