"""The SPDX document is valid, and says what is really in the image."""

import hashlib
import os
import subprocess

import pytest
from conftest import REPOSITORY


@pytest.fixture(scope="module")
def validate():
    """A call of spdx-tools, the validator of the SPDX project, on a file; it returns what that finds wrong."""
    done = subprocess.run([REPOSITORY / "test/image/build-validator"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        pytest.fail("test/image/build-validator failed; its messages are above", pytrace=False)

    def call(path):
        found = subprocess.run(["/usr/bin/python3", "-m", "spdx_tools.spdx.clitools.pyspdxtools", "--infile", path],
                               env=os.environ | {"PYTHONPATH": done.stdout.strip()}, capture_output=True, text=True,
                               check=False)
        return found.stdout + found.stderr if found.returncode else ""
    return call


def related(sbom, kind):
    """The names of the packages that the program has this relationship to."""
    names = {package["SPDXID"]: package["name"] for package in sbom["packages"]}
    return {names[each["relatedSpdxElement"]] for each in sbom["relationships"] if each["relationshipType"] == kind}


def test_it_is_valid(image, validate):
    assert validate(image.sbom_file) == ""


def test_a_wrong_one_is_refused(image, validate, tmp_path):
    wrong = tmp_path / "wrong.spdx.json"
    wrong.write_text(image.sbom_file.read_text(encoding="utf-8").replace('"SPDXRef-File-etc-passwd"', '"passwd"', 1),
                     encoding="utf-8")
    assert "passwd" in validate(wrong)


def test_it_has_each_file_of_the_image_with_its_checksum(image):
    listed = {entry["fileName"].removeprefix("./"): entry["checksums"][1]["checksumValue"]
              for entry in image.sbom["files"]}
    regular = {name for name, entry in image.entries.items() if entry.isreg()}
    assert listed == {name: hashlib.sha256((image.root / name).read_bytes()).hexdigest() for name in regular}


def test_it_names_the_image_by_its_digest_and_its_commit(image):
    [described] = [package for package in image.sbom["packages"] if package["name"] == "noderemoval"]
    assert "sha256:" + described["checksums"][0]["checksumValue"] == image.descriptor["digest"]
    assert described["versionInfo"] == image.labels["org.opencontainers.image.version"]
    assert described["sourceInfo"].endswith(" " + image.labels["org.opencontainers.image.revision"])


def test_it_has_the_packages_of_what_is_loaded_and_of_what_is_built_in(image):
    assert related(image.sbom, "DYNAMIC_LINK") == {"libc6", "libgcc-s1", "libprometheus-cpp-core1.0", "libstdc++6"}
    assert related(image.sbom, "STATIC_LINK") == {
        "libboost-container1.81-dev", "libboost-json1.81-dev", "libboost1.81-dev", "libc6-dev",
        "libclang-common-19-dev", "libcli11-dev", "libfmt-dev", "libgcc-12-dev", "libssl-dev", "libstdc++-12-dev",
        "libyaml-cpp-dev", "prometheus-cpp-dev"}


def test_each_package_has_its_version_and_its_purl_and_most_have_their_licence(image):
    licences = {}
    for package in image.sbom["packages"]:
        if package["name"] == "noderemoval":
            continue
        version = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}\n", package["name"]],
                                 stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
        [purl] = package["externalRefs"]
        assert package["versionInfo"] == version
        name = package["name"].replace("+", "%2B")
        assert purl["referenceLocator"].startswith(f"pkg:deb/debian/{name}@")
        licences[package["name"]] = package["licenseDeclared"]
    assert licences["libssl-dev"] == "Apache-2.0"
    assert licences["libboost-json1.81-dev"] == "BSL-1.0"
    assert licences["libprometheus-cpp-core1.0"] == "MIT"
    # Their copyright files are prose, or name a licence that SPDX does not have.
    assert {name for name, licence in licences.items() if licence == "NOASSERTION"} == {
        "libc6", "libc6-dev", "libfmt-dev", "libgcc-12-dev", "libgcc-s1", "libstdc++-12-dev", "libstdc++6"}
