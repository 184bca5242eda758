//! What holds for any bytes whatever.
//!
//! [`check`] looks at one input ([`read`] leaves off its text, for those who
//! are in a hurry), [`ways_agree`] at the other ways to read it,
//! [`config_agrees`] at the settings as commands, [`prefix_agrees`] and
//! [`classes_agree`] at how the answers to growing ones go together. Where the
//! standard library can read the same thing, it is the oracle.

use mcas::config::{PJSIP, SECRETS};
use mcas::endpoints::{self, Endpoint, Packet, Protocol};
use mcas::fields::{Display, ValueType};
use mcas::file_name::AskedFor;
use mcas::format::Style;
use mcas::message::{self, from_parts, Framing, Method, Parts};
use mcas::pairs::Grammar;
use mcas::types::{
    TypeInfo, TYPE_EXTENSION_CONFIGURATION_REQUEST as PHONE_ASKS,
    TYPE_FIRMWARE_REQUEST, TYPE_NONE, TYPE_SETUP_PUSH,
};
use mcas::{classify, items, sniff, text};
use mcas::{
    Class, Context, Error, Field, Item, Message, Note, Progress, Sniff, Span,
    Value,
};
use std::fmt::{self, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An input as the core reads it.
#[derive(Debug, PartialEq)]
pub struct Reading {
    pub message: Message,
    pub grammar: Grammar,
    pub head: Vec<Item>,
    pub body: Vec<Item>,
}

/// Reads `input`, and asserts what holds for any input whatever, but of its
/// items' text.
pub fn read(input: &[u8], context: &Context) -> Result<Reading, Error> {
    let message = match mcas::parse(input, context) {
        Ok(message) => message,
        Err(error) => return Err(refused(input, context, error)),
    };
    let all = input.len();
    for span in [
        message.body,
        message.status_digits,
        message.authority,
        message.path,
        message.query,
        message.host,
        message.user_agent,
        message.media_type,
        message.cookies,
    ] {
        assert!(span.end() <= all, "{message:?}");
    }
    assert!(message.begin as usize <= message.body.start());
    assert_eq!(message.length as usize, message.body.end());
    let body = message.body_bytes(input);
    assert_eq!(message.body_length, body.len() as u64);
    assert!(body.len() <= message.body.length as usize);
    let mut room = vec![MaybeUninit::uninit(); body.len()];
    assert_eq!(message.write_body(input, &mut room), body.len());
    if message.has(message::COMPLETE) {
        assert!(message.has(message::HEAD_COMPLETE));
        assert_eq!(message.body_missing, 0);
    }
    let head = take(message.head_items(input), input);
    for item in &head {
        let cookies = message.cookies.start()..=message.cookies.end();
        let (start, end) = (item.span.start(), item.span.end());
        let inside = cookies.contains(&start) && cookies.contains(&end);
        assert!(item.as_field() != Some(Field::Bigip) || inside, "{item:?}");
    }
    Ok(read_body(message, head, &body))
}

/// What is no HTTP says where it ceases to be.
fn refused(input: &[u8], context: &Context, error: Error) -> Error {
    let Error::NotHttp { offset, .. } = error else {
        panic!("{error}");
    };
    let parse = |length: usize| mcas::parse(&input[..length], context);
    assert!(parse(offset).is_ok(), "{offset}");
    assert_eq!(parse(offset + 1), Err(error));
    error
}

/// Goes on with the body, its chunks undone.
fn read_body(message: Message, head: Vec<Item>, body: &[u8]) -> Reading {
    assert_eq!(head.is_empty(), !message.is_ours());
    let grammar = message.body_grammar(body);
    let items = take(message.body_items(body), body);
    pairs_agree(grammar, &message, body, &items);
    Reading { message, grammar, head, body: items }
}

/// Reads `input`, and asserts all that holds for any input whatever.
pub fn check(input: &[u8], context: &Context) -> Result<Reading, Error> {
    let reading = read(input, context)?;
    let body = reading.message.body_bytes(input);
    texts_agree(&reading.head, input);
    texts_agree(&reading.body, &body);
    short_agrees(&reading.message, input, &body);
    Ok(reading)
}

/// Reads what something else has taken apart, and asserts the same of it.
pub fn read_parts(parts: &Parts, body: &[u8]) -> Reading {
    let message = from_parts(parts, body).unwrap();
    assert_eq!(message.body.of(body), body);
    let head = take(message.head_items(&[]), &[]);
    read_body(message, head, body)
}

/// All items of an iterator over `bytes`.
pub fn take(mut items: impl Iterator<Item = Item>, bytes: &[u8]) -> Vec<Item> {
    let most = 8 * (bytes.len() + 1);
    let taken: Vec<_> = items.by_ref().take(most + 1).collect();
    assert!(taken.len() <= most, "no end");
    for _ in 0..3 {
        assert_eq!(items.next(), None, "goes on behind the end");
    }
    parents_have_children(&taken);
    // Offset of the last field, and depth that the next item may have.
    let (mut at, mut deepest) = ([0; 3], 0);
    // Of what was read below the same field: the end, and the last of it.
    let (mut end, mut last) = (0, Span::default());
    for item in &taken {
        let level = item.level as usize;
        assert!(item.span.end() <= bytes.len(), "{item:?}");
        assert!(level <= deepest, "{item:?} belongs to no field");
        assert!(item.as_field().is_some() != item.about().is_some());
        if item.as_field().is_some() {
            assert!(at[level] <= item.span.start(), "{item:?} out of order");
            at[level] = item.span.start();
            at[level + 1..].fill(0);
            let read = item.flags & mcas::item::GENERATED == 0;
            if read && level > 0 {
                let apart = item.span.start() >= end || item.span == last;
                assert!(apart, "{item:?} overlaps what is beside it");
                // The entries of a list of extensions stand in it.
                let list = item.as_field() == Some(Field::ParamValue);
                end = if list { end } else { item.span.end() };
                last = item.span;
            } else if level == 0 {
                (end, last) = (0, item.span);
            }
            deepest = level + 1;
        }
    }
    taken
}

/// A field says that others follow below it if they do, and only then.
fn parents_have_children(items: &[Item]) {
    for (i, item) in items.iter().enumerate() {
        let field = item.as_field().is_some();
        let beside = |next: &&Item| {
            next.as_field().is_some() && next.level <= item.level
        };
        let parent = field
            && items[i + 1..]
                .iter()
                .take_while(|next| !beside(next))
                .any(|next| next.level == item.level + 1);
        let marked = item.flags & mcas::item::PARENT != 0;
        assert_eq!(marked, parent, "{item:?}");
    }
}

/// What `items`, read from `bytes`, are as text goes together with what they
/// are.
pub fn texts_agree(items: &[Item], bytes: &[u8]) {
    let mut texts = Texts::default();
    for item in items {
        texts.write(item, bytes);
        texts.agree(item);
        if let (Some(field), Some(value)) = (item.as_field(), item.value()) {
            texts.reads_back(value, field);
            texts.value_agrees(item, value, field);
        }
    }
}

/// An item as text, in each style.
#[derive(Default)]
struct Texts {
    text: String,
    value: String,
    line: String,
    named: String,
}

impl Texts {
    fn write(&mut self, item: &Item, bytes: &[u8]) {
        for (out, style) in [
            (&mut self.text, Style::Text),
            (&mut self.value, Style::Value),
            (&mut self.line, Style::Line),
            (&mut self.named, Style::Named),
        ] {
            out.clear();
            write!(out, "{}", item.format(bytes, style)).unwrap();
        }
        assert_eq!(text::to_string(item, bytes), self.text);
    }

    /// There is room enough where the manual says so, and a line is fit for
    /// a terminal.
    fn agree(&self, item: &Item) {
        let most = 3 * item.span.length as usize;
        assert!(self.text.len() <= most, "{item:?}");
        assert!(!self.text.contains('\0'));
        if item.value() == Some(Value::Text) {
            assert_eq!(self.value, self.text);
        } else {
            assert!(self.value.len() <= most.max(40), "{item:?}");
        }
        let line = &self.line;
        assert!(!line.contains(char::is_control), "{line:?}");
        let info = item.as_field().map(|field| field.info());
        let computed = item.flags & mcas::item::GENERATED != 0;
        let sent = if computed { &self.value } else { &self.text };
        match info.and_then(|info| info.name_of(item.number)) {
            Some(name) => assert_eq!(self.named, format!("{name} ({sent})")),
            None => assert_eq!(self.named, *sent),
        }
    }

    /// What a value is written as reads as the same value.
    fn reads_back(&self, value: Value, field: Field) {
        let shown = &self.value;
        let hex = |digits: &str| u64::from_str_radix(digits, 16);
        let octets = || {
            shown.split(':').fold(0, |sum, octet| {
                assert_eq!(octet.len(), 2, "{shown}");
                sum << 8 | hex(octet).unwrap()
            })
        };
        match (value, field.info().display) {
            (Value::Number(number), Display::Hex) => {
                assert_eq!(hex(&shown[2..]), Ok(number));
            }
            (Value::Number(number), Display::Oui) => {
                assert_eq!(octets(), number);
            }
            (Value::Number(number), _) => {
                assert_eq!(shown.parse(), Ok(number));
            }
            (Value::Ether([a, b, c, d, e, f]), _) => {
                let mac = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
                assert_eq!(octets(), mac);
            }
            (Value::Ipv4(address), _) => {
                assert_eq!(shown.parse(), Ok(address));
            }
            (Value::Ipv6(address), _) => {
                assert_eq!(shown.parse(), Ok(address));
            }
            _ => {}
        }
    }

    /// The standard library reads the same value out of the text.
    fn value_agrees(&self, item: &Item, value: Value, field: Field) {
        let text = &self.text;
        let generated = item.flags & mcas::item::GENERATED != 0;
        let value_type = field.info().value_type;
        match value {
            Value::Text => assert_eq!(value_type, ValueType::String),
            Value::Ipv4(address) if !generated => {
                // The network of a route may have the whole entry's bytes.
                let text = text.split('/').next().unwrap();
                assert_eq!(text.parse::<Ipv4Addr>(), Ok(address));
            }
            Value::Number(number) if !generated => {
                let text = text.split('/').next_back().unwrap();
                assert_eq!(text.parse::<u64>(), Ok(number), "{item:?}");
                let most = match value_type {
                    ValueType::Uint8 => u8::MAX.into(),
                    ValueType::Uint16 => u16::MAX.into(),
                    _ => u32::MAX.into(),
                };
                assert!(number <= most, "{item:?}");
            }
            Value::Ether(mac) => {
                let mac: String =
                    mac.iter().map(|b| format!("{b:02x}")).collect();
                assert!(text.eq_ignore_ascii_case(&mac), "{item:?}");
            }
            Value::Ipv6(address) => {
                let digits = |a: Ipv6Addr| format!("{:032x}", a.to_bits());
                assert!(text.to_lowercase().contains(&digits(address)));
            }
            _ => assert!(generated),
        }
    }
}

/// What is said of a whole message in short, whatever the bytes: a line that
/// is one, endpoints whose places are there, a name that is no path.
pub fn short_agrees(message: &Message, input: &[u8], body: &[u8]) {
    let summary = message.summary(input, body);
    assert_eq!(summary.is_some(), message.is_ours());
    if let Some(summary) = summary {
        let text = summary.with_vendor("\u{1b}\u{202e}").to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
        assert!(!text.contains(['\u{202e}', '\u{2028}']), "{text:?}");
        let info = TypeInfo::of(message.message_type).unwrap();
        let rest = text.strip_prefix(info.name()).expect("its kind");
        assert!(rest.is_empty() || rest.starts_with([',', ' ']), "{text:?}");
    }
    let receiver = Ipv4Addr::new(192, 168, 1, 9);
    let found: Vec<Endpoint> =
        message.endpoints(input, body, Some(receiver)).collect();
    assert!(found.len() <= endpoints::MOST);
    for at in &found {
        let in_head = at.flags & endpoints::IN_HEAD != 0;
        let from = if in_head { input } else { body };
        assert!(at.span.end() <= from.len() && !at.span.is_empty());
        let sane = (1..=at.last_port).contains(&at.first_port)
            && !matches!(at.address, [224..=255, ..] | [0, 0, 0, 0]);
        assert_eq!(at.flags & endpoints::IMPLAUSIBLE == 0, sane, "{at:?}");
        let text = at.to_string();
        let (_, place) = text.split_once(" at ").expect("its place");
        let (address, _) = place.split_once(':').expect("a port");
        assert_eq!(address.parse(), Ok(Ipv4Addr::from(at.address)));
        assert!(text.len() <= 40);
        let protocol =
            Protocol::from_number(at.protocol).expect("one of ours");
        assert!(text.starts_with(protocol.name()));
        // Nothing follows where the protocol would not.
        assert_eq!(protocol.look(b""), Packet::Other);
    }
    let mut asked = AskedFor::device(body);
    (asked.model, asked.file) = (input, body);
    if let Some(name) = message.file_name(asked) {
        let name = name.to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(name.chars().all(plain), "{name:?}");
        assert!(!name.starts_with('.') && name.len() < 256, "{name:?}");
        assert!(message.has(message::COMPLETE) && message.body_length > 0);
    }
}

/// The settings as commands, whatever the bytes: each line is one that is
/// known, and says nothing that a shell or Asterisk would take otherwise.
pub fn config_agrees(message: &Message, body: &[u8]) {
    let Some(config) = message.config(body, SECRETS) else { return };
    let text = config.to_string();
    assert!(text.ends_with('\n'), "{text}");
    assert!(text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
    let mut file = false;
    for line in text.lines() {
        assert!(line.len() < 512, "Asterisk reads lines of 8191: {line}");
        if file {
            file = line != "END";
            file_line(line);
        } else {
            file = shell_line(line);
        }
    }
    assert!(!file, "{text}");
    let hidden = message.config(body, 0).expect("as before").to_string();
    assert!(hidden.lines().all(|line| !line.starts_with("password =")));
    pjsip_agrees(message, body, &text);
    // A writer that is full ends it, and has what comes before.
    for eighths in 0..8 {
        let mut full = Full { text: &text, room: text.len() * eighths / 8 };
        assert!(write!(full, "{config}").is_err());
    }
}

/// The file alone is what the script writes to it, and in front of that the
/// script's comments, as far as they are about it.
fn pjsip_agrees(message: &Message, body: &[u8], script: &str) {
    let alone = message.config(body, SECRETS | PJSIP).expect("as before");
    let alone = alone.to_string();
    let begin = alone.find('[').unwrap_or(alone.len());
    let (comments, sections) = alone.split_at(begin);
    for line in comments.lines() {
        let comment = line.strip_prefix("; ").expect("a comment");
        assert!(script.lines().any(|l| l.strip_prefix("# ") == Some(comment)));
    }
    let begin = "-pjsip.conf <<'END' || hikari=failed\n\
        ; written by M-CAS Configuration, anew each time";
    let file = script.split_once(begin);
    let file = file.and_then(|(_, file)| file.split_once("\nEND\nfi\n"));
    let file = file.map_or("", |(file, _)| &file["\n".len()..]);
    assert_eq!(sections.strip_suffix('\n').unwrap_or_default(), file);
    // Nothing is left out without a word.
    assert!(!alone.is_empty());
}

/// Takes so many bytes of a text that is known, and then no more.
struct Full<'a> {
    text: &'a str,
    room: usize,
}

impl Write for Full<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.room = self.room.checked_sub(part.len()).ok_or(fmt::Error)?;
        self.text = self.text.strip_prefix(part).expect("the same again");
        Ok(())
    }
}

/// A line for the shell; tells whether a file begins behind it.
fn shell_line(line: &str) -> bool {
    let plain = |text: &str, more: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        assert!(text.chars().all(good), "{line}");
    };
    let words: Vec<&str> = line.split(' ').collect();
    let words = match &words[..] {
        // What may fail, and nothing else.
        [first @ ("ip" | "else"), rest @ .., "||", "hikari=failed"] => {
            [&[*first], rest].concat()
        }
        [first @ ("ip" | "else"), ..] => panic!("{first} may fail: {line}"),
        words => words.to_vec(),
    };
    match words[..] {
        ["#", ..] => plain(&line[1..], " .,:/_"),
        ["dev=${dev:-eth0}" | "hikari=failed" | "fi"] => {}
        ["[", "\"${hikari-}\"", "!=", "failed", "]"] => {}
        ["ip", "link", "set", "\"$dev\"", "up"] => {}
        ["ip", "addr", "replace", own, "dev", "\"$dev\""] => {
            network(own, false);
        }
        ["if", "[", "-e", name, "]", "&&", "!", "grep", "-qx", ..] => {
            let own = "'; written by M-CAS Configuration, anew each time'";
            assert_eq!(
                words[9..],
                [&own.split(' ').collect::<Vec<_>>()[..], &[name]].concat()
            );
            file_name(name);
        }
        ["then", "echo", name, ..] => {
            file_name(name);
            let rest = words[3..].join(" ");
            assert_eq!(rest, "is not ours, and stays as it is >&2");
        }
        ["ip", "route", "replace", to, "via", via, "dev", "\"$dev\"", ..] => {
            let rest = match &words[8..] {
                ["onlink", rest @ ..] => rest,
                rest => rest,
            };
            assert!(matches!(rest, [] | ["metric", "1024"]), "{line}");
            via.parse::<Ipv4Addr>().unwrap();
            if to == "default" {
                assert_eq!(rest.last(), Some(&"1024"));
            } else {
                network(to, true);
            }
        }
        ["else", "cat", to, "<<'END'"] => {
            file_name(to.strip_prefix('>').expect("written anew"));
            return true;
        }
        _ => panic!("{line:?} is no command that is known"),
    }
    false
}

/// A file that the script may write.
fn file_name(name: &str) {
    let rest = name.strip_prefix("hikari-").unwrap_or_default();
    let number = rest.strip_suffix("-pjsip.conf").unwrap_or_default();
    let is_number = |c: char| c.is_ascii_digit() || c == '+';
    let pjsip = !number.is_empty() && number.chars().all(is_number);
    assert!(pjsip || name == "hikari-rtp.conf", "{name}");
}

/// An address with its prefix length, and no host bits if it is `clear`.
fn network(text: &str, clear: bool) {
    let (address, prefix) = text.split_once('/').unwrap();
    let address = address.parse::<Ipv4Addr>().unwrap().to_bits();
    let prefix: u32 = prefix.parse().unwrap();
    assert!((8..=32).contains(&prefix), "{text}");
    let hosts = (1_u64 << (32 - prefix)) - 1;
    assert!(!clear || u64::from(address) & hosts == 0, "{text}");
}

/// A line of Asterisk's.
fn file_line(line: &str) {
    const KEYS: &str = " type protocol bind tos transport client_uri \
        server_uri outbound_proxy contact_user outbound_auth auth_type \
        username password contact aors context allow from_user from_domain \
        tos_audio endpoint match rtpstart rtpend ";
    if matches!(line, "" | "END" | "[general]") || line.starts_with("; ") {
        return;
    }
    let Some((key, value)) = line.split_once(" = ") else {
        let id =
            line.strip_prefix("[hikari-").and_then(|l| l.strip_suffix(']'));
        let id = id.unwrap_or_else(|| panic!("{line:?} is no such line"));
        return assert!(id.chars().all(|c| c.is_ascii_digit() || c == '+'));
    };
    assert!(KEYS.contains(&format!(" {key} ")), "{line}");
    assert!(!value.is_empty() && value.trim() == value, "{line:?}");
    let mut before = ' ';
    for c in value.chars() {
        assert!(c != ';' || before == '\\', "{line} has a comment");
        before = c;
    }
}

/// What [`classify`] says of a prefix goes together with what it said of a
/// shorter one, and with what the message is.
pub fn classes_agree(
    before: Option<(usize, Class)>,
    input: &[u8],
    context: &Context,
) -> Class {
    let class = classify(input, context).unwrap();
    let parsed = mcas::parse(input, context);
    if let Ok(message) = parsed {
        let complete = message.has(message::COMPLETE);
        match class {
            Class::Yes(number) if number == message.message_type => {}
            // It has looked behind an interim response.
            _ if matches!(message.status, 100 | 102..=199) && complete => {}
            Class::No => assert!(!message.is_ours()),
            Class::More(_) => assert!(!message.is_ours() && !complete),
            _ => panic!("{message:?} is {class:?}"),
        }
    }
    match before {
        Some((_, Class::No)) => assert_eq!(class, Class::No),
        Some((_, Class::Yes(_))) => {
            assert!(matches!(class, Class::Yes(_)) || stops(input, context));
        }
        Some((length, Class::More(needed))) => {
            assert!(needed > 0);
            if input.len() < length + needed {
                assert!(!matches!(class, Class::Yes(_)));
            }
        }
        Some((_, other)) => panic!("{other:?} is no answer that is known"),
        None => {}
    }
    class
}

/// What the first look says is what reading one message after the other
/// finds, wherever it calls itself certain. Tells what was found.
pub fn sniff_agrees(input: &[u8]) -> Sniff {
    let (sniffed, found) = (sniff(input), walked(input));
    let certain = match found {
        Sniff::Candidate => sniffed == Sniff::Candidate,
        Sniff::OtherRequest => sniffed != Sniff::No,
        // What has no whole head may still look like a request.
        _ => true,
    };
    let start = &input[..input.len().min(100)];
    let start = start.escape_ascii();
    assert!(certain, "{start}: {sniffed:?}, there is {found:?}");
    found
}

/// What there is among the messages with a whole head, up to a response that
/// is not interim: one that is ours, or that ends HTTP; requests; neither.
fn walked(mut input: &[u8]) -> Sniff {
    let mut so_far = Sniff::No;
    loop {
        let line_end = |b: &&u8| matches!(b, b'\r' | b'\n');
        let begin = input.iter().take_while(line_end).count();
        let mut method = input[begin..].iter().take_while(|&&b| b != b' ');
        let capital = |b: &u8| b.is_ascii_uppercase();
        let known = method.clone().next().is_some_and(capital)
            && !method.any(u8::is_ascii_lowercase);
        let Ok(message) = mcas::parse(input, &Context::default()) else {
            return so_far;
        };
        let request = message.kind == message::KIND_REQUEST;
        if !message.has(message::HEAD_COMPLETE) || (request && !known) {
            return so_far;
        }
        let connect = request && message.method == Method::Connect as u32;
        if message.is_ours() || connect || message.status == 101 {
            return Sniff::Candidate;
        }
        if request {
            so_far = Sniff::OtherRequest;
        }
        let interim = matches!(message.status, 100 | 102..=199);
        if !message.has(message::COMPLETE) || !(request || interim) {
            return so_far;
        }
        input = &input[message.length as usize..];
    }
}

/// Whether what follows interim responses, if there are any, is no HTTP.
fn stops(mut input: &[u8], context: &Context) -> bool {
    loop {
        match mcas::parse(input, context) {
            Err(_) => return true,
            Ok(message)
                if message.has(message::COMPLETE)
                    && matches!(message.status, 100 | 102..=199) =>
            {
                input = &input[message.length as usize..];
            }
            Ok(_) => return false,
        }
    }
}

/// A second, naive way to split the body gives the same pairs.
fn pairs_agree(
    grammar: Grammar,
    message: &Message,
    body: &[u8],
    items: &[Item],
) {
    let pairs: Vec<&[u8]> = match grammar {
        _ if items.is_empty() || message.has(message::BODY_CODED) => vec![],
        Grammar::None => vec![],
        Grammar::Lines => body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(body)
            .split_inclusive(|&b| b == b'\n')
            .map(|line| {
                // A CR without its LF is no line end.
                let text = line.strip_suffix(b"\n");
                text.map_or(line, |t| t.strip_suffix(b"\r").unwrap_or(t))
            })
            .filter(|line| !line.is_empty())
            .collect(),
        Grammar::Form => {
            let ends = |b: &&u8| matches!(b, b'\r' | b'\n');
            let ends = body.iter().rev().take_while(ends).count();
            body[..body.len() - ends]
                .split(|&b| b == b'&')
                .filter(|pair| !pair.is_empty())
                .collect()
        }
        _ => panic!("{grammar:?} is no grammar that is known"),
    };
    let params: Vec<&Item> = items
        .iter()
        .filter(|item| item.level == 0)
        .filter(|item| {
            item.as_field().is_some_and(|f| f != Field::FirmwareSize)
        })
        .collect();
    assert_eq!(params.len(), pairs.len());
    for (item, pair) in params.into_iter().zip(pairs) {
        let shown = item.span.of(body);
        if item.as_field() == Some(Field::Param) {
            assert_eq!(shown, pair);
        } else {
            let equals = pair.iter().position(|&b| b == b'=').unwrap();
            assert_eq!(shown, &pair[equals + 1..]);
        }
    }
}

/// Bytes to come complete what was said of a prefix, and do not take it back.
/// `end` is the prefix's length.
pub fn prefix_agrees(
    now: &Result<Reading, Error>,
    whole: &Result<Reading, Error>,
    end: usize,
) {
    let (Ok(now), Ok(last)) = (now, whole) else {
        assert!(now.is_ok() || whole.is_err(), "{end}: HTTP after all");
        return;
    };
    if now.message.message_type != last.message.message_type {
        // A form may yet name its terminal, a response its status, and an
        // answer alone its result.
        let so_far = now.message.message_type;
        assert!(matches!(so_far, 0 | TYPE_NONE), "{end}: {so_far}");
        return;
    }
    if now.message.has(message::COMPLETE) {
        // The connection ended here, so that was all there is.
        return;
    }
    kept(&now.head, &last.head, end);
    // The size of an image grows with what is there of it.
    let pairs = |reading: &Reading| -> Vec<Item> {
        let size = Some(Field::FirmwareSize);
        let items = reading.body.iter().copied();
        items.filter(|item| item.as_field() != size).collect()
    };
    // What nothing declares is read as what it looks like so far.
    let same = now.grammar == last.grammar;
    if same && last.message.flags & BROKEN_OR_CODED == 0 {
        kept(&pairs(now), &pairs(last), end);
    }
}

const BROKEN_OR_CODED: u32 = message::BODY_BROKEN | message::BODY_CODED;

/// However the same message is read, it says the same: a second time, from
/// its parts, with its parts read alone, with its chunks undone.
pub fn ways_agree(input: &[u8], context: &Context, reading: &Reading) {
    let message = &reading.message;
    assert_eq!(mcas::parse(input, context), Ok(*message));
    head_alone_agrees(input, context, message);
    let again = message.head_items(input);
    assert!(again.eq(reading.head.iter().copied()));
    let body = message.body_bytes(input);
    let again = message.body_items(&body);
    assert!(again.eq(reading.body.iter().copied()));
    if message.has(message::COMPLETE) {
        // What follows a message changes nothing about it.
        let alone = &input[..message.length as usize];
        assert_eq!(mcas::parse(alone, context), Ok(*message));
    }
    if message.has(message::HEAD_COMPLETE) {
        let head = Head::split(&input[..message.body.start()], message);
        head.parts_agree(context, reading, &body);
        if message.is_ours() {
            head.parts_alone_agree(input, reading);
        }
    }
}

/// Who wants the head alone is told the same about it.
fn head_alone_agrees(input: &[u8], context: &Context, message: &Message) {
    let flags = context.flags | message::HEAD_ONLY;
    let alone = mcas::parse(input, &context.with_flags(flags)).unwrap();
    let lines = |m: &Message| {
        let known = [m.kind, m.method, m.status, m.framing, m.begin];
        let spans = [m.status_digits, m.authority, m.path, m.query];
        let more = [m.host, m.user_agent, m.media_type, m.cookies];
        (known, spans, more, m.media, m.charset, m.body.offset)
    };
    assert_eq!(lines(&alone), lines(message));
    // What its body tells is left out.
    let head = &input[..message.body.start()];
    let of_head = mcas::parse(head, context).unwrap();
    assert_eq!(alone.message_type, of_head.message_type);
    if message.framing == Framing::Chunked as u32 {
        assert!(!alone.has(message::COMPLETE));
    } else {
        let flags = message.flags & !message::UNMATCHED;
        let message_type = alone.message_type;
        let mut same = *message;
        (same.flags, same.message_type) = (flags, message_type);
        assert_eq!(alone, same);
    }
}

/// Who has a message come in pieces is told the same as who has that much of
/// it at once; `ends` are where pieces end.
pub fn pieces_agree(
    input: &[u8],
    context: &Context,
    ends: impl IntoIterator<Item = usize>,
) {
    let (mut parsed, mut classified) =
        (Progress::default(), Progress::default());
    for end in ends {
        let prefix = &input[..end];
        let now = mcas::parse(prefix, context);
        let in_pieces = parsed.parse(prefix, context);
        // A long head is not read again with every piece.
        let told = match now {
            Ok(m) => m.has(message::HEAD_COMPLETE) || m.length <= 4096,
            Err(_) => true,
        };
        if told {
            assert_eq!(in_pieces, now, "{end}");
        }
        let now = classify(prefix, context);
        let in_pieces = classified.classify(prefix, context);
        if told || !matches!(now, Ok(Class::Yes(_))) {
            assert_eq!(in_pieces, now, "{end}");
        }
    }
}

/// A head, split naively.
struct Head<'a> {
    method: &'a [u8],
    target: &'a [u8],
    /// Names and values, with the values' offsets, and whether the colon
    /// stands right behind the name.
    headers: Vec<(&'a [u8], &'a [u8], usize, bool)>,
}

/// Lines with their ends, which are CR alone only where a head is invalid.
fn split_lines(text: &[u8], invalid: bool) -> Vec<&[u8]> {
    let mut lines = vec![];
    let mut from = 0;
    for at in 0..text.len() {
        let alone = invalid
            && text[at] == b'\r'
            && text.get(at + 1).is_some_and(|&b| b != b'\n');
        if text[at] == b'\n' || alone {
            lines.push(&text[from..=at]);
            from = at + 1;
        }
    }
    lines.push(&text[from..]);
    lines
}

/// What stands between a method and the last version in a start line.
fn target_of<'a>(line: &'a [u8], method: &[u8]) -> &'a [u8] {
    let version = |at: &usize| {
        let text = line[*at..].to_ascii_lowercase();
        text.starts_with(b" http/1.") || text.starts_with(b"\thttp/1.")
    };
    let at = (0..line.len()).rev().find(version).unwrap_or_default();
    line[..at].strip_prefix(method).unwrap_or_default().trim_ascii()
}

impl<'a> Head<'a> {
    fn split(head: &'a [u8], message: &Message) -> Head<'a> {
        let mut at = message.begin as usize;
        let invalid = message.has(message::HEAD_INVALID);
        let mut lines = split_lines(&head[at..], invalid).into_iter();
        let first = lines.next().unwrap_or_default();
        at += first.len();
        let mut words = first.split(|&b| b == b' ').filter(|w| !w.is_empty());
        let mut word = || words.next().unwrap_or_default();
        let (method, mut target) = (word(), word());
        if invalid && message.kind == message::KIND_REQUEST {
            target = target_of(first, method);
        }
        let mut headers = vec![];
        for line in lines {
            if let Some(colon) = line.iter().position(|&b| b == b':') {
                let (name, value) = (&line[..colon], &line[colon + 1..]);
                // An empty value has a place all the same.
                let text = value.trim_ascii();
                let exact = name.trim_ascii_end() == name;
                let skipped = match text {
                    [] => 0,
                    _ => value.len() - value.trim_ascii_start().len(),
                };
                let value_at = at + colon + 1 + skipped;
                let name = name.trim_ascii_end();
                headers.push((name, text, value_at, exact));
            }
            at += line.len();
        }
        Head { method, target, headers }
    }

    fn values<'b>(
        &'b self,
        name: &'b str,
    ) -> impl Iterator<Item = (&'a [u8], usize)> + 'b {
        let named = self.headers.iter().filter(move |header| {
            header.0.eq_ignore_ascii_case(name.as_bytes())
        });
        named.map(|&(_, value, at, _)| (value, at))
    }

    /// Who has HTTP from elsewhere is told the same.
    fn parts_agree(&self, context: &Context, reading: &Reading, body: &[u8]) {
        let message = &reading.message;
        let response = message.kind == message::KIND_RESPONSE;
        if (response && message.status == 0)
            || message.has(message::BODY_BROKEN)
        {
            return;
        }
        let complete = message.has(message::COMPLETE);
        let first = |name| self.values(name).next().map(|(value, _)| value);
        let coded = message.has(message::BODY_CODED);
        let mut parts = Parts::request(self.method, self.target);
        parts.context = *context;
        parts.status = message.status as u16;
        let content_type =
            self.headers.iter().rfind(|&&(name, _, _, exact)| {
                exact && name.eq_ignore_ascii_case(b"content-type")
            });
        let parts = parts
            .with_flags(if complete { 0 } else { message::CUT })
            .with_host(first("host").unwrap_or_default())
            .with_user_agent(first("user-agent").unwrap_or_default())
            .with_content_type(content_type.map_or(&[], |header| header.1))
            .with_content_encoding(if coded { b"gzip" } else { b"identity" });
        let same = read_parts(&parts, body);
        // Where a body ends, and what else is wrong with a head, is nothing
        // to whoever has its parts.
        let of_head = message::FRAMING_UNCLEAR | message::HEAD_INVALID;
        let flags = |m: &Message| m.flags & !of_head;
        let facts = |m: &Message| {
            let known = [m.kind, m.message_type, flags(m), m.method, m.status];
            (known, m.media, m.charset, m.body_length)
        };
        assert_eq!(facts(&same.message), facts(message));
        assert_eq!(same.body, reading.body);
    }

    /// A part of a head that is read by itself has the same items.
    fn parts_alone_agree(&self, input: &[u8], reading: &Reading) {
        let message = &reading.message;
        let response = message.kind == message::KIND_RESPONSE;
        // A field and what belongs to it, for each field of that name.
        let of = |field: Field| -> Vec<Item> {
            let mut inside = false;
            let items = reading.head.iter().filter(|item| {
                if item.level == 0 {
                    inside = item.as_field() == Some(field);
                }
                inside
            });
            items.copied().collect()
        };
        let mut cookies = vec![];
        for (value, at) in
            self.values(if response { "set-cookie" } else { "cookie" })
        {
            let end = value.iter().position(|&b| b == b';' && response);
            let value = &value[..end.unwrap_or(value.len())];
            let alone = take(items::cookies(value), value);
            cookies.extend(shifted(&alone, at));
        }
        assert_eq!(of(Field::Bigip), cookies);
        for item in &cookies {
            if item.as_field() == Some(Field::Bigip) {
                let value = item.span.of(input);
                let alone = take(items::bigip(value), value);
                for mut part in shifted(&alone, item.span.start()) {
                    // The pool is in its name, and belongs to it, too.
                    if part.level == 0 {
                        part.flags = item.flags;
                    }
                    assert!(cookies.contains(&part), "{part:?}");
                }
            }
        }
        if response {
            return;
        }
        let alone = message.user_agent.of(input);
        let agent = take(items::user_agent(alone), alone);
        let at = message.user_agent.start();
        assert!(of(Field::UserAgent).into_iter().eq(shifted(&agent, at)));
        if message.authority.is_empty() {
            if let Some((value, at)) = self.values("host").next() {
                let alone = take(items::host(value), value);
                assert!(of(Field::Host).into_iter().eq(shifted(&alone, at)));
            }
        }
        let target = take(items::target(self.target), self.target);
        let at = input[message.begin as usize..]
            .windows(self.target.len().max(1))
            .skip(self.method.len())
            .position(|window| window == self.target);
        let at = at.map_or(0, |at| at + self.method.len());
        let target: Vec<_> =
            shifted(&target, message.begin as usize + at).collect();
        if message.message_type == TYPE_FIRMWARE_REQUEST {
            let path = of(Field::FirmwarePath);
            assert!(target.windows(path.len()).any(|w| w == path));
        }
        // What else is in a head may decide how a query is read.
        if matches!(message.message_type, PHONE_ASKS | TYPE_SETUP_PUSH) {
            let query = message.query;
            let inside = |item: &&Item| {
                query.start() <= item.span.start()
                    && item.span.end() <= query.end()
                    && !query.is_empty()
                    && item.as_field() != Some(Field::Type)
            };
            let head = reading.head.iter().filter(inside);
            assert!(head.eq(target.iter().filter(inside)));
        }
    }
}

/// The same items, of bytes that stand `by` bytes further back.
fn shifted(items: &[Item], by: usize) -> impl Iterator<Item = Item> + '_ {
    items.iter().map(move |item| {
        let mut item = *item;
        item.span.offset += by as u32;
        item
    })
}

/// Items of a prefix are those of the whole, but for what the cut left of
/// the last header line, pair or entry: a parameter, and the note.
fn kept(now: &[Item], last: &[Item], end: usize) {
    let same = now.iter().zip(last).take_while(|(a, b)| a == b).count();
    let rest = &now[same..];
    let of_cut = |item: &&Item| {
        matches!(
            item.as_field(),
            Some(Field::Param | Field::ParamName | Field::ParamValue)
        ) || item.as_note() == Some(Note::Truncated)
            // What was found wrong before the cut, told at the end.
            || item.as_note() == Some(Note::ValueInconsistent)
            || item.as_note() == Some(Note::HeadInvalid)
    };
    let other: Vec<_> = rest.iter().filter(|item| !of_cut(item)).collect();
    assert!(other.is_empty(), "{end}: {other:?}");
    assert!(rest.len() <= 6, "{end}: {rest:?}");
}
