"""A Ready node with pods on it, some of which have to run somewhere else before the node may go."""

from objects import daemon_set, deployment
from operator_requests import OperatorRequests, answered, received, succeeded, uid_of
from removal import Removal
from waiting import wait_until

# Pods that are left on a deleted node are removed by the control plane 40 s to 60 s later.
ORPHANS_GONE_SECONDS = 120


def test_a_ready_node_is_cordoned_drained_and_deleted_once_its_pods_run_elsewhere(sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    others = sandbox.add_nodes(2)
    sandbox.cordon(spare)
    sandbox.create(deployment("kube-verify", replicas=3, spread=True))
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("Deployment", "kube-verify")
    sandbox.wait_ready("DaemonSet", "agent")
    sandbox.uncordon(spare)
    [moving] = sandbox.pods("kube-verify", node=jetson)
    [agent] = sandbox.pods("agent", node=jetson)
    untouched = [pod["metadata"]["uid"] for node in others for pod in sandbox.pods(node=node)]
    node = sandbox.get("Node", jetson)
    requests, audit = OperatorRequests(sandbox), sandbox.audit()
    start_operator()

    removal = Removal(sandbox, jetson)
    assert removal.wait_end(ORPHANS_GONE_SECONDS) == ("True", "NodeRemoved")

    [cordon] = [each for each in requests.node_patches() if succeeded(each)]
    [eviction] = requests.evictions()
    [deletion] = [each for each in requests.node_deletes() if succeeded(each)]
    assert cordon["requestObject"]["spec"]["unschedulable"] is True
    assert answered(cordon) < received(eviction)
    assert eviction["objectRef"]["name"] == moving["metadata"]["name"]
    assert uid_of(eviction) == moving["metadata"]["uid"]
    assert uid_of(deletion) == node["metadata"]["uid"]
    assert deletion["requestObject"]["preconditions"]["resourceVersion"]
    [replacement] = sandbox.pods("kube-verify", node=spare)
    assert reported_ready(audit, replacement) < received(deletion)
    assert requests.touched() == {("nodes", jetson), ("pods", moving["metadata"]["name"])}

    assert sandbox.get("Node", jetson) is None
    assert sandbox.pods(node=jetson) == []
    assert sandbox.api.get("Lease", jetson, "kube-node-lease") is None
    assert sandbox.get("CSINode", jetson) is None
    assert [pod["metadata"]["uid"] for node in others for pod in sandbox.pods(node=node)] == untouched
    assert agent["metadata"]["uid"] not in untouched
    status = removal.status()
    assert status["observedGeneration"] == removal.get()["metadata"]["generation"]
    assert status["nodeUID"] == node["metadata"]["uid"]
    assert status["pods"]["summary"] == "1/1"
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Accepted": "True", "Cordoned": "True", "Drained": "True", "PodsMigrated": "True", "VolumesDetached": "True",
        "NodeDeleted": "True", "LeftoversGone": "True", "Succeeded": "True", "Reconciling": "False",
        "Stalled": "False"}


def reported_ready(audit, pod):
    """When the kubelet of the pod first reported it Ready, with microseconds."""
    def is_ready(request):
        conditions = request["requestObject"].get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    reports = audit.requests(user=f"system:node:{pod['spec']['nodeName']}", verb="patch", resource="pods/status",
                             name=pod["metadata"]["name"])
    return min(answered(report) for report in reports if is_ready(report))
