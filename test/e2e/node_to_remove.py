"""A node with pods that is to be removed, and another one that takes them."""

from objects import deployment
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal


class NodeToRemove:
    """Made with the pods of one Deployment on `jetson`; `pod` as objects.deployment takes it."""

    def __init__(self, sandbox, replicas=2, **pod):
        self.sandbox = sandbox
        self.jetson, self.spare = sandbox.add_nodes(2)
        sandbox.create_on(self.jetson, deployment("web", replicas=replicas, **pod))
        self.node = sandbox.get("Node", self.jetson)
        self.leaving = {pod["metadata"]["uid"] for pod in sandbox.pods("web")}
        self.requests = OperatorRequests(sandbox)

    def remove(self):
        return Removal(self.sandbox, self.jetson)

    def assert_removed(self, removal, timeout=90):
        """The removal ends well; this node was deleted once, and its pods and no others were evicted."""
        assert removal.wait_end(timeout) == ("True", "NodeRemoved")
        assert self.sandbox.get("Node", self.jetson) is None
        assert [uid_of(each) for each in self.requests.node_deletes() if succeeded(each)] == [
            self.node["metadata"]["uid"]]
        assert {uid_of(each) for each in self.requests.evictions()} == self.leaving
