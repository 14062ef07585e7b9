"""A Ready node with pods on it, which have to run somewhere else before the node may go."""

from history import History, is_deleted, is_ready
from objects import daemon_set, deployment
from operator_requests import OperatorRequests, answered, received, succeeded, uid_of
from removal import Removal
from waiting import wait_until

# Pods that are left on a deleted node are removed by the control plane 40 s to 60 s later.
ORPHANS_GONE_SECONDS = 120


def test_a_ready_node_is_cordoned_drained_and_deleted_once_its_pods_run_elsewhere(sandbox, start_operator):
    jetson, spare, *others = sandbox.add_nodes(4)
    sandbox.cordon(spare)
    sandbox.create(deployment("kube-verify", replicas=3, spread=True))
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("Deployment", "kube-verify")
    sandbox.wait_ready("DaemonSet", "agent")
    sandbox.uncordon(spare)
    node = sandbox.get("Node", jetson)
    [moving] = sandbox.pods("kube-verify", node=jetson)
    elsewhere = uids(pod for other in others for pod in sandbox.pods(node=other))
    requests, history = OperatorRequests(sandbox), History(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    wait_until(lambda: sandbox.get("Node", jetson) is None, 60, f"node {jetson} is gone", seen=removal.status)
    [replacement] = sandbox.pods("kube-verify", node=spare)
    assert (history.revision("Pod", replacement["metadata"]["name"], is_ready)
            < history.revision("Node", jetson, is_deleted))
    assert removal.wait_end(ORPHANS_GONE_SECONDS) == ("True", "NodeRemoved")

    [cordon] = [each for each in requests.node_patches() if succeeded(each)]
    [eviction] = [each for each in requests.evictions() if succeeded(each)]
    [deletion] = [each for each in requests.node_deletes() if succeeded(each)]
    assert cordon["requestObject"]["spec"]["unschedulable"] is True
    assert answered(cordon) < received(eviction)
    assert uid_of(eviction) == moving["metadata"]["uid"]
    assert uid_of(deletion) == node["metadata"]["uid"]
    assert deletion["requestObject"]["preconditions"]["resourceVersion"]
    assert requests.touched() == {("nodes", jetson), ("pods", moving["metadata"]["name"])}
    assert uids(pod for other in others for pod in sandbox.pods(node=other)) == elsewhere
    assert sandbox.pods(node=jetson) == []
    assert sandbox.get("CSINode", jetson) is None
    assert_reports_success(removal, node, lease=sandbox.api.get("Lease", jetson, "kube-node-lease"))


def test_what_a_deleted_node_leaves_behind_for_too_long_is_reported(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("DaemonSet", "agent")
    [agent] = sandbox.pods("agent", node=jetson)
    start_operator("--leftovers-timeout=1")

    removal = Removal(sandbox, jetson)
    assert removal.wait_end() == ("True", "NodeRemoved")
    leftovers = removal.condition("LeftoversGone")
    assert (leftovers["status"], leftovers["reason"]) == ("False", "Remaining")
    assert agent["metadata"]["name"] in leftovers["message"]


def assert_reports_success(removal, node, lease):
    status = removal.status()
    assert status["observedGeneration"] == removal.get()["metadata"]["generation"]
    assert status["nodeUID"] == node["metadata"]["uid"]
    assert status["pods"]["summary"] == "1/1"
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Accepted": "True", "Cordoned": "True", "Drained": "True", "PodsMigrated": "True",
        "VolumesDetached": "True", "NodeDeleted": "True", "LeftoversGone": "False" if lease else "True",
        "Succeeded": "True", "Reconciling": "False", "Stalled": "False"}
    if lease:
        # The kubelet of this machine runs on, and that of 1.20 makes its Lease anew without a Node.
        assert removal.condition("LeftoversGone")["reason"] == "KubeletRunning"
        assert lease["metadata"].get("ownerReferences", []) == []
        assert "v1.20." in node["status"]["nodeInfo"]["kubeletVersion"]


def uids(pods):
    return {pod["metadata"]["uid"] for pod in pods}
