//! One HTTP message: where it ends, and what it is for.
//!
//! [`parse`] reads the head, finds how the body is delimited (RFC 9112 §6.3)
//! and classifies the message. Each message is judged by itself or by the
//! request it answers, never by what else its connection carried; so the
//! caller, who keeps requests and responses together, says in [`Context`]
//! what a response answers.

use crate::agent;
use crate::chunked::{self, End};
use crate::firmware;
use crate::head::{self, Name, Start};
use crate::lan;
use crate::pairs::{self, Grammar};
use crate::span::{Span, MAX_INPUT};
use crate::target;
use crate::text;
use crate::value::content_length;
use crate::Error;

/// [`Message::kind`]: too little is there to tell.
pub const KIND_UNKNOWN: u32 = 0;
/// [`Message::kind`]: a request.
pub const KIND_REQUEST: u32 = 1;
/// [`Message::kind`]: a response.
pub const KIND_RESPONSE: u32 = 2;

/// [`Message::message_type`]: not a message of this protocol. As a
/// [`Context::request_type`]: the request was seen and is not ours.
pub const TYPE_NONE: u32 = u32::MAX;
/// [`Context::request_type`]: no request was seen for this response.
pub const TYPE_UNSEEN: u32 = u32::MAX - 1;
/// Any other request.
pub const TYPE_OTHER_REQUEST: u32 = 0;
/// Provisioning request.
pub const TYPE_PROVISIONING_REQUEST: u32 = 1;
/// Provisioning response.
pub const TYPE_PROVISIONING_RESPONSE: u32 = 2;
/// Firmware request.
pub const TYPE_FIRMWARE_REQUEST: u32 = 3;
/// Firmware response.
pub const TYPE_FIRMWARE_RESPONSE: u32 = 4;
/// Update notification.
pub const TYPE_UPDATE_NOTIFICATION: u32 = 5;
/// Update notification response.
pub const TYPE_UPDATE_NOTIFICATION_RESPONSE: u32 = 6;
/// Extension list request (LAN side).
pub const TYPE_EXTENSION_LIST_REQUEST: u32 = 7;
/// Extension list response (LAN side).
pub const TYPE_EXTENSION_LIST_RESPONSE: u32 = 8;
/// Extension configuration request (LAN side).
pub const TYPE_EXTENSION_CONFIGURATION_REQUEST: u32 = 9;
/// Extension configuration response (LAN side).
pub const TYPE_EXTENSION_CONFIGURATION_RESPONSE: u32 = 10;
/// Setup push (LAN side).
pub const TYPE_SETUP_PUSH: u32 = 11;
/// Setup push response (LAN side).
pub const TYPE_SETUP_PUSH_RESPONSE: u32 = 12;
/// The answer to any other request.
pub const TYPE_OTHER_RESPONSE: u32 = 13;

/// The message's end was found: nothing of it is missing.
pub const COMPLETE: u32 = 1;
/// The head is there to its blank line.
pub const HEAD_COMPLETE: u32 = 2;
/// The body has a content coding (gzip, …) that is not decoded.
pub const BODY_CODED: u32 = 4;
/// The body is declared to be ISO-8859-1.
pub const BODY_LATIN1: u32 = 8;
/// A response whose request is not in the capture.
pub const UNMATCHED: u32 = 16;
/// What should be a chunk is none; the body is read up to there.
pub const BODY_BROKEN: u32 = 32;

/// Methods that change how a message is read.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Any other, or not known.
    #[default]
    Other = 0,
    /// GET.
    Get = 1,
    /// HEAD: its response has no body.
    Head = 2,
    /// POST.
    Post = 3,
    /// PUT.
    Put = 4,
    /// CONNECT: what follows a successful response is not HTTP.
    Connect = 5,
}

impl Method {
    fn of(text: &[u8]) -> Method {
        match text {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"CONNECT" => Method::Connect,
            _ => Method::Other,
        }
    }

    /// The method of that number; [`Method::Other`] where there is none.
    pub fn from_number(number: u32) -> Method {
        match number {
            1 => Method::Get,
            2 => Method::Head,
            3 => Method::Post,
            4 => Method::Put,
            5 => Method::Connect,
            _ => Method::Other,
        }
    }
}

/// How the end of a body is found.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None = 0,
    /// By its Content-Length.
    Length = 1,
    /// By its chunks.
    Chunked = 2,
    /// By the end of the connection.
    UntilClose = 3,
}

/// [`Context::flags`]: the connection ends with the last byte of the input.
pub const END_OF_STREAM: u32 = 1;
/// [`Context::flags`]: only the head is of interest. A body's chunks, which
/// can be many, are not walked; such a message does not count as complete.
pub const HEAD_ONLY: u32 = 2;

/// What the caller knows about a message from outside of its bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// For a response: type of its request, [`TYPE_NONE`] for a request that
    /// is not ours, [`TYPE_UNSEEN`] if there was none.
    pub request_type: u32,
    /// For a response: [`Method`] of its request.
    pub request_method: u32,
    /// [`END_OF_STREAM`], [`HEAD_ONLY`].
    pub flags: u32,
}

impl Default for Context {
    fn default() -> Context {
        Context {
            request_type: TYPE_UNSEEN,
            request_method: Method::Other as u32,
            flags: 0,
        }
    }
}

/// A message: where its parts are and what it is for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// [`KIND_UNKNOWN`], [`KIND_REQUEST`] or [`KIND_RESPONSE`].
    pub kind: u32,
    /// What it is for: a value of `mcas.type`, or [`TYPE_NONE`]. Final once
    /// [`COMPLETE`]: until then bytes to come may still make a message ours,
    /// or tell one that is ours more exactly.
    pub message_type: u32,
    /// [`COMPLETE`], [`HEAD_COMPLETE`], [`BODY_CODED`], [`BODY_LATIN1`],
    /// [`UNMATCHED`], [`BODY_BROKEN`].
    pub flags: u32,
    /// [`Method`] of a request, or of the request that a response answers.
    pub method: u32,
    /// Status code of a response; 0 in a request or where it is cut off.
    pub status: u32,
    /// [`Framing`] of the body.
    pub framing: u32,
    /// Bytes of the input that belong to the message, blank lines before it
    /// included. The next message begins there if this one is [`COMPLETE`].
    pub length: u32,
    /// Offset of the start line.
    pub begin: u32,
    /// The body as it was sent: chunks are still chunks.
    pub body: Span,
    /// Bytes of the body at hand, chunks undone.
    pub body_length: u64,
    /// Bytes of the body that its Content-Length announces but that are not
    /// at hand.
    pub body_missing: u64,
    /// Digits of the status code.
    pub status_digits: Span,
    /// Host of an absolute target; else empty.
    pub authority: Span,
    /// Path of the target, without query.
    pub path: Span,
    /// Query of the target.
    pub query: Span,
    /// First Host header, without port.
    pub host: Span,
    /// First User-Agent header.
    pub user_agent: Span,
    /// Media type of the body, without parameters.
    pub media_type: Span,
}

/// What the header lines say about the body.
#[derive(Default)]
struct BodyHeaders {
    length: Option<u64>,
    chunked: bool,
    transfer_coded: bool,
}

impl Message {
    /// Whether all of `flags` are set.
    pub fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// Whether this is a message of the protocol.
    pub fn is_ours(&self) -> bool {
        self.message_type != TYPE_NONE
    }

    /// The bytes of the message's head, start line included, as offsets.
    pub(crate) fn head(&self) -> (usize, usize) {
        (self.begin as usize, self.body.start())
    }

    /// Notes what one header says.
    fn header(
        &mut self,
        input: &[u8],
        name: Name,
        value: Span,
        body: &mut BodyHeaders,
    ) {
        let text = value.of(input);
        let first = |known: Span, new: Span| {
            if known == Span::default() {
                new
            } else {
                known
            }
        };
        match name {
            Name::Host => {
                self.host = first(self.host, target::host(input, value));
            }
            Name::UserAgent => {
                self.user_agent = first(self.user_agent, value);
            }
            Name::ContentType => {
                let semicolon = text.iter().position(|&b| b == b';');
                let length = semicolon.unwrap_or(text.len());
                let length = text[..length].trim_ascii_end().len();
                let start = value.start();
                self.media_type = Span::between(start, start + length);
                if charset_is_latin1(&text[length..]) {
                    self.flags |= BODY_LATIN1;
                }
            }
            Name::ContentLength => {
                // The first one that reads counts, as in HTTP's dissector.
                body.length = body.length.or(content_length(text));
            }
            Name::ContentEncoding => {
                let coded = !text.is_empty()
                    && !text.eq_ignore_ascii_case(b"identity");
                self.flags |= if coded { BODY_CODED } else { 0 };
            }
            Name::TransferEncoding => {
                body.transfer_coded = true;
                let last = text.rsplit(|&b| b == b',').next();
                let last = last.unwrap_or_default().trim_ascii();
                body.chunked = last.eq_ignore_ascii_case(b"chunked");
            }
            Name::Cookie | Name::SetCookie => {}
        }
    }

    /// Finds how the body is delimited (RFC 9112 §6.3).
    fn framing(&self, body: &BodyHeaders) -> Framing {
        if self.kind == KIND_RESPONSE {
            let connected = self.method == Method::Connect as u32
                && self.status / 100 == 2;
            if self.method == Method::Head as u32
                || connected
                || matches!(self.status, 100..=199 | 204 | 304)
            {
                return Framing::None;
            }
        }
        match body.length {
            _ if body.chunked => Framing::Chunked,
            Some(0) if !body.transfer_coded => Framing::None,
            Some(_) if !body.transfer_coded => Framing::Length,
            _ if self.kind == KIND_RESPONSE => Framing::UntilClose,
            _ => Framing::None,
        }
    }

    /// Finds where the body ends.
    fn delimit(&mut self, input: &[u8], headers: &BodyHeaders, known: u32) {
        let start = self.body.start();
        let rest = &input[start..];
        let framing = self.framing(headers);
        self.framing = framing as u32;
        let (length, complete) = match framing {
            Framing::None => (0, true),
            Framing::Length => {
                let announced = headers.length.unwrap_or_default();
                let length = announced.min(rest.len() as u64);
                self.body_missing = announced - length;
                (length as usize, self.body_missing == 0)
            }
            Framing::Chunked if known & HEAD_ONLY != 0 => (0, false),
            Framing::Chunked => {
                let mut data = 0;
                let end = chunked::for_each(rest, |part| {
                    data += part.len() as u64;
                });
                self.body_length = data;
                match end {
                    End::Whole(length) => (length, true),
                    End::Cut => (rest.len(), false),
                    End::Broken(_) => {
                        // Where this body ends, nobody can tell.
                        self.flags |= BODY_BROKEN;
                        (rest.len(), true)
                    }
                }
            }
            Framing::UntilClose => (rest.len(), known & END_OF_STREAM != 0),
        };
        self.body = Span::between(start, start + length);
        if framing != Framing::Chunked {
            self.body_length = length as u64;
        }
        if complete {
            self.flags |= COMPLETE;
        }
    }

    /// What a request is for.
    fn classify_request(&self, input: &[u8]) -> u32 {
        if let Some(lan) = self.classify_lan_request(input) {
            return lan;
        }
        let agent = self.user_agent.of(input);
        if !(target::is_ours(self.authority.of(input))
            || target::is_ours(self.host.of(input))
            || agent.starts_with(agent::PREFIX))
        {
            return TYPE_NONE;
        }
        let path = self.path.of(input);
        let method = Method::from_number(self.method);
        if path == b"/verup/notify.cgi" {
            TYPE_UPDATE_NOTIFICATION
        } else if matches!(method, Method::Get | Method::Head)
            && firmware::parse(path).is_some()
        {
            TYPE_FIRMWARE_REQUEST
        } else if (method == Method::Post && target::is_root(path))
            || self.form_has(input, "TerminalID", false)
        {
            TYPE_PROVISIONING_REQUEST
        } else {
            TYPE_OTHER_REQUEST
        }
    }

    /// What a request of the LAN side is for. Its User-Agents are the
    /// phones' own, so the path tells; and where there is a form, that has
    /// to fit too, since other devices have paths like these.
    fn classify_lan_request(&self, input: &[u8]) -> Option<u32> {
        let path = self.path.of(input);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let method = Method::from_number(self.method);
        let form_has = |key| self.form_has(input, key, true);
        match (path, method) {
            (lan::LIST, Method::Get) => Some(TYPE_EXTENSION_LIST_REQUEST),
            (lan::CONFIGURATION, Method::Put | Method::Post)
                if form_has("id") && form_has("ip_tel_num") =>
            {
                Some(TYPE_EXTENSION_CONFIGURATION_REQUEST)
            }
            (lan::PUSH, Method::Get | Method::Post)
                if form_has("ip_tel_num") || form_has("sipsv_addr") =>
            {
                Some(TYPE_SETUP_PUSH)
            }
            _ => None,
        }
    }

    /// Whether the form of a request, in its query or its body, has a key. A
    /// body counts as a form where its media type says so, or nothing does,
    /// or in any case.
    fn form_has(&self, input: &[u8], key: &str, any_type: bool) -> bool {
        let mut query = KeyFinder::new(key);
        query.feed(self.query.of(input));
        let mut body = KeyFinder::new(key);
        let media_type = self.media_type.of(input);
        let is_form = any_type || media_type.is_empty() || is_form(media_type);
        if is_form && !self.has(BODY_CODED) {
            self.feed_body(input, |part| body.feed(part));
        }
        query.found || body.found
    }

    /// Whether the body begins as that of a provisioning response.
    fn begins_with_result_code(&self, input: &[u8]) -> bool {
        let mut wanted = RESULT_CODE;
        let mut differs = false;
        self.feed_body(input, |part| {
            let (begin, rest) = wanted.split_at(part.len().min(wanted.len()));
            differs |= !part[..begin.len()].eq_ignore_ascii_case(begin);
            wanted = rest;
        });
        wanted.is_empty() && !differs
    }

    /// What a response is for.
    fn classify_response(&self, input: &[u8], request_type: u32) -> u32 {
        match request_type {
            // Cut before its status it may still turn out to be interim.
            _ if self.status < 200 => TYPE_NONE,
            TYPE_OTHER_REQUEST => TYPE_OTHER_RESPONSE,
            TYPE_PROVISIONING_REQUEST
            | TYPE_FIRMWARE_REQUEST
            | TYPE_UPDATE_NOTIFICATION
            | TYPE_EXTENSION_LIST_REQUEST
            | TYPE_EXTENSION_CONFIGURATION_REQUEST
            | TYPE_SETUP_PUSH => request_type + 1,
            TYPE_UNSEEN
                if !self.has(BODY_CODED)
                    && self.has(HEAD_COMPLETE)
                    && self.begins_with_result_code(input) =>
            {
                TYPE_PROVISIONING_RESPONSE
            }
            _ => TYPE_NONE,
        }
    }

    /// Hands the body to `feed` piece by piece, with chunks undone. It is
    /// read where it lies: classifying needs no memory.
    fn feed_body(&self, input: &[u8], mut feed: impl FnMut(&[u8])) {
        let body = self.body.of(input);
        if self.framing == Framing::Chunked as u32 {
            chunked::for_each(body, feed);
        } else {
            feed(body);
        }
    }

    /// How the pairs of `body`, this message's with its chunks undone, are
    /// written; [`Grammar::None`] where the body is not ours to read: an
    /// image, an HTML error page, a content coding.
    pub fn body_grammar(&self, input: &[u8], body: &[u8]) -> Grammar {
        let media_type = self.media_type.of(input);
        let plain = media_type.eq_ignore_ascii_case(b"text/plain");
        let form = is_form(media_type);
        let none = media_type.is_empty();
        match self.message_type {
            TYPE_NONE | TYPE_FIRMWARE_RESPONSE => Grammar::None,
            _ if self.kind == KIND_RESPONSE => {
                let ours = body
                    .get(..RESULT_CODE.len())
                    .is_some_and(|b| b.eq_ignore_ascii_case(RESULT_CODE));
                if none || plain || form || ours {
                    Grammar::Lines
                } else {
                    Grammar::None
                }
            }
            // One client of the LAN side declares its form as JSON.
            TYPE_PROVISIONING_REQUEST
            | TYPE_EXTENSION_CONFIGURATION_REQUEST
            | TYPE_SETUP_PUSH => Grammar::Form,
            _ if form => Grammar::Form,
            _ if plain => Grammar::Lines,
            // Nothing declares it: the shape decides.
            _ if none && body.contains(&b'=') => {
                let text = &body[..pairs::form_length(body)];
                if text.contains(&b'\n') {
                    Grammar::Lines
                } else {
                    Grammar::Form
                }
            }
            _ => Grammar::None,
        }
    }
}

/// Reads the message at the beginning of `input`.
///
/// What is there is told even if the message is not whole: then the answer
/// lacks [`COMPLETE`].
pub fn parse(input: &[u8], context: &Context) -> Result<Message, Error> {
    if input.len() > MAX_INPUT {
        return Err(Error::TooLarge);
    }
    let head = head::parse(input)?;
    let mut message = Message {
        kind: KIND_UNKNOWN,
        message_type: TYPE_NONE,
        flags: if head.whole { HEAD_COMPLETE } else { 0 },
        method: Method::Other as u32,
        status: 0,
        framing: Framing::None as u32,
        length: 0,
        begin: head.begin as u32,
        body: Span::between(head.end, head.end),
        body_length: 0,
        body_missing: 0,
        status_digits: Span::default(),
        authority: Span::default(),
        path: Span::default(),
        query: Span::default(),
        host: Span::default(),
        user_agent: Span::default(),
        media_type: Span::default(),
    };
    match head.start {
        Start::Unknown => {}
        Start::Request { method, target } => {
            let target = target::parse(input, target);
            message.kind = KIND_REQUEST;
            message.method = Method::of(method.of(input)) as u32;
            message.authority = target.host;
            message.path = target.path;
            message.query = target.query;
        }
        Start::Response { status, digits } => {
            message.kind = KIND_RESPONSE;
            message.method =
                Method::from_number(context.request_method) as u32;
            message.status = status.into();
            message.status_digits = digits;
        }
    }
    let mut headers = BodyHeaders::default();
    let mut at = head::first_header(input, head.begin);
    while let Some((name, value)) = head::next_header(input, &mut at, head.end)
    {
        message.header(input, name, value, &mut headers);
    }
    if head.whole {
        message.delimit(input, &headers, context.flags);
    }
    message.length = message.body.end() as u32;
    message.message_type = match message.kind {
        KIND_REQUEST => message.classify_request(input),
        KIND_RESPONSE => {
            message.classify_response(input, context.request_type)
        }
        _ => TYPE_NONE,
    };
    if message.message_type == TYPE_PROVISIONING_RESPONSE
        && context.request_type == TYPE_UNSEEN
    {
        message.flags |= UNMATCHED;
    }
    Ok(message)
}

fn is_form(media_type: &[u8]) -> bool {
    media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// Whether the parameters of a Content-Type declare ISO-8859-1.
fn charset_is_latin1(parameters: &[u8]) -> bool {
    parameters.split(|&b| b == b';').any(|parameter| {
        let parameter = parameter.trim_ascii();
        let charset = parameter
            .get(..8)
            .filter(|name| name.eq_ignore_ascii_case(b"charset="))
            .map(|_| parameter[8..].trim_ascii());
        charset.is_some_and(|charset| {
            let charset = charset.strip_prefix(b"\"").unwrap_or(charset);
            let charset = charset.strip_suffix(b"\"").unwrap_or(charset);
            charset.eq_ignore_ascii_case(b"iso-8859-1")
        })
    })
}

/// How the body of a provisioning response begins, in any case.
pub(crate) const RESULT_CODE: &[u8] = b"resultcode=";

/// Looks for a key, in any case, in a form that comes in pieces.
struct KeyFinder<'a> {
    key: &'a str,
    /// The key being read, percent-encoded as it came.
    name: [u8; 64],
    /// Its length; `None` inside of a value or a key that is too long.
    length: Option<usize>,
    found: bool,
}

impl KeyFinder<'_> {
    fn new(key: &str) -> KeyFinder<'_> {
        // A letter takes three bytes when percent-encoded.
        debug_assert!(3 * key.len() <= 64);
        KeyFinder { key, name: [0; 64], length: Some(0), found: false }
    }

    fn feed(&mut self, part: &[u8]) {
        for &b in part {
            self.length = match (b, self.length) {
                (b'&', _) => Some(0),
                (b'=', Some(end)) => {
                    let name = &self.name[..end];
                    self.found |=
                        text::eq_ignore_ascii_case(name, true, self.key);
                    None
                }
                (b, Some(end)) => self.name.get_mut(end).map(|slot| {
                    *slot = b;
                    end + 1
                }),
                (_, None) => None,
            };
        }
    }
}
