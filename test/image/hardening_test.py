"""The shipped program is hardened as CMakeLists.txt means it to be."""

import platform
import re
import subprocess

import pytest
import rootfs
from elf import X86_IBT_AND_SHSTK, Elf, weaknesses

# Of the machine that built it; folders of /usr and /etc are those that the program reads.
BUILD_PATH = re.compile(rb"(?<![\w./])/(?:build|home|root|src|tmp|work)/[\w.+-]{2,}[\w./+-]*")


@pytest.fixture(scope="module")
def ours(build):
    """What was compiled of our own sources, by name."""
    return {name: Elf(build / name) for name in rootfs.objects(build)}


def test_the_program_lacks_no_hardening(image):
    assert weaknesses(Elf(image.program)) == set()


def test_each_weakness_is_found_in_a_program_that_has_it(tmp_path):
    source, program = tmp_path / "weak.c", tmp_path / "weak"
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    subprocess.run(["clang-19", "-no-pie", "-fno-stack-protector", "-Wl,-z,norelro,-z,execstack,-z,lazy",
                    "-Wl,-rpath,/nowhere", source, "-o", program], check=True)
    assert weaknesses(Elf(program)) == {
        "not position independent", "no full RELRO", "executable stack", "writable and executable segment",
        "RPATH or RUNPATH", "no stack canary", "no FORTIFY_SOURCE", "not stripped"}


def test_our_own_code_checks_its_stack_and_its_copies(ours):
    """The libraries that are linked in could be all that asks for these."""
    assert sum("__stack_chk_fail" in elf.undefined for elf in ours.values()) > len(ours) / 2
    assert any("__memcpy_chk" in elf.undefined for elf in ours.values())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has this")
def test_our_own_code_is_marked_for_indirect_branch_tracking_and_shadow_stack(ours):
    """The program as a whole is not: the static libraries and start files of Debian 12 have no such mark."""
    assert [name for name, elf in ours.items() if elf.x86_features & X86_IBT_AND_SHSTK != X86_IBT_AND_SHSTK] == []


def test_no_path_of_the_build_machine_is_in_the_program(image, build):
    content = image.program.read_bytes()
    assert [path.decode() for path in BUILD_PATH.findall(content)] == []
    assert str(build.parent).encode() not in content
    # As ccache can give it to the compiler, so that the program depended on whether it was used.
    assert b"../reconcilers/" not in content
