//! Chunks: any bytes as chunks, and any bytes cut into chunks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::{chunked, Context, Request};
use mcas_fuzz::{knobs, message};
use std::io::Write;
use std::mem::MaybeUninit;

fuzz_target!(|data: &[u8]| {
    let Some((input, [work, style, step, cut])) = knobs(data) else { return };
    let end = usize::from(cut) % (input.len() + 1);
    match work % 4 {
        0 | 1 => {
            let whole = data_of(input, step);
            let prefix = data_of(&input[..end], step);
            assert!(whole.starts_with(&prefix));
            assert!(whole.len() <= input.len());
        }
        2 => {
            let chunks = cut_up(input, usize::from(step), style);
            assert_eq!(data_of(&chunks, cut), input);
            let all = chunks.len();
            let part = data_of(&chunks[..usize::from(cut) % all], 0);
            assert!(input.starts_with(&part));
        }
        _ => in_a_message(input, style, u16::from_le_bytes([step, cut])),
    }
});

/// The data of a chunked body; the C side's way to it finds the same, with
/// whatever room.
fn data_of(body: &[u8], room: u8) -> Vec<u8> {
    let data = chunked::to_vec(body);
    let mut out = [MaybeUninit::new(0xa5); 64];
    let room = usize::from(room) % 64;
    assert_eq!(chunked::write(body, &mut out[..room]), data.len());
    for (i, byte) in out.iter().enumerate() {
        let expected = data.get(i).filter(|_| i < room).unwrap_or(&0xa5);
        // SAFETY: all of it was initialised above.
        assert_eq!(unsafe { byte.assume_init() }, *expected);
    }
    data
}

/// `data` in chunks of `step` bytes, written in one of the ways allowed.
fn cut_up(data: &[u8], step: usize, style: u8) -> Vec<u8> {
    let end = if style & 1 == 0 { "\r\n" } else { "\n" };
    let extension = ["", ";a=b", " ", "\t;\"", ";", "  ", ";\r", " x"]
        [usize::from(style >> 1 & 7)];
    let zeros = "0".repeat(usize::from(style >> 4 & 7));
    let mut out = vec![];
    for chunk in data.chunks(step.max(1)) {
        let length = chunk.len();
        let written = if style & 0x80 == 0 {
            write!(out, "{zeros}{length:x}{extension}{end}")
        } else {
            write!(out, "{zeros}{length:X}{extension}{end}")
        };
        written.unwrap();
        out.extend_from_slice(chunk);
        out.extend_from_slice(end.as_bytes());
    }
    let trailer = if style & 0x40 == 0 { "" } else { "T: u\r\n" };
    write!(out, "0{extension}{end}{trailer}{end}").unwrap();
    out
}

/// As the body of an answer.
fn in_a_message(body: &[u8], style: u8, cut: u16) {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let input = [head, body].concat();
    let request_type = [1, 3][usize::from(style & 1)];
    let context = Context::answering(Request::new(request_type));
    message(&input, &context, style >> 1, cut);
}
