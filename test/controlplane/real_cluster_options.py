"""What the conftests of the tests on real machines have in common: the versions, and the program in the image."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    group = parser.getgroup("noderemoval")
    group.addoption("--kubernetes", action="append", choices=("1.36", "1.20"),
                    help="version to test with, may be repeated (default: 1.36)")
    group.addoption("--operator", type=Path, default=REPOSITORY / "build/release/noderemoval",
                    help="the operator program that is put into the image (default: %(default)s)")


def pytest_generate_tests(metafunc):
    if "cluster" in metafunc.fixturenames:
        versions = metafunc.config.getoption("--kubernetes") or ["1.36"]
        metafunc.parametrize("cluster", versions, indirect=True, scope="session")
