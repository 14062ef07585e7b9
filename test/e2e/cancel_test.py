"""Deleting a NodeRemoval before its Node is deleted cancels it: what it did is undone, and only that."""

import time

import pytest
from objects import deployment, naked_pod, pod_disruption_budget
from operator_requests import OperatorRequests, succeeded
from removal import Removal, traces_on

TAINTS = {"example.com/before", "example.com/during"}
ANNOTATIONS = {"example.com/before": "1", "example.com/during": "2"}


@pytest.mark.parametrize("cordoned_by_hand", [False, True], ids=["schedulable", "cordoned_by_hand"])
def test_cancelling_a_drain_gives_the_node_back_as_it_was(sandbox, start_operator, cordoned_by_hand):
    [jetson] = sandbox.add_nodes(1, taints=["example.com/before=1:PreferNoSchedule"])
    sandbox.add_node()
    sandbox.api.patch("Node", jetson, {"metadata": {"annotations": {"example.com/before": "1"}}})
    if cordoned_by_hand:
        sandbox.cordon(jetson)
    sandbox.create(naked_pod("single", node=jetson))
    pod = sandbox.wait_running("single")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by("single", "UnmanagedPod")
    claimed = sandbox.get("Node", jetson)
    assert claimed["spec"]["unschedulable"]
    assert traces_on(claimed)
    sandbox.cluster.kubectl("taint", "node", jetson, "example.com/during=2:PreferNoSchedule")
    sandbox.cluster.kubectl("annotate", "node", jetson, "example.com/during=2")
    sandbox.cluster.kubectl("delete", "noderemoval", removal.name, "--timeout=30s")

    node = sandbox.get("Node", jetson)
    assert removal.get() is None
    assert node["metadata"]["uid"] == claimed["metadata"]["uid"]
    assert node["spec"].get("unschedulable", False) is cordoned_by_hand
    assert traces_on(node) == []
    assert TAINTS <= {taint["key"] for taint in node["spec"]["taints"]}
    assert ANNOTATIONS.items() <= node["metadata"]["annotations"].items()
    assert sandbox.get("Pod", "single")["metadata"]["uid"] == pod["metadata"]["uid"]
    assert requests.touched() == {("nodes", jetson)}
    assert requests.node_deletes() == []


def test_nothing_is_evicted_after_a_cancel_that_the_operator_has_not_noticed_yet(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    sandbox.create(pod_disruption_budget("web", minAvailable=1))
    sandbox.wait_counted("web", healthy=1)
    requests = OperatorRequests(sandbox)
    operator = start_operator()

    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    operator.freeze()
    evictions = len(requests.evictions())
    removal.cancel()
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    # Long enough that the operator wants to try the eviction again as soon as it can.
    time.sleep(2)
    operator.thaw()
    removal.wait_gone()
    assert not any(map(succeeded, requests.evictions()))
    assert len(requests.evictions()) == evictions
    assert not sandbox.get("Node", jetson)["spec"].get("unschedulable")
