"""What the operator asked the API server to do, from the audit log."""

import time

from oracle import OPERATOR
from request import READS


class OperatorRequests:
    """The requests of the operator's account from the moment this object was made."""

    def __init__(self, sandbox):
        self._audit = sandbox.audit()

    def writes(self, resource=None, name=None):
        """Everything that is not a read, also what was refused."""
        return [request for request in self._audit.requests(user=OPERATOR, resource=resource, name=name)
                if request["verb"] not in READS]

    def evictions(self, pod=None):
        """Not those in policy/v1 that an API server before 1.22 refuses without having read them."""
        return [request for request in self.writes("pods/eviction", pod) if "requestObject" in request]

    def pod_deletes(self, pod=None):
        return self.writes("pods", pod)

    def node_patches(self, node=None):
        return [request for request in self.writes("nodes", node) if request["verb"] == "patch"]

    def node_deletes(self, node=None):
        return [request for request in self.writes("nodes", node) if request["verb"] == "delete"]

    def touched(self):
        """(resource, name) of everything that it tried to change but what is its own: NodeRemovals, Events, and the
        record of removed nodes."""
        return {(request["objectRef"]["resource"], request["objectRef"].get("name"))
                for request in self.writes()
                if request["objectRef"]["resource"] not in {"noderemovals", "events", "configmaps"}}


def uid_of(request):
    """The UID without which the API server refuses the request."""
    body = request["requestObject"]
    if request["verb"] == "patch":
        return body["metadata"].get("uid")
    options = body.get("deleteOptions", {}) if body["kind"] == "Eviction" else body
    return options.get("preconditions", {}).get("uid")


def succeeded(request):
    return request["responseStatus"]["code"] < 300


def received(request):
    """When it came in, with microseconds. These texts sort by time."""
    return request["requestReceivedTimestamp"]


def answered(request):
    return request["stageTimestamp"]


def time_text(seconds):
    """As `received` gives it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"
