//! What `make install-lib` installs, used as a stranger does: with
//! pkg-config and a compiler, and nothing from this checkout. And what Rust's
//! own tools make of it: the crate, and the metadata for cargo-c.
//!
//! Installed for /opt/mcas, but into a folder that stands for the root:
//! what works from there has no path of it inside.

use crate::capi::{library, native_static_libs, run, target, tool};
use crate::support::{assert_prints_nothing, ROOT};
use mcas::capi;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PREFIX: &str = "/opt/mcas";
const LIBRARY: &str = "opt/mcas/lib/libmcas.so";

/// Calls scripts/install-lib by way of make, with variables on its command
/// line.
fn make(goal: &str, root: &Path, variables: &[&str]) -> String {
    run(Command::new("make")
        .current_dir(ROOT)
        .args(["--silent", goal])
        .arg(format!("PREFIX={PREFIX}"))
        .arg(format!("DESTDIR={}", root.display()))
        .args(variables))
}

/// Installs into a folder of this name in place of the root.
pub fn install(name: &str, variables: &[&str]) -> PathBuf {
    // Two tests would both find that it has to be built.
    library();
    let root = target(name);
    let _ = fs::remove_dir_all(&root);
    make("install-lib", &root, variables);
    root
}

/// One that is only read.
fn installed() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| install("installed", &[]))
}

/// The files below a folder: what is in them, or what they link to.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_path_buf();
            if let Ok(to) = path.read_link() {
                found.insert(name, to.into_os_string().into_encoded_bytes());
            } else if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// What pkg-config says of mcas, knowing of no other library.
fn pkg_config(root: &Path, libdir: &str, arguments: &[&str]) -> String {
    let folder = format!("{}{libdir}/pkgconfig", root.display());
    let said = run(Command::new("pkg-config")
        .env_remove("PKG_CONFIG_PATH")
        .env("PKG_CONFIG_LIBDIR", folder)
        .env("PKG_CONFIG_SYSROOT_DIR", root)
        .args(arguments)
        .arg("mcas"));
    said.trim_end().to_string()
}

/// The names of libraries that a file was linked to, or other strings of its
/// dynamic section.
fn dynamic(file: &Path, tag: &str) -> BTreeSet<String> {
    run(Command::new("readelf").arg("-dW").arg(file))
        .lines()
        .filter(|line| line.contains(&format!("({tag})")))
        .map(|line| line.split(['[', ']']).nth(1).unwrap().to_string())
        .collect()
}

#[test]
fn files_and_links() {
    let found = files(installed());
    let names: Vec<_> = found.keys().map(|n| n.to_str().unwrap()).collect();
    let soname = format!("{LIBRARY}.{}", capi::ABI_VERSION);
    let (_, rest) = env!("CARGO_PKG_VERSION").split_once('.').unwrap();
    let library = format!("{soname}.{rest}");
    let expected = [
        "opt/mcas/include/mcas.h",
        "opt/mcas/lib/libmcas.a",
        LIBRARY,
        &soname,
        &library,
        "opt/mcas/lib/pkgconfig/mcas.pc",
    ];
    assert_eq!(names, expected);
    let of = |name: &str| found[Path::new(name)].as_slice();
    let file = library.rsplit('/').next().unwrap();
    assert_eq!(of(LIBRARY), file.as_bytes());
    assert_eq!(of(&soname), file.as_bytes());
    let header = fs::read(format!("{ROOT}/include/mcas.h")).unwrap();
    assert_eq!(of(expected[0]), header);
}

/// Nothing of the machine that it was built on, and nothing for debuggers.
#[test]
fn shared_library() {
    let file = installed().join(LIBRARY);
    let soname = format!("libmcas.so.{}", capi::ABI_VERSION);
    assert_eq!(dynamic(&file, "SONAME"), [soname].into());
    for tag in ["RPATH", "RUNPATH"] {
        assert_eq!(dynamic(&file, tag), [].into());
    }
    for file in [file, installed().join("opt/mcas/lib/libmcas.a")] {
        let sections = run(Command::new("readelf").arg("-SW").arg(&file));
        assert!(sections.contains(".text"), "{}", file.display());
        assert!(!sections.contains(".debug"), "{}", file.display());
    }
}

#[test]
fn pkg_config_file() {
    let here = |arguments: &[&str]| {
        pkg_config(installed(), "/opt/mcas/lib", arguments)
    };
    let root = installed().to_str().unwrap();
    assert_eq!(here(&["--modversion"]), env!("CARGO_PKG_VERSION"));
    let flags = format!("-I{root}/opt/mcas/include");
    assert_eq!(here(&["--cflags"]), flags);
    let libs = format!("-L{root}/opt/mcas/lib -lmcas");
    assert_eq!(here(&["--libs"]), libs);
    // What the compiler says, but for what C compilers add by themselves.
    let private = native_static_libs().replace("-lgcc_s ", "");
    let all = format!("{libs} {}", private.trim_end());
    assert_eq!(here(&["--static", "--libs"]), all);
    let file = installed().join("opt/mcas/lib/pkgconfig/mcas.pc");
    let text = fs::read_to_string(file).unwrap();
    assert!(!text.contains(root) && !text.contains(ROOT), "{text}");
    // Where the prefix is moved to, the rest follows.
    let start = "prefix=/opt/mcas\nlibdir=${prefix}/lib\n\
        includedir=${prefix}/include\n";
    assert!(text.starts_with(start), "{text}");
}

/// As distributions have it, and as those who keep nothing below a prefix.
#[test]
fn folders_of_choice() {
    let libdir = "/opt/mcas/lib/x86_64-linux-gnu";
    let variables = [&format!("LIBDIR={libdir}"), "INCLUDEDIR=/elsewhere"];
    let root = install("multiarch", &variables);
    let file = root.join("opt/mcas/lib/x86_64-linux-gnu/pkgconfig/mcas.pc");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("\nlibdir=${prefix}/lib/x86_64-linux-gnu\n"));
    assert!(text.contains("\nincludedir=/elsewhere\n"), "{text}");
    assert!(root.join("elsewhere/mcas.h").exists());
    let name = "consumer-multiarch";
    let cc = tool("CC", "cc");
    let program = consumer(&root, libdir, cc, Linked::Shared, name);
    let folder = format!("{}{libdir}", root.display());
    let said = run(Command::new(program).env("LD_LIBRARY_PATH", folder));
    assert_eq!(said, says());
    let mut relative = Command::new(format!("{ROOT}/scripts/install-lib"));
    relative.env("DESTDIR", &root).env("PREFIX", "opt");
    assert_eq!(relative.status().unwrap().code(), Some(2));
}

/// How programs are linked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Linked {
    /// With the shared library.
    Shared,
    /// With the static one, and with the system's shared ones.
    Static,
    /// With static libraries only.
    Wholly,
}

/// Builds tests/c/consumer.c with what is installed; the program.
fn consumer(
    root: &Path,
    libdir: &str,
    mut compiler: Command,
    linked: Linked,
    name: &str,
) -> PathBuf {
    // Away from the checkout, so that nothing of it is found by accident.
    let folder = target(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let source = Path::new(ROOT).join("tests/c/consumer.c");
    fs::copy(source, folder.join("consumer.c")).unwrap();
    compiler
        .current_dir(&folder)
        .args(["-pedantic", "-Wall", "-Wextra", "-Werror"])
        .args(pkg_config(root, libdir, &["--cflags"]).split(' '))
        .args(["consumer.c", "-o", "consumer"]);
    let libraries = match linked {
        Linked::Shared => pkg_config(root, libdir, &["--libs"]),
        Linked::Static => pkg_config(root, libdir, &["--static", "--libs"])
            .replace("-lmcas", "-l:libmcas.a"),
        Linked::Wholly => {
            compiler.arg("-static");
            pkg_config(root, libdir, &["--static", "--libs"])
        }
    };
    run(compiler.args(libraries.split(' ')));
    folder.join("consumer")
}

/// What it prints.
fn says() -> String {
    format!("libmcas {}: message type 1\n", env!("CARGO_PKG_VERSION"))
}

#[test]
#[ignore = "builds six programs"]
fn consumers() {
    for (language, variable, usual, dialect) in [
        ("c", "CC", "cc", ["-xc", "-std=c99"]),
        ("c++", "CXX", "c++", ["-xc++", "-std=c++11"]),
    ] {
        for linked in [Linked::Shared, Linked::Static, Linked::Wholly] {
            let mut compiler = tool(variable, usual);
            compiler.args(dialect);
            let name = format!("consumer-{language}-{linked:?}");
            let libdir = "/opt/mcas/lib";
            let root = installed();
            let program = consumer(root, libdir, compiler, linked, &name);

            let needed = dynamic(&program, "NEEDED");
            let ours = format!("libmcas.so.{}", capi::ABI_VERSION);
            let shared = linked == Linked::Shared;
            assert_eq!(needed.contains(&ours), shared, "{name}: {needed:?}");
            let whole = linked == Linked::Wholly;
            assert_eq!(needed.is_empty(), whole, "{name}: {needed:?}");

            let mut command = Command::new(program);
            command.env_remove("LD_LIBRARY_PATH");
            if shared {
                let folder = root.join("opt/mcas/lib");
                command.env("LD_LIBRARY_PATH", folder);
            }
            assert_eq!(run(&mut command), says(), "{name}");
        }
    }
}

/// A second time over the first, and over an older version; and away.
#[test]
fn again_and_away() {
    let root = install("again", &[]);
    let first = files(&root);
    make("install-lib", &root, &[]);
    assert!(files(&root) == first, "other files than the first time");

    let theirs = root.join("opt/mcas/lib/libother.so.0");
    fs::write(&theirs, "").unwrap();
    let older = format!("{LIBRARY}.{}.0.0", capi::ABI_VERSION);
    fs::write(root.join(older), "").unwrap();
    make("uninstall-lib", &root, &[]);
    let left = files(&root);
    let left: Vec<_> = left.keys().map(|name| root.join(name)).collect();
    assert_eq!(left, [theirs]);
    // Nothing to take away is no failure.
    make("uninstall-lib", &root, &[]);
}

/// cargo-c (`cargo cinstall`) makes the SONAME of the version of a library,
/// and what it hands to the linker contradicts build.rs unless the ABI
/// version is that version's first number.
#[test]
fn soname_of_cargo_c() {
    let text = run(Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(ROOT));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let package = json["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "mcas")
        .unwrap();
    let library = &package["metadata"]["capi"]["library"];
    assert_eq!(library["version_suffix_components"], 1);
    let version = library["version"].as_str();
    let version = version.unwrap_or(env!("CARGO_PKG_VERSION"));
    let (_, rest) = env!("CARGO_PKG_VERSION").split_once('.').unwrap();
    assert_eq!(
        version,
        format!("{}.{rest}", capi::ABI_VERSION),
        "the version in [package.metadata.capi.library] of Cargo.toml"
    );
}

/// The crate as crates.io would have it: nothing is missing and nothing too
/// much, and it builds from that alone.
#[test]
#[ignore = "builds the crate once more"]
fn crate_of_its_own() {
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(ROOT)
            .args(["package", "--package=mcas", "--offline", "--locked"])
            .args(["--allow-dirty", "--target-dir"])
            .arg(target("crate"))
            .args(arguments);
        cargo
    };
    let list = run(&mut cargo(&["--list"]));
    let mut listed: BTreeSet<PathBuf> =
        list.lines().map(PathBuf::from).collect();
    // Says of which commit it is, where there is one.
    listed.remove(Path::new(".cargo_vcs_info.json"));
    let mut expected: BTreeSet<PathBuf> =
        ["Cargo.lock", "Cargo.toml", "Cargo.toml.orig", "LICENSE-APACHE"]
            .into_iter()
            .chain(["LICENSE-MIT", "README.md", "build.rs"])
            .map(PathBuf::from)
            .collect();
    for folder in ["examples/rust", "include", "src"] {
        let below = files(&Path::new(ROOT).join(folder)).into_keys();
        expected.extend(below.map(|name| Path::new(folder).join(name)));
    }
    assert_eq!(listed, expected);

    let output = cargo(&[]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Verifying mcas "), "{said}");
    // The tests need the plugin, captures, scripts: this checkout.
    let warnings: Vec<_> =
        said.lines().filter(|line| line.starts_with("warning")).collect();
    assert!(
        matches!(warnings[..], [one] if one.contains("ignoring test `tests`")),
        "{said}"
    );
}

/// A Rust program that depends on the crate: what is built for it is what it
/// asked for, and no C library.
#[test]
#[ignore = "builds the crate once more"]
fn dependent() {
    let folder = target("dependent");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"dependent\"\nversion = \"0.0.0\"\n\
         edition = \"2021\"\n\n[dependencies]\n\
         mcas = {{ path = \"{ROOT}\" }}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let program = "fn main() {\n    \
        let class = mcas::sniff(b\"POST / HTTP/1.1\\r\\nHost: add-con.mcas\");\n    \
        println!(\"{class:?}\");\n}\n";
    fs::write(folder.join("src/main.rs"), program).unwrap();
    let said = run(Command::new(env!("CARGO"))
        .current_dir(&folder)
        .args(["run", "--release", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", folder.join("target")));
    assert_eq!(said, "Candidate\n");
    let built: Vec<_> = files(&folder.join("target/release"))
        .into_keys()
        .filter(|name| name.to_str().unwrap().contains("mcas"))
        .filter_map(|name| Some(name.extension()?.to_owned()))
        .filter(|end| end != "json" && end != "d")
        .collect();
    assert!(built.iter().any(|end| end == "rlib"), "{built:?}");
    let library = ["so", "a", "dylib", "dll", "lib"];
    let other = |end: &&std::ffi::OsString| library.iter().any(|l| end == l);
    assert_eq!(built.iter().find(other), None, "{built:?}");
}

/// What the scripts do that install, and that run what is built, on a full
/// disk, after a change, with odd names: tests/install.py.
#[test]
fn scripts_as_users_meet_them() {
    // It finds the library built, and the plugin.
    library();
    let mut python = Command::new("/usr/bin/python3");
    python.arg(format!("{ROOT}/tests/install.py"));
    assert_prints_nothing(&mut python);
}
