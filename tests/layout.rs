//! The plugin's file: what runs whatever the capture lies together, so that
//! little of the file needs to be in memory (plugin/order.ld).

use crate::capi::run;
use crate::support::ROOT;
use glob::Pattern;
use std::fs;
use std::ops::Range;
use std::process::Command;

#[test]
fn what_always_runs_lies_together() {
    let wireshark =
        run(Command::new("pkg-config")
            .args(["--variable=plugindir", "wireshark"]));
    let version = wireshark.trim().rsplit('/').next().expect("a version");
    let plugin = format!("{ROOT}/target/wireshark/{version}/epan/mcas.so");
    let Some(together) = section(&plugin, ".text.always") else {
        return assert!(may_be_plain(&plugin), "{plugin}: no .text.always");
    };
    // One piece of what the kernel maps.
    assert_eq!(together.start % PIECE, 0);
    assert!(together.len() <= PIECE, "{together:x?}");

    let functions = functions(&plugin);
    for pattern in patterns() {
        let found: Vec<&(String, usize)> = functions
            .iter()
            // What the compiler found unlikely lies with other such parts.
            .filter(|(name, _)| !name.ends_with(".cold"))
            .filter(|(name, _)| pattern.matches(name))
            .collect();
        // Of what is Rust's own, some versions inline this, some that.
        let ours = !pattern.as_str().starts_with('*')
            || pattern.as_str().contains("mcas");
        assert!(!found.is_empty() || !ours, "nothing is called {pattern}");
        for (name, address) in found {
            assert!(together.contains(address), "{name} lies elsewhere");
        }
    }
}

const PIECE: usize = 1 << 16;

/// The names of functions in the linker script.
fn patterns() -> Vec<Pattern> {
    let script = fs::read_to_string(format!("{ROOT}/plugin/order.ld"))
        .expect("it can be read");
    let found: Vec<Pattern> = script
        .split(|c: char| c.is_whitespace() || "()".contains(c))
        .filter_map(|word| word.strip_prefix(".text."))
        .filter(|name| *name != "always")
        .map(|name| Pattern::new(name).expect("a pattern"))
        .collect();
    assert!(found.len() > 15, "{found:?}");
    found
}

/// The functions in a library, with their addresses.
fn functions(library: &str) -> Vec<(String, usize)> {
    let listed = run(Command::new("nm").args(["--defined-only", library]));
    let function = |line: &str| {
        let (address, name) =
            line.split_once(" t ").or(line.split_once(" T "))?;
        Some((name.to_owned(), hexadecimal(address)))
    };
    listed.lines().filter_map(function).collect()
}

/// Where a section of a library is.
fn section(library: &str, name: &str) -> Option<Range<usize>> {
    let listed = run(Command::new("readelf").args(["-SW", library]));
    listed.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        fields.find(|field| *field == name)?;
        // Behind it: type, address, offset, size.
        let numbers: Vec<&str> = fields.skip(1).take(3).collect();
        let start = hexadecimal(numbers[0]);
        Some(start..start + hexadecimal(numbers[2]))
    })
}

/// Whether plugin/build.rs is right to leave the file as it is: the C library
/// is older than 2.36, or the linker is gold or mold.
fn may_be_plain(library: &str) -> bool {
    let libc = run(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    let minor = libc.trim().rsplit('.').next().expect("glibc 2.36");
    let linker = run(Command::new("readelf").args(["-p.comment", library]));
    minor.parse().is_ok_and(|minor: u32| minor < 36)
        || linker.contains("mold")
        || section(library, ".note.gnu.gold-version").is_some()
}

fn hexadecimal(digits: &str) -> usize {
    usize::from_str_radix(digits, 16).expect("it is hexadecimal")
}
