"""Options and fixtures of the tests against real control planes.

    /usr/bin/python3 -m pytest test/e2e --kubernetes 1.36 --kubernetes 1.20
"""

import os
from pathlib import Path

import pytest
from controlplane import ControlPlane
from existing_cluster import ExistingCluster
from fault_proxy import FaultProxy
from operator_process import Operator
from oracle import MIN_HEALTHY_PERCENT, Oracle
from sandbox import open_sandbox

REPOSITORY = Path(__file__).resolve().parents[2]
OPERATOR_LOG_LINES = 100


def pytest_addoption(parser):
    group = parser.getgroup("noderemoval")
    group.addoption("--kubernetes", action="append", choices=("1.36", "1.20"),
                    help="version to test with, may be repeated (default: $NODEREMOVAL_TEST_KUBERNETES, else "
                         "what $KUBEBUILDER_ASSETS has, else 1.36)")
    group.addoption("--operator", type=Path, default=REPOSITORY / "build/release/noderemoval",
                    help="the operator program (default: %(default)s)")
    group.addoption("--existing-cluster", action="store_true",
                    default=os.environ.get("NODEREMOVAL_TEST_CLUSTER") == "current-context",
                    help="use the current context of your kubeconfig instead of starting control planes; "
                         "$NODEREMOVAL_TEST_NODES names the nodes that tests may remove (also: "
                         "NODEREMOVAL_TEST_CLUSTER=current-context)")


def pytest_generate_tests(metafunc):
    if "cluster" in metafunc.fixturenames:
        from_environment = os.environ.get("NODEREMOVAL_TEST_KUBERNETES", "").replace(",", " ").split()
        versions = metafunc.config.getoption("--kubernetes") or from_environment or ["default"]
        if metafunc.config.getoption("--existing-cluster"):
            versions = ["existing"]
        metafunc.parametrize("cluster", versions, indirect=True, scope="session")


@pytest.fixture(scope="session")
def cluster(request):
    """The control plane that all tests of this version share."""
    if request.param == "existing":
        running = ExistingCluster()
    else:
        running = ControlPlane(None if request.param == "default" else request.param)
        running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def oracle(request, cluster):
    """Judges what the operator did; None where there is no audit log."""
    return None if request.config.getoption("--existing-cluster") else Oracle(cluster.audit_log)


@pytest.fixture(autouse=True)
def audited(request):
    """Fails every test in which the operator sent what it must not."""
    oracle = request.getfixturevalue("oracle") if "cluster" in request.fixturenames else None
    yield
    violations = oracle.violations() if oracle else []
    if violations:
        pytest.fail("the operator must not do this:\n" + "\n".join(violations), pytrace=False)


@pytest.fixture(scope="session")
def operator_kubeconfig(cluster):
    """The kubeconfig of the operator's ServiceAccount, which has only the rights that manifests/ give it."""
    return cluster.operator_kubeconfig()


@pytest.fixture
def sandbox(cluster):
    """A namespace and nodes for one test."""
    with open_sandbox(cluster) as opened:
        yield opened


@pytest.fixture
def operators(request, sandbox):
    """Those that the test starts; they are killed before the sandbox is cleaned up."""
    request.node.operators = []
    yield request.node.operators
    for operator in request.node.operators:
        operator.kill()


@pytest.fixture
def start_operator(request, operators, operator_kubeconfig, oracle, tmp_path):
    """Starts the operator with the given flags.

    It takes no part in an election unless the flags say so: the next one would have to wait for its Lease.
    """
    def start(*flags, kubeconfig=operator_kubeconfig, through=(), log=None, program=None):
        tell_of_brake(oracle, flags)
        log = log or tmp_path / f"operator-{len(operators)}.log"
        operators.append(Operator(program or request.config.getoption("--operator"), kubeconfig, log,
                                  ("--leader-elect=false", *flags), through=through))
        operators[-1].start()
        return operators[-1]

    return start


def tell_of_brake(oracle, flags):
    given = [flag.partition("=")[2] for flag in flags if flag.startswith("--min-healthy=")]
    if oracle:
        oracle.expect_min_healthy(int(given[0]) if given else MIN_HEALTHY_PERCENT)


@pytest.fixture
def proxy(cluster):
    """A proxy in front of the API server that passes everything on until it is told otherwise."""
    with FaultProxy(cluster) as running:
        yield running


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows with a failure what the operators logged and what the cluster looked like."""
    report = (yield).get_result()
    if report.when != "call" or not report.failed:
        return
    for number, operator in enumerate(getattr(item, "operators", [])):
        lines = operator.log_text().splitlines()[-OPERATOR_LOG_LINES:]
        report.sections.append((f"log of operator {number}", "\n".join(lines)))
    if "sandbox" in item.funcargs:
        report.sections.append(("cluster", _describe(item.funcargs["sandbox"])))


def _describe(sandbox):
    commands = (("get", "nodes"), ("get", "noderemovals", "-o", "yaml"),
                ("get", "pods", "-o", "wide", "-n", sandbox.namespace),
                ("get", "events", "-n", sandbox.namespace))
    texts = []
    for command in commands:
        try:
            texts.append(f"$ kubectl {' '.join(command)}\n{sandbox.cluster.kubectl(*command)}")
        except RuntimeError as error:
            texts.append(str(error))
    return "\n".join(texts)
