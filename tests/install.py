#!/usr/bin/env python3
"""install.py [NAME…]: what the scripts do that install, and that run what is built, as a user meets them: on a disk
that is full, after a change of the source, with a capture that is cut. Prints what is wrong.

All in a mount namespace of its own, where a small tmpfs lies over Wireshark's folder of plugins, and in copies of the
checkout, with a scripts/build that says that it was called: the real tshark, and nothing of this machine is touched.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INSIDE = "--inside"


def run(*command, **environment):
    """Exit status and what is said, both outputs in one."""
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace", timeout=120)
    return done.returncode, done.stdout


def folder_of_plugins():
    """The global one, as for root: .../plugins/X.Y."""
    lines = subprocess.run(["tshark", "-G", "folders"], capture_output=True, encoding="utf-8").stdout.splitlines()
    return pathlib.Path(next(line.split(":")[1].strip() for line in lines if line.startswith("Global Plugins:")))


class Checkout:
    """A copy of what `make install` needs, with this build's plugin. `build` is what its scripts/build does."""

    def __init__(self, place, build="exit 1"):
        self.place = pathlib.Path(place)
        self.version = PLUGINS.name
        for folder in "src", "plugin", "include", "scripts", "profile":
            (self.place / folder).mkdir(parents=True)
        for name in "build.rs", "Cargo.toml", "src/lib.rs":
            (self.place / name).touch()
        for name in "install", "install-profile", "tshark", "with-plugin", "show":
            shutil.copy(ROOT / "scripts" / name, self.place / "scripts")
        shutil.copytree(ROOT / "profile/M-CAS", self.place / "profile/M-CAS")
        self.plugin = self.place / "target/wireshark" / self.version / "epan/mcas.so"
        self.plugin.parent.mkdir(parents=True)
        shutil.copyfile(BUILT, self.plugin)
        (self.place / "Makefile").symlink_to(ROOT / "Makefile")
        self.write("scripts/build", "#!/bin/sh\ncd '%s' || exit\necho built >>log\n%s\n" % (self.place, build))

    def write(self, name, text):
        path = self.place / name
        path.write_text(text, "utf-8")
        path.chmod(0o755)
        return str(path)

    def builds(self):
        log = self.place / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def make(self, *goals, **environment):
        return run("make", "--silent", "-C", str(self.place), *goals, **environment)


class Disk:
    """A small one in place of Wireshark's folder of plugins."""

    def __init__(self, kilobytes):
        self.size = kilobytes

    def __enter__(self):
        options = ["-t", "tmpfs", "-o", "size=%dk" % self.size, "tmpfs", str(PLUGINS)]
        subprocess.run(["mount", *options], check=True)
        (PLUGINS / "epan").mkdir()
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", str(PLUGINS)], check=True)

    @staticmethod
    def fill():
        """All but a few pages."""
        try:
            with open(PLUGINS / "other", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        except OSError:
            os.truncate(PLUGINS / "other", (PLUGINS / "other").stat().st_size - 65536)

    @staticmethod
    def files():
        return sorted(str(path.relative_to(PLUGINS)) for path in PLUGINS.rglob("*") if path.name != "other")


INSTALLED = ["epan", "epan/mcas.so"]


def loaded():
    """Whether tshark starts, and with our plugin."""
    status, said = run("tshark", "-G", "plugins")
    return status, "mcas.so" in said


# --- The plugin -----------------------------------------------------------------------------------------------------


def plugin_is_stripped_and_loads(place):
    checkout = Checkout(place)
    with Disk(20000):
        status, said = checkout.make("install")
        yield "status", 0, status
        yield "said", f"installed {PLUGINS}/epan/mcas.so, and tshark loads it\n", said
        yield "files", INSTALLED, Disk.files()
        yield "loaded", (0, True), loaded()
        sections = run("readelf", "-SW", str(PLUGINS / "epan/mcas.so"))[1]
        yield "debug symbols", False, ".debug" in sections or ".symtab" in sections
        yield "mode", 0o755, (PLUGINS / "epan/mcas.so").stat().st_mode & 0o777
        yield "builds", 0, checkout.builds()
        yield "removed", 0, checkout.make("uninstall")[0]
        # A folder of Wireshark's package stays.
        packaged = run("dpkg", "-S", str(PLUGINS / "epan"))[0] == 0
        yield "files after that", ["epan"] * packaged, Disk.files()


def full_disk_leaves_nothing(place):
    checkout = Checkout(place)
    with Disk(300):
        status, said = checkout.make("install")
        yield "failed", True, status != 0
        yield "reason", True, "No space left on device" in said and f"install: cannot write to {PLUGINS}\n" in said
        yield "files", ["epan"], Disk.files()
        yield "tshark", (0, False), loaded()


def full_disk_leaves_the_old(place):
    checkout = Checkout(place)
    with Disk(20000):
        yield "first", 0, checkout.make("install")[0]
        before = (PLUGINS / "epan/mcas.so").read_bytes()
        Disk.fill()
        status, said = checkout.make("install")
        yield "failed", True, status != 0
        yield "reason", True, "No space left on device" in said and "epan/mcas.so is the older one, still\n" in said
        yield "files", INSTALLED, Disk.files()
        yield "the same", True, before == (PLUGINS / "epan/mcas.so").read_bytes()
        yield "loaded", (0, True), loaded()


def what_does_not_load_leaves_the_old(place):
    checkout = Checkout(place)
    with Disk(20000):
        yield "first", 0, checkout.make("install")[0]
        # An ELF file, and none of Wireshark's plugins.
        checkout.plugin.unlink()
        subprocess.run(["cc", "-shared", "-o", checkout.plugin, "-xc", "/dev/null"], check=True)
        status, said = checkout.make("install")
        yield "failed", True, status != 0
        yield "reason", True, "tshark does not load the plugin" in said and said.count("mcas.so") > 1
        yield "files", INSTALLED, Disk.files()
        yield "loaded", (0, True), loaded()


def stale_build_is_built(place):
    build = "touch target/wireshark/*/epan/mcas.so"
    checkout = Checkout(place, build)
    with Disk(20000):
        for name in "src/lib.rs", "plugin/new.c", "Cargo.lock":
            os.utime(checkout.plugin, (0, 0))
            for old in checkout.place.rglob("*"):
                if old.is_file() and not old.is_symlink():
                    os.utime(old, (0, 0))
            (checkout.place / name).touch()
            builds = checkout.builds()
            yield name, 0, checkout.make("install")[0]
            yield name + " is built", builds + 1, checkout.builds()
        yield "not once more", (0, builds + 1), (checkout.make("install")[0], checkout.builds())


def other_version_is_built(place):
    """As after an upgrade, where only the plugin for the old version is there."""
    build = "mkdir -p target/wireshark/%s/epan && cp mcas.so target/wireshark/%s/epan" % (PLUGINS.name, PLUGINS.name)
    checkout = Checkout(place, build)
    shutil.copy(checkout.plugin, checkout.place / "mcas.so")
    checkout.plugin.parent.parent.rename(checkout.place / "target/wireshark/3.9")
    with Disk(20000):
        yield "status", 0, checkout.make("install")[0]
        yield "builds", 1, checkout.builds()
        yield "loaded", (0, True), loaded()
    # And where libwireshark-dev is still the old one.
    shutil.rmtree(checkout.plugin.parent.parent)
    checkout.write("scripts/build", "#!/bin/sh\n")
    with Disk(20000):
        status, said = checkout.make("install")
        reason = f"is of Wireshark {PLUGINS.name}, and this plugin"
        yield "without its headers", (True, True), (status != 0, reason in said)
        yield "files", ["epan"], Disk.files()


def tshark_that_dies(place):
    checkout = Checkout(place)
    stub = checkout.write("dies", "#!/bin/sh\nkill -BUS $$\n")
    for what in "install", "install-profile":
        status, said = checkout.make(what, TSHARK=stub)
        yield what, (True, True), (status != 0, "-G folders does not say" in said and "(exit status 135)" in said)
    yield "files", False, pathlib.Path("/epan").exists() or pathlib.Path("/profiles").exists()


def tshark_of_ours(place):
    """scripts/tshark as what TSHARK names, or as the first in PATH."""
    checkout = Checkout(place)
    (checkout.place / "target/with-plugin/home").mkdir(parents=True)
    ours = str(checkout.place / "scripts/tshark")
    wanted = subprocess.run(["tshark", "--version"], capture_output=True, encoding="utf-8").stdout.splitlines()[0]
    path = str(checkout.place / "scripts") + ":" + os.environ["PATH"]
    for environment in {"TSHARK": ours}, {"PATH": path}, {"PATH": path, "TSHARK": "tshark"}:
        status, said = run("timeout", "60", ours, "--version", **environment)
        yield str(environment), (0, wanted), (status, said.splitlines()[0] if said else "")
    with Disk(20000):
        yield "install", 0, checkout.make("install", TSHARK=ours)[0]
        yield "files", INSTALLED, Disk.files()


# --- The library ----------------------------------------------------------------------------------------------------


def library(place):
    """Installs this checkout's below a folder."""
    return run("make", "--silent", "-C", str(ROOT), "install-lib", f"DESTDIR={place}", "PREFIX=/usr")


def mounted(place, *options):
    os.makedirs(place)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], check=True)


def contents(place):
    return {str(path.relative_to(place)): path.is_symlink() and os.readlink(path) or path.read_bytes()
            for path in pathlib.Path(place).rglob("*") if path.is_symlink() or path.is_file()}


def full_disk_leaves_the_old_library(place):
    os.makedirs(place)
    whole = os.path.join(place, "whole")
    yield "on a disk with room", 0, library(whole)[0]
    size = sum(len(one) for one in contents(whole).values()) // 1024
    # Of the second and larger of the libraries, and of what comes behind both.
    for kilobytes in 200, size - 100, size:
        root = os.path.join(place, str(kilobytes))
        mounted(root, "-o", "size=%dk" % kilobytes)
        for name in "lib", "include":
            os.makedirs(os.path.join(root, "usr", name))
        old = os.path.join(root, "usr/lib/libmcas.so.0.9.9")
        pathlib.Path(old).write_bytes(b"an older one")
        os.symlink("libmcas.so.0.9.9", os.path.join(root, "usr/lib/libmcas.so"))
        before = contents(root)
        status, said = library(root)
        yield f"{kilobytes} k: failed", True, status != 0 and "No space left on device" in said
        yield f"{kilobytes} k: files", before, contents(root)
        subprocess.run(["umount", root], check=True)


def library_not_ones_own(place):
    mounted(place, "-o", "ro")
    for goal in "install-lib", "uninstall-lib":
        status, said = run("make", "--silent", "-C", str(ROOT), goal, f"DESTDIR={place}", "PREFIX=/usr")
        first = said.splitlines()[0]
        yield goal, True, status != 0 and first.startswith(f"install-lib: {place}/usr/lib is not yours to write to")
        yield goal + " names the way", True, f"sudo make {goal};" in first and "PREFIX=$HOME/.local" in first
    subprocess.run(["umount", place], check=True)


def library_says_what_it_builds(place):
    status, said = run(str(ROOT / "scripts/build-lib"), HOME=OWN_HOME)
    last = said.splitlines()[-1]
    yield "status", 0, status
    yield "said", True, last.startswith("built ") and last.endswith("/libmcas.so and libmcas.a beside it")
    yield "is there", True, (ROOT / last.split()[1]).exists()
    yield "cargo says what it does", True, "Finished" in said


# --- The profile ----------------------------------------------------------------------------------------------------


def edited_profile_is_kept(place):
    checkout = Checkout(place)
    settings = os.path.join(place, "settings")
    profile = pathlib.Path(settings, "profiles/M-CAS")

    def make(goal):
        return checkout.make(goal, WIRESHARK_CONFIG_DIR=settings)

    yield "installed", 0, make("install-profile")[0]
    ours = {path.name for path in profile.iterdir()}
    (profile / "dfilter_buttons").write_text("mine")
    (profile / "recent").write_text("of Wireshark")
    status, said = make("uninstall-profile")
    yield "status", 0, status
    yield "kept", {"dfilter_buttons": b"mine"}, contents(profile)
    yield "said", f"kept in {profile}, where it differs from this profile:\ndfilter_buttons\n", said
    # And what was kept when the profile was installed over it.
    yield "installed again", 0, make("install-profile")[0]
    yield "uninstalled again", 0, make("uninstall-profile")[0]
    yield "kept again", {"dfilter_buttons~": b"mine"}, contents(profile)
    (profile / "dfilter_buttons~").unlink()
    yield "and all of it", 0, make("install-profile")[0]
    yield "files", ours, {path.name for path in profile.iterdir()}
    yield "removed", f"removed {profile}\n", make("uninstall-profile")[1]
    yield "gone", False, profile.exists()


# --- make run -------------------------------------------------------------------------------------------------------


def runnable(place):
    """A checkout with this build's plugin for scripts/tshark."""
    checkout = Checkout(place, "true")
    shutil.copytree(ROOT / "target/with-plugin", checkout.place / "target/with-plugin", symlinks=True)
    return checkout


def run_of_a_cut_capture(place):
    checkout = runnable(place)
    whole = (ROOT / "tests/captures/boot.pcapng").read_bytes()
    cut = checkout.place / "cut.pcapng"
    cut.write_bytes(whole[:-100])
    status, said = checkout.make("run", f"CAPTURE={cut}")
    yield "status", 2, status
    for text in "Provisioning request, terminal 00:1f:67", "    Gateway: 172.20.184.193\n":
        yield text, True, text in said
    yield "complaint", 1, said.count("appears to have been cut short")
    cut.write_bytes(whole)
    status, said = checkout.make("run", f"CAPTURE={cut}")
    yield "whole", (0, False), (status, "cut short" in said)


def run_without_a_capture(place):
    checkout = runnable(place)
    for variables, wanted in [([], "which capture? make run CAPTURE=file\n"),
                              (["CAPTURE=/none.pcap"], "there is no capture /none.pcap that can be read\n")]:
        status, said = checkout.make("run", *variables)
        yield str(variables), True, status != 0 and said.startswith(wanted)
    yield "builds", 0, checkout.builds()


def run_of_an_odd_name(place):
    checkout = runnable(place)
    for name in "$(touch pwned).pcap", "`touch pwned`.pcap", "\"; touch pwned; \".pcap", "$(shell touch pwned).pcap", \
            "$$ $x ${HOME} #'%.pcap", "-r.pcap":
        shutil.copy(ROOT / "tests/captures/mcas-lan-list.pcap", checkout.place / name)
        status, said = checkout.make("run", f"CAPTURE={name}")
        yield name, (0, True), (status, "M-CAS" in said)
    yield "files", [], [str(path) for path in checkout.place.rglob("pwned")]


# --- Command line ---------------------------------------------------------------------------------------------------

CASES = [plugin_is_stripped_and_loads, full_disk_leaves_nothing, full_disk_leaves_the_old,
         what_does_not_load_leaves_the_old, stale_build_is_built, other_version_is_built, tshark_that_dies,
         tshark_of_ours, full_disk_leaves_the_old_library, library_not_ones_own, library_says_what_it_builds,
         edited_profile_is_kept, run_of_a_cut_capture, run_without_a_capture, run_of_an_odd_name]


def main(names):
    for case in CASES:
        if names and case.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="mcas-install-") as place:
            os.chmod(place, 0o755)
            for what, wanted, got in case(os.path.join(place, "a checkout")):
                if wanted != got:
                    print(f"{case.__name__}, {what}: {got!r} instead of {wanted!r}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] != [INSIDE]:
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        # In a change root, as scripts/root has it, `/` cannot be made private; there, nothing is shared to begin with.
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        kind = "private" if " shared:" in mounts else "unchanged"
        alone = ["unshare", "--mount", "--propagation", kind, *user]
        os.execvp(alone[0], [*alone, sys.executable, __file__, INSIDE, *sys.argv[1:]])
    for variable in "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "TSHARK", "CAPTURE", "WIRESHARK_CONFIG_DIR":
        os.environ.pop(variable, None)
    PLUGINS = folder_of_plugins()
    BUILT = ROOT / "target/wireshark" / PLUGINS.name / "epan/mcas.so"
    with tempfile.TemporaryDirectory(prefix="mcas-home-") as home:
        OWN_HOME, os.environ["HOME"] = os.environ["HOME"], home
        main(sys.argv[2:])
