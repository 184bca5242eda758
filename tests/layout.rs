//! The plugin's file: what runs whatever the capture lies together, so that
//! little of the file needs to be in memory (plugin/order.ld).

use crate::capi::run;
use crate::support::ROOT;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::process::Command;

#[test]
fn what_always_runs_lies_together() {
    let script = fs::read_to_string(format!("{ROOT}/plugin/order.ld"))
        .expect("it can be read");
    let names: Vec<&str> = script
        .split(|c: char| c.is_whitespace() || "()".contains(c))
        .filter_map(|word| word.strip_prefix(".text."))
        .filter(|name| *name != "always" && !name.contains('*'))
        .collect();
    assert!(names.len() > 10, "{names:?}");

    for folder in fs::read_dir(format!("{ROOT}/target/wireshark"))
        .expect("the plugin is built")
    {
        let folder = folder.expect("it can be read").path();
        let plugin = folder.join("epan/mcas.so").display().to_string();
        let functions = functions(&plugin);
        let together = section(&plugin, ".text.always");
        // One piece of what the kernel maps.
        assert!(together.len() <= 1 << 16, "{plugin}: {together:x?}");
        let elsewhere: Vec<&&str> = names
            .iter()
            .filter(|name| {
                let found = functions.get(**name);
                !found.is_some_and(|at| together.contains(at))
            })
            .collect();
        assert!(elsewhere.is_empty(), "{plugin}: {elsewhere:?}");
    }
}

/// The addresses of all functions in a library.
fn functions(library: &str) -> BTreeMap<String, usize> {
    let listed = run(Command::new("nm").args(["--defined-only", library]));
    let function = |line: &str| {
        let (address, name) =
            line.split_once(" t ").or(line.split_once(" T "))?;
        Some((name.to_owned(), hexadecimal(address)))
    };
    listed.lines().filter_map(function).collect()
}

/// Where a section of a library is.
fn section(library: &str, name: &str) -> Range<usize> {
    let listed = run(Command::new("readelf").args(["-SW", library]));
    let fields = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find_map(|line| {
            let at = line.iter().position(|field| *field == name)?;
            Some(line[at..].iter().map(|it| it.to_string()).collect())
        });
    let fields: Vec<String> = fields.unwrap_or_else(|| {
        panic!("{library} has no {name}: the linker did not take the script")
    });
    // Name, type, address, offset, size.
    let start = hexadecimal(&fields[2]);
    start..start + hexadecimal(&fields[4])
}

fn hexadecimal(digits: &str) -> usize {
    usize::from_str_radix(digits, 16).expect("it is hexadecimal")
}
