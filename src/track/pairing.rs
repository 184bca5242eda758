//! The rule: which request a response answers, or that nobody can tell.
//!
//! Requests and responses of a connection are counted from where it last
//! was at rest. The n-th final response answers the n-th request, as long as
//! nothing is missing of either side; so a request has an index, which is
//! sure until bytes of the client are missing in front of it, and the number
//! of responses that have begun lies between two bounds, which part where
//! bytes of the server are missing and meet again where only one request
//! fits.
//!
//! What acknowledgements say comes on top, whatever was lost: a response that
//! does not acknowledge the first byte of a request was sent before the
//! server had any of it; and one that began before what the client
//! acknowledged with a request was there before that was sent.
//!
//! # Rest
//!
//! A connection is at rest where nothing is on its way in either direction:
//! the last bytes that the server sent acknowledge all that the client had
//! sent, and the client's next byte, a request's first, acknowledges all
//! that the server had sent. What was asked before has been answered then,
//! seen or not: a client that does not wait sends its requests in a bunch,
//! and a server that has more than one to answer does not stop in between.
//! Where the capture itself shows that one waits, it is no rest; nor on a
//! connection that was seen to have several wait at once, if there may be
//! requests that were not captured.

use crate::message::Method;
use std::collections::VecDeque;

/// Missing bytes up to so many may have been an interim response and no
/// more, where the client asked for one or a web server may send it.
const LONGEST_INTERIM: i64 = 512;

/// Requests that may wait at once on a connection; then it counts as one of
/// which requests are missing.
pub(super) const MOST_WAITING: usize = 4096;

/// What matters of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Its type, or `TYPE_NONE`.
    pub message_type: u32,
    /// Its method.
    pub method: u32,
    /// Its exchange; 0 where it is none of ours.
    pub exchange: u64,
    /// An interim response may come before its answer.
    pub interim: bool,
    /// It is of another kind.
    pub other: bool,
    /// Where it begins.
    pub start: i64,
}

/// A request that may not have been answered.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    request: Request,
    start: i64,
    /// What the client acknowledged with it.
    ack: Option<i64>,
    /// Its index since rest; at least that, where it is not sure.
    index: u64,
    sure: bool,
    /// A response of ours answers it or another one.
    doubted: bool,
}

/// A response that came before its request.
#[derive(Clone, Copy, Debug)]
struct Early {
    index: u64,
    start: i64,
    ack: Option<i64>,
    exchange: u64,
}

/// Where the server's next message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    At(i64),
    /// Behind the one that has begun.
    Open,
    Unknown,
}

/// What is known of a response's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// This one, for certain.
    One(Request),
    /// One of several, some of which may not have been captured. The type is
    /// that of all of them, if they have one in common, and nothing else can
    /// be.
    Several {
        message_type: Option<u32>,
        /// One of them is of another kind.
        other: bool,
        /// One of them is a HEAD.
        head: bool,
        /// One of them is a CONNECT.
        connect: bool,
        /// One of them may not have been captured.
        unseen: bool,
    },
    /// None that was seen. It may be still to come.
    Unseen,
    /// Nothing of ours: it begins inside of another response, or answers what
    /// was captured and cannot be read.
    Nothing,
}

/// What came of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The exchange of a response that came before it and answers it.
    pub early: Option<u64>,
    /// The connection was at rest: a response begins where the server's
    /// bytes end that the request acknowledges.
    pub rested: bool,
}

/// One connection's requests and responses.
#[derive(Debug)]
pub(super) struct Pairing {
    /// Where the client's next message begins, if that is known.
    client_next: Option<i64>,
    /// Requests since rest.
    asked: u64,
    /// Requests since rest whose index is sure.
    sure: u64,
    /// Where requests may be that were not captured.
    hidden: Option<i64>,
    /// Where bytes were captured that may hold a request, and cannot be read
    /// for what is missing in front of them.
    unread: Option<i64>,
    waiting: VecDeque<Waiting>,
    early: VecDeque<Early>,
    server_next: Next,
    /// Whether that is known and not only looks so.
    border: bool,
    /// At least and at most so many final responses have begun since rest.
    answered: (u64, u64),
    /// Whether a response was seen.
    seen: bool,
    /// The connection looked to be at rest, and what the server sends next
    /// must show that it was.
    presumed: bool,
    /// Last bytes of the server's: where they end, what they acknowledge.
    last: Option<(i64, i64)>,
    /// The client was seen not to wait for an answer.
    pipelined: bool,
    /// What waited before the rest that is presumed.
    before: VecDeque<Waiting>,
    unread_before: Option<i64>,
}

impl Default for Pairing {
    /// Of a connection whose beginning was not captured.
    fn default() -> Pairing {
        Pairing {
            client_next: None,
            asked: 0,
            sure: 0,
            hidden: Some(i64::MIN),
            unread: None,
            waiting: VecDeque::new(),
            early: VecDeque::new(),
            server_next: Next::Unknown,
            border: false,
            answered: (0, u64::MAX),
            seen: false,
            presumed: false,
            before: VecDeque::new(),
            unread_before: None,
            last: None,
            pipelined: false,
        }
    }
}

impl Pairing {
    /// The client's first byte will be there.
    pub fn client_begins(&mut self, at: i64) {
        if self.asked == 0 && self.client_next.is_none() {
            self.client_next = Some(at);
            self.hidden = None;
            if self.server_next == Next::Unknown && !self.seen {
                self.answered = (0, 0);
                self.border = true;
            }
        }
    }

    /// The server's first byte will be there.
    pub fn server_begins(&mut self, at: i64) {
        if !self.seen && self.server_next == Next::Unknown {
            self.server_next = Next::At(at);
            self.border = true;
            self.answered = (0, 0);
        }
    }

    /// Bytes of the server's that were not seen before.
    pub fn server_sent(&mut self, end: i64, ack: Option<i64>) {
        if let Some(ack) = ack {
            if self.last.is_none_or(|(last, _)| last < end) {
                self.last = Some((end, ack));
            }
        }
    }

    /// Everything up to here is over.
    fn rest(&mut self, server: Option<i64>) {
        self.asked = 0;
        self.sure = 0;
        self.hidden = None;
        self.unread = None;
        self.waiting.clear();
        self.before.clear();
        self.early.clear();
        self.answered = (0, 0);
        self.seen = false;
        self.presumed = false;
        self.border = true;
        if let Some(at) = server {
            self.server_next = Next::At(at);
        }
    }

    /// Whether all that was asked has been answered, with nothing missing.
    fn is_over(&self, ack: Option<i64>, missing: bool) -> bool {
        let whole = !missing && self.hidden.is_none() && self.border;
        let at = ack.map_or(Next::Unknown, Next::At);
        whole
            && self.waiting.is_empty()
            && self.answered == (self.asked, self.asked)
            && self.server_next == at
    }

    /// Whether a request at `start` finds the connection at rest.
    fn is_at_rest(&self, start: i64, ack: Option<i64>, missing: bool) -> bool {
        let Some(ack) = ack else { return false };
        if self.last != Some((ack, start)) {
            return false;
        }
        let (least, most) = self.answered;
        let owed = |w: &Waiting| w.sure && w.index >= least;
        match self.server_next {
            // Where messages end is known, and none does here.
            Next::At(next) if next > ack && self.border => return false,
            Next::Open if self.border => return false,
            Next::At(next)
                if next == ack
                    && least == most
                    && self.waiting.iter().any(owed) =>
            {
                return false;
            }
            _ => {}
        }
        let complete = !missing && self.hidden.is_none();
        !self.pipelined || complete
    }

    /// A request that was not seen before. `fresh` says that the caller
    /// knows that nothing waits.
    pub fn request(
        &mut self,
        start: i64,
        end: Option<i64>,
        ack: Option<i64>,
        fresh: bool,
        request: Request,
    ) -> Asked {
        let missing = self.client_next != Some(start);
        let full = self.waiting.len() >= MOST_WAITING;
        let rested = fresh || self.is_at_rest(start, ack, missing);
        if rested {
            let proven = fresh || self.is_over(ack, missing);
            let before = std::mem::take(&mut self.waiting);
            let unread = self.unread;
            self.rest(ack);
            if !proven {
                self.presumed = true;
                self.before = before;
                self.unread_before = unread;
            }
        } else if missing || full {
            let from = self.client_next.unwrap_or(i64::MIN);
            self.hidden = Some(self.hidden.unwrap_or(from).min(from));
        }
        if full {
            self.waiting.pop_front();
        }
        self.pipelined |= self.does_not_wait(ack);
        let index = self.asked;
        let sure = self.hidden.is_none();
        self.asked += 1;
        self.sure += u64::from(sure);
        self.client_next = end;
        let waiting =
            Waiting { request, start, ack, index, sure, doubted: false };
        let early = self.early.front().copied();
        if let Some(early) = early.filter(|e| e.index <= index) {
            self.early.pop_front();
            if sure
                && early.index == index
                && waiting.fits(early.start, early.ack)
            {
                return Asked { early: Some(early.exchange), rested };
            }
        }
        self.waiting.push_back(waiting);
        Asked { early: None, rested }
    }

    /// Bytes of the client that may hold a request, and cannot be read.
    pub fn cannot_read(&mut self, at: i64) {
        self.unread.get_or_insert(at);
    }

    /// Blank lines in front of a request.
    pub fn blank(&mut self, from: i64, to: i64) {
        if self.client_next == Some(from) {
            self.client_next = Some(to);
        }
    }

    /// Whether the client sends a request while another waits.
    fn does_not_wait(&self, ack: Option<i64>) -> bool {
        let Some(ack) = ack else { return false };
        if self.server_next == Next::Open && self.border {
            return true;
        }
        let Some(last) = self.waiting.back() else { return false };
        let (least, most) = self.answered;
        let whole = matches!(self.server_next, Next::At(at) if at >= ack);
        last.ack == Some(ack)
            || (least == most && whole && last.sure && last.index >= least)
    }

    /// The end of a request, once it is known.
    pub fn request_ends(&mut self, end: Option<i64>) {
        self.client_next = end;
    }

    /// A response begins that was not seen before.
    pub fn response(
        &mut self,
        start: i64,
        ack: Option<i64>,
        interim: bool,
    ) -> Answers {
        match self.server_next {
            Next::At(next) if next > start => return Answers::Nothing,
            Next::At(next) if next == start => {
                let first = self.waiting.front().map(|w| w.start);
                let acks = ack.zip(first).is_some_and(|(a, b)| a > b);
                if self.presumed && !acks {
                    self.doubt_rest();
                }
            }
            next => {
                if self.presumed {
                    self.doubt_rest();
                }
                self.skip_to(start, next);
            }
        }
        self.presumed = false;
        self.before.clear();
        self.server_next = Next::Open;
        if interim {
            return Answers::Unseen;
        }
        self.bound(start);
        let (answers, index) = self.answers(start, ack);
        self.count(index, &answers, ack);
        answers
    }

    /// The connection was not at rest, or nobody can tell.
    fn doubt_rest(&mut self) {
        self.hidden = Some(i64::MIN);
        self.sure = 0;
        self.unread = self.unread_before.or(self.unread);
        let mut waiting = std::mem::take(&mut self.before);
        waiting.append(&mut self.waiting);
        self.waiting = waiting;
        // An index is the least that it may be.
        for waiting in &mut self.waiting {
            waiting.sure = false;
            waiting.index = 0;
        }
        self.answered = (0, u64::MAX);
        self.border = false;
    }

    /// Bytes of the server are missing in front of a response.
    fn skip_to(&mut self, start: i64, next: Next) {
        let known = self.border;
        // What the client acknowledged with a request ends a response,
        // unless the client does not wait for such ends.
        let acked = |w: &Waiting| w.ack == Some(start);
        self.border = !self.pipelined && self.waiting.iter().any(acked);
        let (least, most) = &mut self.answered;
        *most = u64::MAX;
        let Next::At(next) = next else { return };
        let short = start - next <= LONGEST_INTERIM;
        let interim = self.hidden.is_some()
            || self.waiting.iter().any(|w| w.request.interim);
        if known && self.border && !(short && interim) {
            *least += 1;
        }
    }

    /// What was there before a request was sent does not answer it, nor what
    /// follows.
    fn bound(&mut self, start: i64) {
        for waiting in self.waiting.iter().filter(|w| w.sure) {
            let Some(ack) = waiting.ack else { continue };
            let most = if ack > start {
                waiting.index.saturating_sub(1)
            } else if ack == start {
                waiting.index
            } else {
                continue;
            };
            self.answered.1 = self.answered.1.min(most).max(self.answered.0);
        }
    }

    /// What a response answers, and the index of the request if that is sure.
    fn answers(
        &mut self,
        start: i64,
        ack: Option<i64>,
    ) -> (Answers, Option<u64>) {
        let (least, most) = self.answered;
        let unseen = |from: i64, index: u64| {
            most >= index && ack.is_none_or(|ack| ack > from)
        };
        let tail = self.client_next.unwrap_or(i64::MIN);
        let unseen = self.hidden.is_some_and(|from| unseen(from, self.sure))
            || unseen(tail, self.asked);
        let unread =
            self.unread.is_some_and(|at| ack.is_none_or(|ack| ack > at));
        let fits = |w: &&Waiting| {
            w.fits(start, ack)
                && w.index <= most
                && (!w.sure || w.index >= least)
        };
        let mut fitting = self.waiting.iter().filter(fits);
        let Some(first) = fitting.next() else {
            let answers = match unread && unseen {
                true => Answers::Nothing,
                false => Answers::Unseen,
            };
            return (answers, None);
        };
        let mut several = false;
        let mut message_type = Some(first.request.message_type);
        let (mut other, mut head, mut connect) =
            (unread && unseen, false, false);
        for waiting in [first].into_iter().chain(fitting) {
            let request = &waiting.request;
            several |= waiting.start != first.start;
            if message_type != Some(request.message_type) {
                message_type = None;
            }
            other |= request.other;
            head |= request.method == Method::Head as u32;
            connect |= request.method == Method::Connect as u32;
        }
        if !several && !unseen && first.sure && self.border {
            return (Answers::One(first.request), Some(first.index));
        }
        for waiting in self.waiting.iter_mut().filter(|w| fits(&&**w)) {
            waiting.doubted |= !other;
        }
        let message_type = message_type.filter(|_| !unseen);
        let several =
            Answers::Several { message_type, other, head, connect, unseen };
        (several, None)
    }

    /// Counts a final response.
    fn count(
        &mut self,
        index: Option<u64>,
        answers: &Answers,
        ack: Option<i64>,
    ) {
        self.seen = true;
        let (least, most) = &mut self.answered;
        match answers {
            Answers::One(_) => {
                let behind = index.unwrap_or(*least) + 1;
                (*least, *most) = (behind, behind);
            }
            // One that nobody can have asked for answers nothing.
            Answers::Unseen
                if self.hidden.is_none()
                    && ack
                        .zip(self.client_next)
                        .is_some_and(|(ack, next)| ack <= next) =>
            {
                *most = most.saturating_add(1);
            }
            _ => {
                *least += u64::from(self.border);
                *most = most.saturating_add(1);
            }
        }
        let least = *least;
        while self.waiting.front().is_some_and(|w| w.sure && w.index < least) {
            self.waiting.pop_front();
        }
    }

    /// Keeps the exchange of the response that has just begun, for a request
    /// that may come later.
    pub fn keep_early(&mut self, start: i64, ack: Option<i64>, exchange: u64) {
        let (least, most) = self.answered;
        let index = least.saturating_sub(1);
        if least == most
            && least > 0
            && self.border
            && self.hidden.is_none()
            && index >= self.asked
            && self.early.len() < MOST_WAITING
        {
            self.early.push_back(Early { index, start, ack, exchange });
        }
    }

    /// Where the response that began ends, if that is known.
    pub fn response_ends(&mut self, end: Option<i64>) {
        self.server_next = end.map_or(Next::Unknown, Next::At);
    }

    /// From here on it is not sure that a message begins.
    pub fn doubt_border(&mut self) {
        self.border = false;
    }

    /// Whether a request waits for its answer to begin.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the last one that does is a CONNECT.
    pub fn connects(&self) -> bool {
        let connect = Method::Connect as u32;
        self.waiting.back().is_some_and(|w| w.request.method == connect)
    }

    /// Our exchanges whose request waits.
    pub fn unanswered(&self) -> impl Iterator<Item = u64> + '_ {
        let alone = self.waiting.iter().filter(|w| !w.doubted);
        alone.map(|w| w.request.exchange).filter(|&exchange| exchange != 0)
    }

    /// What a request turned out to be once all of it was there.
    pub fn amend(&mut self, start: i64, request: Request) {
        let mut waiting = self.waiting.iter_mut().rev();
        if let Some(waiting) = waiting.find(|w| w.start == start) {
            waiting.request = request;
        }
    }
}

impl Waiting {
    /// Whether a response may answer it, by what both acknowledge.
    fn fits(&self, start: i64, ack: Option<i64>) -> bool {
        ack.is_none_or(|ack| ack > self.start)
            && self.ack.is_none_or(|ack| ack <= start)
    }
}
