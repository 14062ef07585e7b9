"""The files of a release are what they are called; /usr/bin/python3 -m pytest test/release passes the tests."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import objects
import pytest
from helm import CHART, Helm

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = REPOSITORY / "build/release-files"
VERSION = next(line.split()[2] for line in (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8").splitlines()
               if line.startswith("project(noderemoval VERSION "))
IMAGE, CHART_FILE = f"noderemoval-{VERSION}-image.tar", f"node-removal-{VERSION}.tgz"


def build(**options):
    subprocess.run([REPOSITORY / "test/release/build", "--from", REPOSITORY / "build/release"], check=True, **options)


@pytest.fixture(scope="module", autouse=True)
def built():
    build()


def test_there_is_each_file_and_its_checksum():
    sums = dict(reversed(line.split("  ")) for line in (FILES / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert set(sums) == {IMAGE, f"noderemoval-{VERSION}.spdx.json", CHART_FILE, "install.yaml", "crd.yaml"}
    assert {path.name for path in FILES.iterdir()} == {*sums, "SHA256SUMS"}
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=FILES, check=True)


def test_the_chart_installs_what_its_folder_does(tmp_path):
    built_helm = subprocess.run([REPOSITORY / "test/charts/build-helm"], stdout=subprocess.PIPE, text=True, check=True)
    helm = Helm(Path(built_helm.stdout.strip()) / "helm", tmp_path)
    assert helm.text(chart=FILES / CHART_FILE) == helm.text(chart=CHART)
    with tarfile.open(FILES / CHART_FILE) as archive:
        assert {(entry.uid, entry.gid, entry.uname) for entry in archive} == {(0, 0, "")}


def test_install_yaml_is_the_kustomization_and_names_the_image_of_the_release():
    installed = objects.by_name((FILES / "install.yaml").read_text(encoding="utf-8"))
    files = {*(REPOSITORY / "manifests/base").glob("*.yaml"), REPOSITORY / "crd/noderemovals.yaml"}
    files.remove(REPOSITORY / "manifests/base/kustomization.yaml")
    assert installed == objects.by_name("\n---\n".join(path.read_text(encoding="utf-8") for path in files))
    deployment = installed["Deployment noderemoval-system/noderemoval-controller"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    with tarfile.open(FILES / IMAGE) as archive:
        assert f'"docker.io/library/{container["image"]}"' in archive.extractfile("index.json").read().decode()


def test_crd_yaml_is_the_crd():
    assert (FILES / "crd.yaml").read_bytes() == (REPOSITORY / "crd/noderemovals.yaml").read_bytes()


def test_a_second_build_gives_the_same_checksums(tmp_path):
    first = shutil.copy(FILES / "SHA256SUMS", tmp_path)
    build(umask=0o077, env=os.environ | {"TZ": "Asia/Tokyo"})
    assert (FILES / "SHA256SUMS").read_bytes() == Path(first).read_bytes()
