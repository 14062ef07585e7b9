"""Tests of what `noderemoval host-cleanup` does to a machine, by hand. They need root, and nothing else runs.

    /usr/bin/python3 -m pytest test/host
"""

from pathlib import Path

import pytest
from machine import REPOSITORY, Machine


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
