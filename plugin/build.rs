//! Compiles the C shim for the Wireshark that pkg-config finds.

fn main() {
    println!("cargo:rerun-if-changed=../include/mcas.h");
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
}

fn system_includes(paths: &[std::path::PathBuf]) -> Vec<String> {
    paths.iter().map(|path| format!("-isystem{}", path.display())).collect()
}
