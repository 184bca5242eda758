/*!
`mcas-scrub IN OUT`: makes a capture with M-CAS fit to be posted.

Telephone numbers, user names, passwords and the lower half of hardware
addresses are masked in the packets themselves, by as many `X`, or by digits
of the capture's own where a field is binary. `HELP` says what is covered,
what is not, and what the exit status means; `mcas_scrub` how it is done.

The result is written beside OUT under another name, which becomes OUT only
once all is well: there is never half a result, or one that was not checked.
*/

use mcas_scrub::{scrub, Report, MAX_CAPTURE};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
usage: mcas-scrub IN OUT

Writes the capture IN (pcap or pcapng) to OUT with what is personal masked:

  telephone numbers, user names and passwords in M-CAS messages
      ip_tel_num*, username, password become as many X, in forms, queries,
      answers and chunks, however TCP cut them; a body in a content coding
      (gzip) becomes X as a whole
  names and passwords of PAP and CHAP
      as many X, and so does a response of CHAP
  the lower half of hardware addresses
      X in TerminalID and id: 001F67XXXXXX. In Ethernet, ARP, IPv6 and other
      binary fields the letters XX and a number, the same one for the same
      address everywhere: 00:1f:67:58:58:00
  the same values anywhere else
      in any packet: plain, percent-encoded, of numbers the form with +81, of
      addresses the usual ones. Values of less than four characters, numbers
      of less than six digits and addresses like 02:00:00:00:00:01 in binary
      are not looked for elsewhere; values of less than eight characters
      only as words.

Comments, interface names and addresses, name resolution, decryption secrets
and packet digests of a pcapng file are left out, padding and FCS behind a
packet become 0. A TCP or UDP checksum that was right is right again; a wrong
one over masked bytes becomes 0. Everything else stays: times, lengths,
addresses of IP, the PPPoE Host-Uniq, area codes (an area is no person).

Exit status: 0  OUT is written
             1  there is no OUT, the reason is on stderr
             2  the command line is wrong
             3  OUT is written, but parts of IN could only be searched for
                values known from elsewhere: stderr says which
";

const NOT_COVERED: &str = "\
not covered: SIP, RTP, DHCP, DNS, TLS and all other protocols, EAP, HTTP that
is no M-CAS, parameters that M-CAS is not known to have, digests of bodies in
HTTP headers, IP addresses. Values masked above are masked there too, others
are not: drop such packets, or look through them, before you post this.";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let [from, to] = &arguments[..] else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    match run(from.as_ref(), to.as_ref()) {
        Ok(report) => {
            tell(&report);
            ExitCode::from(if report.is_complete() { 0 } else { 3 })
        }
        Err(error) => {
            eprintln!("mcas-scrub: {error}; nothing is written");
            ExitCode::FAILURE
        }
    }
}

fn run(from: &Path, to: &Path) -> Result<Report, String> {
    let about = |path: &Path, error: &dyn std::fmt::Display| {
        format!("{}: {error}", path.display())
    };
    let same =
        || Some(fs::canonicalize(from).ok()? == fs::canonicalize(to).ok()?);
    if same() == Some(true) {
        return Err("IN and OUT are the same file".into());
    }
    let mut capture = Vec::new();
    File::open(from)
        // One byte more shows that it is too large.
        .and_then(|file| {
            file.take(MAX_CAPTURE as u64 + 1).read_to_end(&mut capture)
        })
        .map_err(|error| about(from, &error))?;
    let (bytes, report) =
        scrub(&capture).map_err(|error| about(from, &error))?;
    // What is no file would be replaced by one, and a link by a file.
    let to = &match fs::metadata(to) {
        Ok(there) if !there.is_file() => {
            return Err(format!("{}: is no regular file", to.display()));
        }
        Ok(_) => to.canonicalize().map_err(|error| about(to, &error))?,
        Err(_) => to.to_path_buf(),
    };
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".mcas-scrub-")
            .permissions(permissions())
            .tempfile_in(folder)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(to).map_err(|error| error.error)
    };
    write().map_err(|error| about(to, &error))?;
    Ok(report)
}

/// Those of any new file; the umask takes away from them.
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}

fn tell(report: &Report) {
    eprintln!(
        "{} packets, {} M-CAS messages: masked {} values in them, {} of PAP \
         and CHAP, {} hardware addresses, and {} finds of these elsewhere",
        report.packets,
        report.messages,
        report.values,
        report.credentials,
        report.addresses,
        report.finds,
    );
    for (count, what) in [
        (report.coded, "bodies in a content coding: masked as a whole"),
        (report.holes, "holes in TCP streams: values beside them are masked"),
        (report.strays, "TCP segments that contradict others: both read"),
        (
            report.loose,
            "stretches of TCP that are no whole message, but \
            read like M-CAS: masked as such",
        ),
        (report.snapped, "packets captured in part: values cut are masked"),
        (
            report.unsearched,
            "values too short or common to be looked for \
            where they are not expected",
        ),
        (report.dropped, "blocks and options of the file left out"),
        (
            report.fragments,
            "FRAGMENTS of IP packets: read one by one, a \
            value across their border is not seen",
        ),
        (
            report.unknown,
            "PACKETS of unknown link type, or damaged: only \
            searched",
        ),
        (report.cut, "BYTES at the end are no packet: left out"),
    ] {
        if count > 0 {
            eprintln!("{count} {what}");
        }
    }
    eprintln!("{NOT_COVERED}");
}
