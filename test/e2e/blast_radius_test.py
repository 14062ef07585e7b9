"""Many removals at once, and many nodes that die at once: what the operator does then is as limited as with one."""

import pytest
from objects import deployment, naked_pod
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal, traces_on
from waiting import wait_until

MANY = 200


def test_when_most_nodes_die_within_seconds_nothing_is_forced_and_they_are_removed_when_they_are_back(
        cluster, sandbox, start_operator):
    nodes = sandbox.add_nodes(5)
    dying = nodes[:3]
    for number, node in enumerate(dying):
        sandbox.create_on(node, deployment(f"web-{number}", grace=1))
    requests = OperatorRequests(sandbox)
    start_operator("--overdue-margin=1")
    for node in dying:
        cluster.kill_node(node)
    # The first is noticed moments before the third, and until then it is one dead node and no disaster.
    removals = [Removal(sandbox, node, unreachable={"toleranceSeconds": 5, "fenced": True}) for node in dying]
    for node in dying:
        cluster.wait_ready(node, ready=False)
    for removal in removals:
        removal.wait_reason("TooManyNodesNotReady")
    assert requests.pod_deletes() == requests.node_deletes() == []

    for node in dying:
        cluster.restart_node(node)
    for removal in removals:
        assert removal.wait_end(120) == ("True", "NodeRemoved")
    assert {node["metadata"]["name"] for node in sandbox.api.list("Node")} >= set(nodes[3:])
    assert [traces_on(sandbox.get("Node", node)) for node in nodes[3:]] == [[], []]


def test_a_removal_for_every_node_at_once_leaves_one_that_takes_the_pods(sandbox, start_operator):
    nodes = sandbox.add_nodes(4)
    sandbox.create(deployment("web", replicas=4))
    sandbox.wait_ready("Deployment", "web")
    requests = OperatorRequests(sandbox)
    removals = [Removal(sandbox, node) for node in nodes]
    start_operator()
    wait_until(lambda: sum("completionTime" in each.status() for each in removals) == 3, 120, "three have ended",
               seen=lambda: [each.condition("Succeeded") for each in removals])
    [left] = [each for each in removals if "completionTime" not in each.status()]
    left.wait_reason("LastSchedulableNode")
    node = sandbox.get("Node", left.node)
    assert not node["spec"].get("unschedulable") and traces_on(node) == []
    sandbox.wait_ready("Deployment", "web")
    assert {pod["spec"]["nodeName"] for pod in sandbox.pods("web")} == {left.node}
    assert len(requests.node_deletes()) == 3


@pytest.fixture
def bare_nodes(cluster, sandbox):
    """Nodes without a kubelet, Ready as long as the controller that would notice stands still."""
    cluster.freeze("kube-controller-manager")
    names = [sandbox.name("bare") for _ in range(MANY)]
    for name in names:
        sandbox.create({"kind": "Node", "metadata": {"name": name}})
        sandbox.api.patch("Node", name, {"status": {"conditions": [
            {"type": "Ready", "status": "True", "reason": "Test", "message": ""}]}}, subresource="status")
        sandbox.create(naked_pod(f"single-{name}", node=name))
    yield names
    cluster.thaw("kube-controller-manager")


@pytest.mark.long
def test_an_operator_that_starts_anew_amid_many_removals_ends_each_of_them_once(sandbox, start_operator, bare_nodes):
    sandbox.add_node()
    nodes = {name: sandbox.get("Node", name)["metadata"]["uid"] for name in bare_nodes}
    pods = {pod["metadata"]["uid"] for pod in sandbox.pods()}
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    for node in nodes:
        Removal(sandbox, node)
    wait_until(lambda: reasons(sandbox).count("DrainBlocked") == MANY, 120, "all wait for their pods",
               seen=lambda: reasons(sandbox))
    operator.restart()
    wait_until(lambda: operator.ask("health", "/readyz")[0] == 200, 30, "it is ready again", seen=operator.log_text)
    assert reasons(sandbox).count("DrainBlocked") == MANY
    sandbox.api.delete_all("Pod", sandbox.namespace, grace=0)
    operator.restart()
    wait_until(lambda: reasons(sandbox).count("NodeRemoved") == MANY, 180, "all are removed",
               seen=lambda: reasons(sandbox))
    deletes = requests.node_deletes()
    deleted = [uid_of(each) for each in deletes if succeeded(each)]
    # Under way when the operator was killed: carried out or not, the API server calls it a timeout.
    cut = [uid_of(each) for each in deletes if each["responseStatus"]["code"] == 504]
    assert len(deletes) == len(deleted) + len(cut)
    assert len(deleted) == len(set(deleted))
    assert set(deleted) | set(cut) == set(nodes.values())
    assert requests.pod_deletes() == requests.evictions() == [] and pods
    assert len([each for each in requests.node_patches() if succeeded(each)]) == MANY


def reasons(sandbox):
    conditions = [each for removal in sandbox.api.list("NodeRemoval")
                  for each in removal.get("status", {}).get("conditions", []) if each["type"] == "Succeeded"]
    return [each["reason"] for each in conditions]
