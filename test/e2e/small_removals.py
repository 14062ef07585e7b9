"""Removals that are small enough to be repeated at many points: set up by the constructor, then begun."""

from crash_points import committed_writes
from end_state import end_state
from objects import STAYS_ON_DEAD_NODES, deployment, naked_pod, stateful_set
from removal import Removal


class ReadyNode:
    """A drain of pods of three kinds, and the deletion of the Node."""
    flags = ()

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.jetson, self.spare = sandbox.add_nodes(2)
        sandbox.create_on(self.jetson, deployment("web"), stateful_set("db"))
        sandbox.create(naked_pod("single", node=self.jetson))
        sandbox.wait_running("single")

    def begin(self):
        self.removal = Removal(self.sandbox, self.jetson, drain={"force": True})

    def ended(self):
        return ended(self.removal)


class DeadNode:
    """Pods are deleted and cleared."""
    flags = ("--overdue-margin=1",)

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.jetson, self.spare = sandbox.add_nodes(2)
        # Else Kubernetes deletes them as well, and the crashes decide who is first.
        pod = {"grace": 1, "tolerations": STAYS_ON_DEAD_NODES}
        sandbox.create_on(self.jetson, deployment("web", **pod), stateful_set("db", **pod))
        sandbox.cluster.kill_node(self.jetson)
        sandbox.cluster.wait_ready(self.jetson, ready=False)

    def begin(self):
        self.removal = Removal(self.sandbox, self.jetson, unreachable={"toleranceSeconds": 1, "fenced": True})

    def ended(self):
        return ended(self.removal)


class Cancelled:
    """A drain that a budget blocks is given up, and the Node is given back."""
    flags = ()

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.jetson, self.spare = sandbox.add_nodes(2)
        sandbox.create_guarded_on(self.jetson, "web")

    def begin(self):
        self._cancelled = False
        self.removal = Removal(self.sandbox, self.jetson)

    def ended(self):
        if not self._cancelled and self.removal.condition("Succeeded")["reason"] == "DrainBlocked":
            self.removal.cancel()
            self._cancelled = True
        return self._cancelled and self.removal.get() is None


SMALL_REMOVALS = [ReadyNode, DeadNode, Cancelled]


def outcome(begun, audit):
    """What it led to, and what the operator changed on the way; then it is taken away."""
    wait_workloads(begun.sandbox)
    end = end_state(begun.sandbox, begun.removal, jetson=begun.jetson, spare=begun.spare)
    clean_up(begun)
    return end, committed_writes(audit)


def clean_up(begun):
    """So that the next one does not meet its workloads and nodes."""
    sandbox = begun.sandbox
    for kind in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
        for thing in sandbox.api.list(kind, sandbox.namespace):
            sandbox.api.delete(kind, thing["metadata"]["name"], sandbox.namespace)
    sandbox.api.delete_all("Pod", sandbox.namespace, grace=0)
    for node in (begun.jetson, begun.spare):
        sandbox.cluster.remove_node(node)


def ended(removal):
    return "completionTime" in removal.status() and not removal.get()["metadata"].get("finalizers")


def wait_workloads(sandbox):
    for kind, name in (("Deployment", "web"), ("StatefulSet", "db")):
        if sandbox.get(kind, name):
            sandbox.wait_ready(kind, name)
