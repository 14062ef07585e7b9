"""Writes that do not arrive, or whose answer is lost, comes twice or is nonsense."""

import threading

import faults
import pytest
from objects import deployment
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal, traces_on
from waiting import wait_until

REMOVALS = "/apis/noderemoval.dev/v1alpha1/noderemovals"
WRITES = {
    "finalizer": ("PATCH", f"{REMOVALS}/[^/]+"),
    "status": ("PATCH", f"{REMOVALS}/[^/]+/status"),
    "child": ("POST", REMOVALS),
    "cordon": ("PATCH", "/api/v1/nodes/[^/]+"),
    "eviction": ("POST", "/api/v1/namespaces/[^/]+/pods/[^/]+/eviction"),
    "node delete": ("DELETE", "/api/v1/nodes/[^/]+"),
    "record": ("PATCH|POST", "/api/v1/namespaces/noderemoval-system/configmaps.*"),
    "event": ("POST", "/(api|apis/events.k8s.io)/v1/namespaces/[^/]+/events"),
}
POD_DELETE = ("DELETE", "/api/v1/namespaces/[^/]+/pods/[^/]+")
TIMEOUT_STATUS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 504,
                  "reason": "Timeout", "message": "request did not complete within the allotted time"}
FAULTS = {
    "is dropped": faults.drop,
    "is done and not answered": faults.commit_then_drop,
    "comes twice": faults.duplicate,
    "is done and half answered": faults.truncate,
    "is done and answered with a page": faults.commit_then_reply(200, "<html>Welcome</html>"),
    "is done and answered with a timeout": faults.commit_then_reply(504, TIMEOUT_STATUS),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_removal_ends_the_same_when_the_first_write_of_every_kind(
        cluster, sandbox, start_operator, operator_kubeconfig, proxy, fault):
    labels = {"pool": sandbox.namespace}
    [jetson] = sandbox.add_nodes(1, labels=labels)
    spare = sandbox.add_node()
    sandbox.create_on(jetson, deployment("web", replicas=2))
    node = sandbox.get("Node", jetson)
    leaving = {pod["metadata"]["uid"] for pod in sandbox.pods("web")}
    requests = OperatorRequests(sandbox)
    # An older server first refuses each eviction in the version that it does not know.
    times = {"eviction": 1 if cluster.minor >= 22 else 3}
    rules = {kind: proxy.on(verb, path, fault, times=times.get(kind, 1)) for kind, (verb, path) in WRITES.items()}
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))

    removal = Removal(sandbox, nodeSelector={"matchLabels": labels})
    assert removal.wait_end() == ("True", "NodeRemoved")
    # The Event about the end comes after the end.
    wait_until(lambda: all(rule.hits for rule in rules.values()), 10, "every kind of write was sent",
               seen=lambda: {kind: rule.hits for kind, rule in rules.items()})
    assert [each["reason"] for each in removal.status()["nodes"]] == ["NodeRemoved"]
    assert sandbox.get("Node", jetson) is None
    assert {pod["spec"]["nodeName"] for pod in sandbox.pods("web")} == {spare}
    assert_evicted_each(leaving, requests, extra=1)
    assert requests.pod_deletes() == []
    assert_node_deleted_once(node, requests)
    assert requests.node_patches(spare) == []


@pytest.mark.parametrize("fault", [faults.drop, faults.commit_then_drop, faults.duplicate])
def test_a_pod_is_deleted_once_when_its_first_delete(sandbox, start_operator, operator_kubeconfig, proxy, fault):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    node = sandbox.get("Node", jetson)
    [leaving] = sandbox.pods("web")
    requests = OperatorRequests(sandbox)
    lost = proxy.on(*POD_DELETE, fault)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))

    removal = Removal(sandbox, jetson, drain={"disableEviction": True})
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert lost.hits == 1
    assert {uid_of(each) for each in requests.pod_deletes()} == {leaving["metadata"]["uid"]}
    assert {pod["spec"]["nodeName"] for pod in sandbox.pods("web")} == {spare}
    assert_node_deleted_once(node, requests)


def test_a_node_that_joins_again_is_left_alone_when_the_answer_to_the_delete_was_lost(
        cluster, sandbox, start_operator, operator_kubeconfig, proxy):
    jetson, _ = sandbox.add_nodes(2)
    node = sandbox.get("Node", jetson)
    requests = OperatorRequests(sandbox)
    deleted, replaced = threading.Event(), threading.Event()

    def commit_then_drop_after_the_new_node_joined(exchange):
        exchange.ask().read()
        deleted.set()
        replaced.wait(60)
        exchange.reset()

    proxy.on(*WRITES["node delete"], commit_then_drop_after_the_new_node_joined)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    removal = Removal(sandbox, jetson)
    assert deleted.wait(60)
    cluster.kill_node(jetson)
    cluster.add_node(jetson)
    replaced.set()
    assert removal.wait_end() == ("True", "NodeRemoved")
    successor = sandbox.get("Node", jetson)
    assert not successor["spec"].get("unschedulable") and traces_on(successor) == []
    assert_node_deleted_once(node, requests)


def assert_evicted_each(leaving, requests, extra):
    """Every pod was evicted, none but these, and at most `extra` more than once."""
    # The audit log lags behind by moments.
    wait_until(lambda: {uid_of(each) for each in requests.evictions()} >= leaving, 10, "all evictions are logged")
    assert {uid_of(each) for each in requests.evictions()} == leaving
    assert len([each for each in requests.evictions() if succeeded(each)]) <= len(leaving) + extra


def assert_node_deleted_once(node, requests):
    assert len([each for each in requests.node_deletes() if succeeded(each)]) == 1
    assert {uid_of(each) for each in requests.writes("nodes", node["metadata"]["name"])} == {node["metadata"]["uid"]}
