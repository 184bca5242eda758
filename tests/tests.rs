//! All integration tests, one module a subject.

/// The ABI against what it was.
mod abi;
/// The examples find what the plugin finds, in every capture.
mod agreement;
/// `-z mcas,boot`: how devices came up, and what went wrong.
mod boot;
/// How much there may be of anything, and what it costs.
mod bounds;
/// The C functions called from Rust: NULL and length rules, outputs.
mod capi;
/// Settings as commands, tried on Linux and on Asterisk.
mod config;
/// The README against the tables.
mod docs;
/// The programs of `examples/`.
mod examples;
/// Objects to save and credentials.
mod export;
/// What can be printed, read, and made of it in `examples/`.
mod formats;
/// Expected values, computed from the bytes by a script of its own.
mod golden;
/// Memory with an end: the release library reads what it is given, no more.
mod guard;
/// Ordinary traffic is dissected as if the plugin were not there.
mod harm;
/// `include/mcas.h` against the Rust definitions and the symbols.
mod header;
/// What `make install-lib` installs, used as a stranger does.
mod install;
/// What holds for any bytes whatever; the fuzz targets assert it too.
mod invariants;
/// Captures joined, for one start of tshark.
mod joined;
/// What of the plugin's file is in memory whatever the capture.
mod layout;
/// Endpoints that answers name, in the traffic behind them.
mod learned;
/// Fields and value strings as Wireshark's lints want them.
mod lints;
/// What users can switch: preferences, Decode As, protocols off.
mod preferences;
/// Every prefix of every message: bounds, progress, no panic.
mod prefix;
/// The Wireshark profile: columns, colours, buttons.
mod profile;
/// Odd heads, hosts and values, beside Wireshark's HTTP.
mod reading;
/// One test for each bug that was found.
mod regression;
/// Runs of messages, made of what bytes choose.
mod runs;
/// The C library under valgrind's helgrind, and built with sanitizers.
mod sanitize;
/// The same message however TCP delivers it.
mod segments;
/// Simulated connections that know who answers whom.
mod simulator;
/// The first look against reading one message after the other.
mod sniff;
/// `-z mcas,…`: tables, counters, response times, flow graph.
mod statistics;
/// Running tshark, reading its output, writing captures.
mod support;
/// Who answers whom, simulated and captured.
mod tracker;

/// This checkout's folder.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
