/*!
Reads M-CAS, the HTTP protocol by which the home gateways of NTT's Hikari
Denwa (telephone over FLET'S lines) get their settings and firmware.

A gateway POSTs a small form to `http://add-con.mcas/` and gets lines of
`key=value` back; it GETs its firmware from `http://verup-mcas.*.flets/`; and
phones in the home ask it for an extension in the same manner. This crate
reads one HTTP message of either direction from its bytes, or the parts of it
that you have, and yields what is in it, item by item: [fields](Field) with
their typed [value](Value) and the place that they were read from, and
[notes](Note) on whatever is odd.

# A whole message

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

// The body is read by itself, since its chunks have to be undone first.
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

[`Message::length`] says where the next message of the connection begins, if
this one [`has`](Message::has) its [end](message::COMPLETE).

# A response

It does not say what it answers: a firmware image is one only because firmware
was asked for. Who has seen the request says so in a [`Context`]. A response
whose request was not seen is still known for one of ours if its body begins
`ResultCode=`.

```
use mcas::types::{self, TypeInfo};
use mcas::{Context, Request};

let request = b"GET /fw/RTS300HI/a.bin HTTP/1.1\r\n\
    Host: verup-mcas.odm00015.flets\r\n\r\n";
let response = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x7fELF";

let request = mcas::parse(request, &Context::default())?;
let answer = mcas::parse(response, &Context::answering(&request))?;
let info = TypeInfo::of(answer.message_type).expect("it is one of ours");
assert_eq!(info.name(), "Firmware response");

// The same bytes, had they answered anything else.
let page = Context::answering(Request::new(types::TYPE_NONE));
assert!(!mcas::parse(response, &page)?.is_ours());
# Ok::<(), mcas::Error>(())
```

Interim responses (100, 102 to 199) answer nothing yet: the next one does.

# A body alone

For those who have HTTP from elsewhere, such as a proxy, a web framework or a
log, [`from_parts`](message::from_parts) takes what they know.

```
use mcas::format::Style;
use mcas::message::{self, Parts};
use mcas::{types, Context, Request};

let body = b"ResultCode=0000\r\nip_addr=172.20.184.194\r\nnetmask=33\r\n";
let asked = Request::new(types::TYPE_PROVISIONING_REQUEST);
let parts = Parts::response(200, Context::answering(asked))
    .with_content_type(b"text/plain;charset=ISO-8859-1");
let message = message::from_parts(&parts, body)?;

let lines: Vec<String> = message
    .body_items(body)
    .map(|item| {
        let indent = " ".repeat(usize::from(item.level));
        format!("{indent}{}", item.format(body, Style::Line))
    })
    .collect();
assert_eq!(
    lines[..5],
    [
        "Result code: Success (0)",
        "IP address: 172.20.184.194",
        // A value that does not read as its type is never guessed.
        "Parameter: netmask=33",
        " Name: netmask",
        " Value: 33",
    ]
);
# Ok::<(), mcas::Error>(())
```

# A part of a head alone

Some have no more than a log of User-Agents, a cookie jar, or URLs.

```
use mcas::format::Style;
use mcas::{items, Field, Value};

let agent = b"M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)";
let firmware = items::user_agent(agent)
    .find(|item| item.as_field() == Some(Field::DeviceFirmware))
    .map(|item| item.format(agent, Style::Value).to_string());
assert_eq!(firmware.as_deref(), Some("4.02.0179"));

// F5's persistence cookie gives away the server behind the balancer.
let cookie = b"BIGipServeraddcon_http=944474890.20480.0000; path=/";
let server = items::cookies(cookie)
    .find(|item| item.as_field() == Some(Field::BigipAddr))
    .and_then(|item| item.value());
assert_eq!(server, Some(Value::Ipv4([10, 139, 75, 56].into())));

let target = b"http://verup-mcas.odm00015.flets/download/fw/RTS300HI/a.bin";
let model = items::target(target)
    .find(|item| item.as_field() == Some(Field::FirmwareModel))
    .map(|item| item.span.of(target));
assert_eq!(model, Some(&b"RTS300HI"[..]));
```

# What to type next

[`Message::config`] writes the settings in an answer as a shell script: address
and routes for Linux, files for Asterisk; or, with [`config::PJSIP`], one of
those files alone. Whatever the server sent, nothing in it becomes a line or a
command of its own.

```
use mcas::message::{self, Parts};
use mcas::{config, types, Context, Request};

let body = b"ResultCode=0000\r\nip_addr=172.20.184.194\r\nnetmask=30\r\n\
    gateway=172.20.184.193\r\ndest_nw_addr=220.210.33.0/22\r\n";
let asked = Request::new(types::TYPE_PROVISIONING_REQUEST);
let parts = Parts::response(200, Context::answering(asked));
let message = message::from_parts(&parts, body)?;
let script = message.config(body, config::SECRETS).expect("an answer");
assert!(script.to_string().contains(
    "ip route replace 220.210.32.0/22 via 172.20.184.193 dev \"$dev\" \
     || hikari=failed\n"
));
# Ok::<(), mcas::Error>(())
```

# In short

[`Message::summary`] says in a line what a message is, as Wireshark's Info
column does; [`Message::endpoints`] where what follows an answer is spoken, to
be looked for by who has the packets; [`Message::file_name`] under which name
an image or a document can be saved.

```
use mcas::endpoints::{Packet, Protocol};
use mcas::message::{self, Parts};
use mcas::file_name::AskedFor;
use mcas::{types, Context, Request};

let body = b"ResultCode=0000\r\nip_addr=172.20.184.194\r\n\
    ip_tel_num=0312345678\r\nsipsv_addr=121.0.34.41\r\n\
    sipsv_port=5060\r\n";
let asked = Request::new(types::TYPE_PROVISIONING_REQUEST);
let parts = Parts::response(200, Context::answering(asked));
let message = message::from_parts(&parts, body)?;
assert_eq!(
    message.summary(b"", body).expect("one of ours").to_string(),
    "Provisioning response, Success, 0312345678 at 172.20.184.194, \
     SIP 121.0.34.41:5060"
);

let server = message.endpoints(b"", body, None).next().expect("a server");
assert_eq!(server.to_string(), "SIP at 121.0.34.41:5060");
let packet = b"REGISTER sip:121.0.34.41 SIP/2.0\r\n";
assert_eq!(Protocol::Sip.look(packet), Packet::Sip);

let name = message.file_name(AskedFor::device(b"001F67A1B2C3"));
let name = name.expect("a whole document").to_string();
assert_eq!(name, "001f67a1b2c3-provisioning.txt");
# Ok::<(), mcas::Error>(())
```

# Chunks alone

```
let body = b"6\r\nResult\r\n9\r\nCode=0000\r\n0\r\n\r\n";
assert_eq!(mcas::chunked::to_vec(body), b"ResultCode=0000");
```

# The first bytes of a connection

[`classify`](fn@classify) answers yes, no, or how many bytes more it takes at
least; as more of them come, a [`Progress`] goes on where it was.
[`sniff`](fn@sniff) promises less, but costs next to nothing: ask it first
where connections are many.

```
use mcas::{types, Class, Context};

let stream = b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n";
let ask = |bytes| mcas::classify(bytes, &Context::default());
assert!(matches!(ask(&stream[..20])?, Class::More(_)));
assert_eq!(ask(stream)?, Class::Yes(types::TYPE_PROVISIONING_REQUEST));
assert_eq!(ask(b"SSH-2.0-OpenSSH_9.2\r\n")?, Class::No);
# Ok::<(), mcas::Error>(())
```

# What there is to find

[`fields::FIELDS`], [`notes::NOTES`] and [`types::TYPES`] are tables with the
name, the label and the description of each, for a database's columns or a
user's help; names are those of Wireshark's display filter, and permanent.

```
use mcas::fields::{self, FIELDS};
use mcas::Field;

let secret = |field: Field| field.info().flags & fields::SECRET != 0;
assert!(secret(Field::Password));

assert_eq!(Field::by_name("mcas.dscp"), Some(Field::Dscp));
assert_eq!(Field::Dscp.info().name_of(46), Some("EF"));
for info in FIELDS {
    println!("{} ({}): {}", info.field, info.label(), info.description());
}
```

# What it does not do

The parser knows nothing of connections; who has the packets of one, or of
many, or the bytes of their two directions, gives them to a
[`Tracker`](track::Tracker), which knows who answers whom. It does not undo
content codings such as gzip, and says so in a note. It writes no messages.

# Hostile input

Any bytes give a result or an [`Error`]. Parsing allocates nothing, but for
[`Message::body_bytes`] where there are chunks; keeps no state outside of the
caller's values; and takes time linear in the input, but for the offset in an
[`Error`], for which the first line is read once for each bit of it. `unsafe`
is confined to the C layer, whose manual is `include/mcas.h`.

# A whole program

`examples/rust/pjsip.rs` turns the settings that a gateway was given into the
configuration of an Asterisk that takes its place:

```text
cargo run --example pjsip <response
```

# Modules, from the outside in

[`sniff`](mod@sniff) and [`classify`](mod@classify) take a first look,
[`message`] delimits and classifies a message, [`items`] reads it,
[`format`](mod@format) writes what was read, [`summary`] a message in a line,
[`config`] what to type to make use of it, and [`file_name`] how to call it;
[`endpoints`] finds what follows; [`fields`], [`notes`] and [`types`] are the
tables that say what can come. The parts of the protocol
have modules of their own: [`agent`], [`bigip`], [`firmware`], [`pairs`],
[`chunked`].
*/

#![deny(missing_debug_implementations)]
#![deny(rustdoc::broken_intra_doc_links)]

pub mod agent;
pub mod bigip;
mod blocks;
#[doc(hidden)]
#[allow(missing_debug_implementations)] // C's structs, which hold pointers.
pub mod capi;
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub mod capi_track;
pub mod charset;
pub mod chunked;
pub mod classify;
pub mod config;
pub mod endpoints;
mod error;
pub mod fields;
pub mod file_name;
pub mod firmware;
mod form_key;
pub mod format;
mod framing;
mod head;
pub mod item;
pub mod items;
mod lan;
mod lenient;
pub mod message;
mod names;
pub mod notes;
mod numbered;
pub mod pairs;
mod progress;
mod purpose;
mod scan;
pub mod sniff;
mod span;
pub mod summary;
mod target;
pub mod text;
pub mod track;
pub mod types;
mod value;

pub use charset::Charset;
pub use classify::{classify, Class};
pub use error::Error;
pub use fields::Field;
pub use item::{Item, Value};
pub use message::{parse, Context, Message, Request};
pub use notes::Note;
pub use progress::Progress;
pub use sniff::{sniff, Sniff};
pub use span::{Span, MAX_INPUT};
