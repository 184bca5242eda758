//! The table of message types: the values of `mcas.type`.
//!
//! What a message is for is found by [`crate::message`]; what there is to
//! find is declared here, once. Types 7 to 12 are the LAN side's, between the
//! gateway and the phones behind it.

use crate::fields::{c_str, Names};
use crate::message::{KIND_REQUEST, KIND_RESPONSE};
use core::ffi::CStr;

/// No type: not a message of this protocol.
pub const TYPE_NONE: u32 = u32::MAX;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TypeInfo {
    /// The number.
    pub id: u32,
    /// [`KIND_REQUEST`] or [`KIND_RESPONSE`].
    pub kind: u32,
    /// Type of a request's response, or of a response's request.
    pub counterpart: u32,
    // As C has them; Rust asks the methods of these names.
    pub(crate) c_name: &'static CStr,
    pub(crate) c_description: &'static CStr,
}

impl TypeInfo {
    /// The row of a message type, such as
    /// [`Message::message_type`](crate::Message::message_type); none of
    /// [`TYPE_NONE`].
    pub fn of(number: u32) -> Option<&'static TypeInfo> {
        TYPES.get(number as usize)
    }

    /// Name for people.
    pub fn name(&self) -> &'static str {
        self.c_name.to_str().unwrap_or_default()
    }

    /// What such a message is for.
    pub fn description(&self) -> &'static str {
        self.c_description.to_str().unwrap_or_default()
    }
}

macro_rules! types {
    ($(
        $number:literal $constant:ident $kind:ident $other:literal $name:literal
        $description:literal
    )*) => {
        $(
            #[doc = concat!($name, ": ", $description, ".")]
            pub const $constant: u32 = $number;
        )*

        /// All message types, in the order of their numbers.
        pub static TYPES: &[TypeInfo] = &[$(
            TypeInfo {
                id: $number,
                kind: $kind,
                counterpart: $other,
                c_name: c_str(concat!($name, "\0")),
                c_description: c_str(concat!($description, "\0")),
            },
        )*];

        /// Names of the values of `mcas.type`.
        pub(crate) const NAMES: Names =
            &[$(($number, c_str(concat!($name, "\0")))),*];
    };
}

// Rows: number, name in Rust, kind, type of the other half of an exchange,
// name, description.
types! {
    0 TYPE_OTHER_REQUEST KIND_REQUEST 13 "Other request"
        "A request to a server of this protocol, or by one of its clients, \
         that is none of the below"
    1 TYPE_PROVISIONING_REQUEST KIND_REQUEST 2 "Provisioning request"
        "A gateway asks add-con.mcas for its telephone settings"
    2 TYPE_PROVISIONING_RESPONSE KIND_RESPONSE 1 "Provisioning response"
        "Address, SIP server, telephone number and routes of a gateway"
    3 TYPE_FIRMWARE_REQUEST KIND_REQUEST 4 "Firmware request"
        "A gateway asks verup-mcas.*.flets for a firmware image"
    4 TYPE_FIRMWARE_RESPONSE KIND_RESPONSE 3 "Firmware response"
        "A firmware image, or a part of one"
    5 TYPE_UPDATE_NOTIFICATION KIND_REQUEST 6 "Update notification"
        "To the URL of url_update_cas; only that URL is known of it"
    6 TYPE_UPDATE_NOTIFICATION_RESPONSE KIND_RESPONSE 5
        "Update notification response"
        "The answer to an update notification"
    7 TYPE_EXTENSION_LIST_REQUEST KIND_REQUEST 8 "Extension list request"
        "A phone asks its gateway which extensions are free"
    8 TYPE_EXTENSION_LIST_RESPONSE KIND_RESPONSE 7 "Extension list response"
        "The extensions that are free"
    9 TYPE_EXTENSION_CONFIGURATION_REQUEST KIND_REQUEST 10
        "Extension configuration request"
        "A phone asks its gateway for the settings of an extension"
    10 TYPE_EXTENSION_CONFIGURATION_RESPONSE KIND_RESPONSE 9
        "Extension configuration response"
        "SIP server and credentials for a phone"
    11 TYPE_SETUP_PUSH KIND_REQUEST 12 "Setup push"
        "A gateway tells a phone its settings"
    12 TYPE_SETUP_PUSH_RESPONSE KIND_RESPONSE 11 "Setup push response"
        "A phone has taken its settings, or not"
    13 TYPE_OTHER_RESPONSE KIND_RESPONSE 0 "Other response"
        "The answer to any other request"
}

/// Type of the response to a request of type `request`; [`TYPE_NONE`] if
/// that is no request.
pub(crate) fn response_to(request: u32) -> u32 {
    TYPES
        .get(request as usize)
        .filter(|info| info.kind == KIND_REQUEST)
        .map_or(TYPE_NONE, |info| info.counterpart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places_in_the_table() {
        for (i, info) in TYPES.iter().enumerate() {
            assert_eq!(info.id as usize, i);
            let other = &TYPES[info.counterpart as usize];
            assert_eq!(other.counterpart, info.id);
            assert_ne!(other.kind, info.kind);
            assert_eq!(info.name().as_bytes(), info.c_name.to_bytes());
            let text = info.description();
            assert_eq!(text.as_bytes(), info.c_description.to_bytes());
            assert_eq!(TypeInfo::of(info.id).unwrap().name(), info.name());
        }
        assert!(TypeInfo::of(TYPE_NONE).is_none());
    }

    #[test]
    fn responses() {
        assert_eq!(response_to(1), 2);
        assert_eq!(response_to(0), 13);
        for none in [2, 13, 14, TYPE_NONE] {
            assert_eq!(response_to(none), TYPE_NONE);
        }
    }
}
