"""Options and fixtures of the tests on a real cluster: containers run, and the operator runs in one of them.

    /usr/bin/python3 -m pytest test/delivery --kubernetes 1.36
"""

import operator_image
import pytest
import release
from oracle import Oracle
from real_cluster import RealCluster
from real_cluster_options import pytest_addoption, pytest_generate_tests  # noqa: F401
from sandbox import open_sandbox

# Where the operator runs. Tests remove nodes of their own.
HOME_NODES = ("worker-1", "worker-2")


@pytest.fixture(scope="session")
def cluster(request, tmp_path_factory):
    """The cluster that all tests of this version share."""
    with RealCluster(request.param) as running:
        operator = request.config.getoption("--operator")
        running.load_image(operator_image.write(operator, tmp_path_factory.mktemp("image")))
        for name in HOME_NODES:
            running.add_node(name, wait=False)
        for name in HOME_NODES:
            running.wait_ready(name)
        yield running


@pytest.fixture(scope="session")
def installed(cluster, tmp_path_factory):
    """The operator, installed with its chart."""
    return release.install(cluster, tmp_path_factory.mktemp("helm"))


@pytest.fixture
def sandbox(cluster, installed):
    """A namespace and nodes for one test."""
    with open_sandbox(cluster) as opened:
        yield opened


@pytest.fixture(scope="session")
def oracle(cluster):
    """Judges what the operator did."""
    return Oracle(cluster.audit_log)


@pytest.fixture(autouse=True)
def audited(oracle):
    """Fails every test in which the operator sent what it must not."""
    yield
    violations = oracle.violations()
    if violations:
        pytest.fail("the operator must not do this:\n" + "\n".join(violations), pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows with a failure what the operator logged and what the cluster looked like."""
    report = (yield).get_result()
    if not report.failed or "cluster" not in item.funcargs:
        return
    cluster = item.funcargs["cluster"]
    for title, look in (
            ("cluster", lambda: cluster.kubectl("get", "nodes,noderemovals,pods", "--all-namespaces", "-o", "wide")),
            ("events", lambda: cluster.kubectl("get", "events", "--all-namespaces")),
            ("log of the operator", lambda: item.funcargs["installed"].logs())):
        try:
            report.sections.append((title, look()))
        except (KeyError, RuntimeError) as error:
            report.sections.append((title, repr(error)))
