"""The metrics of an operator at work, and who may read them."""

import ssl
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime

import pytest
from certificates import Authority
from objects import STAYS_ON_DEAD_NODES, deployment, naked_pod, stateful_set
from operator_requests import OperatorRequests, succeeded
from removal import Removal
from replicas import Replicas
from small_removals import SMALL_REMOVALS, clean_up
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


STEPS = ("Accepted", "Cordoned", "Drained", "PodsMigrated", "VolumesDetached", "NodeDeleted", "LeftoversGone")
NOT_OF_REMOVALS = ("noderemoval_server_clock_offset_seconds", "noderemoval_build_info")


def test_they_tell_of_a_removal_while_it_is_blocked_and_count_it_at_its_end(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    fresh = _of_removals(operator)
    assert set(_counted(fresh).values()) == set(_gauges(fresh).values()) == {0}
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    [blocker] = removal.blockers().values()

    about = f'noderemoval="{removal.name}",target="{jetson}"'
    began = _time(removal.condition("Drained")["lastTransitionTime"])
    expected = {
        f'noderemoval_active_step_start_timestamp_seconds{{{about},step="DrainBlocked",path="drain"}}': began,
        f'noderemoval_active_blocked_since_timestamp_seconds{{{about},reason="PodDisruptionBudget"}}':
            _time(blocker["since"]),
        'noderemoval_removals{succeeded="Unknown",reason="DrainBlocked"}': 1,
        'noderemoval_blocked_pods{reason="PodDisruptionBudget"}': 1,
        'noderemoval_budget_nodes{kind="used"}': 1,
        **{f'noderemoval_active_pods{{{about},state="{state}"}}': count
           for state, count in {"remaining": 1, "terminating": 0, "blocked": 1, "skipped": 0}.items()}}
    age = "noderemoval_oldest_blocked_age_seconds"
    _wait_equal(lambda: {series: value for series, value in _gauges(_of_removals(operator)).items()
                         if series != age and (value or series.startswith("noderemoval_active_pods"))}, expected)
    wait_until(lambda: operator.metrics()[age] > 1, 10, "the age of the blocker grows")

    sandbox.cluster.kubectl("scale", "deployment", "web", "--replicas=2", "-n", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    refused = len([each for each in requests.evictions() if not succeeded(each)])
    assert refused >= 1
    _wait_equal(lambda: _counted(_of_removals(operator), zeros=False), {
        'noderemoval_removals_finished_total{outcome="Succeeded",reason="NodeRemoved"}': 1,
        'noderemoval_evictions_total{result="accepted"}': 1,
        'noderemoval_evictions_total{result="blocked_by_budget"}': refused,
        'noderemoval_pods_removed_total{method="evicted"}': 1,
        'noderemoval_nodes_deleted_total{path="drain"}': 1,
        'noderemoval_removal_duration_seconds_count{outcome="Succeeded",path="drain"}': 1,
        **{f'noderemoval_step_duration_seconds_count{{path="drain",step="{step}"}}': 1 for step in STEPS}})
    _wait_equal(lambda: _gauges(_of_removals(operator)),
                {**_gauges(fresh), 'noderemoval_removals{succeeded="True",reason="NodeRemoved"}': 1})
    status = removal.status()
    assert (operator.metrics()['noderemoval_removal_duration_seconds_sum{outcome="Succeeded",path="drain"}']
            == _time(status["completionTime"]) - _time(status["startTime"]))

    operator.restart()
    wait_until(lambda: _gauges(_of_removals(operator))[
        'noderemoval_removals{succeeded="True",reason="NodeRemoved"}'] == 1, 30, "the removal is read again")
    assert _counted(_of_removals(operator), zeros=False) == {}


def test_they_say_that_a_human_has_to_decide_about_a_dead_node(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, stateful_set("db", grace=1, tolerations=STAYS_ON_DEAD_NODES))
    requests = OperatorRequests(sandbox)
    operator = start_operator("--overdue-margin=1")
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
    removal.wait_reason("NeedsFencing")

    about = f'noderemoval="{removal.name}",target="{jetson}"'
    owed = {'noderemoval_decisions_owed{decision="NeedsFencing"}': 1,
            f'noderemoval_active_needs_decision{{{about},decision="NeedsFencing"}}': 1}
    _wait_equal(lambda: {series: value for series, value in _gauges(_of_removals(operator)).items()
                         if "decision" in series and value}, owed)
    decided = {f'noderemoval_dead_node_decisions_total{{decision="{decision}"}}': 1
               for decision in ("declared_dead", "needs_fencing")}
    assert {series: value for series, value in _counted(_of_removals(operator), zeros=False).items()
            if "decision" in series} == decided
    assert any('step="NeedsFencing",path="dead"' in series for series in _of_removals(operator))

    removal.change(unreachable={"fenced": True})
    assert removal.wait_end() == ("True", "NodeRemoved")
    deletions = [each for each in requests.pod_deletes() if succeeded(each)]
    forced = len([each for each in deletions if each["requestObject"].get("gracePeriodSeconds") == 0])
    # Kubernetes clears the pod itself when it looks between the taint and the moment at which we would.
    told = {'noderemoval_pods_removed_total{method="deleted"}': len(deletions) - forced,
            'noderemoval_pods_removed_total{method="forced"}': forced}
    assert len(deletions) > forced
    counted = _of_removals(operator)
    assert {series: value for series, value in _counted(counted, zeros=False).items()
            if "duration" not in series} == {
        **decided,
        'noderemoval_removals_finished_total{outcome="Succeeded",reason="NodeRemoved"}': 1,
        **{series: count for series, count in told.items() if count},
        'noderemoval_nodes_deleted_total{path="dead"}': 1}
    assert counted['noderemoval_step_duration_seconds_count{path="dead",step="TerminatingPodsCleared"}'] == 1
    assert counted['noderemoval_step_duration_seconds_count{path="drain",step="Drained"}'] == 0


def test_after_many_removals_there_are_the_series_of_the_first_moment(sandbox, start_operator):
    flags = sorted({flag for small in SMALL_REMOVALS for flag in small.flags})
    operator = start_operator(*flags)
    fresh = _of_removals(operator)
    for small in SMALL_REMOVALS:
        begun = small(sandbox)
        begun.begin()
        wait_until(begun.ended, 90, f"{small.__name__} ends", seen=begun.removal.status)
        clean_up(begun)
    absent = [Removal(sandbox, sandbox.name("absent")) for _ in range(30)]
    for removal in absent:
        assert removal.wait_end() == ("True", "NodeAbsent")
    _wait_equal(lambda: sorted(_of_removals(operator)), sorted(fresh))
    expected = {
        'noderemoval_removals_finished_total{outcome="Succeeded",reason="NodeRemoved"}': 2,
        'noderemoval_removals_finished_total{outcome="Succeeded",reason="NodeAbsent"}': 30,
        'noderemoval_removals_finished_total{outcome="Cancelled",reason="Cancelled"}': 1,
        'noderemoval_removal_duration_seconds_count{outcome="Succeeded",path="drain"}': 1,
        'noderemoval_removal_duration_seconds_count{outcome="Succeeded",path="dead"}': 1,
        'noderemoval_removal_duration_seconds_count{outcome="Cancelled",path="drain"}': 1,
        'noderemoval_nodes_deleted_total{path="drain"}': 1,
        'noderemoval_nodes_deleted_total{path="dead"}': 1,
        'noderemoval_removals{succeeded="True",reason="NodeRemoved"}': 2,
        'noderemoval_removals{succeeded="True",reason="NodeAbsent"}': 30}
    _wait_equal(lambda: {series: value for series, value in _of_removals(operator).items() if series in expected},
                expected)


def test_a_replica_that_does_not_lead_has_the_same_families_and_counts_nothing(sandbox, start_operator):
    replicas = Replicas(sandbox, start_operator)
    wait_until(lambda: replicas.leader.metrics()['noderemoval_decisions_owed{decision="UnmanagedPod"}'] == 1, 30,
               "the leader knows of the removal")
    other = _of_removals(replicas.other)
    assert set(other.values()) == {0}
    assert set(other) == {series for series in _of_removals(replicas.leader) if replicas.removal.name not in series}


def test_they_are_as_prometheus_wants_them(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("single", node=jetson))
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    wait_until(lambda: any(removal.name in series for series in operator.metrics()), 30, "it is told of")
    _, text = operator.ask("metrics", "/metrics")
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (check.returncode, check.stdout + check.stderr) == (0, "")


def _of_removals(operator):
    return {series: value for series, value in operator.metrics().items()
            if series.startswith("noderemoval_") and not series.startswith(NOT_OF_REMOVALS)}


def _is_counted(series):
    return series.partition("{")[0].endswith(("_total", "_seconds_count", "_seconds_sum", "_seconds_bucket"))


def _counted(metrics, zeros=True):
    """Counters, and how often each histogram was given a value."""
    return {series: value for series, value in metrics.items() if _is_counted(series) and (zeros or value)
            and not series.partition("{")[0].endswith(("_sum", "_bucket"))}


def _gauges(metrics):
    return {series: value for series, value in metrics.items() if not _is_counted(series)}


def _wait_equal(seen, expected):
    """The operator learns of its own writes a moment later, from its watch."""
    last = {}

    def equal():
        last["seen"] = seen()
        return last["seen"] == expected

    wait_until(equal, 20, f"the metrics are {expected}", seen=lambda: last["seen"])


def _time(text):
    return datetime.fromisoformat(text).timestamp()


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
