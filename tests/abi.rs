//! The ABI against what it was: a change that breaks programs fails until the
//! ABI version is raised.
//!
//! What it was is in `abi/`: the header without its comments, and what the
//! library exported, its SONAME first. After a change, [`RECORD`] writes both
//! anew, unless programs would break and still take the library for the one
//! that they were linked with. (Before the first release that is nobody:
//! remove the two files, then record.)
//!
//! libabigail compares shared libraries by their debug information, and what
//! rustc writes there is of Rust's types. So a library is made in C: of each
//! function of the header, with the symbols that were exported. That header
//! and Rust code are the same is the matter of `header.rs`. To keep a header,
//! and not libabigail's XML, has the constants, which debug information has
//! not, reads well in a diff, and is the same whatever the machine, the
//! compiler or the version of libabigail.

use crate::capi::{run, tool};
use crate::header;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RECORD: &str =
    "MCAS_RECORD_ABI=1 cargo test --all-features --test tests abi::";

#[derive(Clone, PartialEq)]
struct Abi {
    /// The header, without comments.
    header: String,
    /// The SONAME, then the symbols with their versions, one a line.
    symbols: String,
}

/// Where [`Abi`] is recorded.
fn places() -> [PathBuf; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abi");
    ["mcas.h", "symbols"].map(|name| folder.join(name))
}

impl Abi {
    fn recorded() -> Option<Abi> {
        let [header, symbols] = places().map(fs::read_to_string);
        Some(Abi { header: header.ok()?, symbols: symbols.ok()? })
    }

    fn current() -> Abi {
        let mut symbols = header::soname() + "\n";
        for symbol in header::exported() {
            symbols += &symbol;
            symbols += "\n";
        }
        Abi { header: without_comments(&header::text()), symbols }
    }

    fn constants(&self) -> BTreeMap<&str, &str> {
        self.header
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
            .map(|(name, value)| (name, value.trim()))
            .collect()
    }

    fn soname(&self) -> &str {
        self.symbols.lines().next().unwrap()
    }

    /// Makes a shared library that has this ABI, and does nothing.
    fn library(&self, folder: &Path, name: &str) -> PathBuf {
        let mut versions = BTreeMap::<&str, Vec<&str>>::new();
        for symbol in self.symbols.lines().skip(1) {
            let (name, version) =
                symbol.split_once("@@").unwrap_or((symbol, ""));
            versions.entry(version).or_default().push(name);
        }
        let mut script = String::new();
        let mut rest = "local: *;";
        for (version, names) in versions {
            let names = names.join("; ");
            script += &format!("{version} {{ global: {names}; {rest} }};\n");
            rest = "";
        }
        let [source, map, library] = ["c", "map", "so"]
            .map(|end| folder.join(name).with_extension(end));
        let body = ") { __builtin_trap(); }\n";
        fs::write(&source, self.header.replace(");\n", body)).unwrap();
        fs::write(&map, script).unwrap();
        run(tool("CC", "cc")
            .args(["-g", "-shared", "-fPIC", "-nostdlib", "-fuse-ld=bfd"])
            .arg(format!("-Wl,-soname,{}", self.soname()))
            .arg(format!("-Wl,--version-script,{}", map.display()))
            .arg(&source)
            .arg("-o")
            .arg(&library));
        library
    }

    /// What of it breaks programs that know the `old` one; additions do not.
    fn breaks(&self, old: &Abi) -> String {
        let mut broken = String::new();
        let constants = self.constants();
        for (name, value) in old.constants() {
            let now = constants.get(name).unwrap_or(&"gone");
            if *now != value {
                broken += &format!("{name} was {value}, and is {now}\n");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new("abidiff")
            .args(["--harmless", "--no-added-syms"])
            .arg(old.library(folder.path(), "old"))
            .arg(self.library(folder.path(), "new"))
            .output()
            .expect("abidiff, of abigail-tools");
        if !output.status.success() {
            broken += &String::from_utf8_lossy(&output.stdout);
            broken += &String::from_utf8_lossy(&output.stderr);
        }
        broken
    }
}

/// C without comments, nor the blank lines they leave.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("/*") {
        code += before;
        (_, rest) = behind.split_once("*/").unwrap();
    }
    code += rest;
    code.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn compatible() {
    let new = Abi::current();
    if let Some(old) = Abi::recorded() {
        if old == new {
            return;
        }
        if old.soname() == new.soname() {
            let broken = new.breaks(&old);
            assert!(
                broken.is_empty(),
                "{broken}\nThis breaks programs that were built with \
                 libmcas. Undo it; or raise MCAS_ABI_VERSION in \
                 include/mcas.h, and what other tests then miss, and record \
                 it:\n    {RECORD}"
            );
        }
    }
    assert!(
        std::env::var_os("MCAS_RECORD_ABI").is_some(),
        "The ABI has changed, and misleads nobody. Record it, so that it is \
         guarded from now on:\n    {RECORD}"
    );
    for (place, text) in places().iter().zip([new.header, new.symbols]) {
        fs::write(place, text).unwrap();
    }
}

/// Each kind of change, planted in a library that is small enough to survey.
#[test]
fn changes_are_seen() {
    let old = Abi {
        header: without_comments(
            "#include <stdint.h>
            #define MCAS_ABI_VERSION 0u
            #define MCAS_END 1 /* a
            comment */
            typedef int32_t mcas_status;
            typedef struct { uint16_t kind; uint16_t id; } mcas_item;
            typedef struct { uint64_t state[80]; } mcas_iter;
            const char *mcas_version(void);
            mcas_status mcas_next(const uint8_t *buf, mcas_iter *iter,
                                  mcas_item *out);\n",
        )
        .replace("\n            ", "\n"),
        symbols: "libmcas.so.0\nmcas_next@@libmcas.so.0\n\
                  mcas_version@@libmcas.so.0\n"
            .into(),
    };
    let planted = |from: &str, to: &str| {
        let change = |text: &str| text.replace(from, to);
        let new =
            Abi { header: change(&old.header), symbols: change(&old.symbols) };
        assert!(new != old, "{from}");
        new
    };
    // libabigail's words differ between versions: only names are looked for.
    for (from, to, seen) in [
        ("END 1", "END 2", "MCAS_END was 1, and is 2"),
        ("#define MCAS_END 1\n", "", "MCAS_END was 1, and is gone"),
        ("uint16_t id", "int16_t id", "'uint16_t id'"),
        ("uint16_t id", "uint32_t id", "mcas_item*"),
        ("uint16_t id;", "uint16_t id; uint16_t flags;", "uint16_t flags"),
        (
            "uint16_t kind; uint16_t id;",
            "uint16_t id; uint16_t kind;",
            "mcas_item*",
        ),
        ("uint16_t kind", "uint16_t sort", "sort"),
        ("state[80]", "state[81]", "uint64_t[81]"),
        ("(const uint8_t", "(uint8_t", "parameter 1"),
        ("const uint8_t *buf, ", "", "parameter 3"),
        ("const char *m", "char *m", "return type"),
        ("const char *mcas_version(void);\n", "", "1 Removed"),
        ("mcas_version@@libmcas.so.0\n", "", "1 Removed"),
        ("@@libmcas.so.0", "", "@@libmcas.so.0"),
        ("libmcas.so.0", "libmcas.so.1", "SONAME changed"),
    ] {
        let broken = planted(from, to).breaks(&old);
        println!("== {from} -> {to}\n{broken}");
        assert!(broken.contains(seen), "{seen}");
    }
    for (from, to) in [
        ("#define MCAS_END", "#define MCAS_OK 0\n#define MCAS_END"),
        ("const uint8_t *buf", "const uint8_t *bytes"),
        ("mcas_status mcas_n", "void mcas_new(void);\nmcas_status mcas_n"),
        ("mcas_next@@", "mcas_new@@libmcas.so.0\nmcas_next@@"),
    ] {
        let broken = planted(from, to).breaks(&old);
        assert!(broken.is_empty(), "{from} -> {to}:\n{broken}");
    }
}
