"""Deleting a NodeRemoval before its Node is deleted cancels it: what it did is undone, and only that."""

import time

import faults
import pytest
from objects import STAYS_ON_DEAD_NODES, daemon_set, deployment, naked_pod, stateful_set
from operator_requests import OperatorRequests, succeeded
from removal import CLAIM, PROTECT, Removal, traces_on
from waiting import wait_until

EVICTIONS_AT_ONCE = 16  # of one removal: kPodRequestsInFlight
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
    sandbox.create_guarded_on(jetson, "web")
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


def test_a_cancel_stops_the_evictions_that_a_slow_api_server_has_not_come_to(
        sandbox, start_operator, operator_kubeconfig, proxy):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", replicas=EVICTIONS_AT_ONCE + 4))
    requests = OperatorRequests(sandbox)
    # Of what was decided at once, the last would be sent 6 s after the first.
    slow = proxy.on("POST", "/api/v1/namespaces/[^/]+/pods/[^/]+/eviction", faults.delay(6), times=None)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))

    removal = Removal(sandbox, jetson)
    wait_until(lambda: slow.hits >= EVICTIONS_AT_ONCE, 30, "the first evictions are under way", seen=removal.status)
    removal.cancel()
    removal.wait_gone()
    assert len(requests.evictions()) == EVICTIONS_AT_ONCE
    assert not sandbox.get("Node", jetson)["spec"].get("unschedulable")


def before_it_has_begun(sandbox, jetson):
    sandbox.cluster.kubectl("annotate", "node", jetson, f"{PROTECT}=true")
    return "NodeProtected"


def while_pods_have_no_place_to_go(sandbox, jetson):
    sandbox.create(deployment("web", node_selector={"kubernetes.io/hostname": jetson}))
    sandbox.wait_ready("Deployment", "web")
    return "WaitingForMigration"


def while_a_dead_machine_is_not_fenced(sandbox, jetson):
    sandbox.create_on(jetson, stateful_set("db", tolerations=STAYS_ON_DEAD_NODES))
    sandbox.cluster.kill_node(jetson)
    sandbox.cluster.wait_ready(jetson, ready=False)
    return "NeedsFencing"


@pytest.mark.parametrize("moment", [before_it_has_begun, while_pods_have_no_place_to_go,
                                    while_a_dead_machine_is_not_fenced])
def test_a_removal_can_be_cancelled_at_every_step(sandbox, start_operator, moment):
    jetson, _ = sandbox.add_nodes(2)
    reason = moment(sandbox, jetson)
    start_operator()
    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
    removal.wait_reason(reason)
    removal.cancel()
    removal.wait_gone()
    node = sandbox.get("Node", jetson)
    assert not node["spec"].get("unschedulable")
    assert traces_on(node) == []


@pytest.mark.parametrize("cordoned_before", [False, True])
def test_a_claim_that_somebody_took_away_is_put_back_and_a_cancel_undoes_the_cordon(
        sandbox, start_operator, cordoned_before):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("single", node=jetson))
    if cordoned_before:
        sandbox.cordon(jetson)
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    claim = sandbox.get("Node", jetson)["metadata"]["annotations"][CLAIM]
    without_claim = {"metadata": {"annotations": {CLAIM: None}}}
    sandbox.api.patch("Node", jetson, without_claim)
    wait_until(lambda: sandbox.get("Node", jetson)["metadata"]["annotations"].get(CLAIM), 30, "the claim is back")
    assert sandbox.get("Node", jetson)["metadata"]["annotations"][CLAIM] == claim

    operator.freeze()
    sandbox.api.patch("Node", jetson, without_claim)
    removal.cancel()
    operator.thaw()
    removal.wait_gone()
    node = sandbox.get("Node", jetson)
    assert bool(node["spec"].get("unschedulable")) == cordoned_before and traces_on(node) == []


def test_a_cancel_after_the_node_is_deleted_only_lets_the_object_go(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("DaemonSet", "agent")
    start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("CheckingLeftovers")
    removal.cancel()
    removal.wait_gone()
    assert sandbox.get("Node", jetson) is None
