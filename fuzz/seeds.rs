//! Writes the seeds of all targets into a folder for each: the samples that
//! the tests have, and what of them a target is about.
//!
//!     cargo run --manifest-path fuzz/Cargo.toml --example seeds -- FOLDER

// The tests in there are not compiled here, only what they read.
#[allow(dead_code, unused_imports)]
#[path = "../tests/prefix.rs"]
mod prefix;

use mcas_fuzz::invariants;
use std::fs;
use std::path::Path;

fn main() {
    let folder = std::env::args_os().nth(1).expect("a folder to write to");
    let folder = Path::new(&folder);
    let put = |target: &str, bytes: &[u8], knobs: &[u8]| {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).expect("the folder can be made");
        let number = fs::read_dir(&folder).expect("it is there").count();
        let bytes = [bytes, knobs].concat();
        let name = folder.join(format!("seed-{number:03}"));
        fs::write(name, bytes).expect("a seed can be written");
    };
    let lines = "a:\n".repeat(257);
    let head = format!("GET / HTTP/1.1\n{lines}\n");
    put("message", head.as_bytes(), &[0; 4]);
    put("classify", head.as_bytes(), &[0; 5]);
    for sample in prefix::samples() {
        let bytes = &sample.bytes[..sample.bytes.len().min(2000)];
        let context = sample.context();
        let known = (0..16).find(|&knob| mcas_fuzz::context(knob) == context);
        let known = known.unwrap_or_default();
        for work in 0..3 {
            put("message", bytes, &[known, work, 40, 0]);
        }
        put("classify", bytes, &[known, 10, 0, 60, 0]);
        put("sniff", bytes, &[]);
        put("built", bytes, &[]);
        let program: Vec<u8> = [4, 6, 8, 10, 6, 8, 10, 11]
            .into_iter()
            .zip(0..)
            .flat_map(|(call, i)| [call, 0, 40, 3 * i, 9 * i, 0])
            .collect();
        put("capi", bytes, &program);
        let Ok(message) = mcas::parse(bytes, &context) else { continue };
        let body = message.body_bytes(bytes);
        for of in 0..16 {
            put("body", &body, &[of, of.wrapping_mul(5), of, 20]);
        }
        // As the settings of a provisioning response.
        put("body", &body, &[8, 0, 3, 20]);
        put("chunked", message.body.of(bytes), &[0, 0, 7, 20]);
        put("chunked", &body, &[2, 3, 7, 20]);
        put("chunked", message.body.of(bytes), &[3, 0, 7, 20]);
        put("user_agent", message.user_agent.of(bytes), &[1]);
        let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
        let target = line.split(|&b| b == b' ').nth(1).unwrap_or_default();
        put("target", target, &[1]);
        let head = &bytes[..message.body.start()];
        for line in head.split(|&b| b == b'\n') {
            let end = line.len().min(200);
            if let Some(at) = line.iter().position(|&b| b == b':') {
                put("cookie", line[at + 1..end].trim_ascii(), &[1]);
            }
        }
    }
}
