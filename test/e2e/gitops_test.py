"""What Argo CD and Flux make of a NodeRemoval at every moment: they look at nothing but the object."""

import json

import argocd
import pytest
from kstatus import kstatus
from objects import node_removal
from removal import Removal, traces_on

# How the tools write what stands in Git: Argo CD as kubectl does, or server-side; Flux server-side.
APPLY = {"client_side": (),
         "server_side": ("--server-side", "--force-conflicts", "--field-manager=gitops")}



class Git:
    """A NodeRemoval in Git, named after its node."""

    def __init__(self, sandbox, node, how, **spec):
        self._cluster = sandbox.cluster
        self._how = how
        self._name = node
        self._text = json.dumps({"apiVersion": "noderemoval.dev/v1alpha1", **node_removal(node, node, **spec)})
        self.removal = Removal(sandbox, node, node, exists=True)

    def sync(self):
        self._cluster.kubectl("apply", *self._how, "-f", "-", stdin=self._text)

    def drift(self):
        """What a sync would change, as text; empty when cluster and Git agree."""
        try:
            return self._cluster.kubectl("diff", *self._how, "-f", "-", stdin=self._text)
        except RuntimeError as differs:  # then kubectl diff ends with 1
            return str(differs)

    def prune(self):
        """As Argo CD does it: an object is deleted after what depends on it, for which it gets another finalizer."""
        self._cluster.kubectl("delete", "noderemoval", self._name, "--cascade=foreground", "--timeout=30s")


@pytest.fixture(params=APPLY)
def commit(request, sandbox):
    """Puts a removal of this node into Git."""
    return lambda node, **spec: Git(sandbox, node, APPLY[request.param], **spec)


@pytest.fixture
def blocked(sandbox, start_operator, commit):
    """Puts a removal into Git that a budget holds up; returns its node and it."""
    def begin(**spec):
        jetson, _ = sandbox.add_nodes(2)
        sandbox.create_guarded_on(jetson, "web")
        git = commit(jetson, **spec)
        git.sync()
        start_operator()
        git.removal.wait_reason("DrainBlocked")
        return jetson, git

    return begin


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


def test_a_removal_that_is_synced_again_and_again_goes_on_and_stays_finished(cluster, sandbox, blocked):
    jetson, git = blocked()
    assert git.drift() == ""
    before = git.removal.get()
    git.sync()
    assert git.removal.get()["metadata"]["generation"] == before["metadata"]["generation"]
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    assert git.removal.wait_end() == ("True", "NodeRemoved")
    assert git.drift() == ""

    cluster.kill_node(jetson)
    cluster.add_node(jetson)
    joined = sandbox.get("Node", jetson)
    ended = git.removal.get()
    git.sync()
    # Whoever comes later in the queue shows that the first was looked at.
    assert Removal(sandbox, sandbox.name("never")).wait_end() == ("True", "NodeAbsent")
    now = git.removal.get()
    assert (now["metadata"]["uid"], now["status"]) == (ended["metadata"]["uid"], ended["status"])
    node = sandbox.get("Node", jetson)
    assert node["metadata"]["uid"] == joined["metadata"]["uid"]
    assert not node["spec"].get("unschedulable") and traces_on(node) == []


def test_pruning_a_removal_cancels_it_and_a_sync_begins_anew(sandbox, blocked):
    jetson, git = blocked()
    first = git.removal.get()["metadata"]["uid"]
    git.prune()
    assert git.removal.get() is None
    node = sandbox.get("Node", jetson)
    assert not node["spec"].get("unschedulable") and traces_on(node) == []

    git.sync()
    git.removal.wait_reason("DrainBlocked")
    assert git.removal.get()["metadata"]["uid"] != first
    assert sandbox.get("Node", jetson)["spec"]["unschedulable"]


def test_what_somebody_changed_by_hand_is_taken_back(blocked):
    _, git = blocked(suspend=False)
    git.removal.change(suspend=True)
    git.removal.wait_reason("Suspended")
    assert "suspend: false" in git.drift()
    git.sync()
    git.removal.wait_reason("DrainBlocked")
    assert git.drift() == ""


def test_a_removal_that_is_pruned_after_its_end_takes_only_the_record_away(cluster, sandbox, start_operator, commit):
    jetson, _ = sandbox.add_nodes(2)
    git = commit(jetson)
    git.sync()
    start_operator()
    assert git.removal.wait_end() == ("True", "NodeRemoved")
    cluster.kill_node(jetson)
    cluster.add_node(jetson)
    joined = sandbox.get("Node", jetson)
    git.prune()
    assert git.removal.get() is None
    git.sync()  # such as when the prune was a mistake
    assert joined["metadata"]["uid"] in git.removal.wait_reason("NodeRejoined")["message"]
    node = sandbox.get("Node", jetson)
    assert node["metadata"]["uid"] == joined["metadata"]["uid"] and not node["spec"].get("unschedulable")


def test_a_wave_can_wait_for_any_end_of_a_removal(cluster, sandbox, start_operator):
    jetson, worker, _ = sandbox.add_nodes(3)
    sandbox.create_guarded_on(jetson, "web")
    start_operator()
    failed = Removal(sandbox, jetson, drain={"timeoutSeconds": 1})
    cluster.kubectl("wait", f"nrm/{failed.name}", "--for=condition=Stalled", "--timeout=60s")
    assert failed.wait_end() == ("False", "DrainTimedOut")
    done = Removal(sandbox, worker)
    cluster.kubectl("wait", f"nrm/{done.name}", "--for=condition=Succeeded", "--timeout=60s")
    assert done.wait_end() == ("True", "NodeRemoved")
    for ended in (failed, done):
        assert wait_for_completion(cluster, ended.name)


def wait_for_completion(cluster, name):
    """The wait that ends whatever the end is; before kubectl 1.23 there is only the look."""
    if cluster.minor >= 31:
        cluster.kubectl("wait", f"nrm/{name}", "--for=jsonpath={.status.completionTime}", "--timeout=10s")
    return cluster.kubectl("get", "nrm", name, "-o", "jsonpath={.status.completionTime}")
