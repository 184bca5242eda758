//! Every form that tshark and sharkd print in, read by a reader of that form;
//! and what is made of them in `examples/`. Python has the readers that users
//! have, so the checks are its scripts; all take the captures as one.

use crate::support::ROOT;
use std::process::Command;

/// What one of the scripts prints; fails where it does.
fn check(script: &str) -> String {
    let output = Command::new("/usr/bin/python3")
        .arg(format!("{ROOT}/tests/{script}"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 is installed");
    let printed = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{printed}\n{complaint}");
    printed.into_owned()
}

#[test]
fn every_form_keeps_every_value() {
    let printed = check("formats.py");
    let whole = printed.lines().filter(|l| l.contains(" 0 lost")).count();
    assert_eq!(whole, 7, "{printed}");
    // And a reader that is known to lose some does: docs/pipelines.md says
    // a fifth.
    let number = |form: &str, at: usize| -> f64 {
        let line = printed.lines().find(|line| line.starts_with(form));
        let counts = line.expect(form)[form.len()..].split(' ');
        counts.filter_map(|word| word.parse().ok()).nth(at).expect("a count")
    };
    let lost = number("json, last of each key: ", 1) / number("json: ", 0);
    assert!((0.15..0.25).contains(&lost), "{lost}\n{printed}");
}

/// Who has tshark's output has no flags of items, and goes by the keys that
/// the core goes by.
#[test]
fn secrets_are_the_cores() {
    let words = mcas::fields::SECRET_WORDS.join("|");
    for script in ["pipeline/mcas_exchanges.py", "elastic/bulk"] {
        let text =
            std::fs::read_to_string(format!("{ROOT}/examples/{script}"));
        let line = format!("re.compile(\"{words}\", re.IGNORECASE)");
        assert!(text.unwrap().contains(&line), "{script}: {line}");
    }
}

#[test]
fn bulk_output_fits_the_index_template() {
    let printed = check("bulk.py");
    assert!(printed.contains(" documents fit"), "{printed}");
}

#[test]
fn every_message_is_in_one_exchange() {
    let printed = check("exchanges.py");
    assert!(printed.contains(" exchanges, "), "{printed}");
}
