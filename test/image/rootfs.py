#!/usr/bin/python3
"""Collects what goes into the image, and nothing else: rootfs.py BUILD_FOLDER NEW_FOLDER.

The program, stripped; the shared libraries it loads; the user it runs as; the licences of all that is in it. The
Dockerfile and test/image/build both call this, so that their images hold the same.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2]
PROGRAM = "usr/bin/noderemoval"
# Number and name are those of distroless images.
PASSWD = "nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
GROUP = "nonroot:x:65532:\n"
# The kernel's headers give names to numbers; none of its code is compiled in.
WITHOUT_CODE = {"linux-libc-dev"}


def output_of(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


def shared_objects(program):
    """The files that the program loads at its start, by their paths on this machine."""
    listing = output_of("ldd", program)
    if "not found" in listing:
        raise SystemExit(f"rootfs: {program} needs a library that is not installed:\n{listing}")
    return sorted(re.findall(r"(/\S+) \(0x", listing))


def linked_files(build):
    """What the linker reads. It links once more for that, and says it."""
    command = output_of("ninja", "-C", build, "--quiet", "-t", "commands", "noderemoval").splitlines()[-1]
    with tempfile.TemporaryDirectory() as folder:
        traced = command.replace(" -o noderemoval ", f" -o {shlex.quote(folder)}/linked -Wl,--trace ")
        if traced == command:
            raise SystemExit(f"rootfs: this command links no noderemoval: {command}")
        return output_of(traced, shell=True, cwd=build).split("\n")


def objects(build):
    """What was compiled of our sources for the program, relative to the build folder."""
    inputs = output_of("ninja", "-C", build, "--quiet", "-t", "inputs", "noderemoval").split()
    return [name for name in inputs if name.endswith(".o")]


def headers(build):
    """What the compiler read for them."""
    recorded = output_of("ninja", "-C", build, "--quiet", "-t", "deps", *objects(build))
    return re.findall(r"^ +(/\S+)", recorded, re.M)


def packages_of(paths):
    """The Debian packages that these files come from."""
    # Debian 12 knows some files of /usr by their old paths without it.
    names = {}
    for path in {os.path.realpath(path) for path in paths}:
        names |= {path: path, path.removeprefix("/usr"): path}
    listing = subprocess.run(["dpkg-query", "--search", *sorted(names)], capture_output=True, text=True, check=False,
                             env=os.environ | {"LC_ALL": "C"}).stdout
    owners = {}
    for line in listing.splitlines():
        package, _, path = line.rpartition(": ")
        owners[names[path]] = package.split(":")[0].split(",")[0]
    unknown = set(names.values()) - set(owners)
    if unknown:
        raise SystemExit(f"rootfs: of no Debian package, so of unknown licence: {' '.join(sorted(unknown))}")
    return set(owners.values())


def packages(build):
    """What the program is made of: the packages it loads libraries of, and those compiled or linked into it."""
    loaded = packages_of(shared_objects(build / "noderemoval"))
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    ours = (build, Path(re.search("^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)", cache, re.M)[1]).resolve())
    read = {(build / path).resolve() for path in {*linked_files(build), *headers(build)} if path}
    foreign = {path for path in read if not any(path.is_relative_to(folder) for folder in ours)}
    return loaded, packages_of(foreign) - loaded - WITHOUT_CODE


def outdated(names):
    """Of these packages the ones that Debian has in a newer version, by the lists that apt-get update renews."""
    listing = output_of("apt-cache", "policy", *sorted(names), env=os.environ | {"LC_ALL": "C"})
    found = re.findall(r"^(\S+):\n  Installed: (\S+)\n  Candidate: (\S+)", listing, re.M)
    return {name: candidate for name, installed, candidate in found if candidate != installed}


def write(root, path, content, mode=0o644):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(mode)


def write_licences(root, names):
    """Each text once: packages of one source have the same."""
    first, common = {}, set()
    for name in sorted(names):
        text = Path(f"/usr/share/doc/{name}/copyright").read_bytes()
        path = f"usr/share/doc/{name}/copyright"
        if text in first:
            (root / path).parent.mkdir(parents=True)
            (root / path).symlink_to(f"../{first[text]}/copyright")
        else:
            first[text] = name
            write(root, path, text)
        common |= set(re.findall(r"/(usr/share/common-licenses/[\w.+-]*\w)", text.decode(errors="replace")))
    for path in common:
        if Path("/", path).exists():
            write(root, path, Path("/", path).read_bytes())
    write(root, "usr/share/doc/noderemoval/copyright", (SOURCES / "LICENSE").read_bytes())


def collect(build, root):
    """Fills the folder `root`, which must not exist. Returns the same as packages()."""
    root.mkdir(parents=True)
    loaded, built_in = packages(build)
    write(root, PROGRAM, b"", 0o755)
    subprocess.run(["strip", "--strip-all", "-o", root / PROGRAM, build / "noderemoval"], check=True)
    for path in shared_objects(build / "noderemoval"):
        write(root, path[1:], Path(path).read_bytes(), 0o755)
    write(root, "etc/passwd", PASSWD.encode())
    write(root, "etc/group", GROUP.encode())
    write_licences(root, loaded | built_in)
    return loaded, built_in


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: rootfs.py BUILD_FOLDER NEW_FOLDER")
    if Path(sys.argv[2]).exists():
        shutil.rmtree(sys.argv[2])
    collect(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
