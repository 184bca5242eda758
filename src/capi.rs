//! The C layer: every function of `include/mcas.h`, which is its manual.
//!
//! The only file with `unsafe`. Each function checks its pointers before it
//! makes anything of them, does its work inside of `guard`, which turns a
//! panic into a status, and writes its outputs only on success. All structs
//! that cross the border are plain data for which every bit pattern is valid.

use crate::chunked;
use crate::classify::{self, Class};
use crate::endpoints::{Endpoint, Protocol};
use crate::error::NotHttp;
use crate::fields::{Field, FIELDS};
use crate::file_name::AskedFor;
use crate::format::{self, Style};
use crate::item::Item;
use crate::items::Cursor;
use crate::message::{self, Message, Method, Request};
use crate::notes::NOTES;
use crate::progress;
use crate::types::{TYPES, TYPE_NONE};
use crate::{Error, Span, MAX_INPUT};
use core::ffi::{c_char, CStr};
use core::fmt;
use core::mem::MaybeUninit;
use core::net::Ipv4Addr;
use core::ptr;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Raised with every change of layout or meaning.
pub const ABI_VERSION: u32 = 0;

/// `mcas_status` of the header.
pub type Status = i32;

pub const OK: Status = 0;
pub const END: Status = 1;
pub const PARTIAL: Status = 2;
pub const ERR_NULL: Status = -1;
pub const ERR_TOO_LARGE: Status = -2;
pub const ERR_NOT_HTTP: Status = -3;
pub const ERR_RANGE: Status = -4;
pub const ERR_PANIC: Status = -5;

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        match error {
            Error::NotHttp { .. } => ERR_NOT_HTTP,
            Error::TooLarge => ERR_TOO_LARGE,
        }
    }
}

impl From<NotHttp> for Status {
    fn from(_: NotHttp) -> Status {
        ERR_NOT_HTTP
    }
}

/// Runs `work`; a panic becomes a status instead of ending the program.
pub(crate) fn guard(work: impl FnOnce() -> Result<Status, Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(|| {
        // tests/capi.rs builds the library with `--cfg planted_panic`.
        if cfg!(planted_panic) {
            panic!("planted");
        }
        work()
    })) {
        Ok(Ok(status) | Err(status)) => status,
        Err(payload) => {
            // A payload whose own drop panics must not get out either.
            core::mem::forget(payload);
            ERR_PANIC
        }
    }
}

/// 0, unless one of the bugs is built in that tests/sanitize.rs is to see
/// found: a race, an overflow, a byte too many.
fn planted() -> usize {
    #[cfg(planted_race)]
    {
        static mut CALLS: usize = 0;
        // SAFETY: there is none, which is the point.
        unsafe { CALLS += 1 };
    }
    if cfg!(planted_overflow) {
        return core::hint::black_box(usize::MAX) + 1;
    }
    usize::from(cfg!(planted_overrun))
}

/// The caller's buffer: NULL stands for no bytes.
///
/// # Safety
/// `start` is NULL or good for reading `length` bytes that stay unchanged
/// for the time of `'a`.
pub(crate) unsafe fn bytes<'a>(
    start: *const u8,
    length: usize,
) -> Result<&'a [u8], Status> {
    if length > MAX_INPUT {
        return Err(ERR_TOO_LARGE);
    }
    let length = length + planted();
    match (start.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(ERR_NULL),
        // SAFETY: not NULL, not longer than isize::MAX; the rest is promised.
        _ => Ok(unsafe { core::slice::from_raw_parts(start, length) }),
    }
}

/// The caller's buffer for output: NULL stands for no room.
///
/// # Safety
/// `start` is NULL or good for writing `length` values that nothing else
/// touches for the time of `'a`.
unsafe fn room<'a, T>(
    start: *mut T,
    length: usize,
) -> Result<&'a mut [MaybeUninit<T>], Status> {
    if length > MAX_INPUT {
        return Err(ERR_TOO_LARGE);
    }
    match (start.is_null(), length) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(ERR_NULL),
        // SAFETY: as in `bytes`; what is there need not be initialised.
        _ => Ok(unsafe {
            core::slice::from_raw_parts_mut(start.cast(), length)
        }),
    }
}

/// What a struct of the caller's holds.
///
/// # Safety
/// `from` is NULL or good for reading a `T`, for which any bits are valid.
pub(crate) unsafe fn load<T: Copy>(from: *const T) -> Result<T, Status> {
    if from.is_null() {
        return Err(ERR_NULL);
    }
    // SAFETY: not NULL; the rest is promised.
    Ok(unsafe { from.read() })
}

/// The caller's string, without its NUL: NULL stands for an empty one.
///
/// # Safety
/// `start` is NULL, or a NUL follows, and what is up to there stays unchanged
/// for the time of `'a`.
unsafe fn string<'a>(start: *const c_char) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: not NULL; the rest is promised.
    unsafe { CStr::from_ptr(start) }.to_bytes()
}

/// Writes a text, and to `needed` how long all of it is.
///
/// # Safety
/// `out` is NULL or good for writing `out_len` bytes, `needed` is good for
/// writing.
unsafe fn write_text(
    text: impl fmt::Display,
    out: *mut c_char,
    out_len: usize,
    needed: *mut usize,
) -> Result<Status, Status> {
    // SAFETY: the caller's promise.
    let out = unsafe { room(out.cast::<u8>(), out_len) }?;
    let length = format::write_to(&text, out);
    // SAFETY: as in `mcas_field_get`.
    unsafe { needed.write(length) };
    Ok(if length < out_len { OK } else { PARTIAL })
}

/// An output that is there to be written.
pub(crate) fn output<T>(to: *mut T) -> Result<*mut T, Status> {
    if to.is_null() {
        Err(ERR_NULL)
    } else {
        Ok(to)
    }
}

/// `mcas_field_info` of the header.
#[repr(C)]
pub struct FieldInfo {
    pub id: u32,
    pub value_type: u32,
    pub display: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub label: *const c_char,
    pub description: *const c_char,
    pub key: *const c_char,
}

/// `mcas_note_info` of the header.
#[repr(C)]
pub struct NoteInfo {
    pub id: u32,
    pub group: u32,
    pub severity: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub summary: *const c_char,
    pub description: *const c_char,
}

/// `mcas_type_info` of the header.
#[repr(C)]
pub struct TypeInfo {
    pub id: u32,
    pub kind: u32,
    pub counterpart: u32,
    pub reserved: u32,
    pub name: *const c_char,
    pub description: *const c_char,
}

/// `mcas_context` of the header.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    pub request: u32,
    pub request_type: u32,
    pub request_method: u32,
    pub flags: u32,
}

/// Whether a context knows of a request.
pub const REQUEST_UNSEEN: u32 = 0;
pub const REQUEST_SEEN: u32 = 1;

impl Context {
    /// The same for Rust, unless what it says of a request is contradictory:
    /// that would be taken for something else than the caller meant.
    fn check(self) -> Result<message::Context, Status> {
        let Context { request, request_type, request_method, flags } = self;
        let request = match (request, request_type, request_method) {
            (REQUEST_UNSEEN, 0, 0) => None,
            (REQUEST_SEEN, ..) => {
                Some(Request::new(request_type).with_method(
                    Method::from_number(request_method).unwrap_or_default(),
                ))
            }
            _ => return Err(ERR_RANGE),
        };
        let context = message::Context::default().with_flags(flags);
        Ok(message::Context { request, ..context })
    }
}

impl From<message::Context> for Context {
    fn from(context: message::Context) -> Context {
        let flags = context.flags;
        context.request.map_or(Context { flags, ..Context::default() }, |of| {
            Context {
                request: REQUEST_SEEN,
                request_type: of.message_type,
                request_method: of.method as u32,
                flags,
            }
        })
    }
}

/// `mcas_bytes` of the header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub start: *const u8,
    pub length: usize,
}

/// `mcas_parts` of the header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Parts {
    pub context: Context,
    pub status: u32,
    pub flags: u32,
    pub method: Bytes,
    pub target: Bytes,
    pub host: Bytes,
    pub user_agent: Bytes,
    pub content_type: Bytes,
    pub content_encoding: Bytes,
}

/// Answers of `mcas_classify`.
pub const CLASS_NO: u32 = 0;
pub const CLASS_YES: u32 = 1;
pub const CLASS_MORE: u32 = 2;

/// `mcas_class` of the header.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classed {
    pub answer: u32,
    pub message_type: u32,
    pub more: u64,
}

impl From<Class> for Classed {
    fn from(class: Class) -> Classed {
        let (answer, message_type, more) = match class {
            Class::No => (CLASS_NO, TYPE_NONE, 0),
            Class::Yes(number) => (CLASS_YES, number, 0),
            Class::More(more) => (CLASS_MORE, TYPE_NONE, more as u64),
        };
        Classed { answer, message_type, more }
    }
}

/// `mcas_iter` of the header: room for a `Cursor` of this version and of
/// later ones.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Iter {
    pub state: [u64; 104],
}

const _: () = {
    assert!(size_of::<Cursor>() <= size_of::<Iter>());
    assert!(align_of::<Cursor>() <= align_of::<Iter>());
};

/// `mcas_progress` of the header: room for a [`progress::Progress`] of this
/// version and of later ones, of which zeros are the beginning.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Progress {
    pub state: [u64; 48],
}

const _: () = {
    assert!(size_of::<progress::Progress>() <= size_of::<Progress>());
    assert!(align_of::<progress::Progress>() <= align_of::<Progress>());
};

fn optional(text: Option<&'static CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

/// See `mcas_abi_version` in `include/mcas.h`.
#[no_mangle]
pub extern "C" fn mcas_abi_version() -> u32 {
    ABI_VERSION
}

/// See `mcas_version` in `include/mcas.h`.
#[no_mangle]
pub extern "C" fn mcas_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// See `mcas_status_name` in `include/mcas.h`.
#[no_mangle]
pub extern "C" fn mcas_status_name(status: Status) -> *const c_char {
    let name = match status {
        OK => c"OK",
        END => c"END",
        PARTIAL => c"PARTIAL",
        ERR_NULL => c"ERR_NULL",
        ERR_TOO_LARGE => c"ERR_TOO_LARGE",
        ERR_NOT_HTTP => c"ERR_NOT_HTTP",
        ERR_RANGE => c"ERR_RANGE",
        ERR_PANIC => c"ERR_PANIC",
        _ => c"unknown status",
    };
    name.as_ptr()
}

/// See `mcas_status_text` in `include/mcas.h`.
#[no_mangle]
pub extern "C" fn mcas_status_text(status: Status) -> *const c_char {
    let text = match status {
        OK => c"done",
        END => c"there is no further one",
        PARTIAL => c"answered, but not whole",
        ERR_NULL => c"NULL where something must be",
        ERR_TOO_LARGE => c"a length above 2147483647",
        ERR_NOT_HTTP => c"not an HTTP/1.x message",
        ERR_RANGE => c"a number that may not stand there",
        ERR_PANIC => c"a bug of the library's: please report it",
        _ => c"unknown status",
    };
    text.as_ptr()
}

/// See `mcas_field_get` in `include/mcas.h`.
///
/// # Safety
/// `out` is NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_field_get(
    id: u32,
    out: *mut FieldInfo,
) -> Status {
    guard(|| {
        let out = output(out)?;
        let info = FIELDS.get(id as usize).ok_or(END)?;
        let info = FieldInfo {
            id,
            value_type: info.value_type as u32,
            display: info.display as u32,
            flags: info.flags,
            name: info.c_name.as_ptr(),
            label: info.c_label.as_ptr(),
            description: info.c_description.as_ptr(),
            key: optional(info.c_key),
        };
        // SAFETY: checked by `output`; the rest is the caller's promise.
        unsafe { out.write(info) };
        Ok(OK)
    })
}

/// See `mcas_field_value_name` in `include/mcas.h`.
///
/// # Safety
/// `number` and `name` are NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_field_value_name(
    id: u32,
    index: u32,
    number: *mut u32,
    name: *mut *const c_char,
) -> Status {
    guard(|| {
        let (number, name) = (output(number)?, output(name)?);
        let field = Field::from_number(id).ok_or(ERR_RANGE)?;
        let row = field.info().names.get(index as usize).ok_or(END)?;
        // SAFETY: as in `mcas_field_get`.
        unsafe {
            number.write(row.0);
            name.write(row.1.as_ptr());
        }
        Ok(OK)
    })
}

/// See `mcas_value_name` in `include/mcas.h`.
#[no_mangle]
pub extern "C" fn mcas_value_name(id: u32, number: u64) -> *const c_char {
    let field = Field::from_number(id);
    optional(field.and_then(|field| field.info().c_name_of(number)))
}

/// See `mcas_note_get` in `include/mcas.h`.
///
/// # Safety
/// `out` is NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_note_get(id: u32, out: *mut NoteInfo) -> Status {
    guard(|| {
        let out = output(out)?;
        let info = NOTES.get(id as usize).ok_or(END)?;
        let info = NoteInfo {
            id,
            group: info.group as u32,
            severity: info.severity as u32,
            flags: info.flags,
            name: info.c_name.as_ptr(),
            summary: info.c_summary.as_ptr(),
            description: info.c_description.as_ptr(),
        };
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(info) };
        Ok(OK)
    })
}

/// See `mcas_type_get` in `include/mcas.h`.
///
/// # Safety
/// `out` is NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_type_get(id: u32, out: *mut TypeInfo) -> Status {
    guard(|| {
        let out = output(out)?;
        let info = TYPES.get(id as usize).ok_or(END)?;
        let info = TypeInfo {
            id,
            kind: info.kind,
            counterpart: info.counterpart,
            reserved: 0,
            name: info.c_name.as_ptr(),
            description: info.c_description.as_ptr(),
        };
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(info) };
        Ok(OK)
    })
}

/// See `mcas_sniff` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `out` NULL or good for
/// writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_sniff(
    buf: *const u8,
    len: usize,
    out: *mut u32,
) -> Status {
    guard(|| {
        let out = output(out)?;
        // SAFETY: the caller's promise.
        let input = unsafe { bytes(buf, len) }?;
        let answer = crate::sniff(input) as u32;
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(answer) };
        Ok(OK)
    })
}

/// See `mcas_classify` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `context` NULL or good for
/// reading, `out` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_classify(
    buf: *const u8,
    len: usize,
    context: *const Context,
    out: *mut Classed,
) -> Status {
    guard(|| {
        let out = output(out)?;
        // SAFETY: the caller's promise.
        let (input, context) =
            unsafe { (bytes(buf, len)?, context_of(context)?) };
        let class = Classed::from(classify::classify(input, &context)?);
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(class) };
        Ok(OK)
    })
}

/// See `mcas_classify_resume` in `include/mcas.h`.
///
/// # Safety
/// As for `mcas_classify`; `progress` is NULL or good for reading and writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_classify_resume(
    buf: *const u8,
    len: usize,
    context: *const Context,
    progress: *mut Progress,
    out: *mut Classed,
) -> Status {
    guard(|| {
        let (progress, out) = (output(progress)?, output(out)?);
        // SAFETY: the caller's promise.
        let (input, context) =
            unsafe { (bytes(buf, len)?, context_of(context)?) };
        // SAFETY: the caller's promise.
        let class = unsafe { resumed(progress) }.classify(input, &context)?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(class.into()) };
        Ok(OK)
    })
}

/// The progress that is kept in the caller's struct.
///
/// # Safety
/// `progress` is good for reading and writing by nobody else for the time of
/// `'a`, and initialised, with whatever bits.
unsafe fn resumed<'a>(progress: *mut Progress) -> &'a mut progress::Progress {
    // SAFETY: size and alignment are as asserted above, any bits are valid;
    // the rest is promised.
    unsafe { &mut *progress.cast() }
}

/// What the caller knows of a message: nothing, says NULL.
///
/// # Safety
/// `context` is NULL or good for reading.
unsafe fn context_of(
    context: *const Context,
) -> Result<message::Context, Status> {
    // SAFETY: the caller's promise.
    unsafe { load(context) }.unwrap_or_default().check()
}

/// See `mcas_message_parse` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `context` NULL or good for
/// reading, `out` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_message_parse(
    buf: *const u8,
    len: usize,
    context: *const Context,
    out: *mut Message,
) -> Status {
    guard(|| {
        let out = output(out)?;
        // SAFETY: the caller's promise.
        let input = unsafe { bytes(buf, len) }?;
        // SAFETY: the caller's promise.
        let context = unsafe { context_of(context) }?;
        let message = message::read(input, &context)?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(message) };
        Ok(if message.has(message::COMPLETE) { OK } else { PARTIAL })
    })
}

/// See `mcas_message_refused` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `offset` NULL or good for
/// writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_message_refused(
    buf: *const u8,
    len: usize,
    offset: *mut usize,
) -> Status {
    guard(|| {
        let offset = output(offset)?;
        // SAFETY: the caller's promise.
        let input = unsafe { bytes(buf, len) }?;
        match message::parse(input, &message::Context::default()) {
            Err(Error::NotHttp { offset: at }) => {
                // SAFETY: as in `mcas_field_get`.
                unsafe { offset.write(at) };
                Ok(OK)
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(END),
        }
    })
}

/// See `mcas_message_resume` in `include/mcas.h`.
///
/// # Safety
/// As for `mcas_message_parse`; `progress` is NULL or good for reading and
/// writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_message_resume(
    buf: *const u8,
    len: usize,
    context: *const Context,
    progress: *mut Progress,
    out: *mut Message,
) -> Status {
    guard(|| {
        let (progress, out) = (output(progress)?, output(out)?);
        // SAFETY: the caller's promise.
        let (input, context) =
            unsafe { (bytes(buf, len)?, context_of(context)?) };
        // SAFETY: the caller's promise.
        let message = unsafe { resumed(progress) }.go_on(input, &context)?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(message) };
        Ok(if message.has(message::COMPLETE) { OK } else { PARTIAL })
    })
}

/// See `mcas_message_from_parts` in `include/mcas.h`.
///
/// # Safety
/// `parts` is NULL or good for reading, each of its parts and `body` NULL or
/// good for reading as many bytes as it says, `out` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_message_from_parts(
    parts: *const Parts,
    body: *const u8,
    body_len: usize,
    out: *mut Message,
) -> Status {
    guard(|| {
        let out = output(out)?;
        // SAFETY: the caller's promise.
        let (given, body) = unsafe { (load(parts)?, bytes(body, body_len)?) };
        // SAFETY: the caller's promise.
        let part = |part: Bytes| unsafe { bytes(part.start, part.length) };
        let parts = message::Parts {
            context: given.context.check()?,
            status: u16::try_from(given.status).map_err(|_| ERR_RANGE)?,
            flags: given.flags,
            method: part(given.method)?,
            target: part(given.target)?,
            host: part(given.host)?,
            user_agent: part(given.user_agent)?,
            content_type: part(given.content_type)?,
            content_encoding: part(given.content_encoding)?,
        };
        let message = message::from_parts(&parts, body)?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(message) };
        Ok(OK)
    })
}

/// See `mcas_head_items` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `iter` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_head_items(
    message: *const Message,
    iter: *mut Iter,
) -> Status {
    guard(|| {
        let iter = output(iter)?;
        // SAFETY: the caller's promise.
        let message = unsafe { load(message) }?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { write_cursor(iter, Cursor::head(&message)) };
        Ok(OK)
    })
}

/// See `mcas_body_items` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `body` NULL or good for reading
/// `body_len` bytes, `iter` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_body_items(
    message: *const Message,
    body: *const u8,
    body_len: usize,
    iter: *mut Iter,
) -> Status {
    guard(|| {
        let iter = output(iter)?;
        // SAFETY: the caller's promise.
        let (message, body) =
            unsafe { (load(message)?, bytes(body, body_len)?) };
        // SAFETY: as in `mcas_field_get`.
        unsafe { write_cursor(iter, Cursor::body(&message, body)) };
        Ok(OK)
    })
}

/// Begins reading a part of a message that stands by itself.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `iter` NULL or good for
/// writing.
unsafe fn part_items(
    begin: fn(&[u8]) -> Cursor,
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
) -> Status {
    guard(|| {
        let iter = output(iter)?;
        // SAFETY: the caller's promise.
        let value = unsafe { bytes(buf, len) }?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { write_cursor(iter, begin(value)) };
        Ok(OK)
    })
}

/// See `mcas_user_agent_items` in `include/mcas.h`.
///
/// # Safety
/// As for `part_items`.
#[no_mangle]
pub unsafe extern "C" fn mcas_user_agent_items(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { part_items(Cursor::user_agent, buf, len, iter) }
}

/// See `mcas_cookie_items` in `include/mcas.h`.
///
/// # Safety
/// As for `part_items`.
#[no_mangle]
pub unsafe extern "C" fn mcas_cookie_items(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { part_items(Cursor::cookies, buf, len, iter) }
}

/// See `mcas_bigip_items` in `include/mcas.h`.
///
/// # Safety
/// As for `part_items`.
#[no_mangle]
pub unsafe extern "C" fn mcas_bigip_items(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { part_items(Cursor::bigip_alone, buf, len, iter) }
}

/// See `mcas_target_items` in `include/mcas.h`.
///
/// # Safety
/// As for `part_items`.
#[no_mangle]
pub unsafe extern "C" fn mcas_target_items(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { part_items(Cursor::target, buf, len, iter) }
}

/// See `mcas_host_items` in `include/mcas.h`.
///
/// # Safety
/// As for `part_items`.
#[no_mangle]
pub unsafe extern "C" fn mcas_host_items(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { part_items(Cursor::host_header, buf, len, iter) }
}

/// Puts a cursor into the caller's iterator, the rest of which stays as is.
///
/// # Safety
/// `iter` is good for writing.
unsafe fn write_cursor(iter: *mut Iter, cursor: Cursor) {
    // SAFETY: it is large enough and aligned (asserted above).
    unsafe { iter.cast::<Cursor>().write(cursor) };
}

/// The cursor in the caller's iterator.
///
/// # Safety
/// `iter` is good for reading and writing, and nothing else touches it for
/// the time of `'a`.
unsafe fn cursor<'a>(iter: *mut Iter) -> &'a mut Cursor {
    // SAFETY: the caller's promise; it holds plain integers.
    unsafe { &mut *iter.cast::<Cursor>() }
}

/// Hands out an item. With other bytes than before a place may be outside of
/// them; a caller who reads it must not be led there.
fn hand_out(item: &Item, input: &[u8], out: &mut MaybeUninit<Item>) {
    let out = out.write(*item);
    if out.span.end() > input.len() {
        out.span = Span::EMPTY;
    }
}

/// See `mcas_next` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `iter` NULL or good for
/// reading and writing and made by one of the functions above, `out` NULL or
/// good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_next(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
    out: *mut Item,
) -> Status {
    guard(|| {
        let (iter, out) = (output(iter)?, output(out)?);
        // SAFETY: the caller's promise.
        let (input, cursor) = unsafe { (bytes(buf, len)?, cursor(iter)) };
        let item = cursor.ready(input).first().ok_or(END)?;
        // SAFETY: as in `mcas_field_get`; what is there is not read.
        hand_out(item, input, unsafe { &mut *out.cast() });
        cursor.take(1);
        Ok(OK)
    })
}

/// See `mcas_next_many` in `include/mcas.h`.
///
/// # Safety
/// As for `mcas_next`, but `out` is NULL or good for writing `most` items,
/// and `count` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_next_many(
    buf: *const u8,
    len: usize,
    iter: *mut Iter,
    out: *mut Item,
    most: usize,
    count: *mut usize,
) -> Status {
    guard(|| {
        let (iter, count) = (output(iter)?, output(count)?);
        // SAFETY: the caller's promise.
        let (input, out) = unsafe { (bytes(buf, len)?, room(out, most)?) };
        // SAFETY: as in `mcas_next`.
        let cursor = unsafe { cursor(iter) };
        let mut taken = 0;
        while taken < out.len() {
            let ready = cursor.ready(input);
            let pairs = out[taken..].iter_mut().zip(ready);
            let fit = pairs.len();
            for (slot, item) in pairs {
                hand_out(item, input, slot);
            }
            if fit == 0 {
                break;
            }
            cursor.take(fit);
            taken += fit;
        }
        if taken == 0 {
            return Err(if most == 0 { ERR_RANGE } else { END });
        }
        // SAFETY: as in `mcas_field_get`.
        unsafe { count.write(taken) };
        Ok(OK)
    })
}

/// See `mcas_item_format` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `item` NULL or good for
/// reading, `out` NULL or good for writing `out_len` bytes, `needed` NULL or
/// good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_item_format(
    buf: *const u8,
    len: usize,
    item: *const Item,
    style: u32,
    out: *mut c_char,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let (item, input) = unsafe { (load(item)?, bytes(buf, len)?) };
        let style = Style::from_number(style).ok_or(ERR_RANGE)?;
        // SAFETY: the caller's promise.
        unsafe { write_text(item.format(input, style), out, out_len, needed) }
    })
}

/// See `mcas_config_format` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `body` NULL or good for reading
/// `body_len` bytes, `out` NULL or good for writing `out_len` bytes, `needed`
/// NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_config_format(
    message: *const Message,
    body: *const u8,
    body_len: usize,
    flags: u32,
    out: *mut c_char,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let (message, body) =
            unsafe { (load(message)?, bytes(body, body_len)?) };
        let config = message.config(body, flags).ok_or(END)?;
        // SAFETY: the caller's promise.
        unsafe { write_text(config, out, out_len, needed) }
    })
}

/// See `mcas_summary_format` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `buf` NULL or good for reading
/// `len` bytes, `body` NULL or good for reading `body_len` bytes, `vendor`
/// NULL or a string, `out` NULL or good for writing `out_len` bytes, `needed`
/// NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_summary_format(
    message: *const Message,
    buf: *const u8,
    len: usize,
    body: *const u8,
    body_len: usize,
    vendor: *const c_char,
    out: *mut c_char,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let (message, input, body, vendor) = unsafe {
            (
                load(message)?,
                bytes(buf, len)?,
                bytes(body, body_len)?,
                string(vendor),
            )
        };
        let vendor = core::str::from_utf8(vendor).unwrap_or_default();
        let summary = message.summary(input, body).ok_or(END)?;
        let summary = summary.with_vendor(vendor);
        // SAFETY: the caller's promise.
        unsafe { write_text(summary, out, out_len, needed) }
    })
}

/// See `mcas_message_endpoints` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `buf` NULL or good for reading
/// `len` bytes, `body` NULL or good for reading `body_len` bytes, `receiver`
/// NULL or good for reading four bytes, `out` NULL or good for writing `most`
/// endpoints, `count` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_message_endpoints(
    message: *const Message,
    buf: *const u8,
    len: usize,
    body: *const u8,
    body_len: usize,
    receiver: *const u8,
    out: *mut Endpoint,
    most: usize,
    count: *mut usize,
) -> Status {
    guard(|| {
        let count = output(count)?;
        // SAFETY: the caller's promise.
        let (message, input, body, out) = unsafe {
            (
                load(message)?,
                bytes(buf, len)?,
                bytes(body, body_len)?,
                room(out, most)?,
            )
        };
        // SAFETY: the caller's promise; NULL says that it is not known.
        let receiver = unsafe { load(receiver.cast::<[u8; 4]>()) };
        let receiver = receiver.ok().map(Ipv4Addr::from);
        let mut found = 0;
        for endpoint in message.endpoints(input, body, receiver) {
            if let Some(slot) = out.get_mut(found) {
                slot.write(endpoint);
            }
            found += 1;
        }
        if found == 0 {
            return Err(END);
        }
        // SAFETY: as in `mcas_field_get`.
        unsafe { count.write(found) };
        Ok(if found <= out.len() { OK } else { PARTIAL })
    })
}

/// See `mcas_endpoint_format` in `include/mcas.h`.
///
/// # Safety
/// `endpoint` is NULL or good for reading, `out` NULL or good for writing
/// `out_len` bytes, `needed` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_endpoint_format(
    endpoint: *const Endpoint,
    out: *mut c_char,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let endpoint = unsafe { load(endpoint) }?;
        // SAFETY: the caller's promise.
        unsafe { write_text(endpoint, out, out_len, needed) }
    })
}

/// See `mcas_protocol_name` in `include/mcas.h`.
#[no_mangle]
pub extern "C" fn mcas_protocol_name(protocol: u32) -> *const c_char {
    optional(Protocol::from_number(protocol).map(Protocol::c_name))
}

/// See `mcas_protocol_look` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `out` NULL or good for
/// writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_protocol_look(
    protocol: u32,
    buf: *const u8,
    len: usize,
    out: *mut u32,
) -> Status {
    guard(|| {
        let out = output(out)?;
        // SAFETY: the caller's promise.
        let input = unsafe { bytes(buf, len) }?;
        let protocol = Protocol::from_number(protocol).ok_or(ERR_RANGE)?;
        // SAFETY: as in `mcas_field_get`.
        unsafe { out.write(protocol.look(input) as u32) };
        Ok(OK)
    })
}

/// See `mcas_file_name` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `device`, `model` and `file` NULL or
/// strings, `out` NULL or good for writing `out_len` bytes, `needed` NULL or
/// good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_file_name(
    message: *const Message,
    device: *const c_char,
    model: *const c_char,
    file: *const c_char,
    out: *mut c_char,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let message = unsafe { load(message) }?;
        // SAFETY: the caller's promise.
        let asked = unsafe {
            AskedFor {
                device: string(device),
                model: string(model),
                file: string(file),
            }
        };
        let name = message.file_name(asked).ok_or(END)?;
        // SAFETY: the caller's promise.
        unsafe { write_text(name, out, out_len, needed) }
    })
}

/// See `mcas_body_bytes` in `include/mcas.h`.
///
/// # Safety
/// `message` is NULL or good for reading, `buf` NULL or good for reading
/// `len` bytes, `out` NULL or good for writing `out_len` bytes, `needed` NULL
/// or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_body_bytes(
    message: *const Message,
    buf: *const u8,
    len: usize,
    out: *mut u8,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let (message, input) = unsafe { (load(message)?, bytes(buf, len)?) };
        // SAFETY: the caller's promise.
        let out = unsafe { room(out, out_len) }?;
        let length = message.write_body(input, out);
        // SAFETY: as in `mcas_field_get`.
        unsafe { needed.write(length) };
        Ok(if length <= out_len { OK } else { PARTIAL })
    })
}

/// See `mcas_body_dechunk` in `include/mcas.h`.
///
/// # Safety
/// `buf` is NULL or good for reading `len` bytes, `out` NULL or good for
/// writing `out_len` bytes, `needed` NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_body_dechunk(
    buf: *const u8,
    len: usize,
    out: *mut u8,
    out_len: usize,
    needed: *mut usize,
) -> Status {
    guard(|| {
        let needed = output(needed)?;
        // SAFETY: the caller's promise.
        let body = unsafe { bytes(buf, len) }?;
        // SAFETY: the caller's promise.
        let out = unsafe { room(out, out_len) }?;
        let length = chunked::write(body, out);
        // SAFETY: as in `mcas_field_get`.
        unsafe { needed.write(length) };
        Ok(if length > out.len() { PARTIAL } else { OK })
    })
}
