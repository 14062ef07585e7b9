"""Helm upgrades and uninstalls while a removal waits for a PodDisruptionBudget."""

from operator_requests import OperatorRequests, succeeded
from release import VALUES
from removal import Removal, traces_on


def test_an_upgrade_goes_on_with_the_removal_that_was_in_flight(sandbox, installed):
    jetson = sandbox.add_node()
    pod, removal = begin(sandbox, jetson, "web")
    old = names(installed.pods())
    requests = OperatorRequests(sandbox)

    installed.upgrade(options={**VALUES["options"], "logLevel": "debug"})

    leader = installed.wait_leader()
    assert leader["metadata"]["name"] not in old
    removal.wait_blocked_by(pod["metadata"]["name"], "PodDisruptionBudget")
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    [eviction] = [request for request in requests.evictions() if succeeded(request)]
    assert leader["metadata"]["name"] in eviction["userAgent"]


def test_what_was_in_flight_at_an_uninstall_waits_for_the_next_install_or_for_a_hand_that_takes_the_finalizer_off(
        sandbox, installed):
    kept, cancelled, freed = sandbox.add_nodes(3)
    _, kept_removal = begin(sandbox, kept, "kept")
    _, cancelled_removal = begin(sandbox, cancelled, "cancelled")
    _, freed_removal = begin(sandbox, freed, "freed")

    installed.uninstall()

    for removal in (cancelled_removal, freed_removal):
        removal.cancel()
    for node, removal in ((kept, kept_removal), (cancelled, cancelled_removal), (freed, freed_removal)):
        assert removal.get()["metadata"]["finalizers"] == ["noderemoval.dev/removal"]
        assert sandbox.get("Node", node)["spec"]["unschedulable"]
        assert traces_on(sandbox.get("Node", node))
    # Nobody gives the node back then.
    sandbox.api.patch("NodeRemoval", freed_removal.name, {"metadata": {"finalizers": None}})
    assert freed_removal.get() is None
    assert sandbox.get("Node", freed)["spec"]["unschedulable"]

    installed.install()

    cancelled_removal.wait_gone(timeout=60)
    given_back = sandbox.get("Node", cancelled)
    assert "unschedulable" not in given_back["spec"]
    assert traces_on(given_back) == []
    assert len(sandbox.pods("cancelled", node=cancelled)) == 1
    sandbox.api.delete("PodDisruptionBudget", "kept", sandbox.namespace)
    assert kept_removal.wait_end() == ("True", "NodeRemoved")
    assert sandbox.get("Node", kept) is None
    # The node is still marked as if its removal were under way; a new one goes on with it.
    assert traces_on(sandbox.get("Node", freed))
    sandbox.api.delete("PodDisruptionBudget", "freed", sandbox.namespace)
    assert Removal(sandbox, freed).wait_end() == ("True", "NodeRemoved")


def begin(sandbox, node, name):
    """Starts a removal of the node that a budget holds up; returns the pod that stays and the removal."""
    pod = sandbox.create_guarded_on(node, name)
    removal = Removal(sandbox, node)
    removal.wait_blocked_by(pod["metadata"]["name"], "PodDisruptionBudget")
    return pod, removal


def names(pods):
    return {pod["metadata"]["name"] for pod in pods}
