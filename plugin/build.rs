//! Compiles the C shim for the Wireshark that pkg-config finds, and has the
//! plugin laid out to take little memory.

use std::env::{var, var_os};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn main() {
    println!("cargo:rerun-if-changed=../include/mcas.h");
    println!("cargo:rerun-if-env-changed=MCAS_WIRESHARK");
    for file in ["packet-mcas.h", "tap-boot.h", "tap-text.h", "ws_compat.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
    let wireshark = pkg_config::Config::new()
        .atleast_version("4.0")
        .cargo_metadata(false)
        .probe("wireshark")
        .expect("Wireshark's development files (libwireshark-dev)");
    let mut version = wireshark.version.split('.');
    for part in ["MAJOR", "MINOR"] {
        let number = version.next().unwrap_or_default();
        println!("cargo:rustc-env=WIRESHARK_{part}={number}");
    }

    let sources = [
        "packet-mcas.c",
        "gate.c",
        "exchange.c",
        "others.c",
        "tap.c",
        "tap-provisioning.c",
        "tap-counters.c",
        "tap-response-time.c",
        "tap-flow.c",
        "tap-config.c",
        "tap-text.c",
        "tap-boot.c",
        "tap-boot-collect.c",
        "tap-boot-steps.c",
        "tap-boot-tell.c",
        "export.c",
        "credentials.c",
        "filter.c",
        "learned.c",
    ];
    let mut shim = cc::Build::new();
    shim.files(sources)
        .include("../include")
        .std("c11")
        // Headers of others are not ours to mend: their warnings are off.
        .flags(system_includes(&wireshark.include_paths))
        .flag("-fvisibility=hidden")
        // All symbols are bound at once anyway: calls of Wireshark's need no
        // stubs, and no pages for them.
        .flag("-fno-plt")
        .warnings_into_errors(true)
        .extra_warnings(true);
    shim.compile("mcas_shim");
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
    }
    // Behind the shim, or a linker that reads in order drops what the shim
    // needs.
    pkg_config::probe_library("wireshark").expect("found it above");
    // Only the five symbols of src/lib.rs may be visible: Wireshark loads
    // every plugin into one namespace, and another may bring a libmcas.
    println!("cargo:rustc-cdylib-link-arg=-Wl,--exclude-libs,ALL");

    lay_out();
}

fn system_includes(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| format!("-isystem{}", path.display())).collect()
}

/// Has the plugin laid out so that a capture without M-CAS needs little of its
/// file in memory (the rows `web-memory` of docs/performance.md). What is to
/// run elsewhere, where the C library may be older, asks for a plain plugin;
/// so does valgrind, which names functions in `.text` only.
fn lay_out() {
    println!("cargo:rerun-if-changed=order.ld");
    println!("cargo:rerun-if-env-changed=MCAS_LAYOUT");
    if var("MCAS_LAYOUT").is_ok_and(|layout| layout == "plain") {
        return;
    }
    let folder = var("CARGO_MANIFEST_DIR").expect("cargo gives it");
    let options = [
        // The functions that run anyway are next to each other,
        &format!("-T{folder}/order.ld"),
        // and where they begin, a piece that the kernel maps begins.
        "-Wl,-z,separate-code,-z,max-page-size=65536",
        // Relocations, which are read all, take a bit each.
        "-Wl,-z,pack-relative-relocs",
    ];
    if var("TARGET") == var("HOST") && run_with(&options) {
        for option in options {
            println!("cargo:rustc-cdylib-link-arg={option}");
        }
    } else {
        println!("cargo:warning=a plain layout, which takes more memory");
    }
}

/// Whether a program that does nothing runs when it is linked with these
/// options. lld and GNU's linker take the script, others do not; and short
/// relocations are not for the C library before 2.36.
fn run_with(options: &[&str]) -> bool {
    let folder = var_os("OUT_DIR").expect("cargo gives OUT_DIR");
    let source = Path::new(&folder).join("probe.rs");
    let program = source.with_extension("");
    std::fs::write(&source, "fn main() {}").expect("it can be written to");

    let mut rustc = Command::new(var_os("RUSTC").expect("cargo gives RUSTC"));
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    rustc.args(options.iter().map(|option| format!("-Clink-arg={option}")));
    rustc.arg("--cap-lints=allow").arg("-o").args([&program, &source]);
    let succeeds = |command: &mut Command| {
        let done = command.stdout(Stdio::null()).stderr(Stdio::null());
        done.status().is_ok_and(|status| status.success())
    };
    succeeds(&mut rustc) && succeeds(&mut Command::new(program))
}
