//! Secrets in a stream's messages: the `mcas` crate reads them, what it
//! calls secret is masked.
//!
//! What is lost or cut is never taken for harmless. A value that is not all
//! there is masked as a whole, whatever it is; and bytes that cannot be told
//! to be a whole message are read as though they were the body of an answer
//! and of a form.

use crate::secrets::{self, Secrets};
use crate::stream::{Answers, Run, Start};
use crate::Report;
use mcas::chunked;
use mcas::fields::{ValueType, SECRET};
use mcas::item::{self, Item, GENERATED, PERCENT_ENCODED};
use mcas::message::{self, Context, Framing, Message, Parts, Request};
use mcas::pairs::Grammar;
use mcas::{types, Field, Note, Sniff};
use memchr::{memchr, memmem, memrchr};
use std::collections::HashMap;
use std::ops::Range;

/// How often the same bytes are looked at, on average, before a stream is
/// taken for a heap of parts: messages that claim each other's bytes would
/// take forever.
const MAX_WORK: usize = 32;

/// Reads the runs of a connection, the asking direction first.
pub struct Reader<'a> {
    /// Where values go.
    pub secrets: &'a mut Secrets,
    /// Where it is said what was done, and what could not be.
    pub report: &'a mut Report,
    /// Who answers whom.
    answers: &'a Answers,
    requests: HashMap<Start, Request>,
    /// Nothing was lost. Where something was, each response is read as one
    /// that has secrets, whatever it seems to answer: to mask too much does
    /// less harm than to mask too little.
    whole: bool,
}

/// What is to become of some bytes of a message or body.
struct Mark {
    range: Range<usize>,
    percent: bool,
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Secret(Field),
    /// What was captured ends inside of it.
    Cut,
    /// Text of no secret meaning, as long as all of it is there.
    Plain,
    /// The same, and the next one is its value.
    Name,
    /// A number or an address.
    Number,
}

impl<'a> Reader<'a> {
    /// For a connection with these runs.
    pub fn new(
        secrets: &'a mut Secrets,
        report: &'a mut Report,
        runs: &[Vec<Run>; 2],
        answers: &'a Answers,
    ) -> Reader<'a> {
        let whole = |runs: &Vec<Run>| match &runs[..] {
            [] => true,
            [run] => !run.headless && run.filler.is_empty(),
            _ => false,
        };
        let whole = runs.iter().all(whole);
        let holes = runs.iter().flatten().map(|run| run.filler.len());
        report.holes += holes.sum::<usize>();
        report.strays += runs.iter().flatten().filter(|r| r.stray).count();
        let requests = HashMap::new();
        Reader { secrets, report, answers, requests, whole }
    }

    /// Masks what is secret in a run.
    pub fn read(&mut self, run: &mut Run) {
        if run.stray {
            return self.loose(run, 0..run.bytes.len());
        }
        let (mut at, mut work) = (0, 0);
        while at < run.bytes.len() {
            if work > MAX_WORK * run.bytes.len() {
                return self.loose(run, at..run.bytes.len());
            }
            let (next, parsed) = self.message(run, at);
            at += next.max(1);
            work += parsed;
        }
    }

    /// Reads a message at `at`, or what is none; returns how far reading got
    /// and how many bytes were looked at for it.
    fn message(&mut self, run: &mut Run, at: usize) -> (usize, usize) {
        let bytes = &run.bytes[at..];
        // A hole between messages is none; one may begin behind it.
        let hole = run.filler.iter().find(|hole| hole.end > at);
        let behind = hole.map_or(bytes.len(), |hole| hole.end - at);
        if run.has_filler(&(at..at + 1)) {
            return (behind, 0);
        }
        let blank = bytes.iter().take_while(|b| b"\r\n".contains(b));
        let start = run.start(at + blank.count());
        let asked = self.answers.get(&start).filter(|_| self.whole);
        let request = asked.and_then(|start| self.requests.get(start));
        // Where the request is not known, it may have been one of ours.
        let provisioning = Request::new(types::TYPE_PROVISIONING_REQUEST);
        let request = request.copied().unwrap_or(provisioning);
        let flags = if run.ended { message::END_OF_STREAM } else { 0 };
        let context = Context::answering(request).with_flags(flags);
        let parsed = mcas::parse(bytes, &context);
        let Some(message) =
            parsed.ok().filter(|m| m.kind != message::KIND_UNKNOWN)
        else {
            let length = next_start(bytes, 1).min(behind);
            self.loose(run, at..at + length);
            return (length, length);
        };
        if message.kind == message::KIND_REQUEST {
            let start = run.start(at + message.begin as usize);
            self.requests.insert(start, Request::from(&message));
        }
        let length = message.length as usize;
        let body = at + message.body.start()..at + message.body.end();
        let known = message.is_ours() && message.has(message::HEAD_COMPLETE);
        if known {
            self.report.messages += 1;
            let items = message.head_items(bytes);
            let (marks, _) = marks(items, bytes);
            self.apply(run, marks, |i| at + i);
            self.body(run, at, &message);
        }
        let (end, whole) = (at + length, message.has(message::COMPLETE));
        let doubtful = if known { at..body.start } else { at..end };
        // Behind a hole it may be the rest of one; and an answer without a
        // status the rest of a request, from its version on.
        let whole = whole && !is_broken(run, at);
        let rest =
            message.kind == message::KIND_RESPONSE && message.status == 0;
        if !(known || whole) || rest || run.has_filler(&doubtful) {
            self.loose(run, at..end);
        }
        // An answer whose request is not known may have no body at all (to
        // HEAD), and what looks like one may be the next answers.
        let unread = message.body_grammar(&[]);
        if !self.whole && unread == Grammar::None && !body.is_empty() {
            let first = body.start - at;
            return (first + next_start(&run.bytes[body], 0), length);
        }
        (length, length)
    }

    fn body(&mut self, run: &mut Run, at: usize, message: &Message) {
        let input = &run.bytes[at..];
        let raw = message.body.of(input);
        let start = at + message.body.start();
        // Chunks: where each begins in the body as it is read, and there.
        let (mut pieces, mut whole) = (vec![(0, start)], None);
        let mut read_to = raw.len();
        if message.framing == Framing::Chunked as u32 {
            let mut data = Vec::with_capacity(message.body_length as usize);
            pieces.clear();
            chunked::for_each(raw, |part| {
                let offset = part.as_ptr() as usize - raw.as_ptr() as usize;
                pieces.push((data.len(), start + offset));
                data.extend(part);
                read_to = offset + part.len();
            });
            whole = Some(data);
        }
        let body = whole.as_deref().unwrap_or(raw);
        let place = |i: usize| {
            let piece = pieces.partition_point(|&(first, _)| first <= i);
            let (first, there) = pieces[piece.max(1) - 1];
            there + (i - first)
        };
        let coded = message.has(message::BODY_CODED)
            && message.message_type != types::TYPE_FIRMWARE_RESPONSE
            && message.body_grammar(&[]) != Grammar::None;
        if coded {
            // It cannot be read here, but by whoever gets the capture.
            self.report.coded += usize::from(!body.is_empty());
            let places: Vec<usize> = (0..body.len()).map(place).collect();
            for i in places {
                run.masked[i] = b'X';
            }
        } else {
            let items = message.body_items(body);
            let (marks, _) = marks(items, body);
            self.apply(run, marks, place);
        }
        if message.has(message::BODY_BROKEN) {
            self.loose(
                run,
                start + read_to..start + message.body.length as usize,
            );
        }
    }

    /// Reads what cannot be told to be a whole message, in case it is part
    /// of one of ours.
    fn loose(&mut self, run: &mut Run, range: Range<usize>) {
        let bytes = &run.bytes[range.clone()];
        let at = range.start;
        let broken = is_broken(run, at);
        let end = range.end;
        let cut = end == run.bytes.len() && !run.ended
            || end > 0 && run.has_filler(&(end - 1..end));
        let asked = Request::new(types::TYPE_PROVISIONING_REQUEST);
        let answer = Parts::response(200, Context::answering(asked))
            .with_flags(if cut { message::CUT } else { 0 });
        let asked = Parts::request(b"POST", b"").with_host(b"add-con.mcas");
        let (Ok(mut lines), Ok(mut form)) = (
            message::from_parts(&answer, b""),
            message::from_parts(&asked, b""),
        ) else {
            return;
        };
        let mut read = |id: bool| {
            if id {
                lines.message_type =
                    types::TYPE_EXTENSION_CONFIGURATION_RESPONSE;
                form.message_type =
                    types::TYPE_EXTENSION_CONFIGURATION_REQUEST;
            }
            let (mut found, mut known) = marks(lines.body_items(bytes), bytes);
            // A query ends like a word does.
            let border = |b: &u8| b.is_ascii_whitespace() || *b == b'?';
            for word in bytes.split(border).filter(|w| w.contains(&b'=')) {
                let start = word.as_ptr() as usize - bytes.as_ptr() as usize;
                form.flags |= message::COMPLETE;
                if cut && start + word.len() == bytes.len() {
                    form.flags &= !message::COMPLETE;
                }
                let (more, keys) = marks(form.body_items(word), word);
                known |= keys;
                found.extend(more.into_iter().map(|mark| Mark {
                    range: start + mark.range.start..start + mark.range.end,
                    ..mark
                }));
            }
            (found, known)
        };
        // Only where one of this protocol's keys is: `id` is anybody's.
        let (_, known) = read(false);
        if !known && mcas::sniff(bytes) != Sniff::Candidate {
            return;
        }
        let (mut found, _) = read(true);
        // The end of a value whose beginning was lost.
        let line = memchr(b'\n', bytes).unwrap_or(bytes.len());
        let keyed = found.iter().any(|mark| {
            mark.range.start <= line
                && matches!(mark.what, What::Secret(_) | What::Number)
        });
        if broken && !keyed {
            let range = 0..bytes[..line].trim_ascii_end().len();
            found.push(Mark { range, percent: false, what: What::Cut });
        }
        self.report.loose += 1;
        self.apply(run, found, |i| at + i);
    }

    /// Masks; `place` says where in the run a byte is. Bytes of one mark lie
    /// in the run in the same order, but not always side by side.
    fn apply(
        &mut self,
        run: &mut Run,
        marks: Vec<Mark>,
        place: impl Fn(usize) -> usize,
    ) {
        // A value whose name has a hole may be any value.
        let mut nameless = false;
        for Mark { range, percent, what } in marks {
            let places: Vec<usize> = range.map(&place).collect();
            let torn = places.iter().any(|&i| run.has_filler(&(i..i + 1)));
            let cut = what == What::Cut || torn || nameless;
            nameless = torn && what == What::Name;
            let is_id = match what {
                _ if cut => false,
                What::Secret(field) => field == Field::TerminalId,
                What::Number => {
                    places.iter().for_each(|&i| run.meant[i] = true);
                    continue;
                }
                What::Plain | What::Name | What::Cut => continue,
            };
            let mut raw: Vec<u8> =
                places.iter().map(|&i| run.bytes[i]).collect();
            let value = secrets::mask(&mut raw, percent, is_id);
            for (&i, &b) in places.iter().zip(&raw) {
                run.masked[i] = b;
            }
            let Some(value) = value else { continue };
            self.report.values += 1;
            if cut {
                continue;
            }
            match secrets::as_mac(&value).filter(|_| is_id) {
                Some(mac) => self.secrets.mac(mac),
                None => self.secrets.text(value),
            }
        }
    }
}

/// Whether the bytes before `at` were not captured.
fn is_broken(run: &Run, at: usize) -> bool {
    match at {
        0 => run.headless,
        _ => run.has_filler(&(at - 1..at)),
    }
}

/// What to do about items, and whether any has a key of this protocol.
fn marks(
    items: impl Iterator<Item = Item>,
    bytes: &[u8],
) -> (Vec<Mark>, bool) {
    let (mut marks, mut known) = (Vec::new(), false);
    for item in items.filter(|item| item.flags & GENERATED == 0) {
        let keyed = item.as_field().filter(|f| f.info().key().is_some());
        known |= keyed.is_some();
        let what = match (item.as_field(), item.as_note()) {
            (Some(field), _) if keyed.is_some() => {
                match (field.info().flags & SECRET, field.info().value_type) {
                    (0, ValueType::String) => What::Plain,
                    (0, _) => What::Number,
                    _ => What::Secret(field),
                }
            }
            (Some(Field::TerminalId), _) => What::Secret(Field::TerminalId),
            (Some(Field::ParamName), _) => What::Name,
            (Some(Field::ParamValue), _) if item.flags & item::SECRET != 0 => {
                What::Secret(Field::ParamValue)
            }
            (Some(Field::ParamValue), _) => What::Plain,
            (_, Some(Note::Truncated)) if item.level > 0 => What::Cut,
            _ => continue,
        };
        let range = item.span.start()..item.span.end().min(bytes.len());
        let percent = item.flags & PERCENT_ENCODED != 0;
        marks.push(Mark { range, percent, what });
    }
    (marks, known)
}

/// Offset, not before `from`, of the next line that may begin a message.
fn next_start(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let Some(version) = memmem::find(rest, b"HTTP/1.") else {
        return bytes.len();
    };
    let version = from + version;
    // An answer begins with its version, a request's line ends with it.
    let line = memrchr(b'\n', &bytes[..version]).map_or(0, |i| i + 1);
    if line >= from {
        line
    } else {
        version
    }
}
