//! The paths of the LAN side, where phones ask their gateway for an extension,
//! or the gateway sets them up. Observed in published clients; each is seen
//! with and without a slash at its end.

use crate::types::{
    TYPE_EXTENSION_CONFIGURATION_REQUEST, TYPE_NONE, TYPE_SETUP_PUSH,
};

/// Asks for the extensions that are free.
pub(crate) const LIST: &[u8] = b"/cas_tel_list";
/// Asks for the settings of an extension.
pub(crate) const CONFIGURATION: &[u8] = b"/cas_tel_conf";
/// The gateway calls the phone, with its settings.
pub(crate) const PUSH: &[u8] = b"/voip_setup.cgi";

/// All of these.
pub(crate) const PATHS: [&[u8]; 3] = [LIST, CONFIGURATION, PUSH];

/// Type of the requests to a path as far as it decides how a query is read.
pub(crate) fn type_of(path: &[u8]) -> u32 {
    match self::path(path) {
        Some(CONFIGURATION) => TYPE_EXTENSION_CONFIGURATION_REQUEST,
        Some(PUSH) => TYPE_SETUP_PUSH,
        _ => TYPE_NONE,
    }
}

/// Which of them the path of a request is.
pub(crate) fn path(path: &[u8]) -> Option<&'static [u8]> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    PATHS.into_iter().find(|&known| known == path)
}
