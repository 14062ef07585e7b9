"""The metrics of an operator at work, and who may read them."""

import ssl
import urllib.error
import urllib.request
from collections import Counter

import pytest
from certificates import Authority
from objects import deployment
from operator_requests import OperatorRequests, succeeded
from removal import Removal
from waiting import wait_until

METHODS = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}
MINUTE = 60


def test_they_count_what_the_audit_log_says(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", replicas=3))
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    assert Removal(sandbox, jetson).wait_end() == ("True", "NodeRemoved")

    assert len([each for each in requests.evictions() if succeeded(each)]) == 3
    wait_until(lambda: _written(operator) == _audited(requests), 30, "both count the same writes",
               seen=lambda: {"metrics": _written(operator), "audit log": _audited(requests)})

    metrics = operator.metrics()
    assert metrics['controller_runtime_reconcile_total{controller="noderemoval",result="success"}'] > 0
    assert metrics['controller_runtime_reconcile_errors_total{controller="noderemoval"}'] == 0
    assert metrics['controller_runtime_max_concurrent_reconciles{controller="noderemoval"}'] == 16
    assert metrics['workqueue_adds_total{name="noderemoval"}'] >= sum(
        value for series, value in metrics.items() if series.startswith("controller_runtime_reconcile_total")) > 0
    assert metrics['workqueue_depth{name="noderemoval"}'] == 0
    assert metrics["noderemoval_log_lines_dropped_total"] == 0
    assert abs(metrics["process_resident_memory_bytes"] - operator.resident_bytes()) < 2 ** 20


def _written(operator):
    """How often each method was answered with each code."""
    counted = Counter()
    for series, value in operator.metrics().items():
        name, _, labels = series.rstrip("}").partition("{")
        if name == "rest_client_requests_total" and 'method="GET"' not in labels:
            values = dict(label.split("=", 1) for label in labels.split(","))
            counted[values["method"].strip('"'), values["code"].strip('"')] += int(value)
    return dict(counted)


def _audited(requests):
    return dict(Counter((METHODS[each["verb"]], str(each["responseStatus"]["code"])) for each in requests.writes()))


@pytest.fixture
def secure_metrics(cluster, sandbox, start_operator, tmp_path):
    """Asks an operator for its metrics over TLS; returns the status."""
    authority = Authority(tmp_path / "tls")
    authority.create()
    authority.issue_server("metrics", ["IP:127.0.0.1"])
    operator = start_operator("--metrics-tls-cert-file", str(authority.certificate("metrics")),
                              "--metrics-tls-key-file", str(authority.key("metrics")))
    address = operator.address("metrics")
    trust = ssl.create_default_context(cafile=authority.certificate("ca"))

    def ask(token=None):
        request = urllib.request.Request(f"https://{address}/metrics")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=MINUTE, context=trust) as answer:
                assert "workqueue_depth" in answer.read().decode()
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    return ask


def test_over_tls_they_are_for_those_who_may_get_them(cluster, sandbox, secure_metrics):
    assert secure_metrics() == 401
    assert secure_metrics("nobody-knows-this-token") == 401
    assert secure_metrics(_account(cluster, sandbox, "anybody")) == 403

    reader = _account(cluster, sandbox, "prometheus")
    role = sandbox.name("metrics-reader")
    cluster.kubectl("create", "clusterrole", role, "--verb=get", "--non-resource-url=/metrics")
    cluster.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}",
                    f"--serviceaccount={sandbox.namespace}:prometheus")
    try:
        wait_until(lambda: secure_metrics(reader) == 200, MINUTE, "the account with the right may read them")
    finally:
        cluster.kubectl("delete", "clusterrolebinding,clusterrole", role)


def _account(cluster, sandbox, name):
    """A ServiceAccount of this test; returns a token."""
    cluster.kubectl("create", "serviceaccount", name, "-n", sandbox.namespace)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = cluster.api.request("POST", cluster.api.path("ServiceAccount", sandbox.namespace, name, "token"), request)
    return answer["status"]["token"]
