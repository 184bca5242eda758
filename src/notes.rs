//! The table of notes: anomalies as data.
//!
//! Trouble in a message is never a failure of the parser. It is an item of
//! its own, attached to the field or message it is about; Wireshark shows it
//! as an expert item. Like [`crate::fields`], this table is the only place
//! where a note is declared.

use crate::fields::{c_str, HOST_PROGRAM};
use crate::numbered::numbered;
use core::ffi::CStr;
use core::fmt;

numbered! {
    /// How serious a note is, in Wireshark's terms; the least first.
    #[derive(PartialOrd, Ord)]
    pub enum Severity {
        /// Usual, worth seeing.
        Chat = 0,
        /// Out of the ordinary.
        Note = 1,
        /// Something is wrong.
        Warn = 2,
    }
}

numbered! {
    /// What a note is about, in Wireshark's terms.
    pub enum Group {
        /// What the protocol asks for is not kept.
        Protocol = 0,
        /// A response says that something failed.
        ResponseCode = 1,
        /// Something could not be read.
        Undecoded = 2,
        /// The order of messages.
        Sequence = 3,
        /// A secret is open to readers.
        Security = 4,
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NoteInfo {
    /// Which note this is.
    pub note: Note,
    // As C has them; Rust asks the methods of these names.
    pub(crate) c_name: &'static CStr,
    /// The group.
    pub group: Group,
    /// The severity.
    pub severity: Severity,
    pub(crate) c_summary: &'static CStr,
    pub(crate) c_description: &'static CStr,
    /// [`HOST_PROGRAM`] or 0.
    pub flags: u32,
}

impl NoteInfo {
    /// Display-filter name.
    pub fn name(&self) -> &'static str {
        self.c_name.to_str().unwrap_or_default()
    }

    /// What it says, for people.
    pub fn summary(&self) -> &'static str {
        self.c_summary.to_str().unwrap_or_default()
    }

    /// What it is about, and what it has to do with.
    pub fn description(&self) -> &'static str {
        self.c_description.to_str().unwrap_or_default()
    }
}

macro_rules! notes {
    ($(
        $number:literal $note:ident $name:literal $group:ident
        $severity:ident $summary:literal
        $description:literal
        $(flags $flags:ident)?
    )*) => {
        /// A note, by its permanent number.
        #[repr(u32)]
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
        )]
        #[non_exhaustive]
        pub enum Note {
            $(
                #[doc = concat!(
                    "`", $name, "`: ", $summary, ". ", $description, "."
                )]
                $note = $number,
            )*
        }

        /// All notes, in the order of their numbers.
        pub static NOTES: &[NoteInfo] = &[$(
            NoteInfo {
                note: Note::$note,
                c_name: c_str(concat!($name, "\0")),
                group: Group::$group,
                severity: Severity::$severity,
                c_summary: c_str(concat!($summary, "\0")),
                c_description: c_str(concat!($description, "\0")),
                flags: 0 $(| $flags)?,
            },
        )*];
    };
}

notes! {
    0 ResultCodeFailure "mcas.result_code.failure" ResponseCode Warn
        "The result code is not success"
        "Any code but zeros; the request was refused or not understood"
    1 ValueInvalid "mcas.value.invalid" Protocol Warn
        "The value does not read as its type"
        "It is not lost: it stands as mcas.param, or as the text it came as"
    2 ValueMasked "mcas.value.masked" Undecoded Note
        "The value was masked by whoever published the capture"
        "X, x or * stand where digits should"
    3 ValueHostBits "mcas.value.host_bits" Protocol Chat
        "The network has host bits set"
        "Bits behind the prefix length: the sender may mean a host or a \
         network"
    4 ValueInconsistent "mcas.value.inconsistent" Protocol Warn
        "Values contradict each other"
        "The gateway lies outside of the device's network, the last RTP \
         port before the first, or Host header and target name different \
         hosts"
    5 ParamUnknown "mcas.param.unknown" Undecoded Chat
        "The parameter is not known"
        "No field is known for its key; it stands as mcas.param"
    6 ParamMissing "mcas.param.missing" Protocol Note
        "A successful provisioning response should have this parameter"
        "Without its address, SIP server and number a gateway cannot \
         telephone"
    7 Credentials "mcas.credentials" Security Note
        "Credentials in clear text"
        "Whoever can read the connection can register with them"
    8 Truncated "mcas.truncated" Undecoded Note
        "The message goes on behind the bytes at hand"
        "The capture or the connection ended before the message did"
    9 ResponseUnmatched "mcas.response.unmatched" Sequence Note
        "The request of this response is not in the capture"
        "It is taken for a provisioning response by how its body begins"
    10 BodyEncoded "mcas.body.encoded" Undecoded Note
        "The body has a content coding that is not decoded"
        "gzip or the like; no parameter of it can be read"
    11 FramingUnclear "mcas.framing.unclear" Protocol Warn
        "The headers do not agree on where the body ends"
        "Content-Length twice, unreadable or beside Transfer-Encoding, or \
         chunked not the last coding: others may read another message here"
    12 Limit "mcas.limit" Undecoded Warn
        "There is more in this message than is shown"
        "Parameters or entries of a list behind those that are shown, which \
         would fill Wireshark's tree"
        flags HOST_PROGRAM
    13 HeadInvalid "mcas.head.invalid" Protocol Warn
        "The head breaks HTTP's grammar"
        "Controls, blanks or bytes where none may be, or a line that is no \
         header: it is read as Wireshark's HTTP reads it, others may refuse it"
    14 RequestUnanswered "mcas.request.unanswered" Sequence Warn
        "Nobody has answered this request"
        "The connection or the capture ended before there was a response"
        flags HOST_PROGRAM
    15 RequestRetransmitted "mcas.request.retransmitted" Sequence Note
        "The same request once more"
        "Sent again in a segment of its own; a copy from a mirror port does \
         not count"
        flags HOST_PROGRAM
    16 ResponseBrokenOff "mcas.response.broken_off" Sequence Note
        "The response began and ended early"
        "The connection was closed before all of it had come"
        flags HOST_PROGRAM
    17 ResponseUncertain "mcas.response.uncertain" Sequence Note
        "It may answer one of several requests"
        "Bytes are missing in the capture, so that nobody can tell; it has \
         no link"
        flags HOST_PROGRAM
}

impl Note {
    /// The row of the table.
    pub fn info(self) -> &'static NoteInfo {
        &NOTES[self as usize]
    }

    /// The note of that number.
    pub fn from_number(number: u32) -> Option<Note> {
        NOTES.get(number as usize).map(|info| info.note)
    }

    /// The note of that filter name, such as `mcas.credentials`.
    pub fn by_name(name: &str) -> Option<Note> {
        let found = NOTES.iter().find(|info| info.name() == name);
        found.map(|info| info.note)
    }
}

/// The filter name.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.info().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places_in_the_table() {
        for (i, info) in NOTES.iter().enumerate() {
            assert_eq!(info.note as usize, i, "{}", info.name());
            assert!(info.name().starts_with("mcas."));
        }
    }

    #[test]
    fn texts_are_utf8_and_found() {
        for info in NOTES {
            assert_eq!(info.summary().as_bytes(), info.c_summary.to_bytes());
            let text = info.description();
            assert_eq!(text.as_bytes(), info.c_description.to_bytes());
            assert_eq!(Note::by_name(info.name()), Some(info.note));
            assert_eq!(info.note.to_string(), info.name());
        }
        assert_eq!(Note::by_name("mcas.ip_addr"), None);
        assert!(Severity::Chat < Severity::Note);
        assert!(Severity::Note < Severity::Warn);
    }
}
