//! The target of a request: origin form (`/path?query`) or absolute form
//! (`http://host:port/path?query`, `https` too), which gateways use though no
//! proxy is involved.

use crate::names::{FIRMWARE_SERVER, PROVISIONING_SERVER};
use crate::span::Span;
use memchr::{memchr, memchr2, memrchr};

/// A target, taken apart. Spans are offsets into the input that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host of an absolute target; empty in origin form.
    pub host: Span,
    /// Path, without query; may be empty in absolute form.
    pub path: Span,
    /// What follows the first `?`; empty if there is none.
    pub query: Span,
}

/// Takes the target at `span` apart.
pub(crate) fn parse(input: &[u8], span: Span) -> Target {
    let text = span.of(input);
    let mut target = Target::default();
    let mut path = 0;
    if let Some(scheme) = scheme(text) {
        let rest = &text[scheme..];
        path = scheme + memchr2(b'/', b'?', rest).unwrap_or(rest.len());
        let authority = &text[scheme..path];
        let user = memrchr(b'@', authority).map_or(0, |i| i + 1);
        target.host = host(
            input,
            Span::between(scheme + user, path).shifted(span.start()),
        );
    }
    let question =
        memchr(b'?', &text[path..]).map_or(text.len(), |i| path + i);
    target.path = Span::between(path, question).shifted(span.start());
    if question < text.len() {
        target.query =
            Span::between(question + 1, text.len()).shifted(span.start());
    }
    target
}

/// Length of the scheme that an absolute target begins with.
fn scheme(text: &[u8]) -> Option<usize> {
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    let begins = |scheme: &&[u8]| {
        let begin = text.get(..scheme.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    schemes.into_iter().find(begins).map(<[u8]>::len)
}

/// A host without the port behind it. An IPv6 address should stand in
/// brackets; without them, a last colon that it can do with is its own.
pub(crate) fn host(input: &[u8], span: Span) -> Span {
    let text = span.of(input);
    let Some(colon) = memrchr(b':', text) else { return span };
    let (host, port) = (&text[..colon], &text[colon + 1..]);
    let is_port = port.iter().all(u8::is_ascii_digit)
        && (memchr(b':', host).is_none()
            || host.starts_with(b"[")
            || (is_ipv6(host) && !is_ipv6(text)));
    let end = if is_port { colon } else { text.len() };
    Span::between(span.start(), span.start() + end)
}

fn is_ipv6(text: &[u8]) -> bool {
    let text = core::str::from_utf8(text).unwrap_or_default();
    text.parse::<core::net::Ipv6Addr>().is_ok()
}

/// A host without the dot at its end, which says that the name is all there
/// is of it: the same host.
fn relative(host: &[u8]) -> &[u8] {
    host.strip_suffix(b".").unwrap_or(host)
}

/// Whether two hosts are the same.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    relative(a).eq_ignore_ascii_case(relative(b))
}

/// Whether a host is one of this protocol's: the provisioning server, or a
/// firmware server.
pub(crate) fn is_ours(host: &[u8]) -> bool {
    same(host, PROVISIONING_SERVER) || firmware_server(host)
}

fn firmware_server(host: &[u8]) -> bool {
    host.get(..FIRMWARE_SERVER.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(FIRMWARE_SERVER))
}

/// `odm00015` of `verup-mcas.odm00015.flets`.
pub(crate) fn odm(input: &[u8], host: Span) -> Option<Span> {
    let text = relative(host.of(input));
    let end = text.len().checked_sub(b".flets".len())?;
    let start = FIRMWARE_SERVER.len();
    (firmware_server(text)
        && start < end
        && text[end..].eq_ignore_ascii_case(b".flets"))
    .then(|| Span::between(start, end).shifted(host.start()))
}

/// Whether a path is the root. An absolute target without a path means it.
pub(crate) fn is_root(path: &[u8]) -> bool {
    matches!(path, b"" | b"/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, host, path, query) in [
            ("/", "", "/", ""),
            ("/a?b=c?d", "", "/a", "b=c?d"),
            ("/a?", "", "/a", ""),
            ("*", "", "*", ""),
            ("http://h/a", "h", "/a", ""),
            ("HTTP://h:80/a?q", "h", "/a", "q"),
            ("http://h", "h", "", ""),
            ("http://h?q", "h", "", "q"),
            ("http://u:p@h:8/", "h", "/", ""),
            ("http://[::1]:80/", "[::1]", "/", ""),
            ("http://[::1]/", "[::1]", "/", ""),
            ("http://fd00::1/", "fd00::1", "/", ""),
            ("http://::1/", "::1", "/", ""),
            ("http://fd00::1:80/", "fd00::1:80", "/", ""),
            ("http://1:2:3:4:5:6:7:8:80/", "1:2:3:4:5:6:7:8", "/", ""),
            ("http://fe80::1%eth0/", "fe80::1%eth0", "/", ""),
            ("http://[fe80::1%25eth0]:80/", "[fe80::1%25eth0]", "/", ""),
            ("http://a:b:80/", "a:b:80", "/", ""),
            ("http://h./", "h.", "/", ""),
            ("http://h.:80/", "h.", "/", ""),
            ("HTTPS://h:443/a", "h", "/a", ""),
            ("https:/h", "", "https:/h", ""),
            ("http://", "", "", ""),
            ("/x/http://h/a", "", "/x/http://h/a", ""),
        ] {
            // Some bytes in front show that spans are the input's.
            let input = format!("GET {text}");
            let input = input.as_bytes();
            let target = parse(input, Span::between(4, input.len()));
            let parts = [target.host, target.path, target.query];
            let parts =
                parts.map(|s| std::str::from_utf8(s.of(input)).unwrap());
            assert_eq!(parts, [host, path, query], "{text}");
        }
    }

    #[test]
    fn hosts_of_ours() {
        for host in
            ["add-con.mcas", "ADD-CON.mcas.", "verup-mcas.x", "Verup-MCAS.x."]
        {
            assert!(is_ours(host.as_bytes()), "{host}");
        }
        for host in
            ["", ".", "add-con.mcas..", "add-con.mcas.x", "x.verup-mcas.x"]
        {
            assert!(!is_ours(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn odms() {
        for (host, expected) in [
            ("verup-mcas.odm00015.flets", Some("odm00015")),
            ("VERUP-MCAS.x.FLETS", Some("x")),
            ("verup-mcas.a.b.flets", Some("a.b")),
            ("verup-mcas.odm00015.flets.", Some("odm00015")),
            ("verup-mcas.odm00015.flets..", None),
            ("verup-mcas..flets", None),
            ("verup-mcas.flets", None),
            ("verup-mcas.odm.example", None),
            ("add-con.mcas", None),
            ("", None),
        ] {
            let input = host.as_bytes();
            let odm = odm(input, Span::between(0, input.len()));
            assert_eq!(odm.map(|s| s.of(input)), expected.map(str::as_bytes));
        }
    }
}
