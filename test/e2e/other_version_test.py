"""A status that another version of the operator wrote: what it knows is kept, and what it means is found out anew."""

from operator_requests import OperatorRequests
from removal import Removal

NEWER = {"type": "MachineCleaned", "status": "Unknown", "reason": "WipingDisks", "message": "of a newer version",
         "lastTransitionTime": "2026-01-31T08:15:00Z", "observedGeneration": 1}


def test_a_removal_that_a_newer_version_began_is_carried_on(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by(pod["metadata"]["name"], "PodDisruptionBudget")
    operator.kill()
    conditions = [each | {"reason": "WipingDisks"} if each["type"] == "Succeeded" else each
                  for each in removal.status()["conditions"]]
    written = {"status": {"conditions": [*conditions, NEWER]}}
    sandbox.api.patch("NodeRemoval", removal.name, written, subresource="status")

    requests = OperatorRequests(sandbox)
    operator.start()
    removal.wait_reason("DrainBlocked")
    assert removal.condition(NEWER["type"]) == NEWER
    assert requests.node_patches() == [], "it is cordoned already"
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert removal.condition(NEWER["type"]) == NEWER
