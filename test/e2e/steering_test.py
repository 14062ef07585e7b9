"""What a user can do to a removal that is under way, and to its node."""

from objects import deployment, naked_pod
from operator_requests import OperatorRequests, succeeded
from removal import Removal, traces_on


def test_a_suspended_removal_touches_nothing_until_it_is_resumed(sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, suspend=True)
    removal.wait_reason("Suspended")
    assert requests.touched() == set()
    removal.change(suspend=False)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert [pod["spec"]["nodeName"] for pod in sandbox.pods("web")] == [spare]


def test_a_removal_that_is_suspended_during_its_drain_evicts_nothing_more(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    sandbox.create(naked_pod("single", node=jetson))
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by("single", "UnmanagedPod")
    removal.change(suspend=True)
    removal.wait_reason("Suspended")
    # Nothing is in the way any more.
    sandbox.api.delete("Pod", "single", sandbox.namespace, grace=0)
    removal.change(unreachable={"fenced": True})
    removal.wait_observed()
    assert sandbox.get("Node", jetson)["spec"]["unschedulable"]
    assert requests.evictions() == []
    removal.change(suspend=False)
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_without_deleting_the_node_a_removal_ends_with_a_drained_and_cordoned_node(sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, deleteNode=False)
    assert removal.wait_end() == ("True", "Drained")
    node = sandbox.get("Node", jetson)
    assert node["spec"]["unschedulable"]
    assert traces_on(node) == []
    assert [pod["spec"]["nodeName"] for pod in sandbox.pods("web")] == [spare]
    assert requests.node_deletes() == []


def test_a_drain_that_takes_too_long_ends_the_removal_and_gives_the_node_back(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, drain={"timeoutSeconds": 3})
    assert removal.wait_end() == ("False", "DrainTimedOut")
    assert pod["metadata"]["name"] in removal.condition("Succeeded")["message"]
    assert pod["metadata"]["name"] in removal.blockers()
    assert removal.condition("Stalled")["status"] == "True"
    node = sandbox.get("Node", jetson)
    assert not node["spec"].get("unschedulable")
    assert traces_on(node) == []
    assert [each["metadata"]["uid"] for each in sandbox.pods()] == [pod["metadata"]["uid"]]
    assert requests.node_deletes() == []


def test_a_removal_stands_still_while_a_user_has_uncordoned_its_node(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    sandbox.cluster.kubectl("uncordon", jetson)
    waiting = removal.wait_reason("Uncordoned")
    assert f"kubectl cordon {jetson}" in waiting["message"]
    assert removal.condition("Cordoned")["status"] == "False"
    # Nothing is in the way any more.
    evictions = len(requests.evictions())
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    removal.change(unreachable={"fenced": True})
    removal.wait_observed()
    assert not sandbox.get("Node", jetson)["spec"].get("unschedulable")
    assert len(requests.evictions()) == evictions
    assert not any(map(succeeded, requests.evictions()))

    sandbox.cluster.kubectl("cordon", jetson)
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_of_two_removals_of_one_node_the_second_waits_for_the_first(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("single", node=jetson))
    start_operator()

    first = Removal(sandbox, jetson)
    first.wait_blocked_by("single", "UnmanagedPod")
    second = Removal(sandbox, jetson)
    waiting = second.wait_reason("ClaimedByOther")
    assert first.name in waiting["message"]
    sandbox.api.delete("Pod", "single", sandbox.namespace, grace=0)
    assert first.wait_end() == ("True", "NodeRemoved")
    assert second.wait_end() in {("True", "NodeAbsent"), ("True", "NodeRemoved")}


def test_the_second_removal_of_a_node_takes_over_when_the_first_is_cancelled(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("single", node=jetson))
    start_operator()

    first = Removal(sandbox, jetson)
    first.wait_blocked_by("single", "UnmanagedPod")
    second = Removal(sandbox, jetson, drain={"force": True})
    second.wait_reason("ClaimedByOther")
    first.cancel()
    first.wait_gone()
    assert second.wait_end() == ("True", "NodeRemoved")
