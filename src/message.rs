//! One HTTP message: where it ends, and what it is for.
//!
//! [`parse`] reads the head, finds how the body is delimited (RFC 9112 §6.3)
//! and classifies the message. Each message is judged by itself or by the
//! request it answers, never by what else its connection carried; so the
//! caller, who keeps requests and responses together, says in [`Context`]
//! what a response answers.

use crate::agent;
use crate::charset::Charset;
use crate::chunked::{self, End};
use crate::firmware;
use crate::head::{self, Header, Name, Start};
use crate::lan;
use crate::pairs::{self, Grammar};
use crate::scan::find;
use crate::span::{Span, MAX_INPUT};
use crate::target;
use crate::text;
use crate::types::{self, *};
use crate::value::content_length;
use crate::Error;
use core::mem::MaybeUninit;
use memchr::memchr;
use std::borrow::Cow;

/// [`Message::kind`]: too little is there to tell.
pub const KIND_UNKNOWN: u32 = 0;
/// [`Message::kind`]: a request.
pub const KIND_REQUEST: u32 = 1;
/// [`Message::kind`]: a response.
pub const KIND_RESPONSE: u32 = 2;

/// The message's end was found: nothing of it is missing. Of one that is
/// [`BODY_BROKEN`] nobody can tell; then it is the input's end.
pub const COMPLETE: u32 = 1;
/// The head is there to its blank line.
pub const HEAD_COMPLETE: u32 = 2;
/// The body has a content coding (gzip, …) that is not decoded.
pub const BODY_CODED: u32 = 4;
/// A response whose request is not in the capture.
pub const UNMATCHED: u32 = 8;
/// What should be a chunk is none; the body is read up to there.
pub const BODY_BROKEN: u32 = 16;
/// The headers do not agree on where the body ends (RFC 9112 §6.3).
pub const FRAMING_UNCLEAR: u32 = 32;

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

/// What a Content-Type says, as far as it matters here.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// There is none.
    #[default]
    None = 0,
    /// `application/x-www-form-urlencoded`.
    Form = 1,
    /// `text/plain`.
    Plain = 2,
    /// Any other.
    Other = 3,
}

impl Media {
    /// The media type of a Content-Type, which stands before its parameters.
    fn of(media_type: &[u8]) -> Media {
        if media_type.is_empty() {
            Media::None
        } else if text::is(media_type, b"application/x-www-form-urlencoded") {
            Media::Form
        } else if text::is(media_type, b"text/plain") {
            Media::Plain
        } else {
            Media::Other
        }
    }
}

/// [`Context::flags`]: the connection ends with the last byte of the input.
pub const END_OF_STREAM: u32 = 1;
/// [`Context::flags`]: only the head is of interest. A body's chunks, which
/// can be many, are not walked; such a message does not count as complete.
pub const HEAD_ONLY: u32 = 2;
/// [`Context::flags`]: the body goes on behind the bytes that are given. Only
/// for [`from_parts`]; [`parse`] sees it in the head.
pub const CUT: u32 = 4;

/// What the caller knows about a message from outside of its bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// For a response: type of its request, [`TYPE_NONE`] for a request that
    /// is not ours, [`TYPE_UNSEEN`] if there was none.
    pub request_type: u32,
    /// For a response: [`Method`] of its request.
    pub request_method: u32,
    /// [`END_OF_STREAM`], [`HEAD_ONLY`], [`CUT`].
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
    /// [`COMPLETE`], [`HEAD_COMPLETE`], [`BODY_CODED`], [`UNMATCHED`],
    /// [`BODY_BROKEN`], [`FRAMING_UNCLEAR`].
    pub flags: u32,
    /// [`Method`] of a request, or of the request that a response answers.
    pub method: u32,
    /// Status code of a response; 0 in a request or where it is cut off.
    pub status: u32,
    /// [`Framing`] of the body.
    pub framing: u32,
    /// [`Media`] that its Content-Type declares.
    pub media: u32,
    /// [`Charset`] that its Content-Type declares.
    pub charset: u32,
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
    /// From the first Cookie or Set-Cookie header to the value of the last,
    /// with what may stand between them.
    pub cookies: Span,
}

/// A message that nothing is known of.
const EMPTY: Message = Message {
    kind: KIND_UNKNOWN,
    message_type: TYPE_NONE,
    flags: 0,
    method: Method::Other as u32,
    status: 0,
    framing: Framing::None as u32,
    media: NO_MEDIA,
    charset: Charset::Unknown as u32,
    length: 0,
    begin: 0,
    body: Span::EMPTY,
    body_length: 0,
    body_missing: 0,
    status_digits: Span::EMPTY,
    authority: Span::EMPTY,
    path: Span::EMPTY,
    query: Span::EMPTY,
    host: Span::EMPTY,
    user_agent: Span::EMPTY,
    media_type: Span::EMPTY,
    cookies: Span::EMPTY,
};

/// What the header lines say about the body.
#[derive(Default)]
struct BodyHeaders {
    length: Option<u64>,
    chunked: bool,
    transfer_coded: bool,
    unclear: bool,
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

    /// Notes what one header says.
    fn header(
        &mut self,
        input: &[u8],
        Header { name, start, value }: Header,
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
                let length = self.content_type(text);
                let end = value.start() + length;
                self.media_type = Span::between(value.start(), end);
            }
            Name::ContentLength => {
                // The last one that reads counts, as in HTTP's dissector.
                let length = content_length(text);
                body.unclear |= length.is_none();
                body.unclear |= body.length.is_some() && body.length != length;
                body.length = length.or(body.length);
            }
            Name::ContentEncoding => self.content_encoding(text),
            Name::TransferEncoding => {
                body.transfer_coded = true;
                for coding in text.split(|&b| b == b',') {
                    // Nothing may follow behind the chunks.
                    body.unclear |= body.chunked;
                    let coding = coding.trim_ascii();
                    body.chunked = coding.eq_ignore_ascii_case(b"chunked");
                    if !body.chunked {
                        self.content_encoding(coding);
                    }
                }
            }
            Name::Cookie | Name::SetCookie => {
                let first = first(self.cookies, Span::between(start, start));
                self.cookies = Span::between(first.start(), value.end());
            }
        }
    }

    /// Notes what a Content-Type says; returns its media type's length.
    fn content_type(&mut self, text: &[u8]) -> usize {
        let semicolon = find(b';', text);
        let media_type = text[..semicolon.unwrap_or(text.len())].trim_ascii();
        self.media = Media::of(media_type) as u32;
        self.charset = Charset::declared(&text[media_type.len()..]) as u32;
        media_type.len()
    }

    /// Notes what a Content-Encoding says, or a transfer coding but chunks.
    fn content_encoding(&mut self, text: &[u8]) {
        if !text.is_empty() && !text.eq_ignore_ascii_case(b"identity") {
            self.flags |= BODY_CODED;
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

    /// What classification looks at in a message read from `input`.
    fn facts<'a>(&self, input: &'a [u8]) -> Facts<'a> {
        let body = self.body.of(input);
        Facts {
            method: Method::from_number(self.method),
            authority: self.authority.of(input),
            host: self.host.of(input),
            user_agent: self.user_agent.of(input),
            path: self.path.of(input),
            query: self.query.of(input),
            form: matches!(self.media, FORM | NO_MEDIA),
            body: if self.has(BODY_CODED) {
                Body::Coded
            } else if self.framing == Framing::Chunked as u32 {
                Body::Chunked(body)
            } else {
                Body::Plain(body)
            },
        }
    }

    /// Finds what the message is for; `facts` of it are gathered only where
    /// there is need.
    fn classify<'a>(
        &mut self,
        facts: impl Fn(&Message) -> Facts<'a>,
        request_type: u32,
    ) {
        self.message_type = match self.kind {
            KIND_REQUEST => facts(self).request(),
            // Cut before its status it may still turn out to be interim.
            KIND_RESPONSE if self.status >= 200 => match request_type {
                TYPE_UNSEEN
                    if self.has(HEAD_COMPLETE)
                        && facts(self).begins_with_result_code() =>
                {
                    self.flags |= UNMATCHED;
                    TYPE_PROVISIONING_RESPONSE
                }
                request_type => types::response_to(request_type),
            },
            _ => TYPE_NONE,
        };
    }

    /// How many bytes are still to come of how a provisioning response's body
    /// begins; `None` if the body of this message begins otherwise.
    pub(crate) fn result_code_missing(&self, input: &[u8]) -> Option<usize> {
        self.facts(input).result_code_missing()
    }

    /// How the pairs of `body`, this message's with its chunks undone, are
    /// written; [`Grammar::None`] where the body is not ours to read: an
    /// image, an HTML error page, a content coding.
    pub fn body_grammar(&self, body: &[u8]) -> Grammar {
        match self.message_type {
            TYPE_NONE | TYPE_FIRMWARE_RESPONSE => Grammar::None,
            _ if self.kind == KIND_RESPONSE => {
                let ours = body
                    .get(..RESULT_CODE.len())
                    .is_some_and(|b| b.eq_ignore_ascii_case(RESULT_CODE));
                if ours || self.media != OTHER_MEDIA {
                    Grammar::Lines
                } else {
                    Grammar::None
                }
            }
            // One client of the LAN side declares its form as JSON.
            TYPE_PROVISIONING_REQUEST
            | TYPE_EXTENSION_CONFIGURATION_REQUEST
            | TYPE_SETUP_PUSH => Grammar::Form,
            _ => match self.media {
                FORM => Grammar::Form,
                PLAIN => Grammar::Lines,
                // Nothing declares it: the shape decides.
                NO_MEDIA if memchr(b'=', body).is_some() => {
                    let text = &body[..pairs::form_length(body)];
                    if memchr(b'\n', text).is_some() {
                        Grammar::Lines
                    } else {
                        Grammar::Form
                    }
                }
                _ => Grammar::None,
            },
        }
    }

    /// The body with its chunks undone; `input` is what the message was
    /// parsed from. Only a chunked body takes memory.
    pub fn body_bytes<'a>(&self, input: &'a [u8]) -> Cow<'a, [u8]> {
        let body = self.body.of(input);
        if self.framing == Framing::Chunked as u32 {
            Cow::Owned(chunked::to_vec(body))
        } else {
            Cow::Borrowed(body)
        }
    }

    /// Writes the body with its chunks undone to `out`, as much as there is
    /// room for, and returns how many bytes there are in all.
    pub fn write_body(
        &self,
        input: &[u8],
        out: &mut [MaybeUninit<u8>],
    ) -> usize {
        let body = self.body.of(input);
        if self.framing == Framing::Chunked as u32 {
            return chunked::write(body, out);
        }
        for (slot, &byte) in out.iter_mut().zip(body) {
            slot.write(byte);
        }
        body.len()
    }
}

/// What classification looks at, wherever the message comes from.
struct Facts<'a> {
    method: Method,
    authority: &'a [u8],
    host: &'a [u8],
    user_agent: &'a [u8],
    path: &'a [u8],
    query: &'a [u8],
    /// Whether the body is declared to be a form, or nothing at all.
    form: bool,
    body: Body<'a>,
}

/// A body as it came. It is read where it lies: classifying needs no memory.
enum Body<'a> {
    /// With a content coding: not readable.
    Coded,
    Plain(&'a [u8]),
    Chunked(&'a [u8]),
}

impl Body<'_> {
    /// Hands what is readable to `feed`, piece by piece, chunks undone.
    fn feed(&self, mut feed: impl FnMut(&[u8])) {
        match self {
            Body::Coded => {}
            Body::Plain(bytes) => feed(bytes),
            Body::Chunked(bytes) => {
                chunked::for_each(bytes, feed);
            }
        }
    }
}

impl Facts<'_> {
    /// What a request is for.
    fn request(&self) -> u32 {
        if let Some(lan) = self.lan_request() {
            return lan;
        }
        if !self.names_us() {
            return TYPE_NONE;
        }
        if self.path == b"/verup/notify.cgi" {
            TYPE_UPDATE_NOTIFICATION
        } else if matches!(self.method, Method::Get | Method::Head)
            && firmware::parse(self.path).is_some()
        {
            TYPE_FIRMWARE_REQUEST
        } else if (self.method == Method::Post && target::is_root(self.path))
            || self.form_has("TerminalID", self.form)
        {
            TYPE_PROVISIONING_REQUEST
        } else {
            TYPE_OTHER_REQUEST
        }
    }

    /// Whether server or client are of this protocol by name.
    fn names_us(&self) -> bool {
        target::is_ours(self.authority)
            || target::is_ours(self.host)
            || self.user_agent.starts_with(agent::PREFIX)
    }

    /// What a request of the LAN side is for. Its User-Agents are the
    /// phones' own, so the path tells; and where there is a form, that has
    /// to fit too, since other devices have paths like these.
    fn lan_request(&self) -> Option<u32> {
        // Of whatever media type.
        let form_has = |key| self.form_has(key, true);
        match (lan::path(self.path)?, self.method) {
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

    /// Whether the form of a request has a key: the one in its query or, if
    /// `body` is one, the one in its body.
    fn form_has(&self, key: &str, body: bool) -> bool {
        let mut finder = KeyFinder::new(key);
        finder.feed(self.query);
        finder.feed(b"&");
        if body {
            self.body.feed(|part| finder.feed(part));
        }
        finder.found
    }

    /// How many bytes of the way in which a provisioning response begins are
    /// still to come; `None` if the body begins otherwise.
    fn result_code_missing(&self) -> Option<usize> {
        let mut wanted = RESULT_CODE;
        let mut differs = matches!(self.body, Body::Coded);
        self.body.feed(|part| {
            let (begin, rest) = wanted.split_at(part.len().min(wanted.len()));
            differs |= !part[..begin.len()].eq_ignore_ascii_case(begin);
            wanted = rest;
        });
        (!differs).then_some(wanted.len())
    }

    /// Whether the body begins as that of a provisioning response.
    fn begins_with_result_code(&self) -> bool {
        self.result_code_missing() == Some(0)
    }
}

const NO_MEDIA: u32 = Media::None as u32;
const FORM: u32 = Media::Form as u32;
const PLAIN: u32 = Media::Plain as u32;
const OTHER_MEDIA: u32 = Media::Other as u32;

/// Reads the message at the beginning of `input`.
///
/// What is there is told even if the message is not whole: then the answer
/// lacks [`COMPLETE`].
pub fn parse(input: &[u8], context: &Context) -> Result<Message, Error> {
    if input.len() > MAX_INPUT {
        return Err(Error::TooLarge);
    }
    let mut message = EMPTY;
    let mut headers = BodyHeaders::default();
    let head = head::parse(input, |header| {
        message.header(input, header, &mut headers);
    })?;
    message.begin = head.begin as u32;
    message.body = Span::between(head.end, head.end);
    if head.whole {
        message.flags |= HEAD_COMPLETE;
    }
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
    let coded = headers.transfer_coded;
    if headers.unclear
        || (coded && headers.length.is_some())
        || (coded && !headers.chunked && message.kind == KIND_REQUEST)
    {
        message.flags |= FRAMING_UNCLEAR;
    }
    if head.whole {
        message.delimit(input, &headers, context.flags);
    }
    message.length = message.body.end() as u32;
    message.classify(|message| message.facts(input), context.request_type);
    Ok(message)
}

/// A message that somebody else's HTTP code has taken apart: a proxy, a web
/// framework, a log. What is not known is left empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    /// For a response: what it answers. [`CUT`] if the body goes on behind
    /// the bytes at hand.
    pub context: Context,
    /// Status code of a response; 0 makes it a request.
    pub status: u16,
    /// Method of a request.
    pub method: &'a [u8],
    /// Target of a request, in origin or absolute form.
    pub target: &'a [u8],
    /// Host of a request, with or without port.
    pub host: &'a [u8],
    /// User-Agent of a request.
    pub user_agent: &'a [u8],
    /// Content-Type, with its parameters.
    pub content_type: &'a [u8],
    /// Content-Encoding that is not undone.
    pub content_encoding: &'a [u8],
}

/// The message that consists of `parts` and of `body`, whose transfer coding
/// is undone. It has a type and a body to read; its head is where it came
/// from, so its spans are empty, and of its items only the type is left.
/// Other parts can be read by themselves: [`crate::items::user_agent`] and
/// its like.
pub fn from_parts(parts: &Parts, body: &[u8]) -> Result<Message, Error> {
    if body.len() > MAX_INPUT {
        return Err(Error::TooLarge);
    }
    let cut = parts.context.flags & CUT != 0;
    let target_span = Span::between(0, parts.target.len());
    let target = target::parse(parts.target, target_span);
    let host = parts.host.trim_ascii();
    let host = target::host(host, Span::between(0, host.len())).of(host);
    let mut message = Message {
        flags: HEAD_COMPLETE | if cut { 0 } else { COMPLETE },
        framing: Framing::Length as u32,
        body: Span::between(0, body.len()),
        body_length: body.len() as u64,
        length: body.len() as u32,
        status: parts.status.into(),
        ..EMPTY
    };
    (message.kind, message.method) = if parts.status == 0 {
        (KIND_REQUEST, Method::of(parts.method) as u32)
    } else {
        let method = Method::from_number(parts.context.request_method);
        (KIND_RESPONSE, method as u32)
    };
    let user_agent = parts.user_agent.trim_ascii();
    message.content_type(parts.content_type.trim_ascii());
    message.content_encoding(parts.content_encoding.trim_ascii());
    let facts = |message: &Message| Facts {
        authority: target.host.of(parts.target),
        host,
        user_agent,
        path: target.path.of(parts.target),
        query: target.query.of(parts.target),
        ..message.facts(body)
    };
    message.classify(facts, parts.context.request_type);
    Ok(message)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What headers make of a body: framing, and whether it is coded and
    /// where it ends is unclear.
    #[test]
    fn framing() {
        use Framing::*;
        for (request, headers, framing, coded, unclear) in [
            (true, "", None, false, false),
            (false, "", UntilClose, false, false),
            (true, "Content-Length: 0\r\n", None, false, false),
            (true, "Content-Length: 1\r\n", Length, false, false),
            (
                true,
                "Content-Length: 1\r\ncontent-length: 1\r\n",
                Length,
                false,
                false,
            ),
            (
                true,
                "Content-Length: 2\r\nContent-Length: 1\r\n",
                Length,
                false,
                true,
            ),
            (
                true,
                "Content-Length: 1\r\nContent-Length: +1\r\n",
                Length,
                false,
                true,
            ),
            (true, "Content-Length: 1, 1\r\n", None, false, true),
            (true, "Content-Length:\r\n", None, false, true),
            (true, "Transfer-Encoding: chunked\r\n", Chunked, false, false),
            (false, "Transfer-Encoding: CHUNKED\r\n", Chunked, false, false),
            (
                true,
                "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                Chunked,
                false,
                true,
            ),
            (
                true,
                "Transfer-Encoding: gzip, chunked\r\n",
                Chunked,
                true,
                false,
            ),
            (
                true,
                "Transfer-Encoding: gzip\r\n\
                 Transfer-Encoding: chunked\r\n",
                Chunked,
                true,
                false,
            ),
            (
                true,
                "Transfer-Encoding: chunked, chunked\r\n",
                Chunked,
                false,
                true,
            ),
            (true, "Transfer-Encoding: chunked, gzip\r\n", None, true, true),
            (true, "Transfer-Encoding: identity\r\n", None, false, true),
            (
                false,
                "Transfer-Encoding: identity\r\n",
                UntilClose,
                false,
                false,
            ),
            (false, "Content-Encoding: gzip\r\n", UntilClose, true, false),
        ] {
            let first =
                if request { "POST / HTTP/1.1" } else { "HTTP/1.1 200 OK" };
            let text = format!("{first}\r\n{headers}\r\n");
            let message = parse(text.as_bytes(), &Context::default()).unwrap();
            assert_eq!(message.framing, framing as u32, "{text}");
            assert_eq!(message.has(BODY_CODED), coded, "{text}");
            assert_eq!(message.has(FRAMING_UNCLEAR), unclear, "{text}");
        }
    }
}
