"""Pods with a finalizer of somebody else: only that somebody may let them go."""

from objects import deployment
from operator_requests import OperatorRequests
from removal import Removal

FINALIZER = "example.com/backup"


def test_a_pod_that_waits_for_its_finalizer_is_named_and_not_forced(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1, finalizers=[FINALIZER]))
    [pod] = sandbox.pods("web")
    requests = OperatorRequests(sandbox)
    start_operator("--overdue-margin=1")

    removal = Removal(sandbox, jetson)
    blocker = removal.wait_blocked_by(pod["metadata"]["name"], "Finalizer")
    assert FINALIZER in blocker["message"]
    assert requests.pod_deletes() == requests.node_deletes() == []
    assert sandbox.get("Pod", pod["metadata"]["name"])["metadata"]["finalizers"] == [FINALIZER]

    sandbox.api.patch("Pod", pod["metadata"]["name"], {"metadata": {"finalizers": None}}, sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
