"""Options and fixtures of the tests that clean machines: with systemd, and joined to a cluster by kubeadm.

    /usr/bin/python3 -m pytest test/host_cleanup --kubernetes 1.36
"""

import hand_over
import membership
import operator_image
import pytest
from kubeadm_cluster import KubeadmCluster
from machines import Machines
from real_cluster_options import pytest_addoption, pytest_generate_tests  # noqa: F401


@pytest.fixture(scope="session")
def cluster(request, tmp_path_factory):
    """The cluster that all tests of this version share. It has no nodes."""
    with KubeadmCluster(request.param) as running:
        operator = request.config.getoption("--operator")
        running.load_image(operator_image.write(operator, tmp_path_factory.mktemp("image")))
        hand_over.create_namespace(running)
        yield running


@pytest.fixture(scope="session")
def machines(request, cluster):
    """Makes machines."""
    return Machines(cluster, request.config.getoption("--operator"))


@pytest.fixture
def machine(machines):
    """A machine that belongs to no cluster, with what administrators have on theirs, and the program."""
    with machines.open() as opened:
        yield opened


@pytest.fixture
def foreign_before(machine):
    """What foreign.seen_on returned before the machine belonged to a cluster."""
    return machine.foreign


@pytest.fixture
def host(machine):
    """The same as a node: pods run, and their rules are in both backends of iptables."""
    membership.join(machine)
    return machine


@pytest.fixture(scope="session")
def shared_host(machines):
    """One such node, for tests in which nothing is changed."""
    with machines.open() as opened:
        membership.join(opened)
        yield opened


@pytest.fixture(scope="session")
def image(shared_host):
    """The name of the image of the program."""
    listed = shared_host.run("ctr", "--namespace=k8s.io", "images", "list", "--quiet").split()
    return next(name for name in listed if "/noderemoval:" in name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows with a failure what the cluster and the machine looked like."""
    report = (yield).get_result()
    host = item.funcargs.get("machine") or item.funcargs.get("shared_host")
    if not report.failed or not host:
        return
    for title, look in (
            ("cluster", lambda: host.cluster.kubectl("get", "nodes,pods", "--all-namespaces", "-o", "wide")),
            ("cleanings", lambda: host.shell("tail -n 40 /var/lib/noderemoval/*/* 2>/dev/null || true")),
            ("journal", lambda: host.run("journalctl", "--no-pager", "--lines=40"))):
        try:
            report.sections.append((title, look()))
        except (KeyError, RuntimeError) as error:
            report.sections.append((title, repr(error)))
