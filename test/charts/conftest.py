"""The fixture of the tests of the chart; /usr/bin/python3 -m pytest test/charts passes them."""

import subprocess
from pathlib import Path

import pytest
from helm import Helm


@pytest.fixture(scope="session")
def helm(tmp_path_factory):
    """Helm, built unless that was done before."""
    build = Path(__file__).resolve().parent / "build-helm"
    done = subprocess.run([build], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        pytest.fail("test/charts/build-helm failed; its messages are above", pytrace=False)
    return Helm(Path(done.stdout.strip()) / "helm", tmp_path_factory.mktemp("helm"))
