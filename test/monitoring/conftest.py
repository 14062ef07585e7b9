"""The run that the tests ask about; /usr/bin/python3 -m pytest test/monitoring passes them."""

from pathlib import Path

import pytest
from controlplane import ControlPlane
from scene import Scene

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--operator", type=Path, default=REPOSITORY / "build/release/noderemoval",
                     help="the operator program (default: %(default)s)")


@pytest.fixture(scope="session")
def scene(request, tmp_path_factory):
    """Ready to begin."""
    with ControlPlane("1.36") as cluster, \
            Scene(cluster, request.config.getoption("--operator"), tmp_path_factory.mktemp("scene")) as opened:
        yield opened
