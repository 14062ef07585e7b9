"""Changes that are undone before the operator hears of them, because its watches are held up."""

import threading

import faults
import pytest
from end_state import done_more_often
from objects import STAYS_ON_DEAD_NODES, pod_disruption_budget, stateful_set
from removal import CLAIM, PROTECT, Removal
from small_removals import outcome


def suspend_and_go_on(blocked):
    blocked.removal.change(suspend=True)
    blocked.removal.change(suspend=False)


def uncordon_and_cordon(blocked):
    blocked.sandbox.uncordon(blocked.jetson)
    blocked.sandbox.cordon(blocked.jetson)


def take_the_claim_and_give_it_back(blocked):
    claim = blocked.sandbox.get("Node", blocked.jetson)["metadata"]["annotations"][CLAIM]
    for text in (None, claim):
        blocked.sandbox.api.patch("Node", blocked.jetson, {"metadata": {"annotations": {CLAIM: text}}})


def protect_and_allow(blocked):
    for text in ("", None):
        blocked.sandbox.api.patch("Node", blocked.jetson, {"metadata": {"annotations": {PROTECT: text}}})


def let_the_node_die_and_come_back(blocked):
    blocked.cluster.freeze_node(blocked.jetson)
    blocked.cluster.wait_ready(blocked.jetson, ready=False)
    blocked.cluster.thaw_node(blocked.jetson)
    blocked.cluster.wait_ready(blocked.jetson)


def nothing(_):
    pass


class Blocked:
    """A drain that a budget blocks; the watches go through `gate`."""

    def __init__(self, cluster, sandbox, start_operator, kubeconfig, proxy):
        self.cluster, self.sandbox = cluster, sandbox
        self.gate = threading.Event()
        self.gate.set()
        proxy.on("WATCH", ".*", faults.held_while_closed(self.gate), times=None)
        self.jetson, self.spare = sandbox.add_nodes(2)
        # It stays when its node is not Ready for a while.
        sandbox.create_on(self.jetson, stateful_set("db", tolerations=STAYS_ON_DEAD_NODES))
        sandbox.create(pod_disruption_budget("db", minAvailable=1))
        sandbox.wait_counted("db", healthy=1)
        self.audit = sandbox.audit()
        self.operator = start_operator(kubeconfig=proxy.kubeconfig(kubeconfig))
        self.removal = Removal(sandbox, self.jetson)
        self.removal.wait_blocked_by("db-0", "PodDisruptionBudget")

    def finish(self):
        self.sandbox.api.delete("PodDisruptionBudget", "db", self.sandbox.namespace)
        assert self.removal.wait_end() == ("True", "NodeRemoved")
        self.operator.kill()
        return outcome(self, self.audit)


@pytest.mark.parametrize("change_and_undo", [
    suspend_and_go_on, uncordon_and_cordon, take_the_claim_and_give_it_back, protect_and_allow,
    pytest.param(let_the_node_die_and_come_back, marks=pytest.mark.long)])
def test_a_removal_ends_the_same_when_it_does_not_see_somebody(
        cluster, sandbox, start_operator, operator_kubeconfig, proxy, change_and_undo):
    ends = []
    for change in (nothing, change_and_undo):
        blocked = Blocked(cluster, sandbox, start_operator, operator_kubeconfig, proxy)
        blocked.gate.clear()
        change(blocked)
        blocked.gate.set()
        ends.append(blocked.finish())
    assert ends[0][0] == ends[1][0]
    assert done_more_often(ends[1][1], ends[0][1]) == {}
