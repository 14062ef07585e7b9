"""Several nodes: one NodeRemoval with a nodeSelector, and the budget of the whole cluster."""

from history import History
from objects import deployment, naked_pod, node_removal
from operator_requests import OperatorRequests
from removal import Removal, traces_on
from waiting import wait_until


class Group:
    """A NodeRemoval for the nodes with a label of this test alone."""

    def __init__(self, sandbox, count):
        self.sandbox = sandbox
        self.labels = {"pool": sandbox.namespace}
        self.nodes = sandbox.add_nodes(count, labels=self.labels)
        self.spare = sandbox.add_node()

    def remove(self, **spec):
        return Removal(self.sandbox, nodeSelector={"matchLabels": self.labels}, **spec)

    def children(self, removal):
        uid = removal.get()["metadata"]["uid"]
        return {each["spec"]["nodeName"]: each for each in self.sandbox.api.list("NodeRemoval")
                if any(owner["uid"] == uid for owner in each["metadata"].get("ownerReferences", []))}

    def left(self):
        return [node for node in self.nodes if self.sandbox.get("Node", node)]


def test_all_matching_nodes_are_removed_one_after_the_other(sandbox, start_operator):
    group = Group(sandbox, 3)
    sandbox.create(deployment("web", replicas=4))
    sandbox.wait_ready("Deployment", "web")
    history = History(sandbox)
    start_operator()

    removal = group.remove()
    wait_until(lambda: len(removal.status().get("nodes", [])) == 3, 30, "the nodes are listed",
               seen=removal.status)
    late = sandbox.add_node(labels=group.labels)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert [(each["name"], each["reason"]) for each in removal.status()["nodes"]] == [
        (node, "NodeRemoved") for node in sorted(group.nodes)]
    assert group.left() == []
    assert not sandbox.get("Node", late)["spec"].get("unschedulable"), "it joined after the set was fixed"
    begun = [history.revision("NodeRemoval", child["metadata"]["name"], lambda *_: True)
             for _, child in sorted(group.children(removal).items())]
    ended = [history.revision("Node", node, lambda event, _: event == "DELETED")
             for node in sorted(group.nodes)]
    assert begun[1] > ended[0] and begun[2] > ended[1]


def test_some_nodes_at_a_time_and_the_failed_ones_are_named(sandbox, start_operator):
    group = Group(sandbox, 3)
    stuck = sorted(group.nodes)[0]
    sandbox.create(naked_pod("single", node=stuck))
    sandbox.wait_running("single")
    start_operator()

    removal = group.remove(maxConcurrent="67%", drain={"timeoutSeconds": 5})
    wait_until(lambda: len(group.children(removal)) == 2, 30, "two of three are begun", seen=removal.status)
    assert removal.wait_end() == ("False", "PartiallyFailed")
    assert {each["name"]: each["reason"] for each in removal.status()["nodes"]} == {
        node: "DrainTimedOut" if node == stuck else "NodeRemoved" for node in group.nodes}
    assert stuck in removal.condition("Succeeded")["message"]
    assert group.left() == [stuck]


def test_suspend_and_cancel_reach_the_nodes_that_are_under_way(sandbox, start_operator):
    group = Group(sandbox, 2)
    first = sorted(group.nodes)[0]
    sandbox.create(naked_pod("single", node=first))
    sandbox.wait_running("single")
    start_operator()

    removal = group.remove()
    wait_until(lambda: sandbox.get("Node", first)["spec"].get("unschedulable"), 30, "the first node is cordoned",
               seen=removal.status)
    removal.change(suspend=True)
    wait_until(lambda: _reason(group.children(removal)[first]) == "Suspended", 30, "its removal stands still",
               seen=lambda: group.children(removal))
    assert removal.wait_reason("Suspended")
    removal.change(suspend=False)
    wait_until(lambda: _reason(group.children(removal)[first]) == "DrainBlocked", 30, "it goes on",
               seen=lambda: group.children(removal))

    removal.cancel()
    removal.wait_gone()
    wait_until(lambda: not sandbox.get("Node", first)["spec"].get("unschedulable"), 60,
               "the first node is given back", seen=lambda: sandbox.get("Node", first))
    assert traces_on(sandbox.get("Node", first)) == []
    assert group.left() == group.nodes


def test_a_cancelled_group_deletes_nothing_also_when_nobody_collects_its_children(cluster, sandbox, start_operator):
    group = Group(sandbox, 1)
    [node] = group.nodes
    sandbox.create(naked_pod("single", node=node))
    sandbox.wait_running("single")
    operator = start_operator()
    removal = group.remove()
    wait_until(lambda: "DrainBlocked" in map(_reason, group.children(removal).values()), 30, "the child is blocked",
               seen=lambda: group.children(removal))
    cluster.freeze("kube-controller-manager")
    removal.cancel()
    removal.wait_gone()
    sandbox.api.delete("Pod", "single", sandbox.namespace, grace=0)
    wait_until(lambda: "is cancelled" in operator.log_text(), 30, "the child stops", seen=operator.log_text)
    assert sandbox.get("Node", node)
    cluster.thaw("kube-controller-manager")
    wait_until(lambda: traces_on(sandbox.get("Node", node)) == [], 60, "the node is given back",
               seen=lambda: sandbox.get("Node", node))


def test_one_node_that_cannot_begin_does_not_hold_up_the_others(sandbox, start_operator):
    group = Group(sandbox, 2)
    name = sandbox.name("group")
    first, second = sorted(group.nodes)
    taken = sandbox.create(node_removal(f"{name}-{first}", "nobody"))
    start_operator()
    removal = Removal(sandbox, name=name, nodeSelector={"matchLabels": group.labels}, maxConcurrent=2)
    wait_until(lambda: sandbox.get("Node", second) is None, 60, "the other node is removed", seen=removal.status)
    assert "delete it to go on" in removal.condition("Succeeded")["message"]
    sandbox.api.delete("NodeRemoval", taken["metadata"]["name"])
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_a_selector_that_matches_nothing_is_reported(sandbox, start_operator):
    start_operator()
    removal = Removal(sandbox, nodeSelector={"matchLabels": {"pool": "nobody"}})
    assert removal.wait_end() == ("True", "NodeAbsent")
    assert "pool=nobody" in removal.condition("Succeeded")["message"]


def test_the_budget_of_the_cluster_is_given_in_order_and_says_for_whom_one_waits(sandbox, start_operator):
    jetson, nano, _ = sandbox.add_nodes(3)
    sandbox.create(naked_pod("single", node=jetson))
    sandbox.wait_running("single")
    requests = OperatorRequests(sandbox)
    start_operator("--max-concurrent-removals=1")
    first = Removal(sandbox, jetson)
    first.wait_reason("DrainBlocked")
    second = Removal(sandbox, nano)
    assert first.name in second.wait_reason("BudgetUsedUp")["message"]
    assert requests.node_patches(nano) == []
    sandbox.api.delete("Pod", "single", sandbox.namespace)
    assert first.wait_end() == ("True", "NodeRemoved")
    assert second.wait_end() == ("True", "NodeRemoved")


def test_a_removal_that_is_suspended_while_it_waits_for_the_budget_holds_up_nobody(sandbox, start_operator):
    jetson, nano, xavier, _ = sandbox.add_nodes(4)
    sandbox.create(naked_pod("single", node=jetson))
    sandbox.wait_running("single")
    start_operator("--max-concurrent-removals=1")
    first = Removal(sandbox, jetson)
    first.wait_reason("DrainBlocked")
    second, third = Removal(sandbox, nano), Removal(sandbox, xavier)
    for removal in (second, third):
        removal.wait_reason("BudgetUsedUp")
    second.change(suspend=True)
    second.wait_reason("Suspended")
    sandbox.api.delete("Pod", "single", sandbox.namespace)
    assert first.wait_end() == ("True", "NodeRemoved")
    assert third.wait_end() == ("True", "NodeRemoved")
    assert sandbox.get("Node", nano)
    second.change(suspend=False)
    assert second.wait_end() == ("True", "NodeRemoved")


def _reason(removal):
    conditions = removal["status"].get("conditions", [])
    return next((each["reason"] for each in conditions if each["type"] == "Succeeded"), None)
