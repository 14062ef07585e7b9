"""A PodDisruptionBudget that does not allow the eviction."""

from operator_requests import OperatorRequests, succeeded
from removal import Removal
from waiting import wait_until


def test_a_drain_waits_for_a_disruption_budget_and_goes_on_when_there_are_more_replicas(
        sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    blocker = removal.wait_blocked_by(pod["metadata"]["name"], "PodDisruptionBudget")
    assert blocker["pdb"] == f"{sandbox.namespace}/web"
    assert blocker["uid"] == pod["metadata"]["uid"]
    assert "can never let a pod go: all 1 pods it selects are healthy" in blocker["message"]
    wait_until(lambda: len(requests.evictions()) >= 2, 30, "the eviction is tried again")
    drained = removal.condition("Drained")
    assert (drained["status"], drained["reason"]) == ("Unknown", "DrainBlocked")
    assert pod["metadata"]["name"] in drained["message"]
    assert not any(succeeded(eviction) for eviction in requests.evictions())
    assert requests.pod_deletes() == requests.node_deletes() == []
    assert "deletionTimestamp" not in sandbox.get("Pod", pod["metadata"]["name"])["metadata"]

    sandbox.cluster.kubectl("scale", "deployment", "web", "--replicas=2", "-n", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert removal.blockers() == {}
    sandbox.wait_ready("Deployment", "web")
    assert [pod["spec"]["nodeName"] for pod in sandbox.pods("web")] == [spare, spare]
