"""One NodeRemoval, seen from outside."""

from objects import node_removal
from waiting import wait_until

CLAIM = "noderemoval.dev/claim"
PROTECT = "noderemoval.dev/protect"
REMOVING = "noderemoval.dev/removing"


class Removal:
    """Created by its constructor, unless it `exists`; `spec` holds fields by their API names, such as
    drain={"force": True}."""

    def __init__(self, sandbox, node=None, name=None, *, exists=False, **spec):
        self._sandbox = sandbox
        self.node = node
        self.name = name or sandbox.name("removal")
        if not exists:
            sandbox.create(node_removal(self.name, node, **spec))

    def get(self):
        return self._sandbox.get("NodeRemoval", self.name)

    def status(self):
        return (self.get() or {}).get("status", {})

    def condition(self, kind):
        """The condition of this type, or one without status and reason when there is none."""
        return _condition(self.status(), kind)

    def blockers(self):
        """The blockers by the names of their pods, without the namespace."""
        return {blocker["pod"].partition("/")[2]: blocker for blocker in self.status().get("blockers", [])}

    def events(self):
        """Type and reason of the Events on this object, which are the ones that kubectl describe shows."""
        uid = self.get()["metadata"]["uid"]
        return {(event["type"], event["reason"])
                for event in self._sandbox.api.list("Event", "default", fields=f"involvedObject.uid={uid}")}

    def change(self, **spec):
        self._sandbox.api.patch("NodeRemoval", self.name, {"spec": spec})

    def cancel(self):
        self._sandbox.api.delete("NodeRemoval", self.name)

    def wait_reason(self, reason, timeout=30):
        """Waits until the removal is in progress with this reason; returns the condition Succeeded."""
        def reached():
            status = self.status()
            if "completionTime" in status and not _is(status, "Unknown", reason):
                raise AssertionError(f"{self.name} ended instead of waiting with reason {reason}: "
                                     f"{_condition(status, 'Succeeded')}")
            return _is(status, "Unknown", reason) and _condition(status, "Succeeded")

        return wait_until(reached, timeout, f"{self.name} waits with reason {reason}", seen=self.status)

    def wait_observed(self, timeout=30):
        """Waits until the operator has decided about the removal as it is specified now."""
        generation = self.get()["metadata"]["generation"]
        wait_until(lambda: self.status()["observedGeneration"] >= generation, timeout,
                   f"{self.name} is observed in generation {generation}", seen=self.status)

    def wait_blocked_by(self, pod, reason, timeout=30):
        """Waits until this pod is a blocker for this reason; returns the blocker."""
        def found():
            blocker = self.blockers().get(pod)
            return blocker if blocker and blocker["reason"] == reason else None

        return wait_until(found, timeout, f"{self.name} is blocked by {pod} because of {reason}",
                          seen=self.status)

    def wait_end(self, timeout=90):
        """Waits until the removal ended in any way and its finalizer is gone; returns status and reason."""
        wait_until(lambda: "completionTime" in self.status() and not self.get()["metadata"].get("finalizers"),
                   timeout, f"{self.name} ends", seen=self.get)
        summary = self.condition("Succeeded")
        return summary["status"], summary["reason"]

    def wait_gone(self, timeout=30):
        wait_until(lambda: self.get() is None, timeout, f"NodeRemoval {self.name} is gone", seen=self.get)


def traces_on(node):
    """What a removal puts on a Node."""
    marks = [taint for taint in node["spec"].get("taints", []) if taint["key"] == REMOVING]
    claim = node["metadata"].get("annotations", {}).get(CLAIM)
    return marks + ([claim] if claim else [])


def _is(status, value, reason):
    summary = _condition(status, "Succeeded")
    return (summary["status"], summary["reason"]) == (value, reason)


def _condition(status, kind):
    return next((each for each in status.get("conditions", []) if each["type"] == kind),
                {"type": kind, "status": None, "reason": None, "message": ""})
