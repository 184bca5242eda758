//! `c/threads.c` under valgrind and built with sanitizers, the Rust code with
//! it. Each must first find the bug that is planted for it: in C by
//! `-DPLANTED_…`, in the library by `--cfg planted_…` (src/capi.rs).

use crate::capi::{build, library, native_static_libs, run, target, tool};
use crate::header;
use crate::prefix::samples;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The samples as files, a request before its response.
fn files() -> &'static [PathBuf] {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = target("samples");
        fs::create_dir_all(&folder).unwrap();
        let mut files = vec![];
        for sample in samples() {
            let file = folder.join(files.len().to_string());
            fs::write(&file, &sample.bytes).unwrap();
            files.push(file);
        }
        files
    })
}

/// Compiles `c/threads.c` with the static library in `folder`.
fn compile(name: &str, folder: &Path, flags: &[&str]) -> PathBuf {
    let libraries = native_static_libs();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = target(&format!("threads-{name}"));
    run(tool("CC", "cc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-g"])
        .args(flags)
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("tests/c/threads.c"))
        .arg(folder.join("libmcas.a"))
        .args(libraries.split_whitespace())
        .arg("-o")
        .arg(&program));
    program
}

fn valgrind(tool: &str, program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.arg(format!("--tool={tool}"));
    command.args(["--error-exitcode=99", "--exit-on-first-error=yes"]);
    command.arg("--quiet").arg(program);
    command
}

/// A program with a sanitizer, to end at the first error. At fixed addresses:
/// newer kernels use more of them than older sanitizers know. Where a
/// container forbids that, it has to do without.
fn sanitized(program: &Path) -> Command {
    let fixed = ["setarch", "--addr-no-randomize"];
    let tried = Command::new(fixed[0]).args([fixed[1], "true"]).output();
    let mut command = if tried.is_ok_and(|tried| tried.status.success()) {
        let mut command = Command::new(fixed[0]);
        command.arg(fixed[1]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.env("TSAN_OPTIONS", "halt_on_error=1");
    command
}

/// Asserts that a program reads all samples, and all threads the same.
fn sound(mut command: Command, order: &str) {
    let printed = run(command.arg(order).args(files()));
    let all = format!("{} files, ", files().len());
    let items = printed.strip_prefix(&all).unwrap();
    assert_ne!(items, "0 items\n");
}

/// Asserts that a program fails, and that `complaint` is the reason.
fn unsound(mut command: Command, order: &str, complaint: &str) {
    let output = command.arg(order).args(files()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{command:?} found nothing");
    assert!(said.contains(complaint), "{command:?}\n{said}");
}

#[test]
fn threads_call_every_function() {
    let program = include_str!("c/threads.c");
    for name in header::functions() {
        assert!(program.contains(&name), "{name} in tests/c/threads.c");
    }
}

#[test]
#[ignore = "valgrind"]
fn memcheck() {
    let overrun = compile("overrun", library(), &["-DPLANTED_OVERRUN"]);
    unsound(valgrind("memcheck", &overrun), "cold", "Invalid read of size 1");
    let program = compile("memcheck", library(), &[]);
    sound(valgrind("memcheck", &program), "cold");
}

/// Warm: at its first call memchr picks its code for the processor and keeps
/// it in an atomic, of which helgrind knows nothing. ThreadSanitizer does.
#[test]
#[ignore = "valgrind"]
fn helgrind() {
    let racy = build("planted-race", &["--cfg", "planted_race"]);
    let racy = compile("planted-race", &racy, &[]);
    unsound(valgrind("helgrind", &racy), "warm", "Possible data race");
    let program = compile("helgrind", library(), &[]);
    sound(valgrind("helgrind", &program), "warm");
    sound(Command::new(&program), "cold");
}

/// Builds the static library with a sanitizer, and with the checks for
/// overflow and the like that rustc makes in debug builds; returns its folder.
/// The runtime is the C compiler's, which speaks the same language: rustc's
/// own comes with rustup alone.
fn instrumented(sanitizer: &str, flags: &[&str]) -> PathBuf {
    let rustc = |args: &[&str]| {
        Command::new("rustc").args(args).output().expect("rustc")
    };
    let about = String::from_utf8(rustc(&["-vV"]).stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("rustc -vV names the host");

    let mut all = format!("-Zsanitizer={sanitizer}");
    // The standard library is not instrumented. Where rustc minds, it has to
    // be told that this is known.
    let known = "-Cunsafe-allow-abi-mismatch=sanitizer";
    if rustc(&[known, "--print=cfg"]).status.success() {
        all = format!("{all} {known}");
    }
    let folder = target(sanitizer);
    run(Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["rustc", "--quiet", "--locked", "--package", "mcas", "--lib"])
        // With a target, what runs while building is left as it is.
        .args(["--crate-type", "staticlib", "--target", host])
        .args(["--config", "profile.dev.opt-level=1", "--target-dir"])
        .arg(&folder)
        .arg("--")
        .args(flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", all)
        // -Z in a stable rustc.
        .env("RUSTC_BOOTSTRAP", "1"));
    folder.join(host).join("debug")
}

#[test]
#[ignore = "builds with a sanitizer"]
fn address_and_undefined_behaviour() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let overrun = "heap-buffer-overflow";
    for (bug, complaint) in [
        ("planted_overrun", overrun),
        ("planted_overflow", "attempt to add with overflow"),
    ] {
        let planted = instrumented("address", &["--cfg", bug]);
        let program = compile("address-rust", &planted, &flags);
        unsound(sanitized(&program), "cold", complaint);
    }
    let folder = instrumented("address", &[]);
    for (define, complaint) in [
        ("-DPLANTED_OVERRUN", overrun),
        ("-DPLANTED_OVERFLOW", "signed integer overflow"),
    ] {
        let flags = [&flags[..], &[define]].concat();
        let program = compile("address-c", &folder, &flags);
        unsound(sanitized(&program), "cold", complaint);
    }
    let program = compile("address", &folder, &flags);
    sound(sanitized(&program), "cold");
}

#[test]
#[ignore = "builds with a sanitizer"]
fn races() {
    let flags = [
        "-fsanitize=thread",
        "-static-libtsan",
        // LLVM calls the former, and gcc's runtime watches the latter.
        "-Wl,--defsym=__tsan_memcpy=memcpy",
        "-Wl,--defsym=__tsan_memmove=memmove",
        "-Wl,--defsym=__tsan_memset=memset",
    ];
    let planted = instrumented("thread", &["--cfg", "planted_race"]);
    let program = compile("thread-rust", &planted, &flags);
    unsound(sanitized(&program), "cold", "data race");

    let folder = instrumented("thread", &[]);
    let program = compile("thread", &folder, &flags);
    sound(sanitized(&program), "cold");
}
