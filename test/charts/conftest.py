"""Options and fixtures of the tests of the chart; /usr/bin/python3 -m pytest test/charts passes them."""

import subprocess
from pathlib import Path

import binaries
import objects
import pytest
from controlplane import ControlPlane
from helm import REPOSITORY, Helm
from release import Release


def pytest_addoption(parser):
    parser.addoption("--write-golden", action="store_true", help="write what is rendered now to golden/")
    parser.addoption("--operator", type=Path, default=REPOSITORY / "build/release/noderemoval",
                     help="the operator program (default: %(default)s)")


def pytest_collection_modifyitems(items):
    for item in items:
        if "release" in item.fixturenames and item.callspec.params["cluster"] == "1.20":
            item.add_marker("long")


@pytest.fixture(scope="session")
def helm(tmp_path_factory):
    """Helm, built unless that was done before."""
    build = Path(__file__).resolve().parent / "build-helm"
    done = subprocess.run([build], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        pytest.fail("test/charts/build-helm failed; its messages are above", pytrace=False)
    return Helm(Path(done.stdout.strip()) / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def kustomize():
    """Maps a folder of the repository to the objects that `kubectl apply -k` would apply."""
    kubectl = binaries.find("1.36")["kubectl"]

    def build(folder):
        done = subprocess.run([kubectl, "kustomize", REPOSITORY / folder], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return objects.by_name(done.stdout)

    return build


@pytest.fixture(scope="session", params=["1.36", "1.20"])
def cluster(request):
    """A control plane; its nodes are simulated, and so is what runs in their pods."""
    with ControlPlane(request.param) as running:
        yield running


@pytest.fixture
def release(request, helm, cluster, tmp_path):
    """The chart in the cluster; nothing of it is left at the end."""
    made = Release(helm, cluster, request.config.getoption("--operator"), tmp_path)
    yield made
    made.clean_up()
