//! The C functions called from Rust: NULL and length rules, outputs; and from
//! C, by the programs in `c/`, with the library as it is shipped.

#![allow(clippy::undocumented_unsafe_blocks)] // All is made up for the call.

use crate::prefix::{samples, Random, Sample};
use mcas::capi::{self, *};
use mcas::{fields, message, notes, Context, Item, Message};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{c_char, CStr};
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
    message.body_items(REQUEST, body).next().unwrap()
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
        assert_eq!(mcas_field_value(0, 0, null_mut(), s), ERR_NULL);
        assert_eq!(mcas_field_value(0, 0, n, null_mut()), ERR_NULL);
        assert_eq!(mcas_field_value(all, 0, n, s), ERR_RANGE);
        assert_eq!(mcas_field_value(u32::MAX, 0, n, s), ERR_RANGE);
        assert_eq!(mcas_field_value(0, 14, n, s), END);
        assert_eq!(mcas_field_value(0, u32::MAX, n, s), END);
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
fn rules_of_sniff() {
    buffer_rules(|buf, len, out| unsafe { mcas_sniff(buf, len, out) });
}

#[test]
fn rules_of_message_parse() {
    buffer_rules(|buf, len, out| unsafe {
        mcas_message_parse(buf, len, null(), out)
    });
    let lines = "A: b\r\n".repeat(mcas::MAX_HEADERS + 1);
    let head = format!("GET / HTTP/1.1\r\n{lines}\r\n");
    for (input, expected) in [
        (REQUEST, OK),
        (&REQUEST[..REQUEST.len() - 1], PARTIAL),
        (b"SSH-2.0-x\r\n", ERR_NOT_HTTP),
        (head.as_bytes(), ERR_TOO_MANY_HEADERS),
    ] {
        let mut out = Out::new();
        let (buf, len) = (input.as_ptr(), input.len());
        let status =
            unsafe { mcas_message_parse(buf, len, null(), out.place()) };
        assert_eq!(status, expected);
        assert_eq!(out.untouched(), status < 0);
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
    let known = Context { request_type: 3, ..unknown };
    assert_eq!(parse(&known).message_type, 4);
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
    buffer_rules(|buf, len, out| unsafe {
        mcas_body_items(&message, buf, len, start, all, out)
    });
    buffer_rules(|body, len, out| unsafe {
        mcas_body_items(&message, start, all, body, len, out)
    });
    let mut out = Out::new();
    let status = unsafe {
        mcas_body_items(null(), start, all, start, all, out.place())
    };
    assert_eq!(status, ERR_NULL);
    assert!(out.untouched());
}

#[test]
fn rules_of_next() {
    let (message, iter) = parsed();
    let (start, all) = (REQUEST.as_ptr(), REQUEST.len());
    buffer_rules(|buf, len, out| unsafe {
        mcas_next(&message, buf, len, &mut { iter }, out)
    });
    let mut out = Out::new();
    unsafe {
        let place = out.place();
        let iter = &mut { iter };
        assert_eq!(mcas_next(null(), start, all, iter, place), ERR_NULL);
        let none = null_mut();
        assert_eq!(mcas_next(&message, start, all, none, place), ERR_NULL);
    }
    assert!(out.untouched());
}

/// What fails leaves the iterator where it was.
#[test]
fn failure_does_not_move_the_iterator() {
    let (message, iter) = parsed();
    let mut moved = iter;
    let mut out = Out::new();
    let status =
        unsafe { mcas_next(&message, null(), 1, &mut moved, out.place()) };
    assert_eq!(status, ERR_NULL);
    // Compared as far as it is the library's: the rest is of no meaning.
    assert_eq!(rest(&message, moved), rest(&message, iter));
}

#[test]
fn rules_of_item_text() {
    let item = terminal();
    let body = &REQUEST[REQUEST.len() - 23..];
    let (start, all) = (body.as_ptr(), body.len());
    buffer_rules(|buf, len, needed| {
        let mut room = [0u8; 64];
        unsafe {
            mcas_item_text(buf, len, &item, room.as_mut_ptr(), 64, needed)
        }
    });
    let mut needed = Out::<usize>::new();
    let to = needed.place();
    let mut room = [0xa5u8; 16];
    let out = room.as_mut_ptr();
    unsafe {
        let text =
            |out, len, to| mcas_item_text(start, all, &item, out, len, to);
        assert_eq!(mcas_item_text(start, all, null(), out, 16, to), ERR_NULL);
        assert_eq!(text(null_mut(), 1, to), ERR_NULL);
        assert_eq!(text(out, i32::MAX as usize + 1, to), ERR_TOO_LARGE);
        assert_eq!(text(out, 16, null_mut()), ERR_NULL);
        assert!(needed.untouched() && room == [0xa5; 16]);
        assert_eq!(text(null_mut(), 0, to), PARTIAL);
        assert_eq!(needed.get(), 12);
        assert_eq!(text(out, 11, to), PARTIAL);
        assert_eq!(
            (needed.get(), &room[..]),
            (12, &b"001F67XXXXX\xa5\xa5\xa5\xa5\xa5"[..])
        );
        assert_eq!(text(out, 12, to), OK);
        assert_eq!(
            (needed.get(), &room[..]),
            (12, &b"001F67XXXXXX\xa5\xa5\xa5\xa5"[..])
        );
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
fn string(text: *const c_char) -> Option<&'static CStr> {
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
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
        (ERR_TOO_MANY_HEADERS, "ERR_TOO_MANY_HEADERS"),
        (ERR_RANGE, "ERR_RANGE"),
        (ERR_PANIC, "ERR_PANIC"),
        (ERR_PANIC - 1, "unknown status"),
        (PARTIAL + 1, "unknown status"),
        (Status::MIN, "unknown status"),
        (Status::MAX, "unknown status"),
    ] {
        let text = string(mcas_status_name(status)).unwrap();
        assert_eq!(text.to_str(), Ok(name));
    }
    let version = string(mcas_version()).unwrap();
    assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
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
        assert_eq!(info.kind, row.kind as u32);
        assert_eq!(info.display, row.display as u32);
        assert_eq!(info.flags, row.flags);
        assert_eq!(string(info.name), Some(row.name));
        assert_eq!(string(info.label), Some(row.label));
        assert_eq!(string(info.description), row.description);
        assert_eq!(string(info.key), row.key);
        for (i, &(number, name)) in row.names.iter().enumerate() {
            let (mut n, mut s) = (Out::new(), Out::new());
            let (id, i) = (info.id, i as u32);
            let status =
                unsafe { mcas_field_value(id, i, n.place(), s.place()) };
            assert_eq!(status, OK);
            assert_eq!((n.get(), string(s.get())), (number, Some(name)));
        }
        let end = row.names.len() as u32;
        let (mut n, mut s) = (Out::new(), Out::new());
        let status =
            unsafe { mcas_field_value(info.id, end, n.place(), s.place()) };
        assert_eq!(status, END);
        count += 1;
    }
    assert_eq!(count, fields::FIELDS.len());

    let mut count = 0;
    let mut out = Out::<NoteInfo>::new();
    while unsafe { mcas_note_get(count as u32, out.place()) } == OK {
        let (info, row) = (out.get(), &notes::NOTES[count]);
        assert_eq!(info.id as usize, count);
        assert_eq!(info.group, row.group as u32);
        assert_eq!(info.severity, row.severity as u32);
        assert_eq!(info.reserved, 0);
        assert_eq!(string(info.name), Some(row.name));
        assert_eq!(string(info.summary), Some(row.summary));
        count += 1;
    }
    assert_eq!(count, notes::NOTES.len());
}

/// What an iterator over [`REQUEST`] still yields; then END, as often as it
/// is asked.
fn rest(message: &Message, mut iter: Iter) -> Vec<Item> {
    let mut items = vec![];
    let mut out = Out::<Item>::new();
    let mut next = |out: &mut Out<Item>| unsafe {
        let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
        mcas_next(message, buf, len, &mut iter, out.place())
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
    assert_eq!(rest(&message, iter), all);
    for done in 0..all.len() {
        // A copy goes on from where it was made, by itself.
        let copy = iter;
        assert_eq!(rest(&message, copy), all[done..]);
        let mut out = Out::new();
        let (buf, len) = (REQUEST.as_ptr(), REQUEST.len());
        let status =
            unsafe { mcas_next(&message, buf, len, &mut iter, out.place()) };
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
        let mut room = [0; 64];
        let mut needed = 0;
        unsafe {
            assert_eq!(mcas_head_items(&message, &mut iters[1]), OK);
            let [_, _, iter] = &mut iters;
            assert_eq!(
                mcas_body_items(&message, buf, len, buf, len, iter),
                OK
            );
            for iter in &mut iters {
                for _ in 0..50 {
                    let status =
                        mcas_next(&message, buf, len, iter, out.place());
                    assert!(matches!(status, OK | END), "{message:?}");
                }
            }
            let item = garbage::<Item>(&mut random);
            let to = room.as_mut_ptr();
            let status = mcas_item_text(buf, len, &item, to, 64, &mut needed);
            assert!(matches!(status, OK | PARTIAL), "{item:?}");
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
    for sample in samples() {
        let input = &sample.bytes[..];
        let context = sample.context();
        let mut items = 0;
        let count = allocations(|| {
            mcas::sniff(input);
            let message = mcas::parse(input, &context).unwrap();
            for item in message.head_items(input) {
                mcas::text::write(&item, input, &mut text);
                items += 1;
            }
            let sent = message.body.of(input);
            let chunked = message::Framing::Chunked as u32;
            let body = if message.framing == chunked {
                let length = mcas::chunked::write(sent, &mut body);
                &body[..length]
            } else {
                sent
            };
            for item in message.body_items(input, body) {
                mcas::text::write(&item, body, &mut text);
                items += 1;
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

/// Builds the library as it is shipped, in release and without features, but
/// with `flags`, in a folder of its own; returns where it lies.
fn build(name: &str, flags: &[&str]) -> PathBuf {
    let folder = target(name);
    run(Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["rustc", "--quiet", "--release", "--locked", "--package"])
        .args(["mcas", "--lib", "--crate-type", "cdylib,staticlib"])
        .arg("--target-dir")
        .arg(&folder)
        .arg("--")
        .args(flags));
    let folder = folder.join("release");
    // What a program that was linked with libmcas.so looks for.
    let link = folder.join(format!("libmcas.so.{}", capi::ABI_VERSION));
    let _ = std::os::unix::fs::symlink("libmcas.so", link);
    folder
}

/// The folder of libmcas.so and libmcas.a.
pub fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let list = target("native-static-libs");
        let list = format!("native-static-libs={}", list.display());
        build("library", &["--print", &list])
    })
}

/// Compiles a program of `c/` and links it with the library in `folder`,
/// shared or static.
pub fn compile(name: &str, folder: &Path, shared: bool) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = target(&format!(
        "{name}-{}-{}",
        folder.parent().unwrap().file_name().unwrap().to_str().unwrap(),
        if shared { "shared" } else { "static" }
    ));
    let mut cc = tool("CC", "cc");
    cc.args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-g"])
        .arg("-I")
        .arg(source.join("include"))
        .args(["-I", env!("CARGO_TARGET_TMPDIR")])
        .arg(source.join("tests/c").join(name).with_extension("c"))
        .arg("-o")
        .arg(&program);
    if shared {
        cc.arg("-L").arg(folder).arg("-lmcas");
        cc.arg(format!("-Wl,-rpath,{}", folder.display()));
    } else {
        let list = fs::read_to_string(target("native-static-libs")).unwrap();
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
    let shared = compile("reader", library(), true);
    let linked = compile("reader", library(), false);
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
    let printed = run(&mut Command::new(compile("panic", &planted, true)));
    assert_eq!(printed.matches(": ERR_PANIC\n").count(), 10, "{printed}");
    // That this is no matter of course shows the library without a panic.
    let sound = compile("panic", library(), true);
    let output = Command::new(sound).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("PANIC\n"));
}
