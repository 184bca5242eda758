//! The rule: which request a response answers, or that nobody can tell.
//!
//! The n-th final response of a connection answers its n-th request. So both
//! are counted, from the connection's beginning, and a link is what counting
//! leaves no choice about. It uses what is so of every honest pair of ends:
//!
//! 1. The server answers in order: one final response a request, and interim
//!    ones before it only where the client expects one, or the web is asked.
//! 2. A response acknowledges more than the first byte of its request, and
//!    begins where the request's acknowledgement ends or behind it: what the
//!    client had received before it asked is no answer.
//! 3. No message is shorter than its shortest form; and what looks like a
//!    response may also be part of a page of the web, but of no answer of
//!    ours.
//!
//! Nothing is assumed of when ends send: a client may send another request
//! before it has its answer, though it waited before, and a server may take
//! its time between two answers that it owes.
//!
//! So the index of a request is known until bytes of the client are missing
//! in front of it; behind them nobody can tell how many requests were in
//! them, and no link is certain any more. How many final responses have begun
//! lies between two bounds. They part where bytes of the server are missing,
//! by as many as acknowledgements allow, and meet again where these leave one
//! request alone.

use crate::message::Method;
use std::collections::VecDeque;

/// Requests that may wait at once on a connection; those behind are not
/// counted.
const MOST_WAITING: usize = 4096;

/// So many of them are remembered that cannot be counted.
const MOST_UNCOUNTED: usize = 64;

/// No request is shorter (`GET / HTTP/1.0` and a blank line).
const SHORTEST_REQUEST: i64 = 18;

/// Nor is a response (`HTTP/1.1 200` and a blank line).
const SHORTEST_RESPONSE: i64 = 16;

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
    /// Its index is none below, and none above: one and the same only where
    /// no bytes are missing in front of it.
    least: u64,
    most: u64,
    /// A response of ours answers it or another one.
    doubted: bool,
}

/// A response that came before its request, and acknowledged nothing.
#[derive(Clone, Copy, Debug)]
struct Early {
    index: u64,
    start: i64,
    exchange: u64,
}

/// What was captured of the client, and of which is not known what it is.
#[derive(Clone, Copy, Debug)]
struct Unread {
    start: i64,
    least: u64,
    most: u64,
}

/// Whether what looks like a response may be part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Page {
    No,
    /// Of one whose request may not have been captured.
    Unseen,
    Seen,
}

/// Where the server's next message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    At(i64),
    /// Behind the response that has begun, wherever that ends.
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
    /// Nothing of ours: it is or may be part of a page, or answers what was
    /// captured and cannot be read.
    Nothing,
}

/// One connection's requests and responses.
#[derive(Debug)]
pub(super) struct Pairing {
    /// Where the client's next message begins, if that is known.
    client_next: Option<i64>,
    /// Where the last one began.
    client_last: Option<i64>,
    /// Requests whose index is known.
    asked: u64,
    /// From where on there may be requests that were not captured.
    hidden: Option<i64>,
    /// What may hold a request and cannot be read for what is missing in
    /// front of it.
    unread: Option<Unread>,
    waiting: VecDeque<Waiting>,
    /// Exchanges whose request has been answered, by what was not captured.
    missed: Vec<u64>,
    early: VecDeque<Early>,
    server_next: Next,
    /// A response has been looked at.
    seen: bool,
    /// Where bytes of the server's that were captured end, and whether they
    /// may end a head.
    sent: Option<(i64, bool)>,
    /// Whether what has begun last may be a page, with more behind it.
    inside: Page,
    /// Whether it may be part of one.
    part: Page,
    /// At least and at most so many final responses have begun.
    answered: (u64, u64),
}

impl Default for Pairing {
    /// Of a connection whose beginning was not captured.
    fn default() -> Pairing {
        Pairing {
            client_next: None,
            client_last: None,
            asked: 0,
            hidden: Some(i64::MIN),
            unread: None,
            waiting: VecDeque::new(),
            missed: Vec::new(),
            early: VecDeque::new(),
            server_next: Next::Unknown,
            seen: false,
            sent: None,
            inside: Page::Unseen,
            part: Page::No,
            answered: (0, u64::MAX),
        }
    }
}

impl Pairing {
    /// What it holds, in bytes.
    pub fn memory(&self) -> usize {
        use std::mem::size_of;
        self.waiting.capacity() * size_of::<Waiting>()
            + self.missed.capacity() * size_of::<u64>()
            + self.early.capacity() * size_of::<Early>()
    }

    /// The client's first byte will be there.
    pub fn client_begins(&mut self, at: i64) {
        if self.client_last.is_none() && self.client_next.is_none() {
            self.client_next = Some(at);
            self.hidden = None;
            if !self.seen {
                self.answered = (0, 0);
                self.inside = Page::No;
            }
        }
    }

    /// The server's first byte will be there.
    pub fn server_begins(&mut self, at: i64) {
        if !self.seen && self.server_next == Next::Unknown {
            self.server_next = Next::At(at);
            self.answered = (0, 0);
            self.inside = Page::No;
        }
    }

    /// At most so many requests begin before a byte of the client.
    fn most_before(&self, at: i64) -> u64 {
        let behind = |last: i64| last + SHORTEST_REQUEST;
        let from = self.hidden.or(self.client_next);
        let from = from.or(self.client_last.map(behind));
        match from {
            Some(i64::MIN) | None => u64::MAX,
            Some(from) if at <= from => self.asked,
            Some(from) => {
                let shortest = SHORTEST_REQUEST as u64;
                self.asked + at.abs_diff(from).div_ceil(shortest)
            }
        }
    }

    /// A request that was not seen before. `fresh` says that the caller
    /// knows that nothing waits. Tells the exchange of a response that came
    /// before it and answers it.
    pub fn request(
        &mut self,
        start: i64,
        end: Option<i64>,
        ack: Option<i64>,
        fresh: bool,
        request: Request,
    ) -> Option<u64> {
        if fresh {
            self.begin_anew(start, ack);
        }
        let near =
            |next: i64| (next..next + SHORTEST_REQUEST).contains(&start);
        if self.hidden.is_none() && !self.client_next.is_some_and(near) {
            let last = self.client_last.map(|last| last + SHORTEST_REQUEST);
            self.hidden = Some(self.client_next.or(last).unwrap_or(i64::MIN));
        }
        if self.waiting.len() >= MOST_WAITING {
            self.hidden.get_or_insert(start);
        }
        let sure = self.hidden.is_none();
        while !sure && self.waiting.len() >= MOST_UNCOUNTED {
            self.forget_first();
        }
        let (least, most) = match sure {
            true => (self.asked, self.asked),
            // What was captured may be part of a body: of that index there
            // may be another.
            false => (self.asked, self.most_before(start).max(self.asked + 1)),
        };
        if let Some(unread) = &mut self.unread {
            unread.most = unread.most.min(most);
        }
        self.client_next = end;
        self.client_last = Some(start);
        self.asked += u64::from(sure);
        let waiting =
            Waiting { request, start, ack, least, most, doubted: false };
        let early = self.early.front().copied();
        if let Some(early) = early.filter(|e| e.index <= least) {
            self.early.pop_front();
            if sure && early.index == least && waiting.fits(early.start, None)
            {
                return Some(early.exchange);
            }
        }
        self.waiting.push_back(waiting);
        None
    }

    /// All that was asked has been answered.
    fn begin_anew(&mut self, start: i64, ack: Option<i64>) {
        if self.client_last.is_none() && self.hidden.is_none() && !self.seen {
            return;
        }
        *self = Pairing {
            client_next: Some(start),
            hidden: None,
            missed: std::mem::take(&mut self.missed),
            server_next: ack.map_or(Next::Unknown, Next::At),
            inside: Page::No,
            answered: (0, 0),
            ..Pairing::default()
        };
    }

    /// Forgets the first that waits, and remembers that something did.
    fn forget_first(&mut self) {
        let Some(first) = self.waiting.pop_front() else { return };
        if first.request.other {
            self.keep_unread(first.start, first.least, first.most);
        }
    }

    /// Bytes of the client that may hold a request, and cannot be read.
    pub fn cannot_read(&mut self, at: i64) {
        self.keep_unread(at, self.asked, u64::MAX);
    }

    fn keep_unread(&mut self, start: i64, least: u64, most: u64) {
        let known = self.unread.unwrap_or(Unread { start, least, most });
        self.unread = Some(Unread {
            start: known.start.min(start),
            least: known.least.min(least),
            most: known.most.max(most),
        });
    }

    /// Blank lines in front of a request.
    pub fn blank(&mut self, from: i64, to: i64) {
        if self.client_next == Some(from) {
            self.client_next = Some(to);
        }
    }

    /// Blank lines in front of a response.
    pub fn server_blank(&mut self, from: i64, to: i64) {
        if self.server_next == Next::At(from) {
            self.server_next = Next::At(to);
        }
    }

    /// Bytes of the server's were captured, to there. `head` says that they
    /// may end a head.
    pub fn server_sent(&mut self, end: i64, head: bool) {
        self.sent = Some((end, head));
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
        if matches!(self.server_next, Next::At(next) if next > start) {
            self.part = Page::Seen;
            return Answers::Nothing;
        }
        let below = self.below(start, ack);
        self.part = Page::No;
        if self.server_next != Next::At(start) {
            self.skip_to(start, below);
        }
        self.seen = true;
        self.server_next = Next::Unknown;
        if interim {
            self.inside = self.part;
            return Answers::Unseen;
        }
        let answers = self.answers(ack, below);
        self.inside = match answers {
            Answers::One(request) if request.other => Page::Seen,
            Answers::One(_) => Page::No,
            Answers::Several { other: true, .. } => Page::Seen,
            Answers::Several { unseen: false, .. } => Page::No,
            Answers::Several { .. } | Answers::Unseen => Page::Unseen,
            Answers::Nothing => Page::Seen,
        };
        self.count(&answers, below);
        answers
    }

    /// A response answers one of so many requests: of those that it
    /// acknowledges, and that had not come back from.
    fn below(&self, start: i64, ack: Option<i64>) -> u64 {
        let fitting = self.waiting.partition_point(|w| w.fits(start, ack));
        match self.waiting.get(fitting) {
            Some(waiting) => waiting.most,
            None => ack.map_or(u64::MAX, |ack| self.most_before(ack)),
        }
    }

    /// The requests with an index from that one on and below this one, as
    /// far as they wait.
    fn between(
        &self,
        from: u64,
        below: u64,
    ) -> impl Iterator<Item = &Request> {
        let near = self.waiting.iter().take_while(move |w| w.least < below);
        near.filter(move |w| w.most >= from).map(|w| &w.request)
    }

    /// Bytes of the server are missing in front of a response.
    fn skip_to(&mut self, start: i64, below: u64) {
        let (least, most) = self.answered;
        // It may be part of a page that has begun, there or before.
        let page = match self.between(least, below).any(|r| r.other) {
            true => Page::Seen,
            false if below > self.asked => Page::Unseen,
            false => Page::No,
        };
        // If a message began where they begin, was it a final one?
        let first = below.min(most.saturating_add(1));
        let interim = self.between(least, first).any(|r| r.interim);
        let mut is_final = least < first && first <= self.asked && !interim;
        // It was if what ended last has a body.
        is_final |= least < below && self.sent == Some((start, false));
        self.answered.1 = u64::MAX;
        match self.server_next {
            Next::At(next) => {
                let whole = start - next >= SHORTEST_RESPONSE;
                self.answered.0 += u64::from(whole && is_final);
                self.part = page;
            }
            Next::Unknown => self.part = page.max(self.inside),
        }
        // A page does not stop for a request that the client sends when it
        // has all before, and go on with a response to that.
        let least = self.answered.0;
        let mut waiting = self.waiting.iter();
        let asked = waiting.find(|w| w.is(least) && w.ack == Some(start));
        if asked.is_some() && below == least + 1 {
            self.part = Page::No;
        }
    }

    /// What a response answers.
    fn answers(&mut self, ack: Option<i64>, below: u64) -> Answers {
        let (least, most) = self.answered;
        let below = below.min(most.saturating_add(1));
        let alone = self.part == Page::No && below == least.saturating_add(1);
        let first = self.waiting.iter().find(|w| w.most >= least);
        if let Some(first) = first.filter(|w| alone && w.is(least)) {
            return Answers::One(first.request);
        }
        let unseen = below > self.asked;
        let unread = self.unread.is_some_and(|unread| {
            below > unread.least && ack.is_none_or(|ack| ack > unread.start)
        });
        let mut other = unread || self.part == Page::Seen;
        let mut message_type = None;
        let mut several = false;
        let (mut head, mut connect) = (false, false);
        for request in self.between(least, below) {
            let known = *message_type.get_or_insert(request.message_type);
            several |= known != request.message_type;
            other |= request.other;
            head |= request.method == Method::Head as u32;
            connect |= request.method == Method::Connect as u32;
        }
        if message_type.is_none() {
            return match other {
                true => Answers::Nothing,
                false => Answers::Unseen,
            };
        }
        let message_type = message_type.filter(|_| !several && !unseen);
        for waiting in self.waiting.iter_mut() {
            if waiting.least >= below {
                break;
            }
            waiting.doubted |= waiting.most >= least && !other;
        }
        Answers::Several { message_type, other, head, connect, unseen }
    }

    /// Counts a final response.
    fn count(&mut self, answers: &Answers, below: u64) {
        let (least, most) = &mut self.answered;
        *most = (*most).min(below.saturating_sub(1)).max(*least);
        *most = most.saturating_add(1);
        // One that nobody can have asked for answers nothing.
        if self.part == Page::No && below > *least {
            *least += 1;
        }
        let least = *least;
        let linked = matches!(answers, Answers::One(_));
        while let Some(first) = self.waiting.front() {
            if first.most >= least {
                break;
            }
            let exchange = first.request.exchange;
            let answered = first.doubted || linked && first.is(least - 1);
            if !answered && exchange != 0 && self.missed.len() < MOST_WAITING {
                self.missed.push(exchange);
            }
            self.waiting.pop_front();
        }
        self.unread = self.unread.filter(|unread| unread.most >= least);
    }

    /// Keeps the exchange of the response that has just begun, for a request
    /// that may come later. Only where there are no acknowledgements does one.
    pub fn keep_early(&mut self, start: i64, exchange: u64) {
        let (least, most) = self.answered;
        let index = least.saturating_sub(1);
        if least == most
            && least > 0
            && self.part == Page::No
            && self.hidden.is_none()
            && index >= self.asked
            && self.early.len() < MOST_WAITING
        {
            self.early.push_back(Early { index, start, exchange });
        }
    }

    /// Where the response that began ends, if that is known.
    pub fn response_ends(&mut self, end: Option<i64>) {
        let end = end.filter(|_| self.part == Page::No);
        self.server_next = end.map_or(Next::Unknown, Next::At);
    }

    /// From here on it is not sure that a message begins.
    pub fn doubt_border(&mut self) {
        self.server_next = Next::Unknown;
        self.inside = self.inside.max(Page::Unseen);
        self.seen = true;
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

    /// Our exchanges whose answer was not captured.
    pub fn unanswered(&self) -> impl Iterator<Item = u64> + '_ {
        let alone = self.waiting.iter().filter(|w| !w.doubted);
        let waiting = alone.map(|w| w.request.exchange);
        let all = waiting.chain(self.missed.iter().copied());
        all.filter(|&exchange| exchange != 0)
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

    /// Whether it is the one with that index.
    fn is(&self, index: u64) -> bool {
        (self.least, self.most) == (index, index)
    }
}
