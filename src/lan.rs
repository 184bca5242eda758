//! The paths of the LAN side, where phones ask their gateway for an extension,
//! or the gateway sets them up. Observed in published clients; each is seen
//! with and without a slash at its end.

/// Asks for the extensions that are free.
pub(crate) const LIST: &[u8] = b"/cas_tel_list";
/// Asks for the settings of an extension.
pub(crate) const CONFIGURATION: &[u8] = b"/cas_tel_conf";
/// The gateway calls the phone, with its settings.
pub(crate) const PUSH: &[u8] = b"/voip_setup.cgi";

/// Which of them the path of a request is.
pub(crate) fn path(path: &[u8]) -> Option<&'static [u8]> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    [LIST, CONFIGURATION, PUSH].into_iter().find(|&known| known == path)
}
