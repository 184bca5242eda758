//! One HTTP message: where it ends, and what it is for.
//!
//! [`parse`] reads the head, finds how the body is delimited (RFC 9112 §6.3)
//! and classifies the message. Each message is judged by itself or by the
//! request it answers, never by what else its connection carried; so the
//! caller, who keeps requests and responses together, says in [`Context`]
//! what a response answers.

use crate::charset::Charset;
use crate::chunked;
use crate::error::{first_with, Error, NotHttp};
use crate::framing::{Body, BodyHeaders, Coding};
use crate::head::{self, Header, Name, Start};
use crate::numbered::numbered;
use crate::purpose::{Facts, Purpose, NO_MEDIA};
use crate::scan::find;
use crate::span::{Span, MAX_INPUT};
use crate::target;
use crate::text;
use crate::types::TYPE_NONE;
use crate::value::content_length;
use core::mem::MaybeUninit;
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
/// The head breaks HTTP's grammar. It is read nevertheless, as Wireshark's
/// HTTP reads it.
pub const HEAD_INVALID: u32 = 64;

numbered! {
    /// Methods that change how a message is read.
    #[derive(Default)]
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
}

numbered! {
    /// How the end of a body is found.
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
}

numbered! {
    /// What a Content-Type says, as far as it matters here.
    #[derive(Default)]
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
/// [`Context::flags`]: only the head is of interest. The body is not looked
/// at: a message in chunks does not count as complete, and what it is for is
/// what its head says.
pub const HEAD_ONLY: u32 = 2;

/// What the caller knows about a message from outside of its bytes: nothing,
/// says the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Context {
    /// For a response: what it answers, if that was seen.
    pub request: Option<Request>,
    /// [`END_OF_STREAM`], [`HEAD_ONLY`].
    pub flags: u32,
}

impl Context {
    /// For a response to this request: its [`Message`], or what was kept of
    /// that.
    pub fn answering(request: impl Into<Request>) -> Context {
        Context { request: Some(request.into()), ..Context::default() }
    }

    /// The same with these [flags](Context::flags).
    #[must_use]
    pub fn with_flags(self, flags: u32) -> Context {
        Context { flags, ..self }
    }

    /// Method of the request, as far as it is known.
    fn method(&self) -> Method {
        self.request.map_or(Method::Other, |request| request.method)
    }
}

/// What matters of a request to its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request {
    /// Its [`Message::message_type`]. What is no type of a request counts as
    /// [`TYPE_NONE`], for a request that is not ours.
    pub message_type: u32,
    /// Its method.
    pub method: Method,
}

impl Request {
    /// One of this type, of whose method nothing is known.
    pub fn new(message_type: u32) -> Request {
        Request { message_type, method: Method::Other }
    }

    /// The same with this method.
    #[must_use]
    pub fn with_method(self, method: Method) -> Request {
        Request { method, ..self }
    }
}

impl From<&Message> for Request {
    fn from(message: &Message) -> Request {
        let method = Method::from_number(message.method).unwrap_or_default();
        Request { message_type: message.message_type, method }
    }
}

/// A message: where its parts are and what it is for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// [`KIND_UNKNOWN`], [`KIND_REQUEST`] or [`KIND_RESPONSE`].
    pub kind: u32,
    /// What it is for: a value of `mcas.type`, or [`TYPE_NONE`]. Final once
    /// [`COMPLETE`]: until then bytes to come may still make a message ours,
    /// or tell one that is ours more exactly.
    pub message_type: u32,
    /// [`COMPLETE`], [`HEAD_COMPLETE`], [`BODY_CODED`], [`UNMATCHED`],
    /// [`BODY_BROKEN`], [`FRAMING_UNCLEAR`], [`HEAD_INVALID`].
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
pub(crate) const EMPTY: Message = Message {
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

impl Message {
    /// Whether all of `flags` are set.
    pub fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// Whether this is a message of the protocol.
    pub fn is_ours(&self) -> bool {
        self.message_type != TYPE_NONE
    }

    /// Whether its parts are among the first `length` bytes of its input.
    pub(crate) fn lies_in(&self, length: usize) -> bool {
        let spans = [
            self.body,
            self.status_digits,
            self.authority,
            self.path,
            self.query,
            self.host,
            self.user_agent,
            self.media_type,
            self.cookies,
        ];
        self.begin as usize <= length
            && spans.iter().all(|span| span.end() <= length)
    }

    /// Notes what one header says.
    fn header(
        &mut self,
        input: &[u8],
        Header { name, start, value, exact }: Header,
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
            // To HTTP's dissector these are none, so the body is as if they
            // were not there; to others they may be.
            Name::ContentLength | Name::TransferEncoding if !exact => {
                body.unclear = true;
            }
            Name::ContentType | Name::ContentEncoding if !exact => {}
            Name::ContentType => {
                let length = self.content_type(text);
                let end = value.start() + length;
                self.media_type = Span::between(value.start(), end);
            }
            Name::ContentLength => {
                // The last one counts, as in HTTP's dissector, even if it is
                // no length.
                let (length, plain) = content_length(text);
                body.unclear |= !plain;
                body.unclear |= body.length.is_some() && body.length != length;
                body.length = length;
            }
            Name::ContentEncoding => self.content_encoding(text),
            Name::TransferEncoding => {
                body.transfer_coded = true;
                for coding in text.split(|&b| b == b',') {
                    // Nothing may follow behind the chunks.
                    body.unclear |= body.chunked;
                    match Coding::of(coding.trim_ascii()) {
                        Coding::Chunked { plain } => {
                            body.chunked = true;
                            body.unclear |= !plain;
                        }
                        Coding::Compressed => self.flags |= BODY_CODED,
                        Coding::Identity => {}
                        Coding::Unknown => body.unclear = true,
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

    /// Notes what a Content-Encoding says.
    fn content_encoding(&mut self, text: &[u8]) {
        if !text.is_empty() && !text.eq_ignore_ascii_case(b"identity") {
            self.flags |= BODY_CODED;
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

/// Reads the message at the beginning of `input`.
///
/// What is there is told even if the message is not whole: then the answer
/// lacks [`COMPLETE`]. Who has it come in pieces goes on with a
/// [`Progress`](crate::Progress) instead of beginning again.
pub fn parse(input: &[u8], context: &Context) -> Result<Message, Error> {
    if input.len() > MAX_INPUT {
        return Err(Error::TooLarge);
    }
    read(input, context).map_err(|NotHttp| refused(input))
}

/// The error for an input that is none of HTTP's.
#[cold]
pub(crate) fn refused(input: &[u8]) -> Error {
    let context = Context::default().with_flags(HEAD_ONLY);
    let is = |end| read(&input[..end], &context).is_err();
    Error::NotHttp { offset: first_with(input.len(), is) }
}

/// The same of at most [`MAX_INPUT`] bytes, for those who do not ask where
/// they cease to be HTTP.
#[inline(always)] // A message is large to copy.
pub(crate) fn read(
    input: &[u8],
    context: &Context,
) -> Result<Message, NotHttp> {
    let mut message = EMPTY;
    let mut unread = Unread::NONE;
    message.read_head(input, context, &mut unread)?;
    message.read_body(input, context, &mut unread);
    Ok(message)
}

/// What is known of the body of a message that is being read, and what is
/// still to be found in it. Plain data, whatever its bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread {
    pub purpose: Purpose,
    body: Body,
}

impl Unread {
    /// Of nothing.
    pub const NONE: Unread =
        Unread { purpose: Purpose::NONE, body: Body::NONE };
}

impl Message {
    /// Reads the head of an input of at most [`MAX_INPUT`] bytes; nothing was
    /// known before.
    pub(crate) fn read_head(
        &mut self,
        input: &[u8],
        context: &Context,
        unread: &mut Unread,
    ) -> Result<(), NotHttp> {
        let mut headers = BodyHeaders::default();
        let head = head::parse(input, |header| {
            self.header(input, header, &mut headers);
        })?;
        self.begin = head.begin as u32;
        self.body = Span::between(head.end, head.end);
        self.length = head.end as u32;
        if head.whole {
            self.flags |= HEAD_COMPLETE;
        }
        if head.invalid {
            self.flags |= HEAD_INVALID;
        }
        match head.start {
            Start::Unknown => {}
            Start::Request { method, target } => {
                let target = target::parse(input, target);
                self.kind = KIND_REQUEST;
                self.method = Method::of(method.of(input)) as u32;
                self.authority = target.host;
                self.path = target.path;
                self.query = target.query;
            }
            Start::Response { status, digits } => {
                self.kind = KIND_RESPONSE;
                self.method = context.method() as u32;
                self.status = status.into();
                self.status_digits = digits;
            }
        }
        let coded = headers.transfer_coded;
        if headers.unclear
            || (coded && headers.length.is_some())
            || (coded && !headers.chunked && self.kind == KIND_REQUEST)
        {
            self.flags |= FRAMING_UNCLEAR;
        }
        if head.whole {
            self.begin_body(&headers, &mut unread.body);
        }
        let facts = |message: &Message| message.facts(input);
        self.begin_purpose(facts, context.request, &mut unread.purpose);
        Ok(())
    }

    /// Looks at what of the body was not looked at yet.
    #[inline(always)]
    pub(crate) fn read_body(
        &mut self,
        input: &[u8],
        context: &Context,
        unread: &mut Unread,
    ) {
        if self.has(HEAD_COMPLETE) {
            let Unread { body, purpose } = unread;
            self.delimit(input, body, purpose, context.flags);
            self.length = self.body.end() as u32;
        }
        self.take_type(&unread.purpose);
    }
}

/// A message that somebody else's HTTP code has taken apart: a proxy, a web
/// framework, a log. What is not known is left empty.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Parts<'a> {
    /// For a response: what it answers.
    pub context: Context,
    /// Status code of a response; 0 makes it a request.
    pub status: u16,
    /// [`CUT`].
    pub flags: u32,
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

/// [`Parts::flags`]: the body goes on behind the bytes that are given.
pub const CUT: u32 = 1;

impl<'a> Parts<'a> {
    /// Those of a request.
    pub fn request(method: &'a [u8], target: &'a [u8]) -> Parts<'a> {
        Parts { method, target, ..Parts::default() }
    }

    /// Those of a response, and what it answers.
    pub fn response(status: u16, context: Context) -> Parts<'a> {
        Parts { status, context, ..Parts::default() }
    }

    /// The same with these [flags](Parts::flags).
    #[must_use]
    pub fn with_flags(self, flags: u32) -> Parts<'a> {
        Parts { flags, ..self }
    }

    /// The same with this [host](Parts::host).
    #[must_use]
    pub fn with_host(self, host: &'a [u8]) -> Parts<'a> {
        Parts { host, ..self }
    }

    /// The same with this [User-Agent](Parts::user_agent).
    #[must_use]
    pub fn with_user_agent(self, user_agent: &'a [u8]) -> Parts<'a> {
        Parts { user_agent, ..self }
    }

    /// The same with this [Content-Type](Parts::content_type).
    #[must_use]
    pub fn with_content_type(self, content_type: &'a [u8]) -> Parts<'a> {
        Parts { content_type, ..self }
    }

    /// The same with this [Content-Encoding](Parts::content_encoding).
    #[must_use]
    pub fn with_content_encoding(self, coding: &'a [u8]) -> Parts<'a> {
        Parts { content_encoding: coding, ..self }
    }
}

/// The message that consists of `parts` and of `body`, whose transfer coding
/// is undone. It has a type and a body to read; its head is where it came
/// from, so its spans are empty, and of its items only the type is left.
/// Other parts can be read by themselves: [`crate::items::user_agent`] and
/// its like.
pub fn from_parts(parts: &Parts, body: &[u8]) -> Result<Message, Error> {
    let all = [
        parts.method,
        parts.target,
        parts.host,
        parts.user_agent,
        parts.content_type,
        parts.content_encoding,
        body,
    ];
    if all.iter().any(|part| part.len() > MAX_INPUT) {
        return Err(Error::TooLarge);
    }
    let cut = parts.flags & CUT != 0;
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
        (KIND_RESPONSE, parts.context.method() as u32)
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
    let mut purpose = Purpose::NONE;
    message.begin_purpose(facts, parts.context.request, &mut purpose);
    purpose.feed(body);
    message.take_type(&purpose);
    Ok(message)
}
