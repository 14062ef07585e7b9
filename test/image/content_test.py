"""The image holds what the program needs, and nothing else."""

import re
from pathlib import Path

import pytest
import rootfs
from conftest import REPOSITORY

LIBRARIES = {"libc.so.6", "libgcc_s.so.1", "libm.so.6", "libprometheus-cpp-core.so.1.0", "libstdc++.so.6"}
LIMIT = 20_000_000


def test_it_holds_the_program_its_libraries_its_user_and_licences_only(image):
    found = {name for name in image.files() if not name.startswith("usr/share/")}
    loader = next(name for name in found if Path(name).name.startswith("ld-linux"))
    folder = next(Path(name).parent for name in found if name.endswith("libc.so.6"))
    assert found == {"usr/bin/noderemoval", loader, "etc/passwd", "etc/group",
                     *(str(folder / name) for name in LIBRARIES)}
    assert all(re.fullmatch(r"usr/share/(doc/[\w.+-]+/copyright|common-licenses/[\w.-]+)", name)
               for name in image.files() - found)


def test_each_library_that_is_needed_is_there_and_each_that_is_there_is_needed(image):
    elves = image.elves()
    needed = set().union(*(elf.needed for elf in elves.values()))
    assert needed == {elf.soname for elf in elves.values() if elf.soname}
    assert {elf.interpreter for elf in elves.values()} - {None} <= {"/" + name for name in elves}


def test_all_is_of_root_and_nobody_else_can_write_it(image):
    for name, entry in image.entries.items():
        assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", ""), name
        assert entry.issym() or entry.mode in (0o644, 0o755), f"{name} {entry.mode:o}"
        assert entry.isreg() or entry.isdir() or entry.issym(), name


@pytest.mark.parametrize("what", ["packed", "unpacked"])
def test_it_is_small(image, what):
    size = image.tar.stat().st_size if what == "packed" else sum(entry.size for entry in image.entries.values())
    assert size < LIMIT


def test_it_starts_the_program_as_a_user_that_is_not_root(image):
    config = image.config["config"]
    assert (config["Entrypoint"], config.get("Cmd"), config["User"]) == (["/usr/bin/noderemoval"], None, "65532:65532")
    assert (image.root / "etc/passwd").read_text(encoding="utf-8").startswith("nonroot:x:65532:65532:")


def test_its_name_and_labels_have_the_version_of_the_source(image):
    version = re.search(r"project\(noderemoval VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
    chart = (REPOSITORY / "charts/node-removal/Chart.yaml").read_text(encoding="utf-8")
    assert image.name == f"docker.io/library/noderemoval:{version}"
    assert image.labels["org.opencontainers.image.version"] == version
    assert f'appVersion: "{version}"' in chart
    assert image.labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    commit = rootfs.output_of("git", "-C", REPOSITORY, "rev-parse", "HEAD").strip()
    assert image.labels["org.opencontainers.image.revision"] in (commit, commit + "-dirty")


def test_the_licence_of_each_package_is_there_and_of_what_it_refers_to(image):
    packages = {package["name"] for package in image.sbom["packages"]}
    texts = {path.parent.name: path.read_text(encoding="utf-8", errors="replace")
             for path in (image.root / "usr/share/doc").glob("*/copyright")}
    assert set(texts) == packages
    assert texts["noderemoval"] == (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    named = set(re.findall(r"/usr/share/common-licenses/([\w.+-]*\w)", "".join(texts.values())))
    there = {path.name for path in (image.root / "usr/share/common-licenses").iterdir()}
    assert named & {path.name for path in Path("/usr/share/common-licenses").iterdir()} == there
