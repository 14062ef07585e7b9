"""A removal that waits: it disturbs nobody, and writes nothing that is not news."""

from objects import daemon_set
from operator_requests import OperatorRequests
from removal import Removal
from waiting import wait_until


def test_a_blocked_removal_asks_ever_less_often_and_writes_nothing(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    wait_until(lambda: len(requests.evictions()) >= 2, 30, "the eviction was tried twice")
    version = removal.get()["metadata"]["resourceVersion"]

    # The fifth comes at least 1 + 2 + 4 + 8 s after the first.
    wait_until(lambda: len(requests.evictions()) >= 5, 60, "the eviction was tried five times")
    assert removal.get()["metadata"]["resourceVersion"] == version
    assert requests.node_patches()[1:] == requests.pod_deletes() == []


def test_a_pod_that_its_daemon_set_has_left_behind_needs_consent(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("DaemonSet", "agent")
    [orphan] = sandbox.pods("agent", node=jetson)
    sandbox.cluster.kubectl("delete", "daemonset", "agent", "--cascade=orphan", "-n", sandbox.namespace)
    wait_until(lambda: not sandbox.get("Pod", orphan["metadata"]["name"])["metadata"].get("ownerReferences"), 30,
               "the pod is an orphan", seen=lambda: sandbox.get("Pod", orphan["metadata"]["name"]))
    start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by(orphan["metadata"]["name"], "UnmanagedPod")
