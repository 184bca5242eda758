//! What a message is for: its type, and how its body reads.

use crate::agent;
use crate::firmware;
use crate::form_key::{self, FormKeys};
use crate::lan;
use crate::message::{
    Media, Message, Method, Request, BODY_CODED, HEAD_COMPLETE, HEAD_INVALID,
    KIND_REQUEST, KIND_RESPONSE, UNMATCHED,
};
use crate::pairs::{self, Grammar};
use crate::target;
use crate::text;
use crate::types::{self, *};
use memchr::memchr;

/// How the body of a provisioning response begins, in any case.
pub(crate) const RESULT_CODE: &[u8] = b"resultcode=";

impl Message {
    /// What classification looks at in the head of a message read from
    /// `input`.
    pub(crate) fn facts<'a>(&self, input: &'a [u8]) -> Facts<'a> {
        Facts {
            method: Method::from_number(self.method).unwrap_or_default(),
            authority: self.authority.of(input),
            host: self.host.of(input),
            user_agent: self.user_agent.of(input),
            path: self.path.of(input),
            query: self.query.of(input),
        }
    }

    /// Notes what the head says of its purpose; `facts` of it are gathered
    /// only where there is need.
    #[inline(always)]
    pub(crate) fn begin_purpose<'a>(
        &self,
        facts: impl Fn(&Message) -> Facts<'a>,
        request: Option<Request>,
        purpose: &mut Purpose,
    ) {
        purpose.readable = u32::from(!self.has(BODY_CODED));
        match self.kind {
            KIND_REQUEST => {
                let form = matches!(self.media, FORM | NO_MEDIA);
                facts(self).request(form, purpose);
            }
            KIND_RESPONSE if self.is_final() => match request {
                Some(request) => {
                    let request_type = request.message_type;
                    purpose.by_head = types::response_to(request_type);
                }
                None if self.has(HEAD_COMPLETE) => purpose.look_for = RESULT,
                None => {}
            },
            _ => {}
        }
    }

    /// Takes the type that was found.
    pub(crate) fn take_type(&mut self, purpose: &Purpose) {
        self.message_type = purpose.message_type();
        if purpose.look_for == RESULT && self.is_ours() {
            self.flags |= UNMATCHED;
        }
    }

    /// Whether a response is the one to its request. Cut before its status
    /// it may still turn out to be interim.
    pub(crate) fn is_final(&self) -> bool {
        self.status >= 200
            || (self.status == 0 && self.has(HEAD_COMPLETE | HEAD_INVALID))
    }

    /// How the pairs of `body`, this message's with its chunks undone, are
    /// written; [`Grammar::None`] where the body is not ours to read: an
    /// image, an HTML error page, a content coding.
    pub fn body_grammar(&self, body: &[u8]) -> Grammar {
        match self.message_type {
            TYPE_NONE | TYPE_FIRMWARE_RESPONSE => Grammar::None,
            _ if self.kind == KIND_RESPONSE => {
                let ours = text::without_bom(body)
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

/// [`Purpose::look_for`]: what tells it besides the head, if anything.
const NOTHING: u32 = 0;
/// The result code that the answer to a provisioning request begins with.
const RESULT: u32 = 1;
/// Both keys that a phone asks for its configuration with.
const CONFIGURATION_KEYS: u32 = 2;
/// One of the keys that a gateway sets up a phone with.
const PUSH_KEYS: u32 = 3;
/// The key of a terminal.
const TERMINAL_KEY: u32 = 4;

/// What a message is for, as far as was looked; the rest of its body may
/// still tell. Plain data, whatever its bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    /// What it is by its head, if what is looked for is not found.
    by_head: u32,
    look_for: u32,
    /// Whether the body is without a content coding.
    readable: u32,
    keys: FormKeys,
    /// How the body begins, and how much of it that is.
    begin: [u8; RESULT_CODE.len()],
    begun: u32,
}

impl Purpose {
    /// None.
    pub const NONE: Purpose = Purpose {
        by_head: TYPE_NONE,
        look_for: NOTHING,
        readable: 0,
        keys: FormKeys::NONE,
        begin: [0; RESULT_CODE.len()],
        begun: 0,
    };

    /// Reads on: the next piece of the body, its chunks undone.
    #[inline]
    pub fn feed(&mut self, part: &[u8]) {
        if self.look_for != NOTHING && self.readable != 0 {
            self.look(part);
        }
    }

    #[inline(never)]
    fn look(&mut self, part: &[u8]) {
        if self.look_for == RESULT {
            let room = self.begin.get_mut(self.begun as usize..);
            for (slot, &byte) in room.unwrap_or_default().iter_mut().zip(part)
            {
                *slot = byte;
                self.begun += 1;
            }
        } else if !self.has_lan_keys() {
            self.keys.feed(part);
        }
    }

    fn has_lan_keys(&self) -> bool {
        let found = self.keys.found;
        match self.look_for {
            CONFIGURATION_KEYS => found & CONFIGURATION == CONFIGURATION,
            PUSH_KEYS => found & PUSH != 0,
            _ => false,
        }
    }

    /// The type, as far as it can be told by now.
    fn message_type(&self) -> u32 {
        match self.look_for {
            RESULT if self.result_code_missing() == Some(0) => {
                TYPE_PROVISIONING_RESPONSE
            }
            CONFIGURATION_KEYS if self.has_lan_keys() => {
                TYPE_EXTENSION_CONFIGURATION_REQUEST
            }
            PUSH_KEYS if self.has_lan_keys() => TYPE_SETUP_PUSH,
            _ if self.by_head == TYPE_OTHER_REQUEST
                && self.keys.found & form_key::TERMINAL_ID != 0 =>
            {
                TYPE_PROVISIONING_REQUEST
            }
            _ => self.by_head,
        }
    }

    /// How many bytes are still to come of how a provisioning response's body
    /// begins; `None` if the body of this message begins otherwise.
    pub fn result_code_missing(&self) -> Option<usize> {
        let begin = self.begin.get(..self.begun as usize)?;
        let (same, missing) = RESULT_CODE.split_at(begin.len());
        (self.readable != 0 && begin.eq_ignore_ascii_case(same))
            .then_some(missing.len())
    }
}

const CONFIGURATION: u32 = form_key::ID | form_key::IP_TEL_NUM;
const PUSH: u32 = form_key::IP_TEL_NUM | form_key::SIPSV_ADDR;

/// What classification looks at in a head, wherever that comes from.
pub(crate) struct Facts<'a> {
    pub method: Method,
    pub authority: &'a [u8],
    pub host: &'a [u8],
    pub user_agent: &'a [u8],
    pub path: &'a [u8],
    pub query: &'a [u8],
}

impl Facts<'_> {
    /// Notes what a request is for; `form` tells whether its body is declared
    /// to be a form, or nothing at all.
    fn request(&self, form: bool, purpose: &mut Purpose) {
        // The LAN side's User-Agents are the phones' own, so the path tells;
        // and where there is a form, of whatever media type, that has to fit
        // too, since other devices have paths like these.
        let (look_for, keys) = match (lan::path(self.path), self.method) {
            (Some(lan::LIST), Method::Get) => {
                purpose.by_head = TYPE_EXTENSION_LIST_REQUEST;
                return;
            }
            (Some(lan::CONFIGURATION), Method::Put | Method::Post) => {
                (CONFIGURATION_KEYS, CONFIGURATION)
            }
            (Some(lan::PUSH), Method::Get | Method::Post) => (PUSH_KEYS, PUSH),
            _ => (NOTHING, 0),
        };
        purpose.by_head = self.by_name();
        let terminal = purpose.by_head == TYPE_OTHER_REQUEST;
        if !terminal && look_for == NOTHING {
            return;
        }
        purpose.look_for = match look_for {
            NOTHING => TERMINAL_KEY,
            look_for => look_for,
        };
        // A form may be in the query, in the body, or in both.
        let key = if terminal { form_key::TERMINAL_ID } else { 0 };
        purpose.keys.wanted = keys | key;
        purpose.keys.feed(self.query);
        purpose.keys.feed(b"&");
        purpose.keys.wanted = if form { keys | key } else { keys };
    }

    /// What a request is for by the names in it, if it is of this protocol by
    /// the name of its server or client.
    fn by_name(&self) -> u32 {
        let ours = target::is_ours(self.authority)
            || target::is_ours(self.host)
            || self.user_agent.starts_with(agent::PREFIX);
        if !ours {
            TYPE_NONE
        } else if self.path == b"/verup/notify.cgi" {
            TYPE_UPDATE_NOTIFICATION
        } else if matches!(self.method, Method::Get | Method::Head)
            && firmware::parse(self.path).is_some()
        {
            TYPE_FIRMWARE_REQUEST
        } else if self.method == Method::Post && target::is_root(self.path) {
            TYPE_PROVISIONING_REQUEST
        } else {
            TYPE_OTHER_REQUEST
        }
    }
}

pub(crate) const NO_MEDIA: u32 = Media::None as u32;
const FORM: u32 = Media::Form as u32;
const PLAIN: u32 = Media::Plain as u32;
const OTHER_MEDIA: u32 = Media::Other as u32;
