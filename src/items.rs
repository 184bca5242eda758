//! Reading a message item by item.
//!
//! The head and the body are read one after the other, since a chunked body
//! has to be put together elsewhere first; and parts of a head can be read by
//! themselves, for those who have HTTP from elsewhere. All of it is one
//! iterator, [`Items`]: a cursor with the bytes it runs over. The cursor
//! is a plain struct without pointers, so that the C layer can hand out the
//! very same thing.
//!
//! One step of the cursor reads a header line, or so many pairs or entries of
//! a list as there is certain to be room for, and puts the items they yield
//! into a short queue; so memory does not grow with the message, and every
//! call makes progress.

use crate::agent;
use crate::bigip::{self, Address, Bigip};
use crate::fields::{self, Field, ValueType};
use crate::firmware;
use crate::head::{self, Header, Name};
use crate::item::{Item, PARENT, PERCENT_ENCODED, SECRET, TABLE_FIELDS};
use crate::lan;
use crate::message::{
    Message, Method, BODY_BROKEN, BODY_CODED, COMPLETE, FRAMING_UNCLEAR,
    HEAD_COMPLETE, HEAD_INVALID, KIND_RESPONSE, UNMATCHED,
};
use crate::notes::Note;
use crate::pairs::{self, Grammar, Pair};
use crate::scan::find;
use crate::span::{Part, Span, MAX_INPUT};
use crate::target;
use crate::text;
use crate::types::{
    TYPE_EXTENSION_LIST_RESPONSE, TYPE_FIRMWARE_REQUEST,
    TYPE_FIRMWARE_RESPONSE, TYPE_PROVISIONING_RESPONSE,
};
use crate::value;

/// Room for the items of any step, and some to read ahead: as much as fits
/// into the iterator of the C layer.
const QUEUE: usize = 13;
/// The most items that a pair yields: what does not read as its type, with
/// its notes.
const PAIR: usize = 5;
/// The most items that an entry of a list of routes yields.
const ROUTE: usize = 3;

/// Longest value that is typed, in bytes: far more than any type needs, even
/// percent-encoded.
const TYPED_MAX: usize = 256;

/// What is read next.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Done = 0,
    HeadStart = 1,
    Query = 2,
    Headers = 3,
    HeadEnd = 4,
    BodyStart = 5,
    Pairs = 6,
    BodyEnd = 7,
}

impl Stage {
    /// The stage of that number, as a cursor holds it.
    #[inline(always)]
    fn from_number(number: u32) -> Stage {
        match number {
            1 => Stage::HeadStart,
            2 => Stage::Query,
            3 => Stage::Headers,
            4 => Stage::HeadEnd,
            5 => Stage::BodyStart,
            6 => Stage::Pairs,
            7 => Stage::BodyEnd,
            _ => Stage::Done,
        }
    }
}

/// A list inside of a value, read entry by entry before anything else.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    None = 0,
    Routes = 1,
    Carriers = 2,
    Cookies = 3,
    Extensions = 4,
}

impl List {
    /// The list of that number, as a cursor holds it.
    #[inline(always)]
    fn from_number(number: u32) -> List {
        match number {
            1 => List::Routes,
            2 => List::Carriers,
            3 => List::Cookies,
            4 => List::Extensions,
            _ => List::None,
        }
    }
}

/// Where reading stands. Plain data; the bytes are given on every call.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    stage: u32,
    /// Next byte to read, and the end of what this stage reads.
    at: u32,
    end: u32,
    grammar: u32,
    /// List inside of a value: which, next byte, end.
    list: u32,
    list_at: u32,
    list_end: u32,
    /// Of the message, as it was when the cursor was made.
    message_type: u32,
    message_flags: u32,
    kind: u32,
    method: u32,
    status: u32,
    charset: u32,
    begin: u32,
    first_header: u32,
    head_end: u32,
    status_digits: Span,
    cookies: Span,
    authority: Span,
    path: Span,
    query: Span,
    body_length: u64,
    /// Result code read first: 0 none, 1 success, 2 anything else.
    result: u32,
    /// Flags and charset of the items that are read now.
    text_flags: u32,
    text_charset: u32,
    /// Progress in the queue.
    queue_at: u32,
    queue_len: u32,
    /// First values, to be compared at the end.
    netmask: u32,
    rtpport1: u32,
    rtpport2: u32,
    ip_addr: u32,
    gateway: u32,
    /// A pair that is cut has said so itself.
    truncation_noted: u32,
    /// The list of an extension list response had its turn.
    extensions_seen: u32,
    /// Header names that had their turn.
    headers_seen: u32,
    /// Fields that occurred, typed or not, by number.
    seen: u64,
    /// Fields whose first value is kept above, by number.
    typed: u64,
    queue: [Item; QUEUE],
}

const HOST_SEEN: u32 = 1;
const AGENT_SEEN: u32 = 2;

const RESULT_SUCCESS: u32 = 1;
const RESULT_OTHER: u32 = 2;

/// What a note on a whole message is about.
const MESSAGE: Field = Field::Type;

// A field is a bit of `Cursor::seen`.
const _: () = assert!(fields::FIELDS.len() <= 64);

fn bit(field: Field) -> u64 {
    1 << field as u32
}

impl Cursor {
    /// Begins with the head of `message`.
    #[inline(always)] // It is large to copy.
    pub fn head(message: &Message) -> Cursor {
        if !message.is_ours() {
            return Cursor::default();
        }
        Cursor { stage: Stage::HeadStart as u32, ..Cursor::of(message) }
    }

    /// Begins with the body of `message`: `body` with its chunks undone.
    #[inline(always)] // It is large to copy.
    pub fn body(message: &Message, body: &[u8]) -> Cursor {
        let readable = message.is_ours() && message.has(HEAD_COMPLETE);
        let (stage, grammar) = if readable {
            (Stage::BodyStart, message.body_grammar(body))
        } else {
            (Stage::Done, Grammar::None)
        };
        let end = match grammar {
            Grammar::Form => pairs::form_length(body),
            _ => body.len(),
        };
        let begin = match grammar {
            Grammar::Lines => body.len() - text::without_bom(body).len(),
            _ => 0,
        };
        Cursor {
            stage: stage as u32,
            at: begin as u32,
            end: end as u32,
            grammar: grammar as u32,
            ..Cursor::of(message)
        }
    }

    fn of(message: &Message) -> Cursor {
        Cursor {
            message_type: message.message_type,
            message_flags: message.flags,
            kind: message.kind,
            method: message.method,
            status: message.status,
            charset: message.charset,
            begin: message.begin,
            head_end: message.body.offset,
            status_digits: message.status_digits,
            cookies: message.cookies,
            authority: message.authority,
            path: message.path,
            query: message.query,
            body_length: message.body_length,
            ..Cursor::default()
        }
    }

    /// Reads a User-Agent that stands by itself.
    pub fn user_agent(value: &[u8]) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.agent(value, Span::between(0, value.len()));
        cursor
    }

    /// Reads the value of a Cookie or Set-Cookie header.
    pub fn cookies(value: &[u8]) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.open(List::Cookies, Span::between(0, value.len()));
        cursor
    }

    /// Reads the value of one BIG-IP persistence cookie.
    pub fn bigip_alone(value: &[u8]) -> Cursor {
        let mut cursor = Cursor::default();
        let span = Span::between(0, value.len());
        cursor.bigip(value, span, Span::EMPTY);
        cursor
    }

    /// Reads a request's target, or its path alone.
    pub fn target(value: &[u8]) -> Cursor {
        let mut cursor = Cursor::default();
        let target = target::parse(value, Span::between(0, value.len()));
        if !target.host.is_empty() {
            cursor.host(value, target.host);
        }
        cursor.firmware(value, target.path);
        // The query is read as in a head of which nothing else is there.
        cursor.begin_query(target.query);
        cursor.stage = Stage::Query as u32;
        cursor.message_flags = HEAD_COMPLETE;
        cursor.message_type = lan::type_of(target.path.of(value));
        (cursor.head_end, cursor.first_header) = (cursor.end, cursor.end);
        cursor
    }

    /// Reads the value of a Host header.
    pub fn host_header(value: &[u8]) -> Cursor {
        let mut cursor = Cursor::default();
        let host = target::host(value, Span::between(0, value.len()));
        cursor.host(value, host);
        cursor
    }

    fn begin_query(&mut self, query: Span) {
        (self.at, self.end) = (query.offset, query.end() as u32);
        self.grammar = Grammar::Form as u32;
        self.text_flags = PERCENT_ENCODED;
    }

    /// The next items, none at the end: those that were read but not taken
    /// yet. `input` is the bytes that the cursor was made for.
    #[inline(always)]
    pub fn ready(&mut self, input: &[u8]) -> &[Item] {
        if self.queue_at >= self.queue_len {
            (self.queue_at, self.queue_len) = (0, 0);
            while self.queue_len == 0 && self.advance(input) {}
        }
        let ready = self.queue_at as usize..self.queue_len as usize;
        self.queue.get(ready).unwrap_or_default()
    }

    /// Passes over so many of the items that are ready.
    pub fn take(&mut self, count: usize) {
        self.queue_at += count as u32;
    }

    /// Reads one step further; `false` at the end.
    #[inline(never)]
    fn advance(&mut self, input: &[u8]) -> bool {
        match List::from_number(self.list) {
            List::Routes => self.routes(input),
            List::Carriers => self.carrier(input),
            List::Cookies => self.next_cookie(input),
            List::Extensions => self.extension(input),
            List::None => return self.step(input),
        }
        true
    }

    /// Reads on where no list is open; `false` at the end.
    fn step(&mut self, input: &[u8]) -> bool {
        let next = match Stage::from_number(self.stage) {
            Stage::Done => return false,
            Stage::HeadStart => {
                self.head_start(input);
                if self.kind == KIND_RESPONSE {
                    // Nothing else of its head has items.
                    (self.at, self.end) =
                        (self.cookies.offset, self.cookies.end() as u32);
                    Stage::Headers
                } else {
                    let first = head::first_header(
                        input,
                        self.begin as usize,
                        self.invalid(),
                    );
                    self.first_header =
                        first.map_or(self.head_end, |first| first as u32);
                    self.begin_query(self.query);
                    Stage::Query
                }
            }
            Stage::Query => {
                // A query is whole once the start line's end was seen.
                let cut = self.first_header >= self.head_end
                    && self.message_flags & HEAD_COMPLETE == 0;
                if self.pairs(input, cut) {
                    return true;
                }
                (self.at, self.end) = (self.first_header, self.head_end);
                self.text_flags = 0;
                Stage::Headers
            }
            Stage::Headers => {
                let mut at = self.at as usize;
                let end = self.head_end as usize;
                if self.at < self.end {
                    let invalid = self.invalid();
                    if let Some(header) =
                        head::next_header(input, &mut at, end, invalid)
                    {
                        self.at = at as u32;
                        self.header(input, header);
                        return true;
                    }
                }
                Stage::HeadEnd
            }
            Stage::HeadEnd => {
                let end = Span { offset: self.head_end, length: 0 };
                if self.invalid() {
                    self.note(Note::HeadInvalid, MESSAGE, 0, end);
                }
                if self.message_flags & HEAD_COMPLETE == 0 {
                    self.truncated(MESSAGE, 0, end);
                } else if self.message_flags & FRAMING_UNCLEAR != 0 {
                    self.note(Note::FramingUnclear, MESSAGE, 0, end);
                }
                Stage::Done
            }
            Stage::BodyStart => {
                self.body_start(input);
                if self.grammar == Grammar::Form as u32 {
                    self.text_flags = PERCENT_ENCODED;
                }
                self.text_charset = self.charset;
                Stage::Pairs
            }
            Stage::Pairs => {
                let cut = self.message_flags & COMPLETE == 0;
                if self.pairs(input, cut) {
                    return true;
                }
                Stage::BodyEnd
            }
            Stage::BodyEnd => {
                (self.text_flags, self.text_charset) = (0, 0);
                self.body_end(input);
                Stage::Done
            }
        };
        self.stage = next as u32;
        true
    }

    /// Whether the head breaks HTTP's grammar.
    fn invalid(&self) -> bool {
        self.message_flags & HEAD_INVALID != 0
    }

    fn push(&mut self, item: Item) {
        if let Some(slot) = self.queue.get_mut(self.queue_len as usize) {
            *slot = item;
            slot.flags |= self.text_flags;
            slot.charset = self.text_charset;
            self.queue_len += 1;
        } else {
            debug_assert!(false, "a step yields more than the queue holds");
        }
    }

    /// Pushes an item that belongs to one of the same step.
    fn push_child(&mut self, item: Item) {
        self.mark_parent(item.level);
        self.push(item);
    }

    /// Marks the field that was pushed last: what comes next belongs to it.
    #[inline(always)]
    fn mark_last(&mut self) {
        let last = (self.queue_len as usize).wrapping_sub(1);
        if let Some(parent) = self.queue.get_mut(last) {
            parent.flags |= PARENT;
        }
    }

    /// Marks the field that items of this level belong to from here on. Of a
    /// list it is marked when that is opened: its entries come later.
    #[inline(never)]
    fn mark_parent(&mut self, level: u16) {
        let ready = self.queue.get_mut(..self.queue_len as usize);
        let above = |item: &&mut Item| {
            item.level + 1 == level && item.table == TABLE_FIELDS
        };
        let items = ready.unwrap_or_default().iter_mut();
        if let Some(parent) = items.rev().find(above) {
            parent.flags |= PARENT;
        }
    }

    #[inline(never)]
    fn note(&mut self, note: Note, about: Field, level: u16, span: Span) {
        if level > 0 {
            self.mark_parent(level);
        }
        self.push(Item::note(note, about, level, span));
    }

    fn truncated(&mut self, about: Field, level: u16, span: Span) {
        self.truncation_noted = 1;
        self.note(Note::Truncated, about, level, span);
    }

    // The head.

    #[inline(never)]
    fn head_start(&mut self, input: &[u8]) {
        let begin = Span { offset: self.begin, length: 0 };
        let number = self.message_type.into();
        self.push(Item::number(Field::Type, 0, begin, number).generated());
        if self.message_flags & UNMATCHED != 0 {
            self.note(Note::ResponseUnmatched, MESSAGE, 0, begin);
        }
        if self.kind == KIND_RESPONSE {
            let (status, digits) = (self.status.into(), self.status_digits);
            if !digits.is_empty() {
                self.push(Item::number(Field::Status, 0, digits, status));
            }
            return;
        }
        if !self.authority.is_empty() {
            self.host(input, self.authority);
        }
        if self.message_type == TYPE_FIRMWARE_REQUEST {
            self.firmware(input, self.path);
        }
    }

    /// The path of a firmware image, if this is one.
    fn firmware(&mut self, input: &[u8], path: Span) {
        let Some(parts) = firmware::parse(path.of(input)) else { return };
        self.push(Item::text(Field::FirmwarePath, 0, path));
        for (field, part) in [
            (Field::FirmwareModel, parts.model),
            (Field::FirmwareFile, parts.file),
        ] {
            if !part.is_empty() {
                let part = part.shifted(path.start());
                self.push_child(Item::text(field, 1, part));
            }
        }
    }

    fn host(&mut self, input: &[u8], host: Span) {
        self.push(Item::text(Field::Host, 0, host));
        if let Some(odm) = target::odm(input, host) {
            self.push_child(Item::text(Field::Odm, 1, odm));
        }
    }

    #[inline(never)]
    fn header(&mut self, input: &[u8], header: Header) {
        let Header { name, value, .. } = header;
        let response = self.kind == KIND_RESPONSE;
        let text = value.of(input);
        match name {
            Name::Host if !response && self.headers_seen & HOST_SEEN == 0 => {
                self.headers_seen |= HOST_SEEN;
                let host = target::host(input, value);
                let authority = self.authority.of(input);
                if authority.is_empty() {
                    self.host(input, host);
                } else if !target::same(authority, host.of(input)) {
                    // Either one may have made the message ours.
                    self.host(input, host);
                    self.note(Note::ValueInconsistent, Field::Host, 1, host);
                }
            }
            Name::UserAgent
                if !response && self.headers_seen & AGENT_SEEN == 0 =>
            {
                self.headers_seen |= AGENT_SEEN;
                self.agent(input, value);
            }
            Name::Cookie if !response => self.open(List::Cookies, value),
            Name::SetCookie if response => {
                // Attributes follow the cookie; it ends at the first `;`.
                let end = find(b';', text).unwrap_or(text.len());
                self.cookie(input, &text[..end]);
            }
            _ => {}
        }
    }

    /// A User-Agent, if it is one of this protocol.
    fn agent(&mut self, input: &[u8], value: Span) {
        let Some(agent) = agent::parse(value.of(input)) else { return };
        self.push(Item::text(Field::UserAgent, 0, value));
        for (field, part) in [
            (Field::UserAgentVersion, agent.version),
            (Field::DeviceModel, agent.model),
            (Field::DeviceFirmware, agent.firmware),
        ] {
            if !part.is_empty() {
                let part = part.shifted(value.start());
                self.push_child(Item::text(field, 1, part));
            }
        }
        let carriers = agent.carriers.shifted(value.start());
        let (at, end) = (carriers.start(), carriers.end());
        if agent::next_carrier(input, at, end).is_some() {
            self.mark_parent(1);
        }
        self.open(List::Carriers, carriers);
    }

    fn open(&mut self, list: List, span: Span) {
        self.list = list as u32;
        self.list_at = span.offset;
        self.list_end = span.end() as u32;
    }

    fn close(&mut self) {
        self.list = List::None as u32;
    }

    #[inline(never)]
    fn carrier(&mut self, input: &[u8]) {
        let (at, end) = (self.list_at as usize, self.list_end as usize);
        match agent::next_carrier(input, at, end) {
            Some((carrier, next)) => {
                self.list_at = next as u32;
                self.push(Item::text(Field::DeviceCarrier, 1, carrier));
            }
            None => self.close(),
        }
    }

    /// The next `name=value` of a Cookie header.
    #[inline(never)]
    fn next_cookie(&mut self, input: &[u8]) {
        let (at, end) = (self.list_at as usize, self.list_end as usize);
        let Some(rest) = input.get(at..end).filter(|rest| !rest.is_empty())
        else {
            return self.close();
        };
        let length = find(b';', rest).unwrap_or(rest.len());
        self.list_at = (at + length + 1).min(end) as u32;
        self.cookie(input, &rest[..length]);
    }

    /// A cookie, if it is one of a BIG-IP.
    fn cookie(&mut self, input: &[u8], cookie: &[u8]) {
        let cookie = cookie.trim_ascii();
        let Some(equals) = find(b'=', cookie) else { return };
        let name = cookie[..equals].trim_ascii_end();
        let Some(pool) = name.strip_prefix(bigip::PREFIX) else { return };
        let value = cookie[equals + 1..].trim_ascii_start();
        self.bigip(input, head::place(input, value), head::place(input, pool));
    }

    /// The value of a persistence cookie, which may be quoted.
    fn bigip(&mut self, input: &[u8], value: Span, pool: Span) {
        let mut value = value;
        let mut text = value.of(input);
        if let [b'"', inside @ .., b'"'] = text {
            text = inside;
            value = Span::between(value.start() + 1, value.end() - 1);
        }
        let server = bigip::parse(text);
        self.push(Item::text(Field::Bigip, 0, value));
        if !pool.is_empty() || !matches!(server, Some(Bigip::Encrypted)) {
            self.mark_last();
        }
        if !pool.is_empty() {
            self.push(Item::text(Field::BigipPool, 1, pool));
        }
        match server {
            Some(Bigip::Server { address, port, route_domain }) => {
                let item = match &address {
                    Address::V4(bytes) => {
                        Item::address(Field::BigipAddr, 1, value, bytes)
                    }
                    Address::V6(bytes) => {
                        Item::address(Field::BigipAddr6, 1, value, bytes)
                    }
                };
                self.push(item.generated());
                let port =
                    Item::number(Field::BigipPort, 1, value, u64::from(port));
                self.push(port.generated());
                if let Some(id) = route_domain {
                    let field = Field::BigipRouteDomain;
                    let id = Item::number(field, 1, value, id.into());
                    self.push(id.generated());
                }
            }
            Some(Bigip::Encrypted) => {}
            None => self.unreadable(Field::Bigip, text, 1, value),
        }
    }

    /// The note for a value that does not read as its type.
    fn unreadable(
        &mut self,
        about: Field,
        text: &[u8],
        level: u16,
        span: Span,
    ) {
        let masked = value::is_masked(text);
        let note = if masked { Note::ValueMasked } else { Note::ValueInvalid };
        self.note(note, about, level, span);
    }

    // The body.

    #[inline(never)]
    fn body_start(&mut self, body: &[u8]) {
        let all = Span::between(0, body.len());
        let firmware = self.message_type == TYPE_FIRMWARE_RESPONSE
            && matches!(self.status, 200 | 206);
        if firmware && self.method != Method::Head as u32 {
            let size = self.body_length;
            let item = Item::number(Field::FirmwareSize, 0, all, size);
            self.push(item.generated());
        }
        let readable = firmware || self.grammar != Grammar::None as u32;
        if readable
            && self.message_flags & BODY_CODED != 0
            && self.body_length > 0
        {
            self.grammar = Grammar::None as u32;
            self.note(Note::BodyEncoded, MESSAGE, 0, all);
        }
    }

    /// Reads the next pairs; `false` if there is none. `cut` tells that what
    /// the pairs stand in goes on behind its last byte.
    #[inline(always)]
    fn pairs(&mut self, input: &[u8], cut: bool) -> bool {
        let grammar = match Grammar::from_number(self.grammar) {
            None | Some(Grammar::None) => return false,
            Some(grammar) => grammar,
        };
        let Some(input) = input.get(..self.end as usize) else {
            return false;
        };
        let wants_list = self.wants_list();
        loop {
            let Some(rest) = input.get(self.at as usize..) else {
                return self.queue_len > 0;
            };
            match pairs::plain_pair(rest, grammar).filter(|_| !wants_list) {
                Some((field, name, value, length)) => {
                    let name = Part { bytes: name, at: self.at };
                    let value = Part { bytes: value, at: name.behind() + 1 };
                    self.at += length as u32;
                    self.field(field, name, value, false);
                }
                None => {
                    if !self.other_pair(input, grammar, cut) {
                        return self.queue_len > 0;
                    }
                }
            }
            // Others may be read ahead.
            let full = self.queue_len as usize > QUEUE - PAIR;
            if full || self.list != List::None as u32 {
                return true;
            }
        }
    }

    /// A pair that is not as nearly all are; `false` if there is none.
    #[cold]
    fn other_pair(
        &mut self,
        input: &[u8],
        grammar: Grammar,
        cut: bool,
    ) -> bool {
        let next = pairs::next_pair(input, &mut self.at, grammar);
        if let Some(pair) = &next {
            let cut = cut && !pair.ended;
            self.one_pair(pair, grammar == Grammar::Form, cut);
        }
        next.is_some()
    }

    fn one_pair(&mut self, pair: &Pair, percent: bool, cut: bool) {
        let name = pair.name;
        let Some(value) = pair.value else {
            self.param(name, name.end().span(), None);
            if cut {
                self.truncated(Field::Param, 1, pair.span());
            } else {
                self.note(Note::ParamUnknown, Field::Param, 1, pair.span());
            }
            return;
        };
        let place = value.span();
        let key = key(name.bytes, percent, self.message_type);
        // The first line that is not the result code lists the extensions:
        // its key does not matter to any client.
        if self.wants_list() && key != Some(Field::ResultCode) {
            self.extensions_seen = 1;
            self.param(name, place, None);
            if cut {
                self.truncated(Field::Param, 1, place);
            } else {
                self.open(List::Extensions, place);
            }
            return;
        }
        let Some(field) = key else {
            self.param(name, place, None);
            if cut {
                self.truncated(Field::Param, 1, place);
            } else {
                self.note(Note::ParamUnknown, Field::Param, 1, pair.span());
            }
            return;
        };
        if cut {
            self.seen |= bit(field);
            self.param(name, place, key);
            return self.truncated(field, 1, place);
        }
        self.field(field, name, value, percent);
    }

    /// A field that has a key, with its value.
    #[inline(always)]
    fn field(&mut self, field: Field, name: Part, value: Part, percent: bool) {
        let again = self.seen & bit(field) != 0;
        self.seen |= bit(field);
        let place = value.span();
        let value_type = field.info().value_type;
        if value_type == ValueType::String {
            return self.text(field, name, value, percent);
        }
        let mut room = None::<[u8; TYPED_MAX]>;
        // What does not fit is no typed value.
        let text = text::decode(value.bytes, percent, &mut room);
        let text = text.unwrap_or_default();
        let read = if value_type == ValueType::Ipv4 {
            value::ipv4(text).map(|octets| {
                self.push(Item::address(field, 0, place, &octets));
                u32::from_be_bytes(octets)
            })
        } else {
            number(field, value_type, text).map(|number| {
                self.push(Item::number(field, 0, place, number));
                number as u32
            })
        };
        if let Some(read) = read {
            self.keep(field, read);
            if field == Field::Dscp {
                let tos = u64::from(read) << 2;
                let tos = Item::number(Field::DscpTos, 1, place, tos);
                self.mark_last();
                self.push(tos.generated());
            }
        } else {
            self.param(name, place, Some(field));
            self.unreadable(field, text, 1, place);
        }
        if field == Field::ResultCode && !again {
            let success = value::is_zeros(text);
            self.result = if success { RESULT_SUCCESS } else { RESULT_OTHER };
            if !success {
                self.note(Note::ResultCodeFailure, field, 1, place);
            }
        }
    }

    /// Whether this is an extension list response, and the list is still to
    /// come.
    fn wants_list(&self) -> bool {
        self.message_type == TYPE_EXTENSION_LIST_RESPONSE
            && self.extensions_seen == 0
    }

    /// A field that is a text, with what else there is to it.
    #[inline(always)]
    fn text(&mut self, field: Field, name: Part, value: Part, percent: bool) {
        let place = value.span();
        self.push(Item::text(field, 0, place));
        let masked =
            || value::is_masked_text(text::bytes(value.bytes, percent));
        match field {
            Field::TerminalId => {
                return self.terminal_id(value.bytes, place, percent);
            }
            Field::DestNwAddr => {
                if !place.is_empty() {
                    self.mark_last();
                    self.open(List::Routes, place);
                }
                return;
            }
            Field::IpTelNum => {
                self.tel_num_index(name.bytes, name.at, percent);
            }
            Field::Username | Field::Password
                if !place.is_empty() && !masked() =>
            {
                self.note(Note::Credentials, field, 1, place);
            }
            _ => {}
        }
        if masked() {
            self.note(Note::ValueMasked, field, 1, place);
        }
    }

    /// The number at the end of a subscriber number's key.
    #[inline(never)]
    fn tel_num_index(&mut self, name: &[u8], at: u32, percent: bool) {
        let mut room = None::<[u8; NAME_MAX]>;
        let key = text::decode(name, percent, &mut room);
        let (_, number) = split_number(key.unwrap_or_default());
        let tail = text::tail_length(name, percent, number.len());
        let end = at as usize + name.len();
        let place = Span::between(end - tail, end);
        let index = value::number(number).unwrap_or_default();
        let item = Item::number(Field::IpTelNumIndex, 1, place, index);
        let given = !number.is_empty();
        self.mark_last();
        self.push(if given { item } else { item.generated() });
    }

    /// One entry of a list of extensions.
    #[inline(never)]
    fn extension(&mut self, input: &[u8]) {
        let mut at = self.list_at as usize;
        let end = self.list_end as usize;
        let entry = pairs::next_entry(input, &mut at, end, b",");
        let Some(entry) = entry else { return self.close() };
        self.list_at = at as u32;
        if entry.is_empty() {
            return;
        }
        self.push(Item::text(Field::Extension, 1, entry));
        if value::is_masked_text(entry.of(input).iter().copied()) {
            self.note(Note::ValueMasked, Field::Extension, 2, entry);
        }
    }

    /// A parameter that is no field, though it may have the key of one.
    #[cold]
    fn param(&mut self, name: Part, value: Span, of: Option<Field>) {
        let percent = self.text_flags & PERCENT_ENCODED != 0;
        let secret = of.is_some_and(|f| f.info().flags & fields::SECRET != 0)
            || fields::sounds_secret(text::bytes(name.bytes, percent));
        let flags = if secret { SECRET } else { 0 };
        let all = Span::between(name.at as usize, value.end());
        let name = Item::text(Field::ParamName, 1, name.span());
        let value = Item::text(Field::ParamValue, 1, value);
        self.push(Item { flags, ..Item::text(Field::Param, 0, all) });
        self.push_child(name);
        self.push_child(Item { flags, ..value });
    }

    /// Keeps the first value of a field that is compared at the end.
    fn keep(&mut self, field: Field, value: u32) {
        let slot = match field {
            Field::Netmask => &mut self.netmask,
            Field::Rtpport1 => &mut self.rtpport1,
            Field::Rtpport2 => &mut self.rtpport2,
            Field::IpAddr => &mut self.ip_addr,
            Field::Gateway => &mut self.gateway,
            _ => return,
        };
        if self.typed & bit(field) == 0 {
            self.typed |= bit(field);
            *slot = value;
        }
    }

    #[cold]
    fn terminal_id(&mut self, raw: &[u8], value: Span, percent: bool) {
        let mut room = None::<[u8; TYPED_MAX]>;
        let text = text::decode(raw, percent, &mut room);
        let text = text.unwrap_or_default();
        let mac = value::hex::<6>(text);
        if let Some(mac) = mac {
            let item = Item::address(Field::TerminalIdMac, 1, value, &mac);
            self.push_child(item.generated());
        }
        let oui = text.get(..6).and_then(value::hex::<3>);
        if let Some([a, b, c]) = oui {
            let oui = u32::from_be_bytes([0, a, b, c]);
            let field = Field::TerminalIdOui;
            let item = Item::number(field, 1, value, oui.into());
            self.push_child(item.generated());
        }
        if mac.is_none() && !value.is_empty() {
            let masked = value::is_masked_id(text);
            let note =
                if masked { Note::ValueMasked } else { Note::ValueInvalid };
            self.note(note, Field::TerminalId, 1, value);
        }
    }

    /// Entries of `dest_nw_addr`.
    #[inline(never)]
    fn routes(&mut self, input: &[u8]) {
        let percent = self.grammar == Grammar::Form as u32;
        // In a form the `&` of the list is percent-encoded.
        let border: &[u8] = if percent { b"%26" } else { b"&" };
        // Others may be read ahead.
        while self.queue_len as usize <= QUEUE - ROUTE {
            let mut at = self.list_at as usize;
            let end = self.list_end as usize;
            let entry = pairs::next_entry(input, &mut at, end, border);
            let Some(entry) = entry else { return self.close() };
            self.list_at = at as u32;
            self.route(input, entry, percent);
        }
    }

    #[inline(always)]
    fn route(&mut self, input: &[u8], entry: Span, percent: bool) {
        let raw = entry.of(input);
        let mut room = None::<[u8; TYPED_MAX]>;
        let text = text::decode(raw, percent, &mut room).unwrap_or_default();
        let Some((network, slash, prefix)) = value::route(text) else {
            return self.unreadable(Field::DestNwAddr, text, 1, entry);
        };
        let (start, end) = (entry.start(), entry.end());
        // The prefix's digits may be encoded, the slash too; then the two
        // cannot be told apart on the wire without decoding, and both have
        // the entry's bytes.
        let (first, second) = if raw.len() == text.len() {
            let slash = start + slash;
            (Span::between(start, slash), Span::between(slash + 1, end))
        } else {
            (entry, entry)
        };
        let field = Field::DestNwAddrNetwork;
        self.push(Item::address(field, 1, first, &network));
        let field = Field::DestNwAddrPrefix;
        self.push(Item::number(field, 1, second, prefix.into()));
        if u32::from_be_bytes(network) & !value::mask(prefix) != 0 {
            self.mark_last();
            self.push(Item::note(Note::ValueHostBits, field, 2, entry));
        }
    }

    /// What can be said only once all of the body was read.
    #[inline(never)]
    fn body_end(&mut self, body: &[u8]) {
        let end = Span::between(body.len(), body.len());
        let all = |fields: &[Field]| {
            fields.iter().all(|&field| self.typed & bit(field) != 0)
        };
        let ports = all(&[Field::Rtpport1, Field::Rtpport2])
            && self.rtpport1 > self.rtpport2;
        let mask = value::mask(self.netmask as u8);
        let gateway = all(&[Field::IpAddr, Field::Netmask, Field::Gateway])
            && (self.ip_addr ^ self.gateway) & mask != 0;
        for (inconsistent, field) in
            [(gateway, Field::Gateway), (ports, Field::Rtpport2)]
        {
            if inconsistent {
                self.note(Note::ValueInconsistent, field, 0, end);
            }
        }
        let complete = self.message_flags & COMPLETE != 0;
        if self.message_type == TYPE_PROVISIONING_RESPONSE
            && self.status == 200
            && complete
            && self.message_flags & (BODY_CODED | BODY_BROKEN) == 0
            && self.result == RESULT_SUCCESS
        {
            for field in [Field::IpAddr, Field::SipsvAddr, Field::IpTelNum] {
                if self.seen & bit(field) == 0 {
                    self.note(Note::ParamMissing, field, 0, end);
                }
            }
        }
        if self.message_flags & BODY_BROKEN != 0 {
            self.note(Note::ValueInvalid, MESSAGE, 0, end);
        }
        if !complete && self.truncation_noted == 0 {
            self.truncated(MESSAGE, 0, end);
        }
    }
}

/// Reads a number as the type of its field.
fn number(field: Field, value_type: ValueType, text: &[u8]) -> Option<u64> {
    if field == Field::ResultCode {
        return value::result_code(text);
    }
    let most = match field {
        Field::Netmask => 32,
        Field::Dscp => 63,
        _ if value_type == ValueType::Uint8 => u8::MAX.into(),
        _ => u16::MAX.into(),
    };
    value::number_up_to(text, most)
}

/// Longest key that is looked for, in bytes; all of [`fields::by_key`]'s are
/// shorter.
const NAME_MAX: usize = 32;

/// Finds a key, in any case.
fn key(raw: &[u8], percent: bool, message_type: u32) -> Option<Field> {
    let mut room = None::<[u8; NAME_MAX]>;
    let name = text::decode(raw, percent, &mut room)?;
    if (9..=12).contains(&message_type) {
        if name.eq_ignore_ascii_case(b"id") {
            return Some(Field::TerminalId);
        }
        if name.eq_ignore_ascii_case(b"term_type") {
            return Some(Field::TermType);
        }
    }
    if let Some(field) = fields::by_key(name) {
        return Some(field);
    }
    // Contracts with extra numbers: `ip_tel_num1`, `ip_tel_num2`, …
    let (stem, number) = split_number(name);
    value::number_up_to(number, u16::MAX.into())?;
    let known = fields::by_key(stem).filter(|_| number.len() <= 5);
    known.filter(|&field| field == Field::IpTelNum)
}

/// Splits the digits off the end of a key.
fn split_number(name: &[u8]) -> (&[u8], &[u8]) {
    let digits = name.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    name.split_at(name.len() - digits)
}

/// The items of a message, or of a part of one; none of an input longer than
/// [`MAX_INPUT`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    cursor: Cursor,
    input: &'a [u8],
}

impl<'a> Items<'a> {
    /// Nothing comes from more bytes than any message has: places in them
    /// cannot be told.
    fn new(input: &'a [u8], begin: impl FnOnce(&[u8]) -> Cursor) -> Self {
        let cursor = if input.len() <= MAX_INPUT {
            begin(input)
        } else {
            Cursor::default()
        };
        Items { cursor, input }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let item = *self.cursor.ready(self.input).first()?;
        self.cursor.take(1);
        Some(item)
    }
}

impl core::iter::FusedIterator for Items<'_> {}

impl Message {
    /// Reads the head; `input` is what the message was parsed from. Nothing
    /// comes from a message that is not ours.
    pub fn head_items<'a>(&self, input: &'a [u8]) -> Items<'a> {
        Items::new(input, |_| Cursor::head(self))
    }

    /// Reads the body: `body` with its chunks undone
    /// ([`Message::body_bytes`]). Spans are places in it.
    pub fn body_items<'a>(&self, body: &'a [u8]) -> Items<'a> {
        Items::new(body, |body| Cursor::body(self, body))
    }
}

/// Reads a User-Agent that stands by itself. Nothing comes from one that is
/// not a gateway's.
pub fn user_agent(value: &[u8]) -> Items<'_> {
    Items::new(value, Cursor::user_agent)
}

/// Reads the value of a Cookie or Set-Cookie header: the persistence cookies
/// in it.
pub fn cookies(value: &[u8]) -> Items<'_> {
    Items::new(value, Cursor::cookies)
}

/// Reads the value of one BIG-IP persistence cookie.
pub fn bigip(value: &[u8]) -> Items<'_> {
    Items::new(value, Cursor::bigip_alone)
}

/// Reads the value of a Host header, with or without a port.
pub fn host(value: &[u8]) -> Items<'_> {
    Items::new(value, Cursor::host_header)
}

/// Reads the target of a request, or its path alone: the host that is in it,
/// the firmware it names, and its query.
pub fn target(value: &[u8]) -> Items<'_> {
    Items::new(value, Cursor::target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{parse, Context};

    /// Whatever hides in a key: its letters' case, percent-encoding, the key
    /// of a field that does not read, and one that is cut.
    #[test]
    fn parameters_that_may_be_secret() {
        for (body, secret) in [
            ("sip_PassWord=1", true),
            ("x=pass", false),
            ("p%61ss=1", true),
            ("TerminalID", false),
            ("ip_addr=pass", false),
            ("my_pwd", true),
            ("pas%73", true),
        ] {
            let head = "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n";
            let length = body.len();
            let text = format!("{head}Content-Length: {length}\r\n\r\n{body}");
            let message = parse(text.as_bytes(), &Context::default());
            let items = message.unwrap().body_items(body.as_bytes());
            check(items, secret, body);
        }
        // What is cut is a parameter, whatever its key.
        for (body, secret) in
            [("ip_tel_num=0", true), ("id=00", true), ("dscp=3", false)]
        {
            let text = format!(
                "PUT /cas_tel_conf HTTP/1.1\r\nContent-Length: 99\r\n\r\n\
                 id=1&ip_tel_num=3&{body}"
            );
            let text = text.as_bytes();
            let message = parse(text, &Context::default()).unwrap();
            let body_of = message.body.of(text);
            check(message.body_items(body_of), secret, body);
        }
        fn check(items: Items, secret: bool, of: &str) {
            let items: Vec<Item> = items.collect();
            let flags = |field: Field| {
                let of_field = |item: &&Item| item.as_field() == Some(field);
                items.iter().rev().find(of_field).map(|item| item.flags)
            };
            for (field, expected) in [
                (Field::Param, secret),
                (Field::ParamName, false),
                (Field::ParamValue, secret),
            ] {
                let flags = flags(field).expect(of);
                assert_eq!(flags & SECRET != 0, expected, "{of} {field}");
            }
        }
    }

    /// What is empty has its place where it would begin.
    #[test]
    fn places_of_cookies() {
        for (text, value) in [
            ("BIGipServerp=!x; a=b", 13..15),
            (" BIGipServerp = !x ", 16..18),
            ("BIGipServerp= ", 13..13),
            (" BIGipServerp = ; a", 15..15),
            ("BIGipServerp=\"!x\"; a=b", 14..16),
            ("BIGipServerp=\"\"", 14..14),
            ("BIGipServerp=\"", 13..14),
            ("BIGipServerp=\"x", 13..15),
        ] {
            let span = cookies(text.as_bytes()).next().unwrap().span;
            assert_eq!(span.start()..span.end(), value, "{text:?}");
        }
    }
}
