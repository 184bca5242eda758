//! What holds for any bytes whatever.
//!
//! [`check`] looks at one input; [`classes_agree`] and [`kept`] at how the
//! answers to growing ones go together. Where the standard library can read
//! the same thing, it is the oracle.

use mcas::fields::Kind;
use mcas::format::Style;
use mcas::message;
use mcas::pairs::Grammar;
use mcas::Value;
use mcas::{classify, text, Class, Context, Error, Field, Item, Message};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An input as the core reads it.
pub struct Reading {
    pub message: Message,
    pub head: Vec<Item>,
    pub body: Vec<Item>,
}

/// Reads `input`, and asserts what holds for any input whatever.
pub fn check(input: &[u8], context: &Context) -> Result<Reading, Error> {
    let message = mcas::parse(input, context)?;
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
    let items = take(message.body_items(&body), &body);
    assert_eq!(head.is_empty(), !message.is_ours());
    pairs_agree(message.body_grammar(&body), &message, &body, &items);
    Ok(Reading { message, head, body: items })
}

/// All items of an iterator over `bytes`.
fn take(mut items: impl Iterator<Item = Item>, bytes: &[u8]) -> Vec<Item> {
    let most = 8 * (bytes.len() + 1);
    let taken: Vec<_> = items.by_ref().take(most + 1).collect();
    assert!(taken.len() <= most, "no end");
    for _ in 0..3 {
        assert_eq!(items.next(), None, "goes on behind the end");
    }
    // Offset of the last field, and depth that the next item may have.
    let (mut at, mut deepest) = ([0; 3], 0);
    for item in &taken {
        let level = item.level as usize;
        assert!(item.span.end() <= bytes.len(), "{item:?}");
        assert!(level <= deepest, "{item:?} belongs to no field");
        assert!(item.as_field().is_some() != item.as_note().is_some());
        if item.as_field().is_some() {
            assert!(at[level] <= item.span.start(), "{item:?} out of order");
            at[level] = item.span.start();
            at[level + 1..].fill(0);
            deepest = level + 1;
        }
        text_agrees(item, bytes);
        value_agrees(item, bytes);
    }
    taken
}

/// There is room enough for the text where the manual says so, and a line is
/// fit for a terminal.
fn text_agrees(item: &Item, bytes: &[u8]) {
    let text = text::to_string(item, bytes);
    assert!(text.len() <= 3 * item.span.length as usize);
    assert!(!text.contains('\0'));
    assert_eq!(item.format(bytes, Style::Text).to_string(), text);
    let value = item.format(bytes, Style::Value).to_string();
    if item.value() == Some(Value::Text) {
        assert_eq!(value, text);
    } else {
        assert!(value.len() <= (3 * item.span.length as usize).max(40));
    }
    let line = item.format(bytes, Style::Line).to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
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
            Class::Yes(_) => panic!("{message:?} is {class:?}"),
        }
    }
    match before {
        Some((_, Class::No)) => assert_eq!(class, Class::No),
        Some((_, Class::Yes(_))) => {
            assert!(matches!(class, Class::Yes(_)) || parsed.is_err());
        }
        Some((length, Class::More(needed))) => {
            assert!(needed > 0);
            if input.len() < length + needed {
                assert!(!matches!(class, Class::Yes(_)));
            }
        }
        None => {}
    }
    class
}

/// The standard library reads the same value out of the text.
fn value_agrees(item: &Item, bytes: &[u8]) {
    let Some(field) = item.as_field() else { return };
    let text = text::to_string(item, bytes);
    let generated = item.flags & mcas::item::GENERATED != 0;
    let kind = field.info().kind;
    match item.value().unwrap() {
        Value::Text => assert_eq!(kind, Kind::String),
        Value::Ipv4(address) if !generated => {
            // The network of a route may have the whole entry's bytes.
            let text = text.split('/').next().unwrap();
            assert_eq!(text.parse::<Ipv4Addr>(), Ok(address));
        }
        Value::Number(number) if !generated => {
            let text = text.split('/').next_back().unwrap();
            assert_eq!(text.parse::<u64>(), Ok(number), "{item:?}");
            let most = match kind {
                Kind::Uint8 => u8::MAX.into(),
                Kind::Uint16 => u16::MAX.into(),
                _ => u32::MAX.into(),
            };
            assert!(number <= most, "{item:?}");
        }
        Value::Ether(mac) => {
            let mac: String = mac.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(text.to_lowercase(), mac);
        }
        Value::Ipv6(address) => {
            let digits = |a: Ipv6Addr| format!("{:032x}", a.to_bits());
            assert!(text.to_lowercase().contains(&digits(address)));
        }
        _ => assert!(generated),
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

/// Items of a prefix are those of the whole, but for what the cut left of
/// the last header line, pair or entry: a parameter, and the note.
pub fn kept(now: &[Item], last: &[Item], end: usize) {
    let same = now.iter().zip(last).take_while(|(a, b)| a == b).count();
    let rest = &now[same..];
    let of_cut = |item: &&Item| {
        matches!(
            item.as_field(),
            Some(Field::Param | Field::ParamName | Field::ParamValue)
        ) || item.as_note() == Some(mcas::Note::Truncated)
            // What was found wrong before the cut, told at the end.
            || item.as_note() == Some(mcas::Note::ValueInconsistent)
    };
    let other: Vec<_> = rest.iter().filter(|item| !of_cut(item)).collect();
    assert!(other.is_empty(), "{end}: {other:?}");
    assert!(rest.len() <= 6, "{end}: {rest:?}");
}
