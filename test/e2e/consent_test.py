"""Pods that are lost with the node, or whose data is, leave it only with the consent of the user."""

from objects import deployment, naked_pod
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal


def test_without_consent_nothing_is_evicted_and_each_pod_that_needs_it_is_named(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("cache", empty_dir=True), deployment("web"))
    sandbox.create(naked_pod("single", node=jetson))
    [cache] = sandbox.pods("cache")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    unmanaged = removal.wait_blocked_by("single", "UnmanagedPod")
    assert "spec.drain.force: true" in unmanaged["message"]
    data = removal.wait_blocked_by(cache["metadata"]["name"], "EmptyDirData")
    assert "spec.drain.deleteEmptyDirData: true" in data["message"]
    drained = removal.condition("Drained")
    assert (drained["status"], drained["reason"]) == ("Unknown", "DrainBlocked")

    # One more such pod shows that the removal has looked at all of them once more.
    sandbox.create(naked_pod("another", node=jetson))
    removal.wait_blocked_by("another", "UnmanagedPod")
    assert requests.touched() == {("nodes", jetson)}
    assert requests.node_deletes() == []


def test_with_consent_pods_without_a_controller_and_with_an_empty_dir_are_evicted(sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("cache", empty_dir=True))
    sandbox.create(naked_pod("single", node=jetson))
    [cache] = sandbox.pods("cache")
    single = sandbox.wait_running("single")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, drain={"force": True, "deleteEmptyDirData": True})
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert ({uid_of(eviction) for eviction in requests.evictions() if succeeded(eviction)}
            == {cache["metadata"]["uid"], single["metadata"]["uid"]})
    [replacement] = sandbox.pods()
    assert replacement["metadata"]["labels"]["app"] == "cache"
    assert replacement["spec"]["nodeName"] == spare
