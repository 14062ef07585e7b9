"""Nodes are removed from a cluster in which pods really run."""

import containers
import pytest
from objects import deployment
from operator_requests import OperatorRequests, succeeded
from removal import Removal
from waiting import wait_until

pytestmark = pytest.mark.main_flow


def test_pods_really_run_on_another_node_when_theirs_is_gone(cluster, sandbox):
    jetson = sandbox.add_node()
    sandbox.create_on(jetson, deployment("web", replicas=2, grace=5))
    before = containers.ids(sandbox.pods("web"))
    assert len(before) == 2
    assert before <= cluster.containers_on(jetson)

    removal = Removal(sandbox, jetson)
    wait_succeeded(cluster, removal)

    assert sandbox.get("Node", jetson) is None
    assert before.isdisjoint(cluster.containers_on(jetson))
    pods = sandbox.pods("web")
    assert len(pods) == len(containers.ids(pods)) == 2
    for pod in pods:
        assert containers.ids([pod]) <= cluster.containers_on(pod["spec"]["nodeName"])
    wait_until(lambda: not cluster.containers_on(jetson), 60, f"the sandboxes of the pods on {jetson} are gone",
               seen=lambda: cluster.on_node(jetson, "ps", "-eo", "args"))


def test_the_node_that_the_operator_runs_on_is_removed_and_its_own_pod_leaves_last(cluster, sandbox, installed):
    leader = installed.wait_leader()
    home = leader["spec"]["nodeName"]
    sandbox.create_on(home, deployment("web", replicas=2, grace=1))
    requests = OperatorRequests(sandbox)
    try:
        removal = Removal(sandbox, home)
        wait_succeeded(cluster, removal)

        assert sandbox.get("Node", home) is None
        evicted = [request["objectRef"]["name"] for request in requests.evictions() if succeeded(request)]
        assert evicted[-1] == leader["metadata"]["name"]
        assert len(evicted) > 2
        heir = installed.wait_leader()
        assert heir["spec"]["nodeName"] != home
        [deletion] = [request for request in requests.node_deletes() if succeeded(request)]
        assert heir["metadata"]["name"] in deletion["userAgent"]
    finally:
        cluster.remove_node(home)
        cluster.add_node(home)


def wait_succeeded(cluster, removal):
    # A pod that its kubelet confirms too late is collected from a deleted Node by Kubernetes after a minute.
    cluster.kubectl("wait", "--for=condition=Succeeded", f"noderemoval/{removal.name}", "--timeout=180s")
