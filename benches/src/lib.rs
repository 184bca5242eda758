//! What the core costs: the work of each row of the table, ours and that of
//! the peer beside it. `repeat` counts instructions with it, `wall` time.
//!
//! The core is called through its C functions, as the plugin calls it.

pub mod peer;

use mcas::capi::{
    mcas_body_items, mcas_head_items, mcas_message_parse, mcas_next_many,
    mcas_sniff, Context, Iter, OK, REQUEST_SEEN,
};
use mcas::item::Item;
use mcas::types::TYPE_PROVISIONING_REQUEST;
use mcas::Message;
use std::hint::black_box;
use std::mem::MaybeUninit;

/// The messages of `samples/`, with the line ends that HTTP has.
pub struct Samples {
    pub response: Vec<u8>,
    /// The same response from its body on.
    pub body: Vec<u8>,
    pub web_request: Vec<u8>,
    pub web_response: Vec<u8>,
    /// A segment from the middle of something larger.
    pub web_segment: Vec<u8>,
}

impl Samples {
    pub fn new() -> Samples {
        let message = |text: &str| text.replace('\n', "\r\n").into_bytes();
        let response = message(include_str!("../samples/response.http"));
        let head = head_length(&response);
        let mut web_response =
            message(include_str!("../samples/web-response.http"));
        web_response.extend(b"<!DOCTYPE html>\n");
        web_response.resize(1448, b'.');
        Samples {
            body: response[head..].to_vec(),
            response,
            web_request: message(include_str!("../samples/web-request.http")),
            web_response,
            web_segment: b"<li>Lorem ipsum</li>\n".repeat(69)[..1448].to_vec(),
        }
    }
}

impl Default for Samples {
    fn default() -> Samples {
        Samples::new()
    }
}

fn head_length(message: &[u8]) -> usize {
    let end = memchr::memmem::find(message, b"\r\n\r\n");
    end.expect("a head") + 4
}

/// Takes all items of an iterator, and tells how many.
fn drain(bytes: &[u8], iter: &mut Iter) -> usize {
    let mut items = [const { MaybeUninit::<Item>::uninit() }; 16];
    let (out, most) = (items.as_mut_ptr().cast(), items.len());
    let (mut count, mut all) = (0, 0);
    // SAFETY: buffer, iterator and outputs are good for the call.
    while unsafe {
        let (buf, len) = (bytes.as_ptr(), bytes.len());
        mcas_next_many(buf, len, iter, out, most, &mut count)
    } == OK
    {
        black_box(&items);
        all += count;
    }
    all
}

/// What the C functions make of a response: the message and an iterator over
/// a part of it.
fn parse(response: &[u8]) -> Message {
    let context = Context {
        request: REQUEST_SEEN,
        request_type: TYPE_PROVISIONING_REQUEST,
        ..Context::default()
    };
    let mut message = MaybeUninit::<Message>::uninit();
    // SAFETY: all of them are good for the call, which writes its output.
    unsafe {
        let status = mcas_message_parse(
            response.as_ptr(),
            response.len(),
            &context,
            message.as_mut_ptr(),
        );
        assert_eq!(status, OK);
        message.assume_init()
    }
}

/// A whole provisioning response: head and body, all items with their notes.
pub fn whole(response: &[u8]) -> usize {
    let message = parse(response);
    let mut iter = MaybeUninit::<Iter>::uninit();
    // SAFETY: message and iterator are good for the call.
    unsafe { mcas_head_items(&message, iter.as_mut_ptr()) };
    // SAFETY: an iterator may be any bits but for what was just written.
    let head = drain(response, unsafe { iter.assume_init_mut() });
    head + body(&message, message.body.of(response))
}

/// The body of a message that was parsed, all items with their notes.
pub fn body(message: &Message, bytes: &[u8]) -> usize {
    let mut iter = MaybeUninit::<Iter>::uninit();
    // SAFETY: message, body and iterator are good for the call.
    unsafe {
        let start = bytes.as_ptr();
        mcas_body_items(message, start, bytes.len(), iter.as_mut_ptr());
    }
    // SAFETY: as in `whole`.
    drain(bytes, unsafe { iter.assume_init_mut() })
}

/// The first look at a segment.
pub fn sniff(segment: &[u8]) -> usize {
    let mut answer = 0;
    // SAFETY: buffer and output are good for the call.
    unsafe { mcas_sniff(segment.as_ptr(), segment.len(), &mut answer) };
    answer as usize
}

/// A piece of work, by the name of its row, ready to be repeated.
pub type Work = Box<dyn Fn() -> usize>;

/// All work there is to measure, by name.
pub fn rows() -> Vec<(&'static str, Work)> {
    fn on(bytes: &[u8], work: fn(&[u8]) -> usize) -> Work {
        let bytes = bytes.to_vec();
        Box::new(move || work(black_box(&bytes)))
    }
    let samples = Samples::new();
    let message = parse(&samples.response);
    let body_bytes = samples.body.clone();
    vec![
        ("nothing", on(b"", |_| 0)),
        ("whole", on(&samples.response, whole)),
        ("whole-peer", on(&samples.response, peer::whole)),
        ("whole-floor", on(&samples.response, peer::floor)),
        ("body", Box::new(move || body(&message, black_box(&body_bytes)))),
        ("body-peer", on(&samples.body, peer::body)),
        ("body-floor", on(&samples.body, peer::lines)),
        ("sniff-segment", on(&samples.web_segment, sniff)),
        ("sniff-request", on(&samples.web_request, sniff)),
        ("sniff-response", on(&samples.web_response, sniff)),
        ("sniff-request-peer", on(&samples.web_request, peer::request)),
        ("sniff-response-peer", on(&samples.web_response, peer::response)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ours and the peer's work is on the same message, and all of it.
    #[test]
    fn all_values_are_there() {
        let samples = Samples::new();
        assert_eq!(samples.body.len(), 456);
        let message = parse(&samples.response);
        assert_eq!(message.body.of(&samples.response), samples.body);
        assert_eq!(body(&message, &samples.body), 31);
        assert_eq!(whole(&samples.response), 37);
        let read = peer::Answer::read(&samples.response).unwrap();
        assert_eq!(read.status, 200);
        assert_eq!(read.server.unwrap().to_string(), "10.139.75.56:80");
        let settings = read.settings;
        assert_eq!(settings.networks().len(), 4);
        assert_eq!(settings.ip_addr.unwrap().octets(), [172, 20, 184, 194]);
        assert_eq!(settings.ip_tel_num, b"0722123456");
        assert_eq!(settings.rtpport2, Some(5035));
    }
}
