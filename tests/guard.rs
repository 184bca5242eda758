//! Memory with an end. The release library, as it is shipped, reads and
//! writes no byte outside of what it is given: each message, and each prefix
//! of it, lies with its end right before a page that must not be touched, and
//! so does each output. And memory without end: more bytes than any place
//! could be told of are refused.
//!
//! Valgrind knows of blocks, not of lengths, and sanitizers of the code that
//! they were built into, which is another than what is shipped; here the
//! processor itself says no.

#![allow(clippy::undocumented_unsafe_blocks)] // All is made up for the call.

use crate::capi::{build, library};
use crate::prefix::{lengths, samples, Sample};
use mcas::capi::*;
use mcas::endpoints::Endpoint;
use mcas::message::{from_parts, Parts as RustParts};
use mcas::{agent, firmware, items, Error, Item, Message, Sniff, MAX_INPUT};
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::mem::{size_of, transmute_copy};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::ptr::{null, null_mut};

/// A piece of memory between two pages that must not be touched.
struct Guarded {
    start: *mut u8,
    size: usize,
    page: usize,
}

impl Guarded {
    /// With room for so many bytes.
    fn new(room: usize) -> Guarded {
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let size = room.max(1).next_multiple_of(page);
        let all = map(size + 2 * page, libc::PROT_NONE);
        let start = unsafe { all.add(page) };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        assert_eq!(unsafe { libc::mprotect(start.cast(), size, access) }, 0);
        Guarded { start, size, page }
    }

    /// The last `length` bytes of it: nothing may be touched behind them.
    fn last(&self, length: usize) -> *mut u8 {
        assert!(length <= self.size);
        unsafe { self.start.add(self.size - length) }
    }

    /// A copy of these bytes at its end.
    fn copy(&self, bytes: &[u8]) -> *const u8 {
        let to = self.last(bytes.len());
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        to
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let all = unsafe { self.start.sub(self.page) };
        unsafe { libc::munmap(all.cast(), self.size + 2 * self.page) };
    }
}

/// So many bytes of zeros, which take no memory until they are written.
fn map(length: usize, access: c_int) -> *mut u8 {
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let start = unsafe { libc::mmap(null_mut(), length, access, kind, -1, 0) };
    assert_ne!(start, libc::MAP_FAILED);
    start.cast()
}

/// Declares the functions of the library that read or write a buffer.
macro_rules! functions {
    ($($name:ident($($argument:ty),*);)*) => {
        /// Those of a file, not those that these tests are linked with.
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) -> Status,)*
        }

        impl Functions {
            fn load(file: &Path) -> Functions {
                let name = CString::new(file.to_str().unwrap()).unwrap();
                let how = libc::RTLD_NOW | libc::RTLD_LOCAL;
                let handle = unsafe { libc::dlopen(name.as_ptr(), how) };
                assert!(!handle.is_null(), "{}", file.display());
                Functions {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        let name = CStr::from_bytes_with_nul(name.as_bytes());
                        let name = name.unwrap();
                        let found =
                            unsafe { libc::dlsym(handle, name.as_ptr()) };
                        assert!(!found.is_null(), "{name:?}");
                        unsafe { transmute_copy::<*mut c_void, _>(&found) }
                    },)*
                }
            }
        }
    };
}

functions! {
    mcas_sniff(*const u8, usize, *mut u32);
    mcas_classify(*const u8, usize, *const Context, *mut Classed);
    mcas_message_parse(*const u8, usize, *const Context, *mut Message);
    mcas_message_refused(*const u8, usize, *mut usize);
    mcas_message_from_parts(*const Parts, *const u8, usize, *mut Message);
    mcas_head_items(*const Message, *mut Iter);
    mcas_body_items(*const Message, *const u8, usize, *mut Iter);
    mcas_user_agent_items(*const u8, usize, *mut Iter);
    mcas_cookie_items(*const u8, usize, *mut Iter);
    mcas_bigip_items(*const u8, usize, *mut Iter);
    mcas_target_items(*const u8, usize, *mut Iter);
    mcas_host_items(*const u8, usize, *mut Iter);
    mcas_next_many(*const u8, usize, *mut Iter, *mut Item, usize, *mut usize);
    mcas_item_format(
        *const u8, usize, *const Item, u32, *mut c_char, usize, *mut usize
    );
    mcas_config_format(
        *const Message, *const u8, usize, u32, *mut c_char, usize, *mut usize
    );
    mcas_summary_format(
        *const Message, *const u8, usize, *const u8, usize, *const c_char,
        *mut c_char, usize, *mut usize
    );
    mcas_message_endpoints(
        *const Message, *const u8, usize, *const u8, usize, *const u8,
        *mut Endpoint, usize, *mut usize
    );
    mcas_protocol_look(u32, *const u8, usize, *mut u32);
    mcas_file_name(
        *const Message, *const c_char, *const c_char, *const c_char,
        *mut c_char, usize, *mut usize
    );
    mcas_body_bytes(
        *const Message, *const u8, usize, *mut u8, usize, *mut usize
    );
    mcas_body_dechunk(*const u8, usize, *mut u8, usize, *mut usize);
}

/// Room for one value, right before the page behind it.
struct Place<T>(Guarded, std::marker::PhantomData<T>);

impl<T: Copy> Place<T> {
    fn new() -> Place<T> {
        Place(Guarded::new(size_of::<T>()), std::marker::PhantomData)
    }

    fn at(&self) -> *mut T {
        self.0.last(size_of::<T>()).cast()
    }

    fn get(&self) -> T {
        unsafe { self.at().read() }
    }
}

/// Where everything lies that the library is given.
struct Memory {
    input: Guarded,
    body: Guarded,
    out: Guarded,
    context: Place<Context>,
    message: Place<Message>,
    iter: Place<Iter>,
    items: Place<[Item; 7]>,
    endpoints: Place<[Endpoint; 4]>,
    class: Place<Classed>,
    answer: Place<u32>,
    count: Place<usize>,
    parts: Place<Parts>,
}

impl Memory {
    fn new(most: usize) -> Memory {
        Memory {
            input: Guarded::new(most),
            body: Guarded::new(most),
            out: Guarded::new(4 * most + (1 << 16)),
            context: Place::new(),
            message: Place::new(),
            iter: Place::new(),
            items: Place::new(),
            endpoints: Place::new(),
            class: Place::new(),
            answer: Place::new(),
            count: Place::new(),
            parts: Place::new(),
        }
    }

    /// Whatever there is to read in the bytes at `buf`; how many items.
    fn read_all(&self, of: &Functions, buf: *const u8, len: usize) -> usize {
        let Memory { context, message, iter, answer, count, .. } = self;
        let (context, message) = (context.at(), message.at());
        let mut items = 0;
        unsafe {
            assert_eq!((of.mcas_sniff)(buf, len, answer.at()), OK);
            for protocol in 0..3 {
                let look = of.mcas_protocol_look;
                assert_eq!(look(protocol, buf, len, answer.at()), OK);
            }
            let class = self.class.at();
            assert_eq!((of.mcas_classify)(buf, len, context, class), OK);
            let begins = [
                of.mcas_user_agent_items,
                of.mcas_cookie_items,
                of.mcas_bigip_items,
                of.mcas_target_items,
                of.mcas_host_items,
            ];
            for begin in begins {
                assert_eq!(begin(buf, len, iter.at()), OK);
                items += self.drain(of, buf, len);
            }
            self.dechunk(of, buf, len);
            self.as_parts(of, buf, len);
            let status = (of.mcas_message_parse)(buf, len, context, message);
            if status < 0 {
                let status = (of.mcas_message_refused)(buf, len, count.at());
                assert_eq!(status, OK);
                return items;
            }
            assert_eq!((of.mcas_head_items)(message, iter.at()), OK);
            items += self.drain(of, buf, len);
            let body = self.write(|out, room| {
                let needed = count.at();
                (of.mcas_body_bytes)(message, buf, len, out, room, needed)
            });
            items + self.read_body(of, body, (buf, len))
        }
    }

    /// The body that was written, whatever kind of message it is of.
    fn read_body(
        &self,
        of: &Functions,
        length: usize,
        (buf, len): (*const u8, usize),
    ) -> usize {
        let written = self.out.last(length);
        let body = unsafe { std::slice::from_raw_parts(written, length) };
        let (body, message) = (self.body.copy(body), self.message.at());
        unsafe {
            let iter = self.iter.at();
            let status = (of.mcas_body_items)(message, body, length, iter);
            assert_eq!(status, OK);
            let items = self.drain(of, body, length);
            if (of.mcas_config_format)(
                message,
                body,
                length,
                1,
                null_mut(),
                0,
                self.count.at(),
            ) != END
            {
                self.write(|out, room| {
                    let (out, needed) = (out.cast(), self.count.at());
                    let of = of.mcas_config_format;
                    of(message, body, length, 1, out, room, needed)
                });
            }
            let (count, none) = (self.count.at(), null());
            let summary = |out: *mut u8, room| {
                let (of, out) = (of.mcas_summary_format, out.cast());
                of(message, buf, len, body, length, none, out, room, count)
            };
            if summary(null_mut(), 0) != END {
                self.write(summary);
            }
            for most in 0..=4 {
                let at = self.endpoints.0.last(most * size_of::<Endpoint>());
                let (of, none, at) =
                    (of.mcas_message_endpoints, null(), at.cast());
                of(message, buf, len, body, length, none, at, most, count);
            }
            // A string that ends where the memory does.
            let end = self.out.last(1);
            end.write(0);
            let string = self.out.last(length + 1).cast();
            let mut name = [0; 256];
            let (of, to) = (of.mcas_file_name, name.as_mut_ptr());
            of(message, string, string, string, to, 256, count);
            items
        }
    }

    fn dechunk(&self, of: &Functions, buf: *const u8, len: usize) {
        self.write(|out, room| unsafe {
            (of.mcas_body_dechunk)(buf, len, out, room, self.count.at())
        });
    }

    /// The bytes as each part of a message.
    fn as_parts(&self, of: &Functions, buf: *const u8, len: usize) {
        let none = Bytes { start: null(), length: 0 };
        let all = Bytes { start: buf, length: len };
        for part in 0..7 {
            let piece = |of: i32| if part == of { all } else { none };
            for status in [0, 200] {
                let parts = Parts {
                    context: self.context.get(),
                    status,
                    flags: 0,
                    method: piece(1),
                    target: piece(2),
                    host: piece(3),
                    user_agent: piece(4),
                    content_type: piece(5),
                    content_encoding: piece(6),
                };
                let Bytes { start, length } = piece(0);
                let out = self.message.at();
                unsafe { self.parts.at().write(parts) };
                let parts = self.parts.at();
                let of = of.mcas_message_from_parts;
                let status = unsafe { of(parts, start, length, out) };
                assert_eq!(status, OK);
            }
        }
    }

    /// Reads items to the end, and writes each in all styles.
    fn drain(&self, of: &Functions, buf: *const u8, len: usize) -> usize {
        let Memory { iter, items, count, .. } = self;
        let mut all = 0;
        while unsafe {
            let out = items.at().cast();
            (of.mcas_next_many)(buf, len, iter.at(), out, 7, count.at())
        } == OK
        {
            let ready = items.get();
            for item in &ready[..count.get()] {
                for style in 0..4 {
                    self.write(|out, room| unsafe {
                        let (out, needed) = (out.cast(), count.at());
                        let of = of.mcas_item_format;
                        of(buf, len, item, style, out, room, needed)
                    });
                }
                all += 1;
            }
        }
        all
    }

    /// Asks how much room an output needs, gives it just so much, and then
    /// one byte less; how much it was.
    fn write(&self, write: impl Fn(*mut u8, usize) -> Status) -> usize {
        let status = write(null_mut(), 0);
        assert!(matches!(status, OK | PARTIAL), "{status}");
        let length = self.count.get();
        // A text has a NUL behind it.
        for room in [length.saturating_sub(1), length + 1, length] {
            let status = write(self.out.last(room), room);
            assert!(matches!(status, OK | PARTIAL), "{status}");
            assert_eq!(self.count.get(), length);
        }
        length
    }
}

/// Runs `work` in a process of its own; what became of that.
fn apart(work: impl FnOnce()) -> c_int {
    let mut status = 0;
    unsafe {
        let child = libc::fork();
        assert!(child >= 0);
        if child == 0 {
            // A core file helps nobody.
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &none);
            let done = catch_unwind(AssertUnwindSafe(work)).is_ok();
            libc::_exit(if done { 0 } else { 1 });
        }
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
    }
    status
}

/// Reads each prefix of a message, and the whole of it right behind a page
/// that must not be touched.
fn read_guarded(of: &Functions, sample: &Sample) {
    let bytes = &sample.bytes;
    let memory = Memory::new(bytes.len());
    unsafe { memory.context.at().write(sample.context().into()) };
    for end in lengths(bytes.len()).chain([bytes.len()]) {
        let prefix = &bytes[..end];
        memory.read_all(of, memory.input.copy(prefix), end);
    }
    let first = memory.input.start;
    unsafe { first.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    let items = memory.read_all(of, first, bytes.len());
    assert!(items > 0 || !sample.is_ours(), "{}", sample.name);
}

#[test]
fn no_byte_beyond() {
    let of = Functions::load(&library().join("libmcas.so"));
    for sample in samples() {
        let status = apart(|| read_guarded(&of, &sample));
        assert_eq!(status, 0, "{}: signal or exit status", sample.name);
    }
}

/// That this sees a byte too many shows a library that reads one.
#[test]
fn planted_overrun_is_seen() {
    let folder = build("planted-overrun", &["--cfg", "planted_overrun"]);
    let of = Functions::load(&folder.join("libmcas.so"));
    for sample in samples().iter().take(3) {
        let status = apart(|| read_guarded(&of, sample));
        assert!(libc::WIFSIGNALED(status), "{}", sample.name);
        assert_eq!(libc::WTERMSIG(status), libc::SIGSEGV);
    }
    // Nor is there anything on the other side of it.
    let memory = Guarded::new(1);
    for outside in [memory.start.wrapping_sub(1), memory.last(0)] {
        let status = apart(|| unsafe {
            outside.read_volatile();
        });
        assert_eq!(libc::WTERMSIG(status), libc::SIGSEGV);
    }
}

/// `head` and so many zeros that a place 4 GiB behind the beginning would be
/// cut to one in the head: of it, nothing is read.
fn endless(head: &[u8]) -> &'static [u8] {
    let length = (1 << 32) + head.len();
    let start = map(length, libc::PROT_READ | libc::PROT_WRITE);
    unsafe {
        start.copy_from_nonoverlapping(head.as_ptr(), head.len());
        std::slice::from_raw_parts(start, length)
    }
}

#[test]
fn more_than_4_gib_is_refused() {
    let request = b"POST /?TerminalID=1 HTTP/1.1\r\nHost: add-con.mcas\r\n\
        Content-Length: 4294967300\r\n\r\nTerminalID=2";
    let known = Default::default();
    let message = mcas::parse(request, &known).unwrap();
    let huge = endless(request);
    assert_eq!(mcas::parse(huge, &known), Err(Error::TooLarge));
    assert_eq!(mcas::classify(huge, &known), Err(Error::TooLarge));
    assert_eq!(message.head_items(huge).count(), 0);
    assert_eq!(message.body_items(huge).count(), 0);
    let mut answer = message;
    answer.message_type = mcas::types::TYPE_PROVISIONING_RESPONSE;
    assert!(answer.config(huge, 0).is_none());
    let summary = answer.summary(huge, huge).unwrap().to_string();
    assert_eq!(summary, "Provisioning response");
    answer.message_type = mcas::types::TYPE_SETUP_PUSH;
    assert_eq!(answer.endpoints(huge, huge, None).count(), 0);
    // Where this body ends is beyond what can be told.
    let web = b"POST / HTTP/1.1\r\nContent-Length: 4294967400\r\n\r\n";
    let web = endless(web);
    assert_eq!(mcas::sniff(web), Sniff::Candidate);
    let cut = mcas::parse(&web[..MAX_INPUT], &known).unwrap();
    assert_eq!(cut.length as usize, MAX_INPUT);
    let over = mcas::parse(&web[..MAX_INPUT + 1], &known);
    assert_eq!(over, Err(Error::TooLarge));

    let agent = endless(b"M-CAS/7.0 (RTS300HI 4.02; NTTEAST)");
    let image = endless(b"/fw/A/b.bin");
    for count in [
        items::user_agent(agent).count(),
        items::cookies(endless(b"BIGipServerp=!x; a")).count(),
        items::bigip(endless(b"!x")).count(),
        items::target(image).count(),
        items::host(endless(b"verup-mcas.a.flets")).count(),
    ] {
        assert_eq!(count, 0);
    }
    assert!(agent::parse(agent).is_none());
    assert!(firmware::parse(image).is_none());
    let post = RustParts::request(b"POST", b"/");
    for parts in [
        RustParts::request(huge, b"/"),
        RustParts::request(b"POST", huge),
        post.with_host(huge),
        post.with_user_agent(huge),
        post.with_content_type(huge),
        post.with_content_encoding(huge),
    ] {
        assert_eq!(from_parts(&parts, b""), Err(Error::TooLarge));
    }
    assert_eq!(from_parts(&post, huge), Err(Error::TooLarge));
}
