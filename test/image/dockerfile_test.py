"""The Dockerfile makes the image that test/image/build makes.

buildah runs it here, on a base made of Debian's packages, so without Docker and without a registry. The program is
compiled in another folder and without ccache for it, and must be the same.
"""

import subprocess

import pytest
import rootfs
from conftest import REPOSITORY, Image

BASE = "localhost/debian:12"
# The clock of a test machine can be wrong, and then apt trusts no list of packages.
APT_OPTIONS = 'Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";'


@pytest.fixture(scope="module")
def built(image, buildah, tmp_path_factory):
    """The image that the Dockerfile makes, with the same arguments."""
    folder = tmp_path_factory.mktemp("dockerfile")
    subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", f"--aptopt={APT_OPTIONS}", "bookworm",
                    folder / "base.tar"], check=True)
    container = buildah("from", "scratch")
    buildah("add", container, folder / "base.tar", "/")
    buildah("commit", "--rm", container, BASE)
    arguments = {"BASE": BASE, "VERSION": image.labels["org.opencontainers.image.version"],
                 "REVISION": image.labels["org.opencontainers.image.revision"]}
    buildah("build", "--isolation", "chroot", "--network", "host", "--pull-never",
            *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
            "--tag", "localhost/noderemoval", REPOSITORY)
    buildah("push", "localhost/noderemoval", f"oci-archive:{folder}/noderemoval.tar")
    return Image(folder / "noderemoval.tar", folder)


def content(image):
    """Link, or rights and bytes, of each file. buildah writes the kind of file into the rights as well."""
    return {name: entry.linkname if entry.issym() else (entry.mode & 0o7777, (image.root / name).read_bytes())
            for name, entry in image.entries.items() if not entry.isdir()}


@pytest.mark.long
def test_the_dockerfile_makes_the_same_files(build, image, built):
    old = rootfs.outdated(set.union(*rootfs.packages(build)))
    assert old == {}, "the base of the Dockerfile has these; upgrade them, and build again"
    ours, theirs = content(image), content(built)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


@pytest.mark.long
def test_the_dockerfile_says_the_same_of_the_image(image, built):
    ours, theirs = image.config["config"], built.config["config"]
    # buildah adds a label with its own version.
    labels = {name: value for name, value in theirs["Labels"].items() if not name.startswith("io.buildah.")}
    assert theirs | {"Labels": labels} == ours
