"""Nodes that may not be removed, or not yet."""

from objects import deployment, naked_pod
from operator_requests import OperatorRequests
from removal import PROTECT, Removal
from waiting import wait_until

CONTROL_PLANE = {"node-role.kubernetes.io/control-plane": ""}


def test_a_control_plane_node_is_refused_unless_it_is_allowed(sandbox, start_operator):
    first, _ = sandbox.add_nodes(2, labels=CONTROL_PLANE)
    requests = OperatorRequests(sandbox)
    start_operator()

    refused = Removal(sandbox, first)
    assert refused.wait_end() == ("False", "Refused")
    accepted = refused.condition("Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "ControlPlaneNode")
    assert "allowControlPlane" in accepted["message"]
    assert requests.touched() == set()

    allowed = Removal(sandbox, first, allowControlPlane=True)
    assert allowed.wait_end() == ("True", "NodeRemoved")


def test_the_last_control_plane_node_is_refused_even_if_it_is_allowed(sandbox, start_operator):
    only = sandbox.add_node(labels=CONTROL_PLANE)
    sandbox.add_node()
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, only, allowControlPlane=True)
    assert removal.wait_end() == ("False", "Refused")
    assert removal.condition("Accepted")["reason"] == "LastControlPlaneNode"
    assert requests.touched() == set()


def test_a_protected_node_is_removed_once_the_protection_is_taken_away(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.cluster.kubectl("annotate", "node", jetson, f"{PROTECT}=true")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    waiting = removal.wait_reason("NodeProtected")
    assert f"kubectl annotate node {jetson} {PROTECT}-" in waiting["message"]
    assert requests.touched() == set()
    sandbox.cluster.kubectl("annotate", "node", jetson, f"{PROTECT}-")
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_two_removals_that_leave_no_node_name_each_other_and_go_on_when_there_is_one(sandbox, start_operator):
    jetson, nano, spare = sandbox.add_nodes(3)
    for node in (jetson, nano):
        sandbox.create(naked_pod(f"on-{node}", node=node))
        sandbox.wait_running(f"on-{node}")
    start_operator()
    removals = {node: Removal(sandbox, node) for node in (jetson, nano)}
    for removal in removals.values():
        removal.wait_reason("DrainBlocked")
    sandbox.cordon(spare)
    for node in (jetson, nano):
        sandbox.api.delete("Pod", f"on-{node}", sandbox.namespace, grace=0)
    for node, other in ((jetson, nano), (nano, jetson)):
        message = removals[node].wait_reason("LastSchedulableNode")["message"]
        assert f"being removed as well: {other} by {removals[other].name}" in message
    blockers = {("Warning", "DrainBlocked"), ("Warning", "LastSchedulableNode")}
    wait_until(lambda: removals[jetson].events() >= blockers, 10, "both are Events", seen=removals[jetson].events)
    sandbox.uncordon(spare)
    for removal in removals.values():
        assert removal.wait_end() == ("True", "NodeRemoved")


def test_the_last_schedulable_node_is_removed_once_there_is_another(sandbox, start_operator):
    jetson, other = sandbox.add_nodes(2)
    sandbox.cordon(other)
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    waiting = removal.wait_reason("LastSchedulableNode")
    assert jetson in waiting["message"]
    assert requests.touched() == set()
    sandbox.uncordon(other)
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_two_removals_of_the_last_two_nodes_leave_one_of_them(sandbox, start_operator):
    nodes = sandbox.add_nodes(2)
    start_operator()
    removals = [Removal(sandbox, node) for node in nodes]
    ended = wait_until(lambda: [each for each in removals if "completionTime" in each.status()], 30,
                       "one of the nodes is removed", seen=lambda: [each.status() for each in removals])
    [waiting] = [each for each in removals if each not in ended]
    # Any change makes the operator decide anew.
    waiting.change(unreachable={"fenced": True})
    waiting.wait_observed()
    waiting.wait_reason("LastSchedulableNode")
    assert sandbox.get("Node", waiting.node)

    sandbox.add_node()
    assert waiting.wait_end() == ("True", "NodeRemoved")


def test_a_removal_that_has_not_begun_does_not_count(sandbox, start_operator):
    jetson, nano = sandbox.add_nodes(2)
    sandbox.cluster.kubectl("annotate", "node", jetson, f"{PROTECT}=true")
    start_operator()
    Removal(sandbox, jetson).wait_reason("NodeProtected")
    assert Removal(sandbox, nano).wait_end() == ("True", "NodeRemoved")


def test_nothing_is_forced_while_most_nodes_are_not_ready(cluster, sandbox, start_operator):
    jetson, *others, _ = sandbox.add_nodes(4)
    sandbox.create_on(jetson, deployment("web", grace=1))
    requests = OperatorRequests(sandbox)
    start_operator("--overdue-margin=1")
    for node in (jetson, *others):
        cluster.kill_node(node)
    for node in (jetson, *others):
        cluster.wait_ready(node, ready=False)

    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
    waiting = removal.wait_reason("TooManyNodesNotReady")
    assert "3 of 4 nodes are NotReady" in waiting["message"]
    assert requests.touched() == {("nodes", jetson)}
    assert requests.node_deletes() == []

    for node in others:
        cluster.restart_node(node)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert jetson not in {pod["spec"]["nodeName"] for pod in sandbox.pods("web")}
