use mcas::fields::FIELDS;
use mcas::notes::NOTES;
use std::collections::BTreeSet;

/// The README lists every field and every expert item, and no other.
#[test]
fn readme_names_every_field() {
    let readme = include_str!("../README.md");
    // Names stand in backquotes, as do files; a preference is set, not
    // filtered on.
    let is_file = |name: &str| {
        [".h", ".hpp", ".py", ".pc"].iter().any(|e| name.ends_with(e))
    };
    let named: BTreeSet<&str> = readme
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.starts_with("mcas.") && !name.contains(' '))
        .filter(|&name| name != "mcas.heuristic" && !is_file(name))
        .collect();
    let registered = FIELDS.iter().map(|info| info.name());
    let registered: BTreeSet<&str> =
        registered.chain(NOTES.iter().map(|info| info.name())).collect();
    assert_eq!(named, registered);
}
