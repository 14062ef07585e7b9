"""Tests of what `noderemoval host-cleanup` does to a machine, by hand. They need root, and nothing else runs.

    /usr/bin/python3 -m pytest test/host
"""

import tempfile
from pathlib import Path

import pytest
from machine import REPOSITORY, Machine
from pod import NodeApi, Pod, issue_certificates, write_root


def pytest_addoption(parser):
    parser.getgroup("noderemoval").addoption(
        "--operator", type=Path, default=REPOSITORY / "build/release/noderemoval",
        help="the program that is tested (default: %(default)s)")


@pytest.fixture
def machine(request):
    with Machine(request.config.getoption("--operator").resolve()) as running:
        yield running


@pytest.fixture(scope="session")
def worker_rules():
    """The rules of a worker node with kube-proxy, flannel, Calico and hostPorts, and of its administrator."""
    return (Path(__file__).parent / "worker.save").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def pod_root(request):
    """The file system of the pod."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        write_root(request.config.getoption("--operator").resolve(), root)
        yield root


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return issue_certificates(tmp_path_factory.mktemp("certificates") / "ca")


@pytest.fixture
def pod(machine, pod_root):
    return Pod(machine, pod_root)


@pytest.fixture
def api(machine, authority):
    """Knows the Node, which is claimed; the machine is a node that runs."""
    machine.add_kubelet()
    machine.add_runtime("pod-a")
    served = NodeApi(machine)
    served.write_files(authority)
    served.set_node()
    served.start()
    return served
