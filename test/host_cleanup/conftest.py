"""Options and fixtures of the tests that clean machines: with systemd, and joined to a cluster by kubeadm.

    /usr/bin/python3 -m pytest test/host_cleanup --kubernetes 1.36
"""

import itertools
from pathlib import Path

import foreign
import hand_over
import operator_image
import pytest
from host import Host
from kubeadm_cluster import KubeadmCluster
from membership import copy_rules_to_legacy, pods_on, run_pod
from waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM_ON_HOST = "/usr/local/bin/noderemoval"
HOST_PORT = 8080


def pytest_addoption(parser):
    group = parser.getgroup("noderemoval")
    group.addoption("--kubernetes", action="append", choices=("1.36", "1.20"),
                    help="version to test with, may be repeated (default: 1.36)")
    group.addoption("--operator", type=Path, default=REPOSITORY / "build/release/noderemoval",
                    help="the operator program, which also cleans hosts (default: %(default)s)")


def pytest_generate_tests(metafunc):
    if "cluster" in metafunc.fixturenames:
        versions = metafunc.config.getoption("--kubernetes") or ["1.36"]
        metafunc.parametrize("cluster", versions, indirect=True, scope="session")


@pytest.fixture(scope="session")
def cluster(request, tmp_path_factory):
    """The cluster that all tests of this version share. It has no nodes."""
    with KubeadmCluster(request.param) as running:
        operator = request.config.getoption("--operator")
        running.load_image(operator_image.write(operator, tmp_path_factory.mktemp("image")))
        hand_over.create_namespace(running)
        yield running


@pytest.fixture(scope="session")
def numbers():
    return itertools.count(1)


@pytest.fixture
def machine(request, cluster, numbers):
    """A machine that belongs to no cluster, with what administrators have on theirs, and the program."""
    host = Host(cluster, f"jetson-{next(numbers)}")
    cluster.add_machine(host.name)
    try:
        cluster.copy_to(host.name, request.config.getoption("--operator"), PROGRAM_ON_HOST)
        foreign.install(host)
        host.foreign = foreign.seen_on(host)
        yield host
    finally:
        cluster.remove_node(host.name)
        for pod in pods_on(host):
            namespace, _, name = pod.partition("/")
            cluster.api.delete("Pod", name, namespace, grace=0)


@pytest.fixture
def foreign_before(machine):
    """What foreign.seen_on returned before the machine belonged to a cluster."""
    return machine.foreign


@pytest.fixture
def host(machine):
    """The same as a node: pods run, and their rules are in both backends of iptables."""
    cluster = machine.cluster
    cluster.join(machine.name)
    cluster.wait_ready(machine.name)
    run_pod(machine, "web", host_port=HOST_PORT)
    wait_until(lambda: all(chain in machine.saved("iptables-nft") for chain in ("KUBE-SVC-", "CNI-HOSTPORT-DNAT")), 60,
               f"kube-proxy and the CNI plugins have made their chains on {machine.name}",
               seen=lambda: machine.saved("iptables-nft"))
    copy_rules_to_legacy(machine)
    return machine


@pytest.fixture
def image(machine):
    """The name of the image of the program."""
    listed = machine.run("ctr", "--namespace=k8s.io", "images", "list", "--quiet").split()
    return next(name for name in listed if "/noderemoval:" in name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows with a failure what the cluster and the machine looked like."""
    report = (yield).get_result()
    if not report.failed or "machine" not in item.funcargs:
        return
    host = item.funcargs["machine"]
    for title, look in (
            ("cluster", lambda: host.cluster.kubectl("get", "nodes,pods", "--all-namespaces", "-o", "wide")),
            ("cleanings", lambda: host.shell("tail -n 40 /var/lib/noderemoval/*/* 2>/dev/null || true")),
            ("journal", lambda: host.run("journalctl", "--no-pager", "--lines=40"))):
        try:
            report.sections.append((title, look()))
        except (KeyError, RuntimeError) as error:
            report.sections.append((title, repr(error)))
