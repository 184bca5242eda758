//! What Wireshark's `checkfiltername.pl` and `check_typed_item_calls.py` say
//! of the rows of fields and value strings in a dissector's source. Ours are
//! registered in a loop and cannot be read there, so this reads what tshark
//! has registered. (Type against display is checked by Wireshark itself when
//! it registers; `scripts/lints` runs those of its lints that read the shim.)

use crate::support::tshark;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn fields_and_value_strings_are_in_order() {
    let fields = tshark(&["-G", "fields"]);
    let values = tshark(&["-G", "values"]);
    assert!(rows(&fields, "F").count() > 50, "fields of ours are missing");
    assert!(rows(&values, "V").count() > 50, "values of ours are missing");
    assert_eq!(complaints(&fields, &values), Vec::<String>::new());
}

/// Each check finds what it is for.
#[test]
fn planted_faults_are_found() {
    const GOOD: &str = "F\tUser name\tmcas.user\tFT_STRING\tmcas\t\t0x0\t";
    let fault = |from: &str, to: &str| {
        let found = complaints(&GOOD.replace(from, to), "");
        found.into_iter().next().expect(to)
    };
    assert_eq!(complaints(GOOD, ""), Vec::<String>::new());
    for (from, to, complaint) in [
        ("mcas.user", "mcas.User", "name"),
        ("mcas.user", "mcas._user", "name"),
        ("mcas.user", "mcas.user_", "name"),
        ("mcas.user", "mcas..user", "name"),
        ("mcas.user", "mcas.mcas_user", "name repeats the protocol"),
        ("\tmcas\t", "\tother\t", "another protocol's"),
        ("User name", "", "label"),
        ("User name", " User name", "label begins or ends with a space"),
        ("User name", "User (name", "label has unbalanced brackets"),
        ("User name", "User name:", "label ends with a colon"),
        ("0x0\t", "0x0\tname user", "description repeats the label"),
        ("0x0\t", "0x0\tName", "description repeats the label"),
        ("0x0\t", "0x0\tIts name ", "description begins or ends"),
    ] {
        let found = fault(from, to);
        assert!(found.contains(complaint), "{to:?}: {found}");
    }
    let twice = format!("{GOOD}\n{GOOD}");
    assert_eq!(complaints(&twice, ""), ["mcas.user: registered twice"]);

    const TYPE: &str = "F\tType\tmcas.type\tFT_UINT8\tmcas\tBASE_DEC\t0x0\t";
    for (values, complaint) in [
        ("V\tmcas.type\t1\ta\nV\tmcas.type\t1\tb", "1 is repeated"),
        ("V\tmcas.type\t1\ta\nV\tmcas.type\t2\ta", "\"a\" is repeated"),
        ("V\tmcas.type\t1\t", "label of value 1"),
        ("V\tmcas.type\t1\ta ", "begins or ends with a space"),
        ("V\tmcas.type\t256\ta", "256 does not fit"),
        ("V\tmcas.other\t1\ta", "no such field"),
    ] {
        let found = complaints(TYPE, values);
        assert_eq!(found.len(), 1, "{values:?}: {found:?}");
        assert!(found[0].contains(complaint), "{values:?}: {found:?}");
    }
}

/// Rows of one kind that are about our protocol, tab by tab.
fn rows<'a>(
    text: &'a str,
    kind: &'static str,
) -> impl Iterator<Item = Vec<&'a str>> {
    let filter_name = if kind == "F" { 2 } else { 1 };
    text.lines().map(|line| line.split('\t').collect()).filter(
        move |row: &Vec<&str>| {
            row[0] == kind
                && row.get(filter_name).is_some_and(|n| n.starts_with("mcas."))
        },
    )
}

fn complaints(fields: &str, values: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut types = BTreeMap::new();
    for row in rows(fields, "F") {
        let [_, label, name, kind, protocol, _, _, description] = row[..]
        else {
            panic!("tshark -G fields has other columns: {row:?}");
        };
        let mut complain =
            |text: String| found.push(format!("{name}: {text}"));
        if types.insert(name, kind).is_some() {
            complain("registered twice".into());
        }
        if !name.split('.').all(is_plain) {
            complain("is no filter name: lower case, digits, inner _".into());
        }
        if name["mcas.".len()..].starts_with("mcas") {
            complain("name repeats the protocol".into());
        }
        if protocol != "mcas" {
            complain(format!("is another protocol's: {protocol}"));
        }
        check_text(label, "label", &mut complain);
        if !description.is_empty() {
            check_text(description, "description", &mut complain);
            if words(label).is_superset(&words(description)) {
                complain("description repeats the label".into());
            }
        }
    }

    let (mut numbers, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(values, "V") {
        let [_, name, value, label] = row[..] else {
            panic!("tshark -G values has other columns: {row:?}");
        };
        let mut complain =
            |text: String| found.push(format!("{name}: {text}"));
        if !numbers.insert((name, value)) {
            complain(format!("{value} is repeated"));
        }
        if !labels.insert((name, label)) {
            complain(format!("{label:?} is repeated"));
        }
        check_text(label, &format!("label of value {value}"), &mut complain);
        let Some(kind) = types.get(name) else {
            complain("no such field".into());
            continue;
        };
        let bits = kind.trim_start_matches("FT_UINT").parse::<u32>();
        let bits = bits.expect("value strings are for unsigned numbers");
        let number: u64 = value.parse().expect("a number");
        if bits < 64 && number >> bits != 0 {
            complain(format!("{value} does not fit into {kind}"));
        }
    }
    found
}

fn is_plain(part: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !part.is_empty()
        && part.chars().all(allowed)
        && !part.starts_with('_')
        && !part.ends_with('_')
}

fn check_text(text: &str, what: &str, complain: &mut dyn FnMut(String)) {
    let count = |c| text.matches(c).count();
    if text.is_empty() {
        complain(format!("{what} is empty"));
    }
    if text.trim() != text {
        complain(format!("{what} begins or ends with a space"));
    }
    if text.ends_with(':') {
        complain(format!("{what} ends with a colon"));
    }
    if [['(', ')'], ['[', ']'], ['{', '}']]
        .iter()
        .any(|[open, close]| count(*open) != count(*close))
    {
        complain(format!("{what} has unbalanced brackets"));
    }
}

fn words(text: &str) -> BTreeSet<String> {
    text.to_lowercase().split(' ').map(str::to_owned).collect()
}
