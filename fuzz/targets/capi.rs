//! The C functions as a C program calls them, well or badly: any order, any
//! bits in its structs, NULL, lengths that are none, rooms that are small.

#![no_main]
#![allow(clippy::undocumented_unsafe_blocks)] // All is made up for the call.

use libfuzzer_sys::fuzz_target;
use mcas::capi::{self, *};
use mcas::endpoints::{Endpoint, Protocol};
use mcas::fields::FIELDS;
use mcas::file_name::AskedFor;
use mcas::format::Style;
use mcas::notes::NOTES;
use mcas::{message, Field, Item, Message, Note, MAX_INPUT};
use mcas_fuzz::{context, knobs};
use std::ffi::{c_char, CStr, CString};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// How many calls a program has.
const CALLS: usize = 8;

/// A call, as the input has it.
struct Call {
    function: u8,
    buffer: u8,
    at: u8,
    known: u8,
    size: u8,
    /// If it is large, each of its bits is about a pointer to an output; if
    /// it is 0xfe, the pointer to what is read is NULL too.
    nulls: u8,
}

/// A buffer as C may hand it over.
enum Buffer {
    All,
    From(usize, usize),
    Null(usize),
    TooLong(usize),
}

impl Call {
    fn buffer(&self) -> Buffer {
        let (at, size) = (usize::from(self.at), usize::from(self.size));
        match self.buffer % 8 {
            0..=3 => Buffer::All,
            4 => Buffer::From(0, 2 * at),
            5 => Buffer::From(2 * at, size),
            6 => Buffer::Null(at),
            _ => Buffer::TooLong(at),
        }
    }

    /// A number, mostly a small one.
    fn number(&self) -> u32 {
        let number = self.at.into();
        if self.size < 0xf0 {
            number
        } else {
            u32::MAX - number
        }
    }

    fn context(&self) -> Option<message::Context> {
        // Flags that there are and that there are not.
        let flags = u32::from(self.buffer >> 4);
        let context = context(self.known).with_flags(flags);
        (self.known != 0xff).then_some(context)
    }

    /// Room for an output, and what to say it is.
    fn room(&self) -> (Box<[u8]>, *mut u8, usize) {
        let length = usize::from(self.size % 64);
        let mut out = vec![0xa5; length].into_boxed_slice();
        let start = out.as_mut_ptr();
        match self.size {
            0xf0.. => (out, start, MAX_INPUT + 1 + length),
            0xe0.. => (Box::default(), null_mut(), length),
            _ => (out, start, length),
        }
    }

    /// Pointer to what a function reads.
    fn pointer<T>(&self, to: &T) -> *const T {
        if self.nulls == 0xfe {
            null()
        } else {
            to
        }
    }

    /// Place for an output, its number `bit`.
    fn out<T>(&self, bit: u8) -> Out<T> {
        let mut place = MaybeUninit::<T>::uninit();
        unsafe { place.as_mut_ptr().write_bytes(0xa5, 1) };
        Out { place, null: self.nulls >= 0xe0 && self.nulls >> bit & 1 != 0 }
    }
}

impl Buffer {
    fn of(&self, bytes: &[u8]) -> (*const u8, usize) {
        match *self {
            Buffer::All => (bytes.as_ptr(), bytes.len()),
            Buffer::From(from, length) => {
                let rest = bytes.get(from..).unwrap_or_default();
                (rest.as_ptr(), length.min(rest.len()))
            }
            Buffer::Null(length) => (null(), length),
            Buffer::TooLong(by) => (bytes.as_ptr(), MAX_INPUT + 1 + by),
        }
    }

    /// What the library may read of it.
    fn slice<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match *self {
            Buffer::All => bytes,
            Buffer::From(from, length) => {
                let rest = bytes.get(from..).unwrap_or_default();
                &rest[..length.min(rest.len())]
            }
            _ => &[],
        }
    }
}

/// Room for an output, that shows whether it was written.
struct Out<T> {
    place: MaybeUninit<T>,
    null: bool,
}

impl<T> Out<T> {
    fn place(&mut self) -> *mut T {
        if self.null {
            null_mut()
        } else {
            self.place.as_mut_ptr()
        }
    }

    /// What is there, if `status` says so; else nothing was touched.
    fn get(&self, status: Status) -> Option<T> {
        // One that the header names, and no panic.
        assert!((ERR_RANGE..=PARTIAL).contains(&status), "{status}");
        if matches!(status, OK | PARTIAL) {
            assert!(!self.null);
            return Some(unsafe { self.place.assume_init_read() });
        }
        assert!(self.untouched(), "{status}");
        None
    }

    fn untouched(&self) -> bool {
        let start = self.place.as_ptr().cast::<u8>();
        let bytes =
            unsafe { std::slice::from_raw_parts(start, size_of::<T>()) };
        bytes.iter().all(|&b| b == 0xa5)
    }
}

/// A text of the library's own.
fn text(start: *const c_char) -> &'static str {
    let text = unsafe { CStr::from_ptr(start) }.to_str().unwrap();
    assert!(!text.is_empty());
    text
}

/// What the C program holds.
struct State<'a> {
    bytes: &'a [u8],
    message: Message,
    iter: Iter,
    item: Item,
    /// Items since the iterator was made.
    items: usize,
    progress: Progress,
}

impl State<'_> {
    fn call(&mut self, call: &Call) {
        match call.function % 15 {
            0 => names(call),
            1 => tables(call),
            2 => self.sniff(call),
            3 => self.classify(call),
            4 => self.parse(call),
            5 => self.parts(call),
            6 | 7 => self.items(call),
            8 | 9 => self.next(call),
            10 => self.format(call),
            11 => self.body(call),
            12 => match call.known >> 2 & 3 {
                0 => self.config(call),
                1 => self.summary(call),
                2 => self.endpoints(call),
                _ => self.file_name(call),
            },
            13 => self.resume(call),
            _ => match call.known % 4 {
                0 => spoil(&mut self.message, call),
                1 => spoil(&mut self.iter, call),
                2 => spoil(&mut self.progress, call),
                _ => spoil(&mut self.item, call),
            },
        }
    }

    fn sniff(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let mut out = call.out(0);
        let status = unsafe { mcas_sniff(buf, len, out.place()) };
        if let Some(answer) = out.get(status) {
            let bytes = call.buffer().slice(self.bytes);
            assert_eq!(answer, mcas::sniff(bytes) as u32);
        }
    }

    fn classify(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let context = call.context().map(capi::Context::from);
        let context = context.as_ref().map_or(null(), |c| c as *const _);
        let mut out = call.out::<Classed>(0);
        let place = out.place();
        let status = unsafe { mcas_classify(buf, len, context, place) };
        let Some(class) = out.get(status) else { return };
        assert_eq!(class.answer == CLASS_MORE, class.more > 0);
    }

    fn parse(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let context = call.context();
        let given = context.map(capi::Context::from);
        let pointer = given.as_ref().map_or(null(), |c| c as *const _);
        let mut out = call.out(0);
        let place = out.place();
        let status = unsafe { mcas_message_parse(buf, len, pointer, place) };
        let mut refused = call.out::<usize>(0);
        let place = refused.place();
        let other = unsafe { mcas_message_refused(buf, len, place) };
        if let Some(offset) = refused.get(other) {
            assert!(status == ERR_NOT_HTTP && offset < len);
        }
        let Some(message) = out.get(status) else { return };
        self.message = message;
        let bytes = call.buffer().slice(self.bytes);
        let same = mcas::parse(bytes, &context.unwrap_or_default());
        assert_eq!(same, Ok(message));
        assert_eq!(status == OK, message.has(message::COMPLETE));
    }

    fn resume(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let context = call.context().map(capi::Context::from);
        let pointer = context.as_ref().map_or(null(), |c| c as *const _);
        let progress: *mut Progress =
            if call.nulls == 0xfe { null_mut() } else { &mut self.progress };
        if call.size & 1 == 0 {
            let mut out = call.out(0);
            let place = out.place();
            let status = unsafe {
                mcas_message_resume(buf, len, pointer, progress, place)
            };
            let Some(message) = out.get(status) else { return };
            assert!(message.body.end() <= len && message.host.end() <= len);
            assert_eq!(status == OK, message.has(message::COMPLETE));
            self.message = message;
            return;
        }
        let mut out = call.out::<Classed>(0);
        let place = out.place();
        let status = unsafe {
            mcas_classify_resume(buf, len, pointer, progress, place)
        };
        let Some(class) = out.get(status) else { return };
        assert_eq!(class.answer == CLASS_MORE, class.more > 0);
    }

    fn parts(&mut self, call: &Call) {
        // Pieces of what is there, each elsewhere; one as the call says.
        let (start, length) = call.buffer().of(self.bytes);
        let piece = |number: u8| {
            if call.size % 8 == number {
                return Bytes { start, length };
            }
            let at = usize::from(call.at.wrapping_mul(number));
            let length = usize::from(call.known >> (number & 3));
            let (start, length) = Buffer::From(at, length).of(self.bytes);
            Bytes { start, length }
        };
        let given = capi::Parts {
            context: call.context().unwrap_or_default().into(),
            status: if call.size & 8 != 0 { call.number() } else { 200 },
            flags: u32::from(call.buffer >> 4),
            method: piece(1),
            target: piece(2),
            host: piece(3),
            user_agent: piece(4),
            content_type: piece(5),
            content_encoding: piece(6),
        };
        let parts = call.pointer(&given);
        let mut out = call.out(0);
        let place = out.place();
        let status =
            unsafe { mcas_message_from_parts(parts, start, length, place) };
        if let Some(message) = out.get(status) {
            self.message = message;
        }
    }

    fn items(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let message = call.pointer(&self.message);
        let mut out = call.out(0);
        let iter = out.place();
        let status = unsafe {
            match call.known % 7 {
                0 => mcas_head_items(message, iter),
                1 => mcas_body_items(message, buf, len, iter),
                2 => mcas_user_agent_items(buf, len, iter),
                3 => mcas_cookie_items(buf, len, iter),
                4 => mcas_bigip_items(buf, len, iter),
                5 => mcas_host_items(buf, len, iter),
                _ => mcas_target_items(buf, len, iter),
            }
        };
        if let Some(iter) = out.get(status) {
            (self.iter, self.items) = (iter, 0);
        }
    }

    fn next(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let times = match call.known {
            0x40.. => usize::MAX,
            few => few.into(),
        };
        for _ in 0..times {
            let mut before = self.iter;
            let iter: *mut Iter =
                if call.nulls == 0xfe { null_mut() } else { &mut self.iter };
            let mut out = call.out(0);
            let status = unsafe { mcas_next(buf, len, iter, out.place()) };
            let Some(item) = out.get(status) else {
                if status == END {
                    let again =
                        unsafe { mcas_next(buf, len, iter, out.place()) };
                    assert_eq!(again, END);
                }
                return;
            };
            // Two at a time are the same.
            let (mut many, mut count) = ([item; 2], 0);
            let place = many.as_mut_ptr();
            let status = unsafe {
                mcas_next_many(buf, len, &mut before, place, 2, &mut count)
            };
            assert_eq!((status, many[0]), (OK, item));
            assert!(matches!(count, 1 | 2));
            self.item = item;
            self.items += 1;
            // Whatever bytes it is given, and whatever it holds, it ends.
            assert!(self.items <= 8 * (self.bytes.len() + 2));
        }
    }

    fn format(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let item = call.pointer(&self.item);
        let style = u32::from(call.known % 5);
        let (room, out, out_len) = call.room();
        let mut needed = call.out(0);
        let (to, n) = (out.cast::<c_char>(), needed.place());
        let status =
            unsafe { mcas_item_format(buf, len, item, style, to, out_len, n) };
        let Some(needed) = needed.get(status) else {
            return assert!(room.iter().all(|&b| b == 0xa5));
        };
        let bytes = call.buffer().slice(self.bytes);
        let style = Style::from_number(style).unwrap();
        let whole = self.item.format(bytes, style).to_string();
        written(&room, needed, status, &whole);
    }

    fn config(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let message = call.pointer(&self.message);
        let flags = u32::from(call.known);
        let (room, out, out_len) = call.room();
        let mut needed = call.out(0);
        let (to, n) = (out.cast::<c_char>(), needed.place());
        let status = unsafe {
            mcas_config_format(message, buf, len, flags, to, out_len, n)
        };
        let Some(needed) = needed.get(status) else {
            return assert!(room.iter().all(|&b| b == 0xa5));
        };
        let bytes = call.buffer().slice(self.bytes);
        let whole = self.message.config(bytes, flags).unwrap().to_string();
        assert_eq!(needed, whole.len());
        assert_eq!(status == OK, needed < room.len());
        if let Some((last, kept)) = room.split_last() {
            let kept = &kept[..needed.min(kept.len())];
            assert_eq!(kept, &whole.as_bytes()[..kept.len()]);
            assert!(status == OK || *last == 0);
        }
    }

    fn summary(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let message = call.pointer(&self.message);
        let vendor = c"\xe3\x81\x82\x1b";
        // As it stands, or cut in its first character.
        let cut = usize::from(call.known & 1);
        let vendor = &vendor.to_bytes_with_nul()[cut..];
        let (room, out, out_len) = call.room();
        let mut needed = call.out(0);
        let (to, n) = (out.cast::<c_char>(), needed.place());
        let status = unsafe {
            let vendor = vendor.as_ptr().cast();
            mcas_summary_format(
                message, buf, len, buf, len, vendor, to, out_len, n,
            )
        };
        let Some(needed) = needed.get(status) else {
            return assert!(room.iter().all(|&b| b == 0xa5));
        };
        let bytes = call.buffer().slice(self.bytes);
        let vendor = &vendor[..vendor.len() - 1];
        let vendor = std::str::from_utf8(vendor).unwrap_or_default();
        let whole = self.message.summary(bytes, bytes).unwrap();
        let whole = whole.with_vendor(vendor).to_string();
        written(&room, needed, status, &whole);
    }

    fn file_name(&mut self, call: &Call) {
        let message = call.pointer(&self.message);
        let name = |nth: u8| {
            let at = usize::from(call.at.wrapping_mul(nth));
            let bytes = self.bytes.get(at..).unwrap_or_default();
            let end = bytes.iter().position(|&b| b == 0);
            CString::new(&bytes[..end.unwrap_or(bytes.len())]).unwrap()
        };
        let names = [0, 1, 2].map(name);
        let pointers = [0, 1, 2].map(|nth| {
            let none = call.buffer >> nth & 1 != 0;
            if none {
                null()
            } else {
                names[nth].as_ptr()
            }
        });
        let [device, model, file] = pointers;
        let (room, out, out_len) = call.room();
        let mut needed = call.out(0);
        let (to, n) = (out.cast::<c_char>(), needed.place());
        let status = unsafe {
            mcas_file_name(message, device, model, file, to, out_len, n)
        };
        let Some(needed) = needed.get(status) else {
            return assert!(room.iter().all(|&b| b == 0xa5));
        };
        let bytes = |nth: usize| {
            if pointers[nth].is_null() {
                b""
            } else {
                names[nth].to_bytes()
            }
        };
        let mut asked = AskedFor::device(bytes(0));
        (asked.model, asked.file) = (bytes(1), bytes(2));
        let whole = self.message.file_name(asked).unwrap().to_string();
        written(&room, needed, status, &whole);
    }

    fn endpoints(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let message = call.pointer(&self.message);
        let receiver = [192, 168, call.at, call.size];
        let known = call.known & 1 != 0;
        let to = if known { receiver.as_ptr() } else { null() };
        let most = usize::from(call.size % 6);
        let mut found = call.out::<[Endpoint; 5]>(0);
        let mut count = call.out::<usize>(1);
        let (place, n) = (found.place().cast(), count.place());
        let status = unsafe {
            mcas_message_endpoints(
                message, buf, len, buf, len, to, place, most, n,
            )
        };
        let Some(count) = count.get(status) else {
            return assert!(found.untouched());
        };
        let bytes = call.buffer().slice(self.bytes);
        let receiver = known.then(|| receiver.into());
        let same: Vec<_> =
            self.message.endpoints(bytes, bytes, receiver).collect();
        assert_eq!(count, same.len());
        assert_eq!(status == OK, count <= most);
        let kept = count.min(most);
        let found = found.place().cast::<Endpoint>();
        for (i, endpoint) in same[..kept].iter().enumerate() {
            assert_eq!(unsafe { found.add(i).read() }, *endpoint);
            let (room, out, out_len) = call.room();
            let mut needed = call.out(2);
            let (to, n) = (out.cast::<c_char>(), needed.place());
            let status =
                unsafe { mcas_endpoint_format(endpoint, to, out_len, n) };
            let Some(needed) = needed.get(status) else { return };
            written(&room, needed, status, &endpoint.to_string());
            let mut packet = call.out(3);
            let place = packet.place();
            let status = unsafe {
                mcas_protocol_look(endpoint.protocol, buf, len, place)
            };
            if let Some(packet) = packet.get(status) {
                let protocol = Protocol::from_number(endpoint.protocol);
                let protocol = protocol.unwrap();
                assert_eq!(packet, protocol.look(bytes) as u32);
                let name = mcas_protocol_name(endpoint.protocol);
                assert_eq!(text(name), protocol.name());
            }
        }
    }

    fn body(&mut self, call: &Call) {
        let (buf, len) = call.buffer().of(self.bytes);
        let message = call.pointer(&self.message);
        let (room, out, out_len) = call.room();
        let mut needed = call.out(0);
        let n = needed.place();
        let dechunk = call.known & 1 != 0;
        let status = unsafe {
            if dechunk {
                mcas_body_dechunk(buf, len, out, out_len, n)
            } else {
                mcas_body_bytes(message, buf, len, out, out_len, n)
            }
        };
        let Some(needed) = needed.get(status) else {
            return assert!(room.iter().all(|&b| b == 0xa5));
        };
        let bytes = call.buffer().slice(self.bytes);
        let whole = if dechunk {
            mcas::chunked::to_vec(bytes)
        } else {
            self.message.body_bytes(bytes).to_vec()
        };
        assert_eq!(needed, whole.len());
        assert_eq!(status == OK, needed <= room.len());
        let kept = needed.min(room.len());
        assert_eq!(room[..kept], whole[..kept]);
        assert!(room[kept..].iter().all(|&b| b == 0xa5));
    }
}

/// There is as much of a text as fits, in whole characters.
fn written(room: &[u8], needed: usize, status: Status, whole: &str) {
    assert_eq!(needed, whole.len());
    assert_eq!(status == OK, needed < room.len());
    let Some(nul) = room.iter().position(|&b| b == 0) else {
        return assert!(room.is_empty());
    };
    let kept = std::str::from_utf8(&room[..nul]).unwrap();
    assert!(whole.starts_with(kept));
    // A character has four bytes at most.
    assert!(kept.len() + 4 > needed.min(room.len() - 1));
    assert!(status != OK || kept == whole);
    assert!(room[nul + 1..].iter().all(|&b| b == 0xa5));
}

/// Writes any bits into a struct of plain data.
fn spoil<T>(place: &mut T, call: &Call) {
    let start = std::ptr::from_mut(place).cast::<u8>();
    let bytes =
        unsafe { std::slice::from_raw_parts_mut(start, size_of::<T>()) };
    let at = usize::from(call.at) * 3 % bytes.len();
    let end = bytes.len().min(at + usize::from(call.buffer % 16));
    bytes[at..end].fill(call.size);
}

fn names(call: &Call) {
    text(mcas_version());
    assert_eq!(mcas_abi_version(), ABI_VERSION);
    let status = call.number() as i32;
    // One that there may be, and one that there mostly is.
    for status in [status, 2 - status.rem_euclid(9)] {
        text(mcas_status_name(status));
        text(mcas_status_text(status));
    }
}

/// The tables, which say what the Rust side's say.
fn tables(call: &Call) {
    let id = call.number();
    let mut row = call.out::<TypeInfo>(0);
    let status = unsafe { mcas_type_get(id, row.place()) };
    if let Some(row) = row.get(status) {
        let same = mcas::types::TypeInfo::of(id).unwrap();
        assert_eq!(text(row.name), same.name());
        assert_eq!(text(row.description), same.description());
    }
    let mut row = call.out::<FieldInfo>(0);
    let status = unsafe { mcas_field_get(id, row.place()) };
    if let Some(row) = row.get(status) {
        let same = &FIELDS[id as usize];
        assert_eq!(text(row.name), same.name());
        assert_eq!(text(row.label), same.label());
        assert_eq!(text(row.description), same.description());
        let key = (!row.key.is_null()).then(|| text(row.key));
        assert_eq!(key, same.key());
        assert_eq!(Field::by_name(same.name()), Some(same.field));
        assert_eq!(same.field.to_string(), same.name());
    }
    let mut row = call.out::<NoteInfo>(0);
    let status = unsafe { mcas_note_get(id, row.place()) };
    if let Some(row) = row.get(status) {
        let same = &NOTES[id as usize];
        assert_eq!(text(row.name), same.name());
        assert_eq!(text(row.summary), same.summary());
        assert_eq!(text(row.description), same.description());
        assert_eq!(Note::by_name(same.name()), Some(same.note));
        assert_eq!(same.note.to_string(), same.name());
    }
    let (mut number, mut name) = (call.out(0), call.out(1));
    let (n, s) = (number.place(), name.place());
    let status = unsafe { mcas_field_value_name(id, call.known.into(), n, s) };
    if let (Some(n), Some(s)) = (number.get(status), name.get(status)) {
        let field = Field::from_number(id).unwrap();
        assert_eq!(field.info().name_of(u64::from(n)), Some(text(s)));
        assert_eq!(text(mcas_value_name(id, n.into())), text(s));
    }
    let unnamed = mcas_value_name(id, u64::MAX - u64::from(call.known));
    assert!(unnamed.is_null());
}

fuzz_target!(|data: &[u8]| {
    let Some((input, program)) = knobs::<{ 6 * CALLS }>(data) else { return };
    // A box of its own, so that a sanitizer sees its ends.
    let bytes: Box<[u8]> = input.into();
    // A program that begins well gets further.
    let known = context(program[3]);
    let message = mcas::parse(&bytes, &known)
        .or_else(|_| mcas::parse(b"", &known))
        .unwrap();
    let mut state = State {
        bytes: &bytes,
        message,
        iter: Iter { state: [0; size_of::<Iter>() / 8] },
        item: message.head_items(&bytes).last().unwrap_or_default(),
        items: 0,
        progress: Progress { state: [0; size_of::<Progress>() / 8] },
    };
    for call in program.chunks_exact(6) {
        let &[function, buffer, at, known, size, nulls] = call else {
            unreachable!("there are six");
        };
        state.call(&Call { function, buffer, at, known, size, nulls });
    }
});
