//! The settings of an answer as commands: `-z mcas,config` and
//! `mcas_config_format`. What they do is tried on Linux and on Asterisk, by
//! `config.py`, which works out from the bytes what must come of them and
//! shares no code with the plugin.

use crate::invariants::config_agrees;
use crate::prefix::{samples, Random};
use crate::support::{
    assert_prints_nothing, capture, tshark, Capture, Side, ROOT,
};
use mcas::config::{PJSIP, SECRETS};
use mcas::message::{self, Parts};
use mcas::{Context, Message, Request};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What tshark prints of a capture's settings.
fn text(capture: &Path, arguments: &str) -> String {
    let statistic = format!("mcas,config{arguments}");
    let capture = capture.to_str().expect("paths of tests are plain");
    tshark(&["-q", "-r", capture, "-z", &statistic])
}

/// Runs each answer's commands; panics where they do what they must not.
fn try_out(capture: &Path, options: &[&str]) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), text(capture, ",secrets")).expect("is written");
    let mut python = Command::new("python3");
    python
        .arg(format!("{ROOT}/tests/config.py"))
        .args([capture, file.path()])
        .args(options);
    assert_prints_nothing(&mut python);
}

/// The text as it is, so that a change of it is seen by eye:
/// `MCAS_RECORD_CONFIG=1 cargo test --test tests config::text` writes it anew.
#[test]
fn text_is_as_recorded() {
    for (name, arguments) in [
        ("boot.pcapng", ""),
        ("mcas-lan-configuration.pcap", ",secrets"),
        ("mcas-credentials.pcap", ",frame.number<20"),
        ("mcas-inconsistent.pcap", ""),
        ("mcas-limits.pcap", ""),
        ("mcas-invalid.pcap", ""),
        ("masked.pcap", ""),
        ("mcas-lan-list.pcap", ""),
    ] {
        let printed = text(&capture(name), arguments);
        let (stem, _) = name.split_once('.').unwrap();
        let stem = stem.trim_start_matches("mcas-");
        let golden = format!("{ROOT}/tests/golden/config-{stem}.txt");
        if std::env::var_os("MCAS_RECORD_CONFIG").is_some() {
            fs::write(&golden, &printed).unwrap();
        }
        let recorded = fs::read_to_string(&golden).unwrap_or_default();
        assert!(printed == recorded, "not as in {golden}:\n{printed}");
    }
}

#[test]
fn does_what_the_bytes_say() {
    for name in [
        "boot.pcapng",
        "mcas-credentials.pcap",
        "mcas-devices.pcap",
        "mcas-failure.pcap",
        "mcas-inconsistent.pcap",
        "mcas-lan-configuration.pcap",
        "mcas-lan-unmatched.pcap",
        "mcas-limits.pcap",
        "mcas-numbers.pcap",
        "mcas-repeated.pcap",
        "mcas-routes.pcap",
    ] {
        try_out(&capture(name), &[]);
    }
}

/// What would like to be a line, a command or an option of its own. The
/// folder that it runs in shows whether it was.
const HOSTILE: &[&str] = &[
    "$(touch pwned)",
    "`touch pwned`",
    "x; touch pwned",
    "x' ; touch pwned ; '",
    "\"; touch pwned; \"",
    "x\rtouch pwned",
    "\u{b}touch pwned\u{c}",
    "x | touch pwned & touch pwned2",
    "END",
    "\\",
    "\\;x ;--",
    ";-- x --;",
    "#exec touch pwned",
    "[general]",
    "> x",
    "!touch",
    "${IFS}$HOME",
    "*",
    "%0atouch%20pwned",
    "\u{2028}touch pwned\u{85}",
    "\u{1b}[201~touch pwned",
    "=x = y",
    " x ",
];

/// A capture with an answer of the provisioning server for each body.
fn answers(
    bodies: impl IntoIterator<Item = Vec<u8>>,
) -> tempfile::NamedTempFile {
    let mut capture = Capture::default();
    for body in bodies {
        let mut connection = capture.connect(80);
        let request = b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
            Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3";
        capture.send(&mut connection, Side::Client, request);
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend(body);
        capture.send(&mut connection, Side::Server, &answer);
    }
    capture.write()
}

const SETTINGS: &[(&str, &str)] = &[
    ("ip_addr", "172.20.184.194"),
    ("netmask", "30"),
    ("gateway", "172.20.184.193"),
    ("dest_nw_addr", "192.0.2.0/24"),
    ("sipsv_addr", "121.0.34.41"),
    ("sipsv_port", "5060"),
    ("regsv_addr", "121.0.34.42"),
    ("regsv_port", "5061"),
    ("sip_domain", "ntt.example"),
    ("username", "user"),
    ("password", "secret"),
    ("ip_tel_num", "0722123456"),
    ("ip_tel_num1", "0722123457"),
    ("dscp", "46"),
    ("rtpport1", "5004"),
    ("rtpport2", "5035"),
];

/// A body with values changed.
fn body(change: impl Fn(&str, &str) -> String) -> Vec<u8> {
    let mut body = b"ResultCode=0000\r\n".to_vec();
    for (key, value) in SETTINGS {
        let value = change(key, value);
        if value != "-" {
            body.extend(format!("{key}={value}\r\n").bytes());
        }
    }
    body
}

#[test]
fn hostile_values_do_nothing() {
    let long = "x\\;".repeat(1000);
    let fitting = "x;".repeat(64);
    let bodies =
        HOSTILE.iter().copied().chain([&*long, &*fitting]).flat_map(|value| {
            let texts = move |key: &str, good: &str| match key {
                "username" | "password" | "sip_domain" | "ip_tel_num1" => {
                    value.to_owned()
                }
                _ => good.to_owned(),
            };
            let behind = move |_: &str, good: &str| format!("{good}{value}");
            [body(texts), body(behind)]
        });
    try_out(answers(bodies).path(), &[]);
}

/// What Asterisk itself has made of the files. Debian 12 and 13 have none, and
/// nobody wants to get one from a test (scripts/setup): there, what Asterisk's
/// documentation says stands for it, in the tests above.
#[test]
fn asterisk_takes_it() {
    // Nothing is said of what is not there.
    let knows = |program, question| {
        let asked =
            Command::new(program).args([question, "asterisk"]).output();
        asked.is_ok_and(|output| !output.stdout.is_empty())
    };
    if !knows("which", "-a") {
        let ci = std::env::var_os("CI").is_some();
        assert!(!ci || !knows("apt-cache", "show"), "run scripts/setup test");
        return println!("no Asterisk here");
    }
    let hostile = [r#"a$(b)"'`c;d\;e#f!"#, "x=y, > z;--"];
    let bodies = hostile.map(|value| {
        body(|key, good| match key {
            "username" | "password" => value.to_owned(),
            // Without a way to it, no time is lost with the registrar.
            "ip_addr" => "-".to_owned(),
            _ => good.to_owned(),
        })
    });
    try_out(answers(bodies).path(), &["asterisk"]);
    try_out(&capture("boot.pcapng"), &["asterisk"]);
    try_out(&capture("mcas-lan-configuration.pcap"), &["asterisk"]);
}

#[test]
fn asked_for_by_filter() {
    let some = capture("mcas-inconsistent.pcap");
    let of = |arguments| {
        let text = text(&some, arguments);
        text.lines().filter(|line| line.contains(" in frame ")).count()
    };
    assert_eq!([of(""), of(",frame.number==16"), of(",secrets")], [3, 1, 3]);
    assert_eq!(of(",secrets,frame.number==16"), 1);
    let printed = text(&some, ",frame.number==1");
    assert!(printed.ends_with("# no settings in this capture\n"));
}

/// A password is written only where that was asked for.
#[test]
fn password_is_asked_for() {
    let phones = capture("mcas-lan-configuration.pcap");
    let secret = "Zx81Spectrum";
    assert!(!text(&phones, "").contains(secret));
    assert!(text(&phones, ",secrets").contains(secret));
    let filter = format!(",mcas.password==\"{secret}\"");
    assert!(!text(&phones, &filter).contains(secret));
}

/// The answer to that request with that body.
fn message(request_type: u32, body: &[u8]) -> Message {
    let context = Context::answering(Request::new(request_type));
    let parts = Parts::response(200, context);
    message::from_parts(&parts, body).unwrap()
}

fn commands(request_type: u32, body: &[u8]) -> String {
    let message = message(request_type, body);
    config_agrees(&message, body);
    message.config(body, SECRETS).expect("an answer").to_string()
}

/// Settings with values changed; `-` takes one away.
fn changed(request_type: u32, changes: &[(&str, &str)]) -> String {
    let change = |key: &str, good: &str| {
        let found = changes.iter().find(|(changed, _)| *changed == key);
        found.map_or(good, |(_, value)| value).to_owned()
    };
    commands(request_type, &body(change))
}

#[test]
fn what_is_odd_is_said() {
    for (changes, wanted) in [
        ("ip_addr=-", "no address, so no routes either"),
        ("ip_addr=127.0.0.1", "ip_addr 127.0.0.1 is no address of a host"),
        ("ip_addr=172.20.XX.XX", "ip_addr is masked"),
        ("ip_addr=172.20.1.1.", "ip_addr does not read"),
        (
            "ip_addr=172.20.184.192",
            "172.20.184.192 is no host of 172.20.184.192/30",
        ),
        ("netmask=-", "no netmask, 32 is taken"),
        ("netmask=7", "netmask 7 is too short, 32 is taken"),
        ("netmask=33", "netmask does not read"),
        ("gateway=-", "no gateway, so no routes"),
        (
            "gateway=172.20.184.194",
            "the gateway is the device itself, so no routes",
        ),
        (
            "gateway=172.20.184.195",
            "gateway 172.20.184.195 is no host of 172.20.184.192/30",
        ),
        (
            "gateway=172.20.184.197",
            "gateway 172.20.184.197 is outside of 172.20.184.192/30",
        ),
        ("dest_nw_addr=x&192.0.2.0/24", "dest_nw_addr: 1 do not read"),
        (
            "dest_nw_addr=0.0.0.0/1",
            "0.0.0.0/1 is not for hosts or too large, left out",
        ),
        (
            "dest_nw_addr=64.0.0.0/2",
            "64.0.0.0/2 is not for hosts or too large, left out",
        ),
        (
            "dest_nw_addr=224.0.0.0/24",
            "224.0.0.0/24 is not for hosts or too large, left out",
        ),
        (
            "sipsv_addr=-|regsv_addr=-",
            "no SIP server, so nothing for Asterisk",
        ),
        ("sipsv_port=-", "no sipsv_port, 5060 is taken"),
        ("regsv_port=0", "no regsv_port, 5060 is taken"),
        ("sip_domain=", "no sip_domain, 121.0.34.42 is taken"),
        (
            "sip_domain=-x",
            "sip_domain has characters that cannot be taken over",
        ),
        ("username=", "no username, the number is taken"),
        ("password=", "a username without a password"),
        (
            "username=\u{e9}",
            "username has characters that cannot be taken over",
        ),
        ("password=XXXX", "password is masked"),
        (
            "ip_tel_num=XXXXXXXXXX",
            "no telephone number, so nothing for Asterisk",
        ),
        (
            "ip_tel_num=072XXXXXXX",
            "ip_tel_num has characters that cannot be taken over",
        ),
        ("dscp=64", "dscp does not read"),
        ("dscp=46\r\ndscp=32", "dscp came twice, the first is taken"),
        ("rtpport1=", "half a range of RTP ports"),
        ("rtpport1=5036", "RTP ports 5036 to 5035 are no range to take"),
        ("rtpport1=1000", "RTP ports 1000 to 5035 are no range to take"),
    ] {
        let changes: Vec<_> =
            changes.split('|').map(|c| c.split_once('=').unwrap()).collect();
        let text = changed(1, &changes);
        let line = format!("# warning: {wanted}");
        assert!(text.lines().any(|l| l.starts_with(&line)), "{line}\n{text}");
    }
    let odd = changed(1, &[]);
    assert!(!odd.contains("warning"), "{odd}");
    // Of a phone it is odd, of a line it is not.
    let neither = [("username", ""), ("password", "")];
    let line = "# warning: no username, no password\n";
    assert!(changed(9, &neither).contains(line));
    assert!(!changed(1, &neither).contains("warning"));
}

/// The file for Asterisk alone says nothing of what is not in it, and begins
/// its comments as Asterisk wants them.
#[test]
fn pjsip_alone() {
    let of = |lines: &[u8], flags| {
        let message = message(1, lines);
        let config = message.config(lines, flags | PJSIP).expect("an answer");
        config.to_string()
    };
    let body = body(|key, good| match key {
        "netmask" | "dest_nw_addr" | "rtpport1" => "x".to_owned(),
        "gateway" => "XX.XX.XX.XX".to_owned(),
        "dscp" => "64".to_owned(),
        _ => good.to_owned(),
    });
    let text = of(&body, SECRETS);
    let begin = "; warning: dscp does not read\n[hikari-0722123456]\n";
    assert!(text.starts_with(begin), "{text}");
    assert!(text.contains("password = secret\n"), "{text}");
    assert!(text.ends_with("match = 121.0.34.42\n"), "{text}");
    let hidden = "; password: not shown unless asked for\n";
    assert!(of(&body, 0).contains(hidden));
    let refused = "; no settings: result code 0010\n";
    assert_eq!(of(b"ResultCode=0010\r\n", 0), refused);
    let nothing = "; warning: no SIP server, so nothing for Asterisk\n";
    assert_eq!(of(b"ResultCode=0000\r\n", 0), nothing);
}

/// More of a thing than there is room for.
#[test]
fn much_is_bounded() {
    let routes = |count: u32| {
        let route = |i| format!("198.51.{}.{}/32", 100 + i / 256, i % 256);
        (0..count).map(route).collect::<Vec<_>>().join("&")
    };
    let count = |text: &str| text.matches("ip route replace 198.51").count();
    let text = changed(1, &[("dest_nw_addr", &routes(64))]);
    assert_eq!(count(&text), 64);
    let text = changed(1, &[("dest_nw_addr", &routes(65))]);
    assert_eq!(count(&text), 64);
    assert!(text.contains("# warning: only 64 networks are taken over\n"));

    // The size that the manual promises, where all is as long as can be.
    let octets = "223.223.223";
    let host = |i| format!("{octets}.{}/31", 101 + 2 * i);
    let routes = (0..64).map(host).collect::<Vec<_>>().join("&");
    let long = ";".repeat(128);
    let text = changed(
        1,
        &[
            ("ip_addr", "223.223.222.101"),
            ("gateway", "223.223.222.210"),
            ("dest_nw_addr", &routes),
            ("username", &long),
            ("password", &long),
            ("sip_domain", &"a".repeat(128)),
            ("ip_tel_num", &"1".repeat(32)),
        ],
    );
    assert_eq!(text.matches(" has host bits").count(), 64);
    let room = 9000..16384;
    assert!(room.contains(&text.len()), "{} bytes", text.len());
}

/// Whatever the bytes are, the lines are known ones.
#[test]
fn any_bytes() {
    let mut random = Random(0x636f_6e66_6967);
    let bases: Vec<Vec<u8>> = samples()
        .into_iter()
        .filter(|sample| matches!(sample.message_type, 2 | 10))
        .map(|sample| {
            let context = sample.context();
            let message = mcas::parse(&sample.bytes, &context).unwrap();
            message.body_bytes(&sample.bytes).into_owned()
        })
        .filter(|body| body.len() > 1)
        .chain([body(|_, good| good.to_owned())])
        .collect();
    for i in 0..6000 {
        let mut body = bases[i % bases.len()].clone();
        for _ in 0..random.below(4) + 1 {
            let at = random.below(body.len() - 1);
            if random.below(2) == 0 {
                body[at] = random.below(256) as u8;
            } else {
                let hostile = HOSTILE[random.below(HOSTILE.len())];
                body.splice(at..at, hostile.bytes());
            }
        }
        config_agrees(&message(1 + 8 * (i as u32 % 2), &body), &body);
    }
}
