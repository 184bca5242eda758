//! What a message is for: its type, and how its body reads.

use crate::agent;
use crate::chunked;
use crate::firmware;
use crate::form_key::FormKey;
use crate::lan;
use crate::message::{
    Framing, Media, Message, Method, BODY_CODED, HEAD_COMPLETE, KIND_REQUEST,
    KIND_RESPONSE, UNMATCHED,
};
use crate::pairs::{self, Grammar};
use crate::target;
use crate::types::{self, *};
use memchr::memchr;

/// How the body of a provisioning response begins, in any case.
pub(crate) const RESULT_CODE: &[u8] = b"resultcode=";

impl Message {
    /// What classification looks at in a message read from `input`.
    pub(crate) fn facts<'a>(&self, input: &'a [u8]) -> Facts<'a> {
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
    pub(crate) fn classify<'a>(
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
}

/// What classification looks at, wherever the message comes from.
pub(crate) struct Facts<'a> {
    pub method: Method,
    pub authority: &'a [u8],
    pub host: &'a [u8],
    pub user_agent: &'a [u8],
    pub path: &'a [u8],
    pub query: &'a [u8],
    /// Whether the body is declared to be a form, or nothing at all.
    pub form: bool,
    pub body: Body<'a>,
}

/// A body as it came. It is read where it lies: classifying needs no memory.
pub(crate) enum Body<'a> {
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
        let mut finder = FormKey::new(key);
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

pub(crate) const NO_MEDIA: u32 = Media::None as u32;
const FORM: u32 = Media::Form as u32;
const PLAIN: u32 = Media::Plain as u32;
const OTHER_MEDIA: u32 = Media::Other as u32;
