"""The fixtures of the tests of the image; /usr/bin/python3 -m pytest test/image passes them."""

import json
import subprocess
import tarfile
from functools import cached_property
from pathlib import Path

import pytest
from containerd import Containerd
from elf import Elf

REPOSITORY = Path(__file__).resolve().parents[2]


class Image:
    """An OCI image in a tar, taken apart in a new folder."""

    def __init__(self, tar, folder):
        self.tar, self.root = tar, folder / "root"
        with tarfile.open(tar) as archive:
            def blob(descriptor):
                return archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/"))

            [self.descriptor] = json.load(archive.extractfile("index.json"))["manifests"]
            manifest = json.load(blob(self.descriptor))
            self.config = json.load(blob(manifest["config"]))
            [layer] = manifest["layers"]
            with tarfile.open(fileobj=blob(layer), mode="r:gz") as files:
                self.entries = {entry.name: entry for entry in files}
                files.extractall(self.root)
        self.labels = self.config["config"]["Labels"]
        self.program = self.root / "usr/bin/noderemoval"
        self.sbom_file = tar.with_name("noderemoval.spdx.json")

    @property
    def name(self):
        return self.descriptor["annotations"]["io.containerd.image.name"]

    @cached_property
    def sbom(self):
        return json.loads(self.sbom_file.read_text(encoding="utf-8"))

    def files(self):
        return {name for name, entry in self.entries.items() if not entry.isdir()}

    def elves(self):
        """Of its files those that are programs or libraries, by name."""
        return {name: Elf(self.root / name) for name in sorted(self.files())
                if (self.root / name).read_bytes()[:4] == b"\x7fELF"}


@pytest.fixture(scope="session")
def build():
    """The build folder that the image is made from."""
    return REPOSITORY / "build/release"


@pytest.fixture(scope="session")
def image(build, tmp_path_factory):
    subprocess.run([REPOSITORY / "test/image/build", "--from", build], check=True)
    return Image(REPOSITORY / "build/image/noderemoval.tar", tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def buildah(tmp_path_factory):
    """A call of buildah with a storage of its own; it returns what that prints."""
    folder = tmp_path_factory.mktemp("buildah")
    registries = folder / "registries.conf"
    registries.write_text("unqualified-search-registries = []\n", encoding="utf-8")

    def call(*arguments):
        return subprocess.run(["buildah", "--root", folder / "root", "--runroot", folder / "run", "--registries-conf",
                               registries, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    yield call
    call("rm", "--all")
    call("rmi", "--all", "--force")
    # The storage mounts itself.
    subprocess.run(["umount", folder / "root/overlay"], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def containerd(tmp_path_factory):
    with Containerd(tmp_path_factory.mktemp("containerd")) as daemon:
        yield daemon
