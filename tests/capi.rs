//! The C functions called from Rust: NULL and length rules, outputs; and from
//! C, by the programs in `c/`, with the library as it is shipped.

#![allow(clippy::undocumented_unsafe_blocks)] // All is made up for the call.

use crate::header;
use crate::prefix::{samples, Random, Sample};
use crate::ROOT;
use mcas::capi::{self, *};
use mcas::endpoints::Endpoint;
use mcas::{fields, items, message, notes, types, Item, Message};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{c_char, CStr, CString};
use std::fs;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// Room for an output that shows whether it was written.
struct Out<T>(MaybeUninit<T>);

impl<T> Out<T> {
    fn new() -> Out<T> {
        let mut place = MaybeUninit::<T>::uninit();
        unsafe { place.as_mut_ptr().write_bytes(0xa5, 1) };
        Out(place)
    }

    fn place(&mut self) -> *mut T {
        self.0.as_mut_ptr()
    }

    fn untouched(&self) -> bool {
        let start = self.0.as_ptr().cast::<u8>();
        let bytes =
            unsafe { std::slice::from_raw_parts(start, size_of::<T>()) };
        bytes.iter().all(|&b| b == 0xa5)
    }

    /// What was written: plain data, for which any bits are valid.
    fn get(&self) -> T {
        unsafe { self.0.assume_init_read() }
    }
}

const REQUEST: &[u8] = b"POST /?a=1 HTTP/1.1\r\nHost: add-con.mcas\r\n\
    Content-Length: 23\r\n\r\nTerminalID=001F67XXXXXX";

/// That request as it reads, and the iterator of its head.
fn parsed() -> (Message, Iter) {
    let (mut message, mut iter) = (Out::<Message>::new(), Out::<Iter>::new());
    unsafe {
        let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
        let status = mcas_message_parse(buf, len, null(), message.place());
        assert_eq!(status, OK);
        assert_eq!(mcas_head_items(message.place(), iter.place()), OK);
    }
    (message.get(), iter.get())
}

/// An item of that request: the terminal's id.
fn terminal() -> Item {
    let body = &REQUEST[REQUEST.len() - 23..];
    let (message, _) = parsed();
    message.body_items(body).next().unwrap()
}

/// Buffers as C may hand them over, and what comes of it.
fn buffers() -> [(*const u8, usize, Status); 8] {
    let start = REQUEST.as_ptr();
    let most = i32::MAX as usize;
    [
        (null(), 0, OK),
        (start, 0, OK),
        (start, REQUEST.len(), OK),
        (null(), 1, ERR_NULL),
        (null(), most, ERR_NULL),
        // Nothing is read, or this would crash.
        (start, most + 1, ERR_TOO_LARGE),
        (start, usize::MAX, ERR_TOO_LARGE),
        (null(), usize::MAX, ERR_TOO_LARGE),
    ]
}

/// Calls `function` with each of [`buffers`].
fn buffer_rules<T>(function: impl Fn(*const u8, usize, *mut T) -> Status) {
    for (buf, len, expected) in buffers() {
        let mut out = Out::new();
        let status = function(buf, len, out.place());
        let failed = expected < 0;
        // Success may be END or PARTIAL here.
        assert!(status == expected || (!failed && status >= 0), "{status}");
        assert!(out.untouched() || matches!(status, OK | PARTIAL));
        let mut out = Out::new();
        assert_eq!(function(null(), 1, out.place()), ERR_NULL);
        assert!(out.untouched());
    }
    let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
    assert_eq!(function(buf, len, null_mut()), ERR_NULL, "no output");
}

#[test]
fn rules_of_field_get() {
    assert_eq!(unsafe { mcas_field_get(0, null_mut()) }, ERR_NULL);
    for id in [fields::FIELDS.len() as u32, u32::MAX] {
        let mut out = Out::new();
        assert_eq!(unsafe { mcas_field_get(id, out.place()) }, END);
        assert!(out.untouched());
    }
}

#[test]
fn rules_of_field_value() {
    let (mut number, mut name) = (Out::new(), Out::new());
    let (n, s) = (number.place(), name.place());
    let all = fields::FIELDS.len() as u32;
    unsafe {
        assert_eq!(mcas_field_value_name(0, 0, null_mut(), s), ERR_NULL);
        assert_eq!(mcas_field_value_name(0, 0, n, null_mut()), ERR_NULL);
        assert_eq!(mcas_field_value_name(all, 0, n, s), ERR_RANGE);
        assert_eq!(mcas_field_value_name(u32::MAX, 0, n, s), ERR_RANGE);
        assert_eq!(mcas_field_value_name(0, 14, n, s), END);
        assert_eq!(mcas_field_value_name(0, u32::MAX, n, s), END);
    }
    assert!(number.untouched() && name.untouched());
}

#[test]
fn rules_of_note_get() {
    assert_eq!(unsafe { mcas_note_get(0, null_mut()) }, ERR_NULL);
    for id in [notes::NOTES.len() as u32, u32::MAX] {
        let mut out = Out::new();
        assert_eq!(unsafe { mcas_note_get(id, out.place()) }, END);
        assert!(out.untouched());
    }
}

#[test]
fn rules_of_type_get() {
    assert_eq!(unsafe { mcas_type_get(0, null_mut()) }, ERR_NULL);
    for id in [types::TYPES.len() as u32, u32::MAX] {
        let mut out = Out::new();
        assert_eq!(unsafe { mcas_type_get(id, out.place()) }, END);
        assert!(out.untouched());
    }
}

#[test]
fn rules_of_classify() {
    buffer_rules(|buf, len, out| unsafe {
        mcas_classify(buf, len, null(), out)
    });
    let classify = |bytes: &[u8], context: *const Context| {
        let mut out = Out::<Classed>::new();
        let (buf, len) = (bytes.as_ptr(), bytes.len());
        let status = unsafe { mcas_classify(buf, len, context, out.place()) };
        assert_eq!(status, OK);
        let Classed { answer, message_type, more } = out.get();
        (answer, message_type, more)
    };
    for (bytes, expected) in [
        (REQUEST, (CLASS_YES, 1, 0)),
        (&REQUEST[..10], (CLASS_MORE, u32::MAX, 1)),
        (b"SSH-2.0-x\r\n", (CLASS_NO, u32::MAX, 0)),
        (b"HTTP/1.1 200 OK\r\n\r\nResult", (CLASS_MORE, u32::MAX, 5)),
    ] {
        assert_eq!(classify(bytes, null()), expected);
    }
    // A context is read.
    let class = classify(b"HTTP/1.1 200 OK\r\n", &answering(3));
    assert_eq!(class, (CLASS_YES, 4, 0));
}

#[test]
fn rules_of_sniff() {
    buffer_rules(|buf, len, out| unsafe { mcas_sniff(buf, len, out) });
}

#[test]
fn rules_of_message_parse() {
    buffer_rules(|buf, len, out| unsafe {
        mcas_message_parse(buf, len, null(), out)
    });
    for (input, expected) in [
        (REQUEST, OK),
        (&REQUEST[..REQUEST.len() - 1], PARTIAL),
        (b"SSH-2.0-x\r\n", ERR_NOT_HTTP),
    ] {
        let mut out = Out::new();
        let (buf, len) = (input.as_ptr(), input.len());
        let status =
            unsafe { mcas_message_parse(buf, len, null(), out.place()) };
        assert_eq!(status, expected);
        assert_eq!(out.untouched(), status < 0);
    }
}

#[test]
fn rules_of_message_refused() {
    buffer_rules(|buf, len, out| unsafe {
        mcas_message_refused(buf, len, out)
    });
    for (input, expected) in [
        (REQUEST, (END, None)),
        (b"", (END, None)),
        (b"\0", (OK, Some(0))),
        (b"SSH-2.0-x\r\n", (OK, Some(9))),
    ] {
        let mut out = Out::new();
        let (buf, len) = (input.as_ptr(), input.len());
        let status = unsafe { mcas_message_refused(buf, len, out.place()) };
        let offset = (!out.untouched()).then(|| out.get());
        assert_eq!((status, offset), expected);
    }
}

/// A request in pieces: outputs as elsewhere, and the same answers; whatever
/// a progress holds, and whatever bytes it is given.
#[test]
fn rules_of_resume() {
    let zeros = || capi::Progress { state: [0; 48] };
    buffer_rules(|buf, len, out| unsafe {
        mcas_message_resume(buf, len, null(), &mut zeros(), out)
    });
    let (buf, all) = (REQUEST.as_ptr(), REQUEST.len());
    let mut classed = Out::<Classed>::new();
    let class = classed.place();
    buffer_rules(|buf, len, class| unsafe {
        let progress = &mut zeros();
        mcas_classify_resume(buf, len, null(), progress, class)
    });
    let mut out = Out::<Message>::new();
    let none = null_mut();
    unsafe {
        let status = mcas_message_resume(buf, all, null(), none, out.place());
        assert_eq!(status, ERR_NULL);
        let status = mcas_classify_resume(buf, all, null(), none, class);
        assert_eq!(status, ERR_NULL);
    }
    assert!(out.untouched());
    let (mut reading, mut stream) = (zeros(), zeros());
    for len in 0..=all {
        let prefix = &REQUEST[..len];
        let context = mcas::Context::default();
        let status = unsafe {
            mcas_message_resume(buf, len, null(), &mut reading, out.place())
        };
        assert_eq!(Ok(out.get()), mcas::parse(prefix, &context));
        assert_eq!(status, if len == all { OK } else { PARTIAL });
        let status = unsafe {
            let progress = &mut stream;
            mcas_classify_resume(buf, len, null(), progress, class)
        };
        assert_eq!(status, OK);
        let expected = mcas::classify(prefix, &context).unwrap();
        assert_eq!(classed.get(), expected.into(), "{len}");
    }
    // Fewer bytes, or another request, and it begins anew.
    let response = b"HTTP/1.1 200 OK\r\n\r\nResultCode=0000";
    for (len, context, expected) in [
        (35, answering(1), 2),
        (19, answering(1), 2),
        (35, answering(3), 4),
        (19, Context::default(), u32::MAX),
    ] {
        let buf = response.as_ptr();
        let status = unsafe {
            let out = out.place();
            mcas_message_resume(buf, len, &context, &mut reading, out)
        };
        assert_eq!((status, out.get().message_type), (PARTIAL, expected));
        assert_eq!(out.get().length as usize, len);
    }
    let mut random = Random(1);
    for _ in 0..20_000 {
        let mut spoiled = reading;
        let place = &mut spoiled.state[random.below(48)];
        *place = random.0 >> random.below(64);
        let len = random.below(all + 1);
        let status = unsafe {
            mcas_message_resume(buf, len, null(), &mut spoiled, out.place())
        };
        assert!(matches!(status, OK | PARTIAL), "{status}");
        let message = out.get();
        assert!(message.body.end() <= len && message.path.end() <= len);
        let status = unsafe {
            let progress = &mut spoiled;
            mcas_classify_resume(buf, len, null(), progress, class)
        };
        assert_eq!(status, OK);
    }
}

/// A context is read, and NULL is the same as knowing nothing.
#[test]
fn context_of_message_parse() {
    let response = b"HTTP/1.1 200 OK\r\n\r\nResultCode=0000";
    let parse = |context: *const Context| {
        let mut out = Out::<Message>::new();
        let (buf, len) = (response.as_ptr(), response.len());
        unsafe { mcas_message_parse(buf, len, context, out.place()) };
        out.get()
    };
    let unknown = Context::default();
    assert_eq!(parse(null()), parse(&unknown));
    assert_eq!(parse(null()).message_type, 2);
    let known = answering(3);
    assert_eq!(parse(&known).message_type, 4);
    // Type 0 is a type like others, if there was a request.
    assert_eq!(parse(&answering(0)).message_type, 13);
}

/// What is known of a response to a request of this type.
fn answering(request_type: u32) -> Context {
    Context { request: REQUEST_SEEN, request_type, ..Context::default() }
}

/// A context that contradicts itself is refused, by whatever takes one.
#[test]
fn rules_of_context() {
    let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
    let all_zeros = unsafe { MaybeUninit::<Context>::zeroed().assume_init() };
    for (context, expected) in [
        (all_zeros, OK),
        (Context { flags: u32::MAX, ..all_zeros }, OK),
        (answering(0), OK),
        (Context { request_method: 4711, ..answering(u32::MAX) }, OK),
        (Context { request_type: 1, ..all_zeros }, ERR_RANGE),
        (Context { request_type: u32::MAX, ..all_zeros }, ERR_RANGE),
        (Context { request_method: 1, ..all_zeros }, ERR_RANGE),
        (Context { request: 2, ..all_zeros }, ERR_RANGE),
        (Context { request: u32::MAX, ..answering(1) }, ERR_RANGE),
    ] {
        let mut out = Out::<Message>::new();
        let place = out.place();
        let status = unsafe { mcas_message_parse(buf, len, &context, place) };
        assert_eq!(status, expected, "{context:?}");
        let parts = Parts { context, ..nothing() };
        let status =
            unsafe { mcas_message_from_parts(&parts, buf, len, place) };
        assert_eq!(status, expected, "{context:?}");
        assert_eq!(out.untouched(), status < 0);
        let mut out = Out::new();
        let status = unsafe { mcas_classify(buf, len, &context, out.place()) };
        assert_eq!(status, expected, "{context:?}");
        assert_eq!(out.untouched(), status < 0);
    }
}

/// Parts of which nothing is known.
fn nothing() -> Parts {
    unsafe { MaybeUninit::zeroed().assume_init() }
}

#[test]
fn rules_of_head_items() {
    let (message, _) = parsed();
    let mut out = Out::new();
    unsafe {
        assert_eq!(mcas_head_items(null(), out.place()), ERR_NULL);
        assert_eq!(mcas_head_items(&message, null_mut()), ERR_NULL);
    }
    assert!(out.untouched());
}

#[test]
fn rules_of_body_items() {
    let (message, _) = parsed();
    let (start, all) = (REQUEST.as_ptr(), REQUEST.len());
    buffer_rules(|body, len, out| unsafe {
        mcas_body_items(&message, body, len, out)
    });
    let mut out = Out::new();
    let status = unsafe { mcas_body_items(null(), start, all, out.place()) };
    assert_eq!(status, ERR_NULL);
    assert!(out.untouched());
}

/// A message from somebody else's HTTP: what is given is read, and what is
/// not is empty.
#[test]
fn rules_of_message_from_parts() {
    let text = |text: &'static str| Bytes {
        start: text.as_ptr(),
        length: text.len(),
    };
    let nothing = nothing();
    let read = |parts: *const Parts, body: &[u8]| {
        let mut out = Out::<Message>::new();
        let (start, length) = (body.as_ptr(), body.len());
        let status = unsafe {
            mcas_message_from_parts(parts, start, length, out.place())
        };
        assert_eq!(out.untouched(), status < 0);
        (status >= 0).then(|| out.get()).ok_or(status)
    };
    buffer_rules(|body, len, out| unsafe {
        mcas_message_from_parts(&nothing, body, len, out)
    });
    assert_eq!(read(null(), b""), Err(ERR_NULL));
    let bad = Parts { status: 65536, ..nothing };
    assert_eq!(read(&bad, b""), Err(ERR_RANGE));
    for (start, length, expected) in [
        (null(), 1, ERR_NULL),
        (b"".as_ptr(), i32::MAX as usize + 1, ERR_TOO_LARGE),
    ] {
        let bad = Bytes { start, length };
        for parts in [
            Parts { method: bad, ..nothing },
            Parts { target: bad, ..nothing },
            Parts { host: bad, ..nothing },
            Parts { user_agent: bad, ..nothing },
            Parts { content_type: bad, ..nothing },
            Parts { content_encoding: bad, ..nothing },
        ] {
            assert_eq!(read(&parts, b""), Err(expected));
        }
    }
    assert_eq!(read(&nothing, b"").unwrap().message_type, u32::MAX);
    let get = Parts { method: text("GET"), ..nothing };
    let post = Parts { method: text("POST"), ..nothing };
    for (parts, body, expected) in [
        (Parts { host: text("add-con.mcas:80"), ..post }, "", 1),
        (Parts { target: text("http://add-con.mcas/"), ..post }, "", 1),
        (Parts { user_agent: text("M-CAS/1.0"), ..get }, "", 0),
        (Parts { user_agent: text("M-CAS/1.0"), ..get }, "TerminalID=", 1),
        (
            Parts {
                user_agent: text("M-CAS/1.0"),
                content_type: text("text/plain"),
                ..get
            },
            "TerminalID=",
            0,
        ),
        (
            Parts {
                user_agent: text("M-CAS/1.0"),
                content_encoding: text("gzip"),
                ..get
            },
            "TerminalID=",
            0,
        ),
        (
            Parts {
                user_agent: text("M-CAS/1.0"),
                target: text("/a?TerminalID="),
                ..get
            },
            "",
            1,
        ),
        (
            Parts {
                host: text("verup-mcas.x.flets"),
                target: text("/fw/A/b"),
                ..get
            },
            "",
            3,
        ),
        (Parts { target: text("/voip_setup.cgi"), ..post }, "sipsv_addr=", 11),
        (Parts { status: 200, ..nothing }, "ResultCode=0000", 2),
        (Parts { status: 200, ..nothing }, "", u32::MAX),
        (Parts { status: 404, context: answering(3), ..nothing }, "", 4),
    ] {
        let message = read(&parts, body.as_bytes()).unwrap();
        assert_eq!(message.message_type, expected, "{body}");
        assert_eq!(message.body_length, body.len() as u64);
        assert!(message.has(message::COMPLETE | message::HEAD_COMPLETE));
    }
    // What of a message does not hang on its head is the same as parsed.
    let whole = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain;\
        charset=ISO-8859-1\r\nContent-Length: 18\r\n\r\nResultCode=0000\r\n\xe9";
    let body = &whole[whole.len() - 18..];
    let parts = Parts {
        status: 200,
        content_type: text("text/plain;charset=ISO-8859-1"),
        ..nothing
    };
    let parsed = mcas::parse(whole, &Default::default()).unwrap();
    let made = read(&parts, body).unwrap();
    assert_eq!(
        (made.message_type, made.flags, made.kind, made.status),
        (parsed.message_type, parsed.flags, parsed.kind, parsed.status)
    );
    assert_eq!((made.media, made.charset), (parsed.media, parsed.charset));
    let items: Vec<_> = parsed.body_items(body).collect();
    assert_eq!(made.body_items(body).collect::<Vec<_>>(), items);
    assert_eq!(items.len(), 8);
    let head: Vec<_> = made.head_items(b"").collect();
    assert_eq!(head.len(), 2, "type and «unmatched»");
    // A body that is not all there says so.
    let cut = Parts { flags: message::CUT, ..parts };
    let cut = read(&cut, body).unwrap();
    assert!(!cut.has(message::COMPLETE));
    let truncated = |item: Item| item.as_note() == Some(mcas::Note::Truncated);
    assert!(cut.body_items(body).any(truncated));
}

/// Parts that stand by themselves give the items that they give in a head.
#[test]
fn parts_alone() {
    type Begin = unsafe extern "C" fn(*const u8, usize, *mut Iter) -> Status;
    type Twin = fn(&[u8]) -> items::Items<'_>;
    let agent = "M-CAS/7.0 (RTS300HI 4.02; NTTEAST/NTTWEST)";
    let cookie = "a=b; BIGipServerpool=944474890.20480.0000; path=/";
    for (begin, twin, value, names) in [
        (
            mcas_user_agent_items as Begin,
            items::user_agent as Twin,
            agent,
            "user_agent user_agent.version device.model device.firmware \
             device.carrier device.carrier",
        ),
        (mcas_user_agent_items, items::user_agent, "curl/8", ""),
        (
            mcas_cookie_items,
            items::cookies,
            cookie,
            "bigip bigip.pool bigip.addr bigip.port",
        ),
        (
            mcas_bigip_items,
            items::bigip,
            "rd5o00000000000000000000ffffc0000201o80",
            "bigip bigip.addr bigip.port bigip.route_domain",
        ),
        (
            mcas_target_items,
            items::target,
            "http://verup-mcas.o.flets/fw/A/b.bin?c",
            "host odm firmware.path firmware.model firmware.file param \
             param.name param.value",
        ),
        (
            mcas_target_items,
            items::target,
            "/cas_tel_conf/?id=001F67A1B2C3&term_type=4",
            "terminal_id terminal_id.mac terminal_id.oui term_type",
        ),
        (
            mcas_target_items,
            items::target,
            "/?CompanyCode=%41&dscp=46",
            "company_code dscp dscp.tos",
        ),
        (mcas_host_items, items::host, "add-con.mcas:80", "host"),
        (mcas_host_items, items::host, "verup-mcas.o.flets", "host odm"),
        (mcas_target_items, items::target, "/", ""),
        (mcas_target_items, items::target, "", ""),
    ] {
        buffer_rules(|buf, len, out| unsafe { begin(buf, len, out) });
        let (mut out, mut iter) = (Out::<Item>::new(), Out::<Iter>::new());
        let (buf, len) = (value.as_ptr(), value.len());
        let mut found = vec![];
        unsafe {
            assert_eq!(begin(buf, len, iter.place()), OK);
            while mcas_next(buf, len, iter.place(), out.place()) == OK {
                found.push(out.get());
            }
        }
        let expected: Vec<_> = twin(value.as_bytes()).collect();
        assert_eq!(found, expected);
        let found: Vec<_> = found
            .iter()
            .filter_map(|item| item.as_field())
            .map(|field| &field.info().name()[5..])
            .collect();
        assert_eq!(found.join(" "), names);
    }
}

#[test]
fn rules_of_next() {
    let (_, iter) = parsed();
    let (start, all) = (REQUEST.as_ptr(), REQUEST.len());
    buffer_rules(|buf, len, out| unsafe {
        mcas_next(buf, len, &mut { iter }, out)
    });
    let mut out = Out::new();
    let status = unsafe { mcas_next(start, all, null_mut(), out.place()) };
    assert_eq!(status, ERR_NULL);
    assert!(out.untouched());
}

#[test]
fn rules_of_next_many() {
    let (_, iter) = parsed();
    let mut items = Out::<[Item; 2]>::new();
    let out = items.place().cast();
    buffer_rules(|buf, len, count| unsafe {
        mcas_next_many(buf, len, &mut { iter }, out, 2, count)
    });
    let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
    let (mut items, mut count) = (Out::<[Item; 2]>::new(), Out::new());
    let (out, n) = (items.place().cast(), count.place());
    let mut moved = iter;
    let place: *mut Iter = &mut moved;
    let large = i32::MAX as usize + 1;
    unsafe {
        assert_eq!(mcas_next_many(buf, len, null_mut(), out, 2, n), ERR_NULL);
        assert_eq!(
            mcas_next_many(buf, len, place, null_mut(), 2, n),
            ERR_NULL
        );
        let status = mcas_next_many(buf, len, place, out, large, n);
        assert_eq!(status, ERR_TOO_LARGE);
        for out in [out, null_mut()] {
            let status = mcas_next_many(buf, len, place, out, 0, n);
            assert_eq!(status, ERR_RANGE);
        }
    }
    assert!(items.untouched() && count.untouched());
    assert_eq!(rest(moved), rest(iter));
}

/// Many at a time are the same as one at a time, however many that is, and
/// wherever an iterator goes on.
#[test]
fn many_are_the_same() {
    for sample in samples() {
        let message = mcas::parse(&sample.bytes, &sample.context()).unwrap();
        let body = message.body_bytes(&sample.bytes);
        let (buf, len) = (body.as_ptr(), body.len());
        let expected: Vec<_> = message.body_items(&body).collect();
        for most in [1, 2, 3, 8, 100] {
            let mut iter = Out::<Iter>::new();
            let mut room = vec![MaybeUninit::<Item>::uninit(); most];
            let (place, out) = (iter.place(), room.as_mut_ptr().cast());
            let mut found = vec![];
            unsafe {
                assert_eq!(mcas_body_items(&message, buf, len, place), OK);
                let mut one = Out::<Item>::new();
                if mcas_next(buf, len, place, one.place()) == OK {
                    found.push(one.get());
                }
                let mut n = 0;
                while mcas_next_many(buf, len, place, out, most, &mut n) == OK
                {
                    assert!((1..=most).contains(&n));
                    found.extend(room[..n].iter().map(|i| i.assume_init()));
                }
                let status =
                    mcas_next_many(buf, len, place, out, most, &mut n);
                assert_eq!(status, END);
                assert_eq!(mcas_next(buf, len, place, one.place()), END);
            }
            assert_eq!(found, expected, "{}", sample.name);
        }
    }
}

/// What fails leaves the iterator where it was.
#[test]
fn failure_does_not_move_the_iterator() {
    let (_, iter) = parsed();
    let mut moved = iter;
    let mut out = Out::new();
    let status = unsafe { mcas_next(null(), 1, &mut moved, out.place()) };
    assert_eq!(status, ERR_NULL);
    // Compared as far as it is the library's: the rest is of no meaning.
    assert_eq!(rest(moved), rest(iter));
}

#[test]
fn rules_of_config_format() {
    let refused = b"ResultCode=0010\r\n";
    let asked = mcas::Request::new(9);
    let context = mcas::Context::answering(asked);
    let parts = message::Parts::response(200, context);
    let answer = message::from_parts(&parts, refused).unwrap();
    let (start, all) = (refused.as_ptr(), refused.len());
    buffer_rules(|body, len, needed| {
        let mut room = [0; 64];
        let to = room.as_mut_ptr();
        unsafe { mcas_config_format(&answer, body, len, 0, to, 64, needed) }
    });
    let mut room = [0xa5u8; 40];
    let out = room.as_mut_ptr().cast::<c_char>();
    let mut needed = Out::<usize>::new();
    let to = needed.place();
    let format = |message, out, len, to| unsafe {
        mcas_config_format(message, start, all, 0, out, len, to)
    };
    let large = i32::MAX as usize + 1;
    assert_eq!(format(null(), out, 40, to), ERR_NULL);
    assert_eq!(format(&answer, null_mut(), 1, to), ERR_NULL);
    assert_eq!(format(&answer, out, 40, null_mut()), ERR_NULL);
    assert_eq!(format(&answer, out, large, to), ERR_TOO_LARGE);
    // Of another type.
    assert_eq!(format(&parsed().0, out, 40, to), END);
    assert!(needed.untouched() && room == [0xa5; 40]);
    let text = b"# no settings: result code 0010\n";
    assert_eq!(format(&answer, null_mut(), 0, to), PARTIAL);
    assert_eq!(needed.get(), text.len());
    assert_eq!(format(&answer, out, 10, to), PARTIAL);
    assert_eq!(room[..11], *b"# no sett\0\xa5");
    assert_eq!(format(&answer, out, text.len(), to), PARTIAL);
    assert_eq!(format(&answer, out, text.len() + 1, to), OK);
    assert_eq!(room[..text.len()], *text);
    assert_eq!(room[text.len()..text.len() + 2], *b"\0\xa5");
}

#[test]
fn rules_of_item_format() {
    let item = terminal();
    let body = &REQUEST[REQUEST.len() - 23..];
    let (start, all) = (body.as_ptr(), body.len());
    let mut room = [0xa5u8; 16];
    let out = room.as_mut_ptr().cast::<c_char>();
    buffer_rules(|buf, len, needed| {
        let mut room = [0; 64];
        let to = room.as_mut_ptr();
        unsafe { mcas_item_format(buf, len, &item, 0, to, 64, needed) }
    });
    let mut needed = Out::<usize>::new();
    let to = needed.place();
    let format = |item, style, out, len, to| unsafe {
        mcas_item_format(start, all, item, style, out, len, to)
    };
    let none = null_mut();
    assert_eq!(format(null(), 0, out, 16, to), ERR_NULL);
    assert_eq!(format(&item, 0, none, 1, to), ERR_NULL);
    let large = i32::MAX as usize + 1;
    assert_eq!(format(&item, 0, out, large, to), ERR_TOO_LARGE);
    assert_eq!(format(&item, 0, out, 16, null_mut()), ERR_NULL);
    assert_eq!(format(&item, 4, out, 16, to), ERR_RANGE);
    assert!(needed.untouched() && room == [0xa5; 16]);
    let mut value = |len, status, expected: &[u8; 16]| {
        room.fill(0xa5);
        let out = if len == 0 { none } else { room.as_mut_ptr().cast() };
        assert_eq!(format(&item, 0, out, len, to), status);
        assert_eq!((needed.get(), &room), (12, expected));
    };
    value(0, PARTIAL, &[0xa5; 16]);
    value(
        1,
        PARTIAL,
        b"\0\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5",
    );
    value(12, PARTIAL, b"001F67XXXXX\0\xa5\xa5\xa5\xa5");
    value(13, OK, b"001F67XXXXXX\0\xa5\xa5\xa5");
    let mut room = [0; 64];
    assert_eq!(format(&item, 2, room.as_mut_ptr(), 64, to), OK);
    let line = unsafe { CStr::from_ptr(room.as_ptr()) };
    assert_eq!(line, c"Terminal ID: 001F67XXXXXX");
    assert_eq!(needed.get(), line.count_bytes());
}

/// A text as a function of the library writes it, which is given `out`, its
/// length and `needed`; what holds of all of them.
fn text_rules(
    expected: &CStr,
    write: impl Fn(*mut c_char, usize, *mut usize) -> Status,
) {
    let length = expected.count_bytes();
    let mut needed = Out::<usize>::new();
    let to = needed.place();
    let mut room = vec![0xa5u8; length + 2];
    let out = room.as_mut_ptr().cast::<c_char>();
    let large = i32::MAX as usize + 1;
    assert_eq!(write(out, length, null_mut()), ERR_NULL);
    assert_eq!(write(null_mut(), 1, to), ERR_NULL);
    assert_eq!(write(out, large, to), ERR_TOO_LARGE);
    assert!(needed.untouched() && room.iter().all(|&b| b == 0xa5));
    assert_eq!(write(null_mut(), 0, to), PARTIAL);
    assert_eq!(needed.get(), length);
    let out = room.as_mut_ptr().cast::<c_char>();
    assert_eq!(write(out, length, to), PARTIAL);
    assert_eq!(room[..length - 1], expected.to_bytes()[..length - 1]);
    assert_eq!(room[length - 1..], *b"\0\xa5\xa5");
    let out = room.as_mut_ptr().cast::<c_char>();
    assert_eq!(write(out, length + 2, to), OK);
    assert_eq!(needed.get(), length);
    assert_eq!(room[..length + 1], *expected.to_bytes_with_nul());
    assert_eq!(room[length + 1], 0xa5);
}

/// A message whose body is to be read.
fn answer(asked: u32, status: u16, body: &[u8]) -> Message {
    let context = mcas::Context::answering(mcas::Request::new(asked));
    let parts = message::Parts::response(status, context);
    message::from_parts(&parts, body).unwrap()
}

#[test]
fn rules_of_summary_format() {
    let (message, _) = parsed();
    let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
    let body = &REQUEST[REQUEST.len() - 23..];
    let (start, all) = (body.as_ptr(), body.len());
    let none = null();
    buffer_rules(|buf, len, n| {
        let mut room = [0; 64];
        let to = room.as_mut_ptr();
        unsafe {
            mcas_summary_format(
                &message, buf, len, start, all, none, to, 64, n,
            )
        }
    });
    buffer_rules(|body, body_len, n| {
        let mut room = [0; 64];
        let to = room.as_mut_ptr();
        unsafe {
            mcas_summary_format(
                &message, buf, len, body, body_len, none, to, 64, n,
            )
        }
    });
    for (vendor, expected) in [
        (none, c"Provisioning request, terminal 001F67XXXXXX"),
        (c"".as_ptr(), c"Provisioning request, terminal 001F67XXXXXX"),
        (c"A".as_ptr(), c"Provisioning request, terminal 001F67XXXXXX (A)"),
        // What is no UTF-8 is left out.
        (c"\xe9".as_ptr(), c"Provisioning request, terminal 001F67XXXXXX"),
    ] {
        text_rules(expected, |out, room, needed| unsafe {
            mcas_summary_format(
                &message, buf, len, start, all, vendor, out, room, needed,
            )
        });
    }
    let page = mcas::parse(b"GET / HTTP/1.1\r\n\r\n", &Default::default());
    let page = page.unwrap();
    let mut needed = Out::<usize>::new();
    for (message, expected) in [(null(), ERR_NULL), (&raw const page, END)] {
        let (to, n) = (null_mut(), needed.place());
        let status = unsafe {
            mcas_summary_format(
                message,
                none.cast(),
                0,
                none.cast(),
                0,
                none,
                to,
                0,
                n,
            )
        };
        assert_eq!(status, expected);
        assert!(needed.untouched());
    }
}

#[test]
fn rules_of_message_endpoints() {
    let body = b"ResultCode=0000\nrtpport1=1\nrtpport2=2\n\
        sipsv_addr=1.2.3.4\nsipsv_port=5060\n";
    let phone = answer(9, 200, body);
    let (start, all) = (body.as_ptr(), body.len());
    let receiver = [192, 168, 1, 9];
    let endpoints = |message: *const Message, out, most, count| unsafe {
        let to = receiver.as_ptr();
        mcas_message_endpoints(
            message,
            null(),
            0,
            start,
            all,
            to,
            out,
            most,
            count,
        )
    };
    for in_head in [false, true] {
        buffer_rules(|buf, len, count| {
            let mut room = [Endpoint::default(); 4];
            let (out, none) = (room.as_mut_ptr(), null());
            let [head, body] = if in_head {
                [(buf, len), (start, all)]
            } else {
                [(null(), 0), (buf, len)]
            };
            unsafe {
                mcas_message_endpoints(
                    &phone, head.0, head.1, body.0, body.1, none, out, 4,
                    count,
                )
            }
        });
    }
    let mut count = Out::<usize>::new();
    let n = count.place();
    let mut room = Out::<[Endpoint; 3]>::new();
    let out = room.place().cast::<Endpoint>();
    let large = i32::MAX as usize + 1;
    assert_eq!(endpoints(null(), out, 3, n), ERR_NULL);
    assert_eq!(endpoints(&phone, null_mut(), 1, n), ERR_NULL);
    assert_eq!(endpoints(&phone, out, large, n), ERR_TOO_LARGE);
    // Of another kind, and of no such answer.
    assert_eq!(endpoints(&parsed().0, out, 3, n), END);
    assert_eq!(endpoints(&answer(9, 404, body), out, 3, n), END);
    assert!(room.untouched() && count.untouched());
    assert_eq!(endpoints(&phone, null_mut(), 0, n), PARTIAL);
    assert_eq!(count.get(), 2);
    let out = room.place().cast::<Endpoint>();
    assert_eq!(endpoints(&phone, out, 1, n), PARTIAL);
    let rest = unsafe { out.add(1).cast::<[u8; size_of::<Endpoint>()]>() };
    assert_eq!(unsafe { rest.read() }, [0xa5; size_of::<Endpoint>()]);
    assert_eq!(endpoints(&phone, out, 3, n), OK);
    assert_eq!(count.get(), 2);
    assert_eq!(unsafe { out.add(1).read() }.address, receiver);
    text_rules(c"SIP at 1.2.3.4:5060", |to, room, needed| unsafe {
        mcas_endpoint_format(out, to, room, needed)
    });
    text_rules(c"RTP at 192.168.1.9:1-2", |to, room, needed| unsafe {
        mcas_endpoint_format(out.add(1), to, room, needed)
    });
    let (mut needed, none) = (Out::<usize>::new(), null_mut());
    let status =
        unsafe { mcas_endpoint_format(null(), none, 0, needed.place()) };
    assert_eq!(status, ERR_NULL);
    assert!(needed.untouched());
}

#[test]
fn rules_of_protocol_look() {
    for protocol in 0..3 {
        buffer_rules(|buf, len, out| unsafe {
            mcas_protocol_look(protocol, buf, len, out)
        });
        let name = string(mcas_protocol_name(protocol)).unwrap();
        assert_eq!(name, ["SIP", "RTP", "HTTP"][protocol as usize]);
    }
    let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
    for (protocol, expected) in [(0, 0), (1, 0), (2, 4)] {
        let mut out = 9;
        let status =
            unsafe { mcas_protocol_look(protocol, buf, len, &mut out) };
        assert_eq!((status, out), (OK, expected));
    }
    for protocol in [3, u32::MAX] {
        let mut out = Out::<u32>::new();
        let status =
            unsafe { mcas_protocol_look(protocol, buf, len, out.place()) };
        assert_eq!(status, ERR_RANGE);
        assert!(out.untouched() && mcas_protocol_name(protocol).is_null());
    }
}

#[test]
fn rules_of_file_name() {
    let document = answer(1, 200, b"ResultCode=0000");
    let image = answer(3, 200, b"image");
    let none: *const c_char = null();
    let [a, b, c] = [c"001F67A1B2C3", c"RTS300HI", c".P.bin"];
    let [a, b, c] = [a, b, c].map(CStr::as_ptr);
    for (message, [device, model, file], expected) in [
        (&document, [a, b, c], c"001f67a1b2c3-provisioning.txt"),
        (&document, [none; 3], c"provisioning.txt"),
        (&image, [a, b, c], c"RTS300HI-_P.bin"),
        (&image, [none; 3], c"firmware.bin"),
    ] {
        text_rules(expected, |out, room, needed| unsafe {
            mcas_file_name(message, device, model, file, out, room, needed)
        });
    }
    let mut needed = Out::<usize>::new();
    let page = answer(u32::MAX, 200, b"<html>");
    for (message, expected) in [(null(), ERR_NULL), (&raw const page, END)] {
        let (to, n) = (null_mut(), needed.place());
        let status = unsafe { mcas_file_name(message, a, b, c, to, 0, n) };
        assert_eq!(status, expected);
        assert!(needed.untouched());
    }
    // As long as the manual says that it may be.
    let long = CString::new("a".repeat(1000)).unwrap();
    let long = long.as_ptr();
    for message in [&document, &image, &answer(9, 200, b"a=b")] {
        let mut room = [0; 256];
        let (to, n) = (room.as_mut_ptr(), needed.place());
        let status =
            unsafe { mcas_file_name(message, long, long, long, to, 256, n) };
        assert_eq!(status, OK);
    }
}

/// With its chunks undone, or as it stands.
#[test]
fn rules_of_body_bytes() {
    let (message, _) = parsed();
    buffer_rules(|buf, len, needed| {
        let mut room = [0u8; 64];
        let to = room.as_mut_ptr();
        unsafe { mcas_body_bytes(&message, buf, len, to, 64, needed) }
    });
    let chunked: &[u8] = b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let plain: &[u8] = b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
        Content-Length: 5\r\n\r\nabcde";
    for input in [chunked, plain] {
        let message = mcas::parse(input, &Default::default()).unwrap();
        let (start, all) = (input.as_ptr(), input.len());
        let mut needed = Out::<usize>::new();
        let to = needed.place();
        let mut room = [0xa5u8; 8];
        let out = room.as_mut_ptr();
        let bytes = |message, out, len, to| unsafe {
            mcas_body_bytes(message, start, all, out, len, to)
        };
        let large = i32::MAX as usize + 1;
        assert_eq!(bytes(null(), out, 8, to), ERR_NULL);
        assert_eq!(bytes(&message, null_mut(), 1, to), ERR_NULL);
        assert_eq!(bytes(&message, out, large, to), ERR_TOO_LARGE);
        assert_eq!(bytes(&message, out, 8, null_mut()), ERR_NULL);
        assert!(needed.untouched() && room == [0xa5; 8]);
        assert_eq!(bytes(&message, null_mut(), 0, to), PARTIAL);
        assert_eq!(bytes(&message, out, 4, to), PARTIAL);
        assert_eq!((needed.get(), &room), (5, b"abcd\xa5\xa5\xa5\xa5"));
        assert_eq!(bytes(&message, out, 5, to), OK);
        assert_eq!((needed.get(), &room), (5, b"abcde\xa5\xa5\xa5"));
    }
}

#[test]
fn rules_of_body_dechunk() {
    buffer_rules(|buf, len, needed| {
        let mut room = [0u8; 64];
        unsafe { mcas_body_dechunk(buf, len, room.as_mut_ptr(), 64, needed) }
    });
    let body = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let (start, all) = (body.as_ptr(), body.len());
    let mut needed = Out::<usize>::new();
    let to = needed.place();
    let mut room = [0xa5u8; 8];
    let out = room.as_mut_ptr();
    unsafe {
        let undo = |out, len, to| mcas_body_dechunk(start, all, out, len, to);
        assert_eq!(undo(null_mut(), 1, to), ERR_NULL);
        assert_eq!(undo(out, i32::MAX as usize + 1, to), ERR_TOO_LARGE);
        assert_eq!(undo(out, 8, null_mut()), ERR_NULL);
        assert!(needed.untouched() && room == [0xa5; 8]);
        assert_eq!(undo(null_mut(), 0, to), PARTIAL);
        assert_eq!(needed.get(), 5);
        assert_eq!(undo(out, 4, to), PARTIAL);
        assert_eq!((needed.get(), &room), (5, b"abcd\xa5\xa5\xa5\xa5"));
        assert_eq!(undo(out, 5, to), OK);
        assert_eq!((needed.get(), &room), (5, b"abcde\xa5\xa5\xa5"));
    }
}

/// A string of the library's, or nothing.
fn string(text: *const c_char) -> Option<&'static str> {
    let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })?;
    Some(text.to_str().unwrap())
}

#[test]
fn strings() {
    for (status, name) in [
        (OK, "OK"),
        (END, "END"),
        (PARTIAL, "PARTIAL"),
        (ERR_NULL, "ERR_NULL"),
        (ERR_TOO_LARGE, "ERR_TOO_LARGE"),
        (ERR_NOT_HTTP, "ERR_NOT_HTTP"),
        (ERR_RANGE, "ERR_RANGE"),
        (ERR_PANIC, "ERR_PANIC"),
        (ERR_PANIC - 1, "unknown status"),
        (PARTIAL + 1, "unknown status"),
        (Status::MIN, "unknown status"),
        (Status::MAX, "unknown status"),
    ] {
        // Each has a sentence, too.
        assert!(!string(mcas_status_text(status)).unwrap().is_empty());
        let text = string(mcas_status_name(status)).unwrap();
        assert_eq!(text, name);
    }
    let version = string(mcas_version()).unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert_eq!(mcas_abi_version(), capi::ABI_VERSION);
}

/// Counting up lists exactly the tables.
#[test]
fn tables() {
    let mut count = 0;
    let mut out = Out::<FieldInfo>::new();
    while unsafe { mcas_field_get(count as u32, out.place()) } == OK {
        let (info, row) = (out.get(), &fields::FIELDS[count]);
        assert_eq!(info.id as usize, count);
        assert_eq!(info.value_type, row.value_type as u32);
        assert_eq!(info.display, row.display as u32);
        assert_eq!(info.flags, row.flags);
        assert_eq!(string(info.name), Some(row.name()));
        assert_eq!(string(info.label), Some(row.label()));
        assert_eq!(string(info.description), Some(row.description()));
        assert_eq!(string(info.key), row.key());
        for (i, &(number, name)) in row.names.iter().enumerate() {
            let name = name.to_str().unwrap();
            let (mut n, mut s) = (Out::new(), Out::new());
            let (id, i) = (info.id, i as u32);
            let status =
                unsafe { mcas_field_value_name(id, i, n.place(), s.place()) };
            assert_eq!(status, OK);
            assert_eq!((n.get(), string(s.get())), (number, Some(name)));
            let named = mcas_value_name(info.id, number.into());
            assert_eq!(string(named), Some(name));
        }
        let end = row.names.len() as u32;
        let (mut n, mut s) = (Out::new(), Out::new());
        let status = unsafe {
            mcas_field_value_name(info.id, end, n.place(), s.place())
        };
        assert_eq!(status, END);
        assert_eq!(string(mcas_value_name(info.id, u64::MAX)), None);
        count += 1;
    }
    assert_eq!(count, fields::FIELDS.len());
    assert_eq!(string(mcas_value_name(u32::MAX, 0)), None);

    let mut count = 0;
    let mut out = Out::<NoteInfo>::new();
    while unsafe { mcas_note_get(count as u32, out.place()) } == OK {
        let (info, row) = (out.get(), &notes::NOTES[count]);
        assert_eq!(info.id as usize, count);
        assert_eq!(info.group, row.group as u32);
        assert_eq!(info.severity, row.severity as u32);
        assert_eq!(info.flags, row.flags);
        assert_eq!(string(info.name), Some(row.name()));
        assert_eq!(string(info.summary), Some(row.summary()));
        assert_eq!(string(info.description), Some(row.description()));
        count += 1;
    }
    assert_eq!(count, notes::NOTES.len());

    let mut count = 0;
    let mut out = Out::<TypeInfo>::new();
    while unsafe { mcas_type_get(count as u32, out.place()) } == OK {
        let (info, row) = (out.get(), &types::TYPES[count]);
        assert_eq!((info.id, info.kind), (row.id, row.kind));
        assert_eq!((info.counterpart, info.reserved), (row.counterpart, 0));
        assert_eq!(string(info.name), Some(row.name()));
        assert_eq!(string(info.description), Some(row.description()));
        // What a field of that value is called.
        let name = fields::Field::Type.info().names[count];
        assert_eq!((name.0, name.1.to_str()), (row.id, Ok(row.name())));
        count += 1;
    }
    assert_eq!(count, types::TYPES.len());
}

/// What an iterator over [`REQUEST`] still yields; then END, as often as it
/// is asked.
fn rest(mut iter: Iter) -> Vec<Item> {
    let mut items = vec![];
    let mut out = Out::<Item>::new();
    let mut next = |out: &mut Out<Item>| unsafe {
        let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
        mcas_next(buf, len, &mut iter, out.place())
    };
    while next(&mut out) == OK {
        items.push(out.get());
    }
    for _ in 0..3 {
        let mut out = Out::new();
        assert_eq!(next(&mut out), END);
        assert!(out.untouched());
    }
    items
}

#[test]
fn iterators() {
    let (message, mut iter) = parsed();
    let all: Vec<_> = message.head_items(REQUEST).collect();
    assert!(all.len() > 3);
    assert_eq!(rest(iter), all);
    for done in 0..all.len() {
        // A copy goes on from where it was made, by itself.
        let copy = iter;
        assert_eq!(rest(copy), all[done..]);
        let mut out = Out::new();
        let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
        let status = unsafe { mcas_next(buf, len, &mut iter, out.place()) };
        assert_eq!((status, out.get()), (OK, all[done]));
    }
}

/// Fills a struct with numbers that mean something to somebody.
fn garbage<T: Copy>(random: &mut Random) -> T {
    let words = size_of::<T>() / 4;
    let mut place = Out::<T>::new();
    let start = place.place().cast::<u32>();
    let edges = [0, 1, 2, 7, 8, 9, i32::MAX as u32, u32::MAX - 1, u32::MAX];
    for i in 0..words {
        let word = match random.below(4) {
            0 => random.below(REQUEST.len() + 2) as u32,
            1 => *random.pick(&edges),
            2 => random.below(16) as u32,
            _ => random.below(u32::MAX as usize) as u32,
        };
        unsafe { start.add(i).write(word) };
    }
    place.get()
}

/// A caller who breaks every rule gets nonsense, and nothing worse.
#[test]
fn garbage_is_harmless() {
    let mut random = Random(0x6d63_6173);
    let (good, _) = parsed();
    let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
    for i in 0..20_000 {
        let message =
            if i % 4 == 0 { good } else { garbage::<Message>(&mut random) };
        let mut iters = [garbage::<Iter>(&mut random); 3];
        let mut out = Out::<Item>::new();
        let mut items = Out::<[Item; 3]>::new();
        let mut room = [0u8; 64];
        let mut needed = 0;
        unsafe {
            assert_eq!(mcas_head_items(&message, &mut iters[1]), OK);
            let [_, _, iter] = &mut iters;
            assert_eq!(mcas_body_items(&message, buf, len, iter), OK);
            for iter in &mut iters {
                for _ in 0..50 {
                    let status = mcas_next(buf, len, iter, out.place());
                    assert!(matches!(status, OK | END), "{message:?}");
                    // Wherever it says to look, there is something.
                    let inside = |item: Item| item.span.end() <= len;
                    assert!(status == END || inside(out.get()));
                    let place = items.place().cast();
                    let status =
                        mcas_next_many(buf, len, iter, place, 3, &mut needed);
                    assert!(matches!(status, OK | END), "{message:?}");
                    let count = if status == OK { needed } else { 0 };
                    assert!(items.get()[..count].iter().all(|&i| inside(i)));
                }
            }
            let item = garbage::<Item>(&mut random);
            let (to, n) = (room.as_mut_ptr(), &mut needed);
            for style in 0..4 {
                let status =
                    mcas_item_format(buf, len, &item, style, to.cast(), 64, n);
                assert!(matches!(status, OK | PARTIAL), "{item:?}");
            }
            let status = mcas_body_bytes(&message, buf, len, to, 64, n);
            assert!(matches!(status, OK | PARTIAL), "{message:?}");
            let to = to.cast();
            let known = |status| matches!(status, OK | PARTIAL | END);
            let status = mcas_config_format(&message, buf, len, 1, to, 64, n);
            assert!(known(status), "{message:?}");
            let none = null();
            let status = mcas_summary_format(
                &message, buf, len, buf, len, none, to, 64, n,
            );
            assert!(known(status), "{message:?}");
            let status = mcas_file_name(&message, none, none, none, to, 64, n);
            assert!(known(status), "{message:?}");
            let mut found = Out::<[Endpoint; 4]>::new();
            let (none, at) = (null(), found.place().cast::<Endpoint>());
            let status = mcas_message_endpoints(
                &message, buf, len, buf, len, none, at, 4, n,
            );
            assert!(known(status), "{message:?}");
            let count = if status == OK { *n } else { 0 };
            for endpoint in &found.get()[..count] {
                assert!(endpoint.span.end() <= len, "{message:?}");
            }
            let endpoint = garbage::<Endpoint>(&mut random);
            assert_eq!(mcas_endpoint_format(&endpoint, to, 64, n), OK);
            assert!(*n <= 40);
        }
    }
}

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no count any more.
        let _ = ALLOCATED.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        unsafe { System.dealloc(start, layout) }
    }
}

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATED.get();
    work();
    ALLOCATED.get() - before
}

#[test]
fn parsing_allocates_nothing() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1]))), 1);
    let mut body = vec![0; 1 << 20];
    let mut text = vec![0; 1 << 20];
    let mut needed = 0;
    let mut print = |buf: *const u8, len, mut iter: Iter| {
        let (mut item, mut items) = (Out::<Item>::new(), 0);
        let (to, n) = (text.as_mut_ptr(), &mut needed);
        unsafe {
            while mcas_next(buf, len, &mut iter, item.place()) == OK {
                for style in 0..4 {
                    let item = item.place();
                    mcas_item_format(buf, len, item, style, to, 1 << 20, n);
                }
                items += 1;
            }
        }
        items
    };
    for sample in samples() {
        let input = &sample.bytes[..];
        let context = sample.context().into();
        let mut items = 0;
        let count = allocations(|| unsafe {
            let (buf, len) = (input.as_ptr(), input.len());
            let mut message = Out::<Message>::new();
            let mut iter = Out::<Iter>::new();
            let (mut answer, mut length) = (0, 0);
            let mut class = Out::<Classed>::new();
            let (a, b, n) = (&mut answer, class.place(), &mut length);
            let (message, iter) = (message.place(), iter.place());
            assert_eq!(mcas_sniff(buf, len, a), OK);
            assert_eq!(mcas_classify(buf, len, &context, b), OK);
            assert_eq!(mcas_message_parse(buf, len, &context, message), OK);
            let mut zeros = capi::Progress { state: [0; 48] };
            let progress = &mut zeros;
            let status =
                mcas_message_resume(buf, len, &context, progress, message);
            assert_eq!(status, OK);
            assert_eq!(mcas_head_items(message, iter), OK);
            items += print(buf, len, *iter);
            let out = body.as_mut_ptr();
            mcas_body_bytes(message, buf, len, out, 1 << 20, n);
            let (mut room, mut all) = ([0; 256], 0);
            let to = room.as_mut_ptr();
            mcas_config_format(message, out, *n, 1, to, 256, &mut all);
            let (none, size) = (null(), *n);
            mcas_summary_format(
                message, buf, len, out, size, none, to, 256, &mut all,
            );
            mcas_file_name(message, none, none, none, to, 256, &mut all);
            let mut found = Out::<[Endpoint; 4]>::new();
            let (none, at) = (null(), found.place().cast::<Endpoint>());
            mcas_message_endpoints(
                message, buf, len, out, size, none, at, 4, &mut all,
            );
            assert_eq!(mcas_body_items(message, out, *n, iter), OK);
            items += print(out, *n, *iter);
            for begin in [
                mcas_user_agent_items,
                mcas_cookie_items,
                mcas_bigip_items,
                mcas_target_items,
            ] {
                assert_eq!(begin(buf, len, iter), OK);
                print(buf, len, *iter);
            }
        });
        assert_eq!(count, 0, "{}", sample.name);
        assert!(items > 0 || !sample.is_ours(), "{}", sample.name);
    }
}

/// A place for what the tests build.
pub fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Runs a program that is to succeed; its standard output.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{:?}: {error}", command.get_program())
    });
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// A program that an environment variable may name otherwise.
pub fn tool(variable: &str, usual: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or(usual.into()))
}

/// Builds the library as scripts/build-lib does, but with `flags`, in a folder
/// of its own; returns where it lies.
pub fn build(name: &str, flags: &[&str]) -> PathBuf {
    let folder = target(name);
    run(Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["rustc", "--quiet", "--release", "--locked", "--package"])
        .args(["mcas", "--features", "capi", "--lib"])
        .args(["--crate-type", "cdylib,staticlib"])
        .arg("--target-dir")
        .arg(&folder)
        .arg("--")
        .args(flags));
    let folder = folder.join("release");
    name_as_linked(&folder);
    folder
}

/// Adds the name by which a program that was linked with libmcas.so looks for
/// it.
fn name_as_linked(folder: &Path) {
    let link = folder.join(format!("libmcas.so.{}", capi::ABI_VERSION));
    let _ = std::os::unix::fs::symlink("libmcas.so", link);
}

/// The folder of libmcas.so and libmcas.a, as scripts/build-lib builds them,
/// and of what a program has to link with the latter.
pub fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        run(&mut Command::new(format!("{ROOT}/scripts/build-lib")));
        let target = std::env::var_os("CARGO_TARGET_DIR");
        let target = target.unwrap_or_else(|| "target".into());
        let folder = Path::new(ROOT).join(target).join("lib/release");
        name_as_linked(&folder);
        folder
    })
}

/// What a static libmcas has to be linked with.
pub fn native_static_libs() -> String {
    fs::read_to_string(library().join("native-static-libs")).unwrap()
}

/// A program of `c/`.
pub fn source(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("tests/c").join(name).with_extension("c")
}

/// Compiles a program and links it with the library in `folder`, shared or
/// static.
pub fn compile(source: &Path, folder: &Path, shared: bool) -> PathBuf {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let name = source.file_stem().unwrap().to_str().unwrap();
    let program = target(&format!(
        "{name}-{}-{}",
        folder.parent().unwrap().file_name().unwrap().to_str().unwrap(),
        if shared { "shared" } else { "static" }
    ));
    let mut cc = tool("CC", "cc");
    cc.args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-g"])
        .arg("-I")
        .arg(include)
        .arg(source)
        .arg("-o")
        .arg(&program);
    if shared {
        cc.arg("-L").arg(folder).arg("-lmcas");
        cc.arg(format!("-Wl,-rpath,{}", folder.display()));
    } else {
        let list = native_static_libs();
        cc.arg(folder.join("libmcas.a")).args(list.split_whitespace());
    }
    run(&mut cc);
    program
}

/// Runs a program under memcheck, and asserts that it does not allocate; what
/// it prints.
fn memcheck(program: &Path, files: &[PathBuf]) -> String {
    let report = program.with_extension("memcheck");
    let printed = run(Command::new("valgrind")
        .args(["--leak-check=full", "--show-leak-kinds=all"])
        .args(["--errors-for-leak-kinds=all", "--error-exitcode=99"])
        .arg(format!("--log-file={}", report.display()))
        .arg(program)
        .args(files));
    let report = fs::read_to_string(report).unwrap();
    let none = "total heap usage: 0 allocs, 0 frees, 0 bytes allocated";
    assert!(report.contains(none), "{report}");
    printed
}

/// A real program reads the LAN side's messages and those of the captures that
/// were given, and all the samples: valgrind minds nothing, and nobody
/// allocates anything.
#[test]
fn reader() {
    let files = |wanted: fn(&Sample) -> bool| -> Vec<PathBuf> {
        let write = |sample: Sample| {
            let file = target(&sample.name.replace([':', ' '], "-"));
            fs::write(&file, &sample.bytes).unwrap();
            file
        };
        samples().into_iter().filter(wanted).map(write).collect()
    };
    let given = files(|sample| sample.name.contains(": "));
    let expected = include_str!("c/reader.expected");
    let shared = compile(&source("reader"), library(), true);
    let linked = compile(&source("reader"), library(), false);
    for program in [&shared, &linked] {
        let printed = memcheck(program, &given);
        assert!(
            printed == expected,
            "== expected\n{expected}== got\n{printed}"
        );
    }
    let all = files(|_| true);
    let printed = memcheck(&shared, &all);
    assert_eq!(printed.matches("\nbody of ").count(), all.len());
}

#[test]
fn panics_become_a_status() {
    let planted = build("planted-panic", &["--cfg", "planted_panic"]);
    let printed =
        run(&mut Command::new(compile(&source("panic"), &planted, true)));
    let panicked: BTreeSet<_> = printed
        .lines()
        .filter_map(|line| line.strip_suffix(": ERR_PANIC")?.split_once('('))
        .map(|(name, _)| name.to_string())
        .collect();
    // Those that have no status have nothing that could panic.
    let mut guarded = header::functions();
    for name in [
        "version",
        "abi_version",
        "status_name",
        "status_text",
        "value_name",
        "protocol_name",
    ] {
        assert!(guarded.remove(&format!("mcas_{name}")), "{name}");
    }
    // It has no status either; `src/capi_track.rs` has a panic in a tracker.
    assert!(guarded.remove("mcas_tracker_free"));
    assert_eq!(panicked, guarded, "{printed}");
    // That this is no matter of course shows the library without a panic.
    let sound = compile(&source("panic"), library(), true);
    let output = Command::new(sound).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("PANIC\n"));
}
