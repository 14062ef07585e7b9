"""What Argo CD and Flux make of a NodeRemoval at every moment: they look at nothing but the object."""

import argocd
from kstatus import kstatus
from removal import Removal


def seen_by_gitops(removal):
    """Health for Argo CD, status for Flux."""
    thing = removal.get()
    return argocd.run("health.lua", thing)["status"], kstatus(thing)


def test_a_removal_is_in_progress_until_it_has_ended_well(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    removal = Removal(sandbox, jetson)
    assert seen_by_gitops(removal) == ("Progressing", "InProgress"), "nobody has looked at it yet"

    start_operator()
    removal.wait_blocked_by(pod["metadata"]["name"], "PodDisruptionBudget")
    assert seen_by_gitops(removal) == ("Progressing", "InProgress")
    removal.change(suspend=True)
    removal.wait_reason("Suspended")
    assert seen_by_gitops(removal) == ("Suspended", "InProgress")
    removal.change(suspend=False)
    removal.wait_reason("DrainBlocked")
    assert seen_by_gitops(removal) == ("Progressing", "InProgress")

    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert seen_by_gitops(removal) == ("Healthy", "Current")


def test_a_plan_has_ended_well(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator()
    removal = Removal(sandbox, jetson, dryRun=True)
    removal.wait_end()
    assert seen_by_gitops(removal) == ("Healthy", "Current")


def test_a_removal_that_gives_up_has_failed(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    start_operator()
    removal = Removal(sandbox, jetson, drain={"timeoutSeconds": 1})
    assert removal.wait_end() == ("False", "DrainTimedOut")
    assert seen_by_gitops(removal) == ("Degraded", "Failed")
