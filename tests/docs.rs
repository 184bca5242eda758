use crate::ROOT;
use mcas::fields::FIELDS;
use mcas::notes::NOTES;
use std::collections::BTreeSet;
use std::process::Command;

const ENGLISH: &str = include_str!("../README.md");
const JAPANESE: &str = include_str!("../README.ja.md");

/// What stands in backquotes, in a line or across a line's end.
fn quoted(readme: &str) -> BTreeSet<String> {
    let words =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let prose: String = readme
        .lines()
        .filter(|line| !is_fence(line))
        .fold(String::new(), |text, line| text + line + "\n");
    prose.split('`').skip(1).step_by(2).map(words).collect()
}

fn is_fence(line: &str) -> bool {
    line.starts_with("```")
}

/// What is to be typed, and what it prints: the lines of indented blocks and
/// of fenced ones.
fn blocks(readme: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        if is_fence(line) {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            found.push(line);
        }
    }
    found
}

/// Whoever changes one README changes the other: the same commands, pictures
/// and links, and the same names in the text.
#[test]
fn readme_in_japanese_keeps_up() {
    let links = |readme: &'static str| -> BTreeSet<String> {
        let ends = readme.split("](").skip(1);
        let links = ends.filter_map(|rest| rest.split(')').next());
        let others = links.filter(|link| !link.starts_with("README"));
        others.map(str::to_owned).collect()
    };
    let one_only = |english: BTreeSet<_>, japanese: BTreeSet<_>| {
        english.symmetric_difference(&japanese).cloned().collect::<Vec<_>>()
    };
    let none: [String; 0] = [];
    assert_eq!(blocks(ENGLISH), blocks(JAPANESE));
    assert_eq!(one_only(quoted(ENGLISH), quoted(JAPANESE)), none);
    assert_eq!(one_only(links(ENGLISH), links(JAPANESE)), none);
}

/// What the README says that `make demo` prints is what it prints, but for
/// the lines that `…` stands for, and for the width of columns, which is up to
/// tshark's version.
#[test]
fn readme_shows_what_demo_prints() {
    let output = Command::new(format!("{ROOT}/scripts/demo"))
        .output()
        .expect("scripts/demo runs");
    assert!(output.status.success(), "{output:?}");
    let words = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<_> = line.split_whitespace().collect();
        // Of a tree, the depth counts.
        let depth = if line.contains('→') { 0 } else { indent };
        (depth, words.join(" "))
    };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed: Vec<_> = printed.lines().map(words).collect();
    let shown = ENGLISH.split("```\n").nth(1).expect("a block");
    let mut from = 0;
    for part in shown.split("…\n").filter(|part| !part.is_empty()) {
        let wanted: Vec<_> = part.lines().map(words).collect();
        let found = printed[from..]
            .windows(wanted.len())
            .position(|lines| lines == wanted);
        let Some(found) = found else {
            panic!("make demo does not print this:\n{part}\nbut:{printed:#?}")
        };
        from += found + wanted.len();
    }
    assert!(from > 0);
}

/// The README lists every field and every expert item, and no other.
#[test]
fn readme_names_every_field() {
    // Names stand in backquotes, as do files; a preference is set, not
    // filtered on.
    let is_file = |name: &str| {
        [".h", ".hpp", ".py", ".pc"].iter().any(|e| name.ends_with(e))
    };
    let mut named = quoted(ENGLISH);
    named.retain(|name| {
        name.starts_with("mcas.") && !name.contains(' ') && !is_file(name)
    });
    named.remove("mcas.heuristic");
    let registered = FIELDS.iter().map(|info| info.name());
    let notes = NOTES.iter().map(|info| info.name());
    let registered: BTreeSet<String> =
        registered.chain(notes).map(str::to_owned).collect();
    assert_eq!(named, registered);
}
