//! Reading a message that comes in pieces.
//!
//! Whoever holds a connection open, or puts segments together, has the
//! beginning of a message again and again, each time with more behind it.
//! [`Progress`] remembers what was found in it, so that only what is new is
//! looked at: all pieces together cost what the whole message costs.
//!
//! A head is the exception, for the sake of reading it in one way only: as
//! long as it is not whole it is read again, up to 4 KiB, which hardly any
//! head has, with every piece, beyond that when it has doubled. That is
//! twice as much as once.

use crate::classify::{self, Class};
use crate::error::NotHttp;
use crate::message::{
    self, Context, Message, Unread, COMPLETE, EMPTY, HEAD_COMPLETE, HEAD_ONLY,
    KIND_RESPONSE,
};
use crate::span::{Span, MAX_INPUT};
use crate::Error;
use memchr::memchr;

/// As much of a head is read again with every piece.
const SHORT_HEAD: usize = 4096;

/// How far a message was read, of which more is to come.
///
/// It belongs to one message: each call gets all of its bytes that are there
/// by then, from its first one on, the same as before and maybe more behind
/// them. With fewer bytes, or another context, it begins anew. One that is
/// used with [`Progress::classify`] is of no use to [`Progress::parse`].
///
/// ```
/// use mcas::{Context, Progress};
///
/// let request = b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
///     Content-Length: 10000\r\n\r\n";
/// let mut received = request.to_vec();
/// let mut progress = Progress::default();
/// let mut message = progress.parse(&received, &Context::default())?;
/// while !message.has(mcas::message::COMPLETE) {
///     received.extend(b"CompanyCode=&ServiceCode=");
///     message = progress.parse(&received, &Context::default())?;
/// }
/// assert_eq!(message.body_length, 10000);
/// # Ok::<(), mcas::Error>(())
/// ```
// Plain data, whatever its bits: the C layer hands out the very same thing.
// All zeros is the beginning.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes in front of the message: interim responses, if a stream is
    /// classified.
    before: u32,
    /// Bytes of the message that were there on the last call; 0 before any.
    known: u32,
    /// Of a head that is not whole: when to read it again, and how far there
    /// was no blank line.
    again_at: u32,
    looked: u32,
    /// What the context says that it answers: whether it says so, type and
    /// method.
    answers: [u32; 3],
    message: Message,
    unread: Unread,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            before: 0,
            known: 0,
            again_at: 0,
            looked: 0,
            answers: [0; 3],
            message: EMPTY,
            unread: Unread::NONE,
        }
    }
}

impl Progress {
    /// What [`parse`](crate::parse) says of all of `input`, of which only
    /// what is new is looked at. But of a head that is long and not whole it
    /// may be what was said of the first half of it.
    pub fn parse(
        &mut self,
        input: &[u8],
        context: &Context,
    ) -> Result<Message, Error> {
        if input.len() > MAX_INPUT {
            return Err(Error::TooLarge);
        }
        self.go_on(input, context).map_err(|NotHttp| message::refused(input))
    }

    /// The same of at most [`MAX_INPUT`] bytes, for those who do not ask
    /// where they cease to be HTTP.
    pub(crate) fn go_on(
        &mut self,
        input: &[u8],
        context: &Context,
    ) -> Result<Message, NotHttp> {
        if self.before != 0 {
            *self = Progress::default();
        }
        self.read(input, context)
    }

    /// What [`classify`](fn@crate::classify) says of all of `input`,
    /// likewise. No context must be another than before, but for its flags.
    pub fn classify(
        &mut self,
        input: &[u8],
        context: &Context,
    ) -> Result<Class, Error> {
        if input.len() > MAX_INPUT {
            return Err(Error::TooLarge);
        }
        let flags = context.flags & !HEAD_ONLY;
        let context = Context { flags, ..*context };
        if self.before as usize > input.len() {
            *self = Progress::default();
        }
        loop {
            let rest = input.get(self.before as usize..).unwrap_or_default();
            let Ok(message) = self.read(rest, &context) else {
                return Ok(Class::No);
            };
            if message.is_ours() {
                return Ok(Class::Yes(message.message_type));
            }
            let interim = message.kind == KIND_RESPONSE
                && matches!(message.status, 100 | 102..=199);
            if !message.has(COMPLETE) {
                let purpose = &self.unread.purpose;
                let class =
                    classify::incomplete(&message, purpose, rest, &context);
                return Ok(class);
            } else if !interim || message.length == 0 {
                return Ok(Class::No);
            }
            self.before += message.length;
            self.known = 0;
        }
    }

    fn read(
        &mut self,
        input: &[u8],
        context: &Context,
    ) -> Result<Message, NotHttp> {
        let answers = context.request.map_or([0; 3], |request| {
            [1, request.message_type, request.method as u32]
        });
        let known = self.known as usize;
        let goes_on = known > 0
            && known <= input.len()
            && answers == self.answers
            && self.message.lies_in(known);
        if !goes_on {
            self.looked = 0;
            self.answers = answers;
        }
        if goes_on && self.message.has(HEAD_COMPLETE) {
            self.message.read_body(input, context, &mut self.unread);
        } else if goes_on && !self.wants_head(input) {
            let end = input.len();
            self.message.body = Span::between(end, end);
            self.message.length = end as u32;
        } else {
            self.known = 0;
            (self.message, self.unread) = (EMPTY, Unread::NONE);
            let (message, unread) = (&mut self.message, &mut self.unread);
            message.read_head(input, context, unread)?;
            message.read_body(input, context, unread);
            self.again_at = 2 * input.len() as u32;
        }
        self.known = input.len() as u32;
        Ok(self.message)
    }

    /// Whether a head of which there is more is to be read again.
    fn wants_head(&mut self, input: &[u8]) -> bool {
        input.len() <= SHORT_HEAD
            || input.len() >= self.again_at as usize
            || self.meets_blank_line(input)
    }

    /// Whether a blank line is in what comes behind the bytes that were
    /// looked at for one.
    fn meets_blank_line(&mut self, input: &[u8]) -> bool {
        let begin = &mut self.message.begin;
        if *begin >= self.known {
            // Line ends in front of the message are all there was.
            let ends = input.get(*begin as usize..).unwrap_or_default();
            let more = ends.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
            *begin += more.count() as u32;
        }
        let mut at = self.looked.max(*begin) as usize;
        let mut found = false;
        while let Some(line) = input.get(at..) {
            let Some(end) = memchr(b'\n', line) else {
                at = input.len();
                break;
            };
            found = match &line[end + 1..] {
                [b'\n', ..] | [b'\r', b'\n', ..] => true,
                [] | [b'\r'] => {
                    at += end;
                    break;
                }
                _ => false,
            };
            at += end + 1;
            if found {
                break;
            }
        }
        self.looked = at as u32;
        found
    }
}
