//! Names the shared library, gives its functions a version and, for the tests
//! only, turns `include/mcas.h` into Rust.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include/mcas.h");
    // What tests/capi.rs and tests/sanitize.rs plant, to see it found.
    for bug in ["panic", "race", "overflow", "overrun"] {
        println!("cargo:rustc-check-cfg=cfg(planted_{bug})");
    }
    // Cargo knows such options for a cdylib alone only where Cargo.toml lists
    // one, which would be built for each Rust program, too. These are for
    // whatever of this package is linked: so not for the tests, which ask for
    // all features.
    let linux = var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux");
    let tests = cfg!(feature = "header-check");
    if linux && var("CARGO_FEATURE_CAPI").is_ok() && !tests {
        for option in [
            // cargo-c says the same once more, by the version in Cargo.toml
            // (tests/install.rs).
            &format!("-Wl,-soname,libmcas.so.{}", abi_version()),
            // Gives the exports the SONAME as their version, so that what was
            // linked with one ABI is never bound to functions of another.
            // rustc hands the linker a version script that names no version.
            // GNU ld lets no second script stand beside it, but this option;
            // lld, which rustc may prefer, does not know it.
            "-fuse-ld=bfd",
            "-Wl,--default-symver",
        ] {
            println!("cargo:rustc-link-arg={option}");
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
