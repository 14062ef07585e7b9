"""A machine of the same name joins, with another UID, while a NodeRemoval is about its predecessor."""

import pytest
from objects import daemon_set, deployment
from operator_requests import OperatorRequests, received, succeeded, uid_of
from removal import PROTECT, Removal, traces_on


class Case:
    """One removal of the node `name`, whose first machine had `uid`."""

    def __init__(self, sandbox, operator):
        self.sandbox = sandbox
        self.operator = operator
        self.name, self.spare = sandbox.add_nodes(2, labels={"pool": "edge"})
        self.uid = self._node()["metadata"]["uid"]
        self.requests = OperatorRequests(sandbox)

    def remove(self, **spec):
        return Removal(self.sandbox, self.name, **spec)

    def replace(self):
        """Replaces the machine; returns the new Node."""
        self.sandbox.cluster.kill_node(self.name)
        self.sandbox.api.delete("Node", self.name)
        self.sandbox.cluster.add_node(self.name)
        return self._node()

    def replace_unseen(self, meanwhile=lambda: None):
        """The same while the operator stands still, so that it never sees the name without a Node."""
        self.operator.freeze()
        node = self.replace()
        meanwhile()
        self.operator.thaw()
        return node

    def assert_left_alone(self, new):
        """The operator has changed nothing of the new machine."""
        node = self._node()
        assert node["metadata"]["uid"] == new["metadata"]["uid"] != self.uid
        assert not node["spec"].get("unschedulable")
        assert traces_on(node) == []
        writes = self.requests.writes("nodes")
        assert all(uid_of(request) == self.uid for request in writes)
        joined = new["metadata"]["creationTimestamp"].rstrip("Z")
        later = [request for request in self.requests.writes() if received(request) > joined]
        assert not [each for each in later if each["objectRef"]["resource"] == "pods" and succeeded(each)]

    def _node(self):
        return self.sandbox.get("Node", self.name)


@pytest.fixture
def case(sandbox, start_operator):
    return Case(sandbox, start_operator())


def test_a_node_that_is_replaced_before_its_removal_was_accepted_is_left_alone(case, sandbox):
    sandbox.api.patch("Node", case.name, {"metadata": {"annotations": {PROTECT: "true"}}})
    removal = case.remove()
    removal.wait_reason("NodeProtected")
    new = case.replace_unseen()
    assert removal.wait_end() == ("True", "AlreadyReplaced")
    case.assert_left_alone(new)


@pytest.mark.parametrize("replace", [Case.replace, Case.replace_unseen])
def test_a_node_that_is_replaced_during_its_drain_is_left_alone(case, sandbox, replace):
    sandbox.create_guarded_on(case.name, "web")
    removal = case.remove()
    removal.wait_reason("DrainBlocked")
    new = replace(case)
    assert removal.wait_end() in {("True", "AlreadyReplaced"), ("True", "NodeRemoved")}
    case.assert_left_alone(new)


def test_pods_that_the_successor_of_a_node_has_taken_over_are_not_evicted(case, sandbox):
    sandbox.create_guarded_on(case.name, "web")
    removal = case.remove()
    removal.wait_reason("DrainBlocked")
    # When the operator wakes up, nothing but the other UID of the node speaks against an eviction.
    new = case.replace_unseen(lambda: sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace))
    assert removal.wait_end() == ("True", "AlreadyReplaced")
    case.assert_left_alone(new)


def test_a_dead_node_that_is_replaced_is_left_alone(case, sandbox):
    sandbox.create_on(case.name, deployment("web"))
    removal = case.remove(unreachable={"toleranceSeconds": 300})
    sandbox.cluster.kill_node(case.name)
    removal.wait_reason("NodeNotReady")
    new = case.replace_unseen()
    assert removal.wait_end() == ("True", "AlreadyReplaced")
    case.assert_left_alone(new)


def test_a_node_that_is_replaced_while_its_pods_have_no_place_to_go_is_left_alone(case, sandbox):
    sandbox.add_node()
    sandbox.create_on(case.name, deployment("web", node_selector={"pool": "edge"}))
    removal = case.remove()
    sandbox.cordon(case.spare)
    removal.wait_reason("WaitingForMigration")
    new = case.replace_unseen()
    assert removal.wait_end() == ("True", "AlreadyReplaced")
    case.assert_left_alone(new)


def test_a_node_that_joins_while_the_leftovers_of_its_predecessor_are_awaited_is_left_alone(case, sandbox):
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("DaemonSet", "agent")
    removal = case.remove()
    removal.wait_reason("CheckingLeftovers")
    new = case.replace()
    assert removal.wait_end() == ("True", "NodeRemoved")
    case.assert_left_alone(new)


def test_a_node_that_joins_after_its_predecessor_was_removed_is_left_alone(case, sandbox):
    removal = case.remove()
    assert removal.wait_end() == ("True", "NodeRemoved")
    finished = removal.get()
    new = case.replace()
    case.operator.restart()
    # When a later removal has ended, the operator has looked at the earlier one as well.
    assert Removal(sandbox, sandbox.name("never")).wait_end() == ("True", "NodeAbsent")
    assert removal.get() == finished
    case.assert_left_alone(new)
