/*!
The Wireshark plugin: the five symbols that Wireshark looks for.

A `cdylib` exports Rust's symbols only, so they are declared here; all they
do is call the shim (`packet-mcas.c`), which is compiled from C. No Rust of
this crate runs after that: from then on the shim calls the core.
*/

#![allow(non_upper_case_globals)] // The names are Wireshark's.

use core::ffi::c_int;

// The shim calls the core by its C functions; this keeps them linked in.
use mcas as _;

extern "C" {
    fn mcas_shim_register();
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A number from the environment of the build.
const fn number(text: &str) -> c_int {
    let mut sum = 0;
    let mut rest = text.as_bytes();
    while let [digit, tail @ ..] = rest {
        sum = sum * 10 + (*digit - b'0') as c_int;
        rest = tail;
    }
    sum
}

/// The plugin's own version, a C string.
#[no_mangle]
pub static plugin_version: [u8; VERSION.len() + 1] = {
    let mut text = [0; VERSION.len() + 1];
    let mut i = 0;
    while i < VERSION.len() {
        text[i] = VERSION.as_bytes()[i];
        i += 1;
    }
    text
};

/// Major version of the Wireshark that the plugin is for.
#[no_mangle]
pub static plugin_want_major: c_int = number(env!("WIRESHARK_MAJOR"));

/// Minor version of the Wireshark that the plugin is for.
#[no_mangle]
pub static plugin_want_minor: c_int = number(env!("WIRESHARK_MINOR"));

/// Registers the dissector.
#[no_mangle]
pub extern "C" fn plugin_register() {
    // SAFETY: the shim has no state before this call, and Wireshark makes it
    // once. No Rust value is live that a longjmp could skip.
    unsafe { mcas_shim_register() }
}

/// What kind of plugin this is: a dissector (WS_PLUGIN_DESC_DISSECTOR).
/// Wireshark 4.0 does not ask.
#[no_mangle]
pub extern "C" fn plugin_describe() -> u32 {
    1
}
