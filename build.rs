//! Names the shared library and, for the tests only, turns `include/mcas.h`
//! into Rust.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include/mcas.h");
    // tests/capi.rs plants a panic by it, to see what becomes of one.
    println!("cargo:rustc-check-cfg=cfg(planted_panic)");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // cargo-c says the same once more, by the version in Cargo.toml
        // (tests/install.rs).
        let name = format!("libmcas.so.{}", abi_version());
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{name}");
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
