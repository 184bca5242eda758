//! `include/mcas.h` against the Rust definitions and the symbols.
//!
//! The header is written by hand. What it declares is read by bindgen, with
//! the feature `header-check` (build.rs), and compared here: every constant,
//! every member of every struct, every function's type. The compiler does the
//! part about types, so much of this fails to build rather than to run.

use crate::capi::{compile, library, run, target, tool};
use mcas::capi;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the header.
fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// The header.
pub fn text() -> String {
    fs::read_to_string(include().join("mcas.h")).unwrap()
}

#[cfg(feature = "header-check")]
mod declarations {
    use super::exported;
    use mcas::endpoints::{self, Endpoint};
    use mcas::{
        capi, capi_track, config, fields, item, message, notes, track, types,
    };
    use mcas::{Charset, Item, Message, Sniff, Span};
    use std::collections::{BTreeMap, BTreeSet};
    use std::ffi::c_char;
    use std::mem::offset_of;

    #[allow(missing_docs, non_camel_case_types, dead_code)]
    mod header {
        include!(concat!(env!("OUT_DIR"), "/mcas_h.rs"));
    }

    /// The same, to be read by eye or by [`names`].
    const DECLARED: &str =
        include_str!(concat!(env!("OUT_DIR"), "/mcas_h.rs"));

    /// What follows `before` in the lines of the header's declarations.
    pub fn names(before: &str) -> BTreeSet<&'static str> {
        let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        DECLARED
            .lines()
            .filter_map(|line| line.trim().strip_prefix(before))
            .map(|rest| rest.split(ends).next().unwrap())
            .collect()
    }

    /// A type, and what it is called in the header.
    trait Twin {
        type Theirs;
    }

    /// Compiles only if the second is the twin of the first.
    fn twins<T: Twin>(_: &T, _: &T::Theirs) {}

    macro_rules! same_type {
        ($($type:ty)*) => {
            $(impl Twin for $type { type Theirs = $type; })*
        };
    }
    same_type! {
        u16 u32 u64 usize i32 u8 c_char [u8; 4] [u8; 16] [u64; 48] [u64; 104]
    }

    impl<T: Twin> Twin for *const T {
        type Theirs = *const T::Theirs;
    }

    impl<T: Twin> Twin for *mut T {
        type Theirs = *mut T::Theirs;
    }

    macro_rules! function_types {
        ($($arg:ident)*) => {
            impl<$($arg: Twin,)* R: Twin> Twin
                for unsafe extern "C" fn($($arg),*) -> R
            {
                type Theirs =
                    unsafe extern "C" fn($($arg::Theirs),*) -> R::Theirs;
            }
        };
    }
    function_types! {}
    function_types! { A }
    function_types! { A B }
    function_types! { A B C }
    function_types! { A B C D }
    function_types! { A B C D E }
    function_types! { A B C D E F }
    function_types! { A B C D E F G }
    function_types! { A B C D E F G H I }

    /// All functions, of both parts of the C layer.
    mod exports {
        pub use mcas::capi::*;
        pub use mcas::capi_track::*;
    }

    /// Nobody sees what is in it.
    impl Twin for capi_track::Handle {
        type Theirs = header::mcas_tracker;
    }

    impl Twin for () {
        type Theirs = ();
    }

    /// Compares structs member by member: names and types when it compiles,
    /// places when it runs. A member of the header's that is not listed does
    /// not compile, and one of ours has no place.
    macro_rules! structs {
        ($($ours:ty, $theirs:ident { $($member:ident)* })*) => {
            $(
                impl Twin for $ours { type Theirs = header::$theirs; }
            )*

            #[test]
            fn structs() {
                $({
                    type Ours = $ours;
                    type Theirs = header::$theirs;
                    let _ = |ours: &Ours, theirs: &Theirs| {
                        let Ours { $($member: _,)* .. } = ours;
                        let Theirs { $($member: _),* } = theirs;
                        $(twins(&ours.$member, &theirs.$member);)*
                    };
                    let name = stringify!($theirs);
                    $(assert_eq!(
                        offset_of!(Ours, $member),
                        offset_of!(Theirs, $member),
                        "{name}.{}", stringify!($member)
                    );)*
                    assert_eq!(size_of::<Ours>(), size_of::<Theirs>());
                    assert_eq!(align_of::<Ours>(), align_of::<Theirs>());
                    // Ours has no others: there is no place for them. Nor
                    // has C padding of any value, where it compares bytes.
                    let size = |of: &Theirs| 0 $(+ size_of_val(&of.$member))*;
                    let zeros = std::mem::MaybeUninit::zeroed();
                    // SAFETY: any bits are valid.
                    let sizes = size(unsafe { &zeros.assume_init() });
                    assert_eq!(sizes, size_of::<Theirs>(), "{name}");
                })*
                let compared = [$(stringify!($theirs)),*];
                let mut compared = BTreeSet::from(compared);
                compared.insert("mcas_tracker");
                assert_eq!(names("pub struct "), compared);
            }
        };
    }

    structs! {
        Span, mcas_span { offset length }
        capi::Context, mcas_context {
            request request_type request_method flags
        }
        Message, mcas_message {
            kind message_type flags method status framing media charset length
            begin body body_length body_missing status_digits authority path query host
            user_agent media_type cookies
        }
        Item, mcas_item { table level id flags charset span number bytes }
        Endpoint, mcas_endpoint {
            protocol transports flags field span address first_port last_port
        }
        capi::Bytes, mcas_bytes { start length }
        capi::Parts, mcas_parts {
            context status flags method target host user_agent content_type
            content_encoding
        }
        capi::Classed, mcas_class { answer message_type more }
        capi::TypeInfo, mcas_type_info {
            id kind counterpart reserved name description
        }
        capi::Iter, mcas_iter { state }
        capi::Progress, mcas_progress { state }
        capi::FieldInfo, mcas_field_info {
            id value_type display flags name label description key
        }
        capi::NoteInfo, mcas_note_info {
            id group severity flags name summary description
        }
        capi_track::TrackerSegment, mcas_segment {
            bytes from to connection tag time captured length sequence
            acknowledged flags address_length from_port to_port identification
            reserved
        }
        capi_track::TrackedMessage, mcas_tracked_message {
            message bytes exchange first_tag last_tag time missing connection
            context from to address_length length sequence flags from_port
            to_port reserved
        }
        capi_track::TrackedExchange, mcas_tracked_exchange {
            number request_tag request_time last_try_tag last_try_time
            response_tag response_time response_bytes request_type
            request_method status tries flags reserved
        }
    }

    #[test]
    fn functions() {
        /// A function as a pointer of that many arguments, of types to be
        /// inferred.
        macro_rules! functions {
            ($($name:ident($($any:tt),*))*) => {{
                $(twins(
                    &(exports::$name as unsafe extern "C" fn($($any),*) -> _),
                    &(header::$name as unsafe extern "C" fn($($any),*) -> _),
                );)*
                [$(stringify!($name)),*]
            }};
        }
        let compared = functions! {
            mcas_abi_version()
            mcas_version()
            mcas_status_name(_)
            mcas_field_get(_, _)
            mcas_field_value_name(_, _, _, _)
            mcas_value_name(_, _)
            mcas_note_get(_, _)
            mcas_sniff(_, _, _)
            mcas_status_text(_)
            mcas_type_get(_, _)
            mcas_classify(_, _, _, _)
            mcas_classify_resume(_, _, _, _, _)
            mcas_message_parse(_, _, _, _)
            mcas_message_refused(_, _, _)
            mcas_message_resume(_, _, _, _, _)
            mcas_message_from_parts(_, _, _, _)
            mcas_head_items(_, _)
            mcas_body_items(_, _, _, _)
            mcas_user_agent_items(_, _, _)
            mcas_cookie_items(_, _, _)
            mcas_bigip_items(_, _, _)
            mcas_target_items(_, _, _)
            mcas_host_items(_, _, _)
            mcas_next(_, _, _, _)
            mcas_next_many(_, _, _, _, _, _)
            mcas_item_format(_, _, _, _, _, _, _)
            mcas_config_format(_, _, _, _, _, _, _)
            mcas_summary_format(_, _, _, _, _, _, _, _, _)
            mcas_message_endpoints(_, _, _, _, _, _, _, _, _)
            mcas_endpoint_format(_, _, _, _)
            mcas_protocol_name(_)
            mcas_protocol_look(_, _, _, _)
            mcas_file_name(_, _, _, _, _, _, _)
            mcas_body_bytes(_, _, _, _, _, _)
            mcas_body_dechunk(_, _, _, _, _)
            mcas_tracker_new(_)
            mcas_tracker_free(_)
            mcas_tracker_segment(_, _)
            mcas_tracker_bytes(_, _, _, _, _, _)
            mcas_tracker_end(_, _, _)
            mcas_tracker_finish(_)
            mcas_tracker_next(_, _)
            mcas_tracker_exchange(_, _, _)
            mcas_tracker_forget(_, _)
        };
        assert_eq!(names("pub fn "), compared.into());
    }

    /// `CamelCase` as `CAMEL_CASE`.
    fn upper(camel: &str) -> String {
        let mut upper = String::new();
        for (i, c) in camel.char_indices() {
            if i > 0 && c.is_ascii_uppercase() {
                upper.push('_');
            }
            upper.push(c.to_ascii_uppercase());
        }
        upper
    }

    /// `mcas.result_code` as `RESULT_CODE`.
    fn filter(name: &str) -> String {
        let name = name.strip_prefix("mcas.").unwrap();
        name.replace('.', "_").to_ascii_uppercase()
    }

    /// All the numbers that the header must have, from the Rust side.
    fn ours() -> BTreeMap<String, i64> {
        let mut ours = BTreeMap::new();
        let mut add = |name: String, number: i64| {
            assert_eq!(ours.insert(format!("MCAS_{name}"), number), None);
        };
        for row in fields::FIELDS {
            add(format!("FIELD_{}", filter(row.name())), row.field as i64);
        }
        for row in notes::NOTES {
            add(format!("NOTE_{}", filter(row.name())), row.note as i64);
        }
        /// Constants of a module.
        macro_rules! constants {
            ($prefix:literal, $module:ident: $($name:ident)*) => {
                $(add(
                    concat!($prefix, stringify!($name)).into(),
                    $module::$name.into(),
                );)*
            };
        }
        constants! { "SEGMENT_", track: SYN FIN RST }
        constants! { "", capi_track: SEGMENT_ACK SEGMENT_IDENTIFIED }
        for side in [track::Side::Client, track::Side::Server] {
            add(upper(&format!("Side{side:?}")), side as i64);
        }
        constants! { "TRACK_", track:
            ANSWERED UNCERTAIN UNANSWERED RETRANSMITTED BROKEN_OFF
        }
        constants! { "", capi:
            ABI_VERSION OK END PARTIAL ERR_NULL ERR_TOO_LARGE ERR_NOT_HTTP
            ERR_RANGE ERR_PANIC
            REQUEST_UNSEEN REQUEST_SEEN CLASS_NO CLASS_YES CLASS_MORE
        }
        constants! { "", types:
            TYPE_OTHER_REQUEST TYPE_PROVISIONING_REQUEST
            TYPE_PROVISIONING_RESPONSE TYPE_FIRMWARE_REQUEST
            TYPE_FIRMWARE_RESPONSE TYPE_UPDATE_NOTIFICATION
            TYPE_UPDATE_NOTIFICATION_RESPONSE TYPE_EXTENSION_LIST_REQUEST
            TYPE_EXTENSION_LIST_RESPONSE TYPE_EXTENSION_CONFIGURATION_REQUEST
            TYPE_EXTENSION_CONFIGURATION_RESPONSE TYPE_SETUP_PUSH
            TYPE_SETUP_PUSH_RESPONSE TYPE_OTHER_RESPONSE TYPE_NONE
        }
        constants! { "", message:
            KIND_UNKNOWN KIND_REQUEST KIND_RESPONSE
        }
        constants! { "MESSAGE_", message:
            COMPLETE HEAD_COMPLETE BODY_CODED UNMATCHED BODY_BROKEN
            FRAMING_UNCLEAR HEAD_INVALID
        }
        constants! { "CONTEXT_", message: END_OF_STREAM HEAD_ONLY }
        constants! { "PARTS_", message: CUT }
        constants! { "ITEM_", item: GENERATED PERCENT_ENCODED PARENT SECRET }
        constants! { "", item: TABLE_FIELDS TABLE_NOTES }
        constants! { "FLAG_", fields: SECRET HOST_PROGRAM }
        constants! { "CONFIG_", config: SECRETS PJSIP }
        constants! { "ENDPOINT_", endpoints: IMPLAUSIBLE IN_HEAD }
        constants! { "TRANSPORT_", endpoints: UDP TCP }
        add("ENDPOINTS_MOST".into(), endpoints::MOST as i64);
        /// Variants of an enum: all of them, as their numbers show.
        macro_rules! variants {
            ($prefix:literal, $type:ident: $($variant:ident)*) => {
                let all = [$($type::$variant),*];
                let numbers = (0..100).chain([u32::MAX]);
                assert!(numbers.filter_map($type::from_number).eq(all));
                for variant in all {
                    let name = upper(&format!("{variant:?}"));
                    add(format!("{}{name}", $prefix), variant as i64);
                }
            };
        }
        use endpoints::{Packet, Protocol};
        use fields::{Display, ValueType};
        use mcas::format::Style;
        use message::{Framing, Media, Method};
        use notes::{Group, Severity};
        variants! { "METHOD_", Method: Other Get Head Post Put Connect }
        variants! { "FRAMING_", Framing: None Length Chunked UntilClose }
        variants! { "MEDIA_", Media: None Form Plain Other }
        variants! { "CHARSET_", Charset:
            Unknown Utf8 Latin1 ShiftJis EucJp Other
        }
        variants! { "FORMAT_", Style: Value Text Line Named }
        variants! { "PROTOCOL_", Protocol: Sip Rtp Http }
        variants! { "PACKET_", Packet: Other Sip Rtp Rtcp Http }
        variants! { "VALUE_", ValueType:
            String Uint8 Uint16 Uint24 Uint32 Uint64 Ipv4 Ipv6 Ether Bytes
            FrameNumber RelativeTime
        }
        variants! { "DISPLAY_", Display: Plain Hex Oui Request Response }
        variants! { "SEVERITY_", Severity: Chat Note Warn }
        variants! { "GROUP_", Group:
            Protocol ResponseCode Undecoded Sequence Security
        }
        variants! { "SNIFF_", Sniff: No OtherRequest Candidate }
        ours
    }

    #[test]
    fn constants() {
        let theirs: BTreeMap<String, i64> = DECLARED
            .lines()
            .filter_map(|line| line.strip_prefix("pub const "))
            .map(|line| {
                let (name, rest) = line.split_once(": ").unwrap();
                let (_, number) = rest.split_once(" = ").unwrap();
                let number = number.trim_end_matches(';').parse().unwrap();
                (name.to_string(), number)
            })
            .collect();
        let ours = ours();
        for (name, number) in &ours {
            assert_eq!(theirs.get(name), Some(number), "{name} in mcas.h");
        }
        for name in theirs.keys() {
            assert!(ours.contains_key(name), "{name} of mcas.h is not ours");
        }
    }

    /// The shared library lets others see its functions, under the version of
    /// this ABI, and no more.
    #[test]
    fn exports() {
        let version = format!("libmcas.so.{}", capi::ABI_VERSION);
        let expected: BTreeSet<_> = names("pub fn ")
            .iter()
            .map(|name| format!("{name}@@{version}"))
            .collect();
        assert_eq!(exported(), expected);
    }
}

/// The symbols of the shared library, each as `name@@version`.
pub fn exported() -> BTreeSet<String> {
    let list = run(Command::new("nm")
        .args(["-D", "--defined-only", "--with-symbol-versions"])
        .arg(library().join("libmcas.so")));
    list.lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        // The version itself is listed, too, as absolute.
        .filter(|parts| parts[1] != "A")
        .map(|parts| parts[2].to_string())
        .collect()
}

/// The functions of the shared library.
pub fn functions() -> BTreeSet<String> {
    let name = |symbol: &str| symbol.split('@').next().unwrap().to_string();
    exported().iter().map(|symbol| name(symbol)).collect()
}

pub fn soname() -> String {
    let file = library().join("libmcas.so");
    let dynamic = run(Command::new("readelf").arg("-d").arg(file));
    let line = dynamic.lines().find(|line| line.contains("(SONAME)")).unwrap();
    line.split(['[', ']']).nth(1).unwrap().to_string()
}

#[test]
fn soname_has_the_abi_version() {
    assert_eq!(soname(), format!("libmcas.so.{}", capi::ABI_VERSION));
}

#[test]
fn compiles_alone() {
    let strict = ["-pedantic", "-Wall", "-Wextra", "-Werror"];
    for (mut compiler, language) in [
        (tool("CC", "cc"), ["-xc", "-std=c99"]),
        (tool("CC", "cc"), ["-xc", "-std=c11"]),
        (tool("CXX", "c++"), ["-xc++", "-std=c++11"]),
    ] {
        compiler.args(language).args(strict).arg("-fsyntax-only");
        run(compiler.arg(include().join("mcas.h")));
    }
}

#[test]
fn lines_are_short() {
    for (i, line) in text().lines().enumerate() {
        let width = line.chars().count();
        assert!(width <= 79 && !line.contains('\t'), "line {}", i + 1);
        assert_eq!(line, line.trim_end(), "line {}", i + 1);
    }
}

/// The tour's program is compiled as it stands, and does what it says, with
/// the message that the tour gives it.
#[test]
fn tour() {
    let text = text();
    let (_, tour) = text.split_once("* A TOUR\n").unwrap();
    let block = |tour: &str| -> String {
        let inside =
            |line: &&str| line.starts_with(" *     ") || *line == " *";
        let lines = tour.lines().skip_while(|line| *line == " *");
        lines
            .take_while(inside)
            .map(|line| line.get(7..).unwrap_or_default().to_owned() + "\n")
            .collect()
    };
    let (_, program) = tour.split_once("A whole program:\n").unwrap();
    let (_, commands) = tour.split_once("Try it:\n").unwrap();
    fs::write(target("tour.c"), block(program)).unwrap();
    let program = compile(&target("tour.c"), library(), true);
    let commands = block(commands);
    let (_, command) = commands.split_once("mcas)\n").unwrap();
    let folder = program.parent().unwrap();
    let name = program.file_name().unwrap().to_str().unwrap();
    let command = command.replace("./tour", &format!("./{name}"));
    let printed =
        run(Command::new("sh").arg("-ec").arg(command).current_dir(folder));
    assert_eq!(
        printed,
        "Exchange 1\n\
         [Message type: Provisioning request (1)]\n\
         Host: add-con.mcas\n\
         Terminal ID: 001F67A1B2C3\n    \
             [MAC address: 00:1f:67:a1:b2:c3]\n    \
             [OUI: 00:1f:67]\n\
         Exchange 1\n\
         [Message type: Provisioning response (2)]\n\
         HTTP status: OK (200)\n\
         Result code: Success (0)\n\
         Note: A successful provisioning response should have this parameter \
         (IP address)\n\
         Note: A successful provisioning response should have this parameter \
         (SIP server address)\n\
         Note: A successful provisioning response should have this parameter \
         (Telephone number)\n"
    );
}
