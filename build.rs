//! Names the shared library, gives its functions a version and, for the tests
//! only, turns `include/mcas.h` into Rust.

use std::env::var;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include/mcas.h");
    // What tests/capi.rs and tests/sanitize.rs plant, to see it found.
    for bug in ["panic", "race", "overflow", "overrun"] {
        println!("cargo:rustc-check-cfg=cfg(planted_{bug})");
    }
    if var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // cargo-c says the same once more, by the version in Cargo.toml
        // (tests/install.rs).
        let name = format!("libmcas.so.{}", abi_version());
        link(&[&format!("-Wl,-soname,{name}")]);
        if gnu_ld() {
            link(VERSIONED);
        }
    }
    #[cfg(feature = "header-check")]
    header();
}

/// MCAS_ABI_VERSION, as the header has it.
fn abi_version() -> u32 {
    let header = std::fs::read_to_string("include/mcas.h");
    header
        .expect("include/mcas.h is part of this package")
        .lines()
        .find_map(|line| line.strip_prefix("#define MCAS_ABI_VERSION "))
        .and_then(|number| number.strip_suffix('u')?.parse().ok())
        .expect("include/mcas.h defines MCAS_ABI_VERSION")
}

/// Gives the exports the SONAME as their version, so that what was linked with
/// one ABI is never bound to the functions of another.
///
/// rustc hands the linker a version script that names no version. GNU ld lets
/// no second script stand beside it, but this option; lld, which rustc may
/// prefer, does not know the option, and a second script has no effect there.
const VERSIONED: &[&str] = &["-fuse-ld=bfd", "-Wl,--default-symver"];

fn link(options: &[&str]) {
    for option in options {
        println!("cargo:rustc-cdylib-link-arg={option}");
    }
}

/// Whether a shared library can be linked as [`VERSIONED`] wants it. Cargo
/// links this one for whoever depends on the crate, too, and to them it must
/// not fail for want of GNU ld, nor because their own flags are for another.
fn gnu_ld() -> bool {
    let mut rustc = Command::new(var("RUSTC").unwrap());
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc
        .args(flags.split('\x1f').filter(|flag| !flag.is_empty()))
        .args(["--target", &var("TARGET").unwrap()])
        .args(var("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}")))
        .args(VERSIONED.iter().map(|option| format!("-Clink-arg={option}")))
        .args(["--crate-type=cdylib", "-"])
        .current_dir(var("OUT_DIR").unwrap())
        .stdin(Stdio::null());
    rustc.output().is_ok_and(|output| output.status.success())
}

/// Writes what the header declares to `mcas_h.rs`, for tests/header.rs.
#[cfg(feature = "header-check")]
fn header() {
    let folder = std::env::var_os("OUT_DIR").expect("cargo gives OUT_DIR");
    bindgen::Builder::default()
        .header("include/mcas.h")
        .allowlist_item("(mcas|MCAS)_.*")
        .formatter(bindgen::Formatter::Prettyplease)
        .layout_tests(false)
        .generate()
        .expect("include/mcas.h, and libclang to read it with")
        .write_to_file(std::path::Path::new(&folder).join("mcas_h.rs"))
        .expect("the build folder can be written to");
}
