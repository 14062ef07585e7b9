"""Two operators that both believe that they lead, and send the same write at the same moment."""

import threading

import pytest
from end_state import REPEATABLE
from fault_proxy import FaultProxy
from small_removals import SMALL_REMOVALS, outcome
from waiting import wait_until

# What both have to agree on by the resourceVersion, so that only one of them can have done it.
DONE_ONCE = ("nodes", "noderemovals")
# Each of two pods is told to leave and cleared, unless it happens to be gone before that.
AT_MOST = {("pods", "delete"): 4}
MEETINGS = {
    "cordon": ("PATCH", "/api/v1/nodes/[^/]+"),
    "status": ("PATCH", "/apis/noderemoval.dev/v1alpha1/noderemovals/[^/]+/status"),
    "eviction": ("POST", "/api/v1/namespaces/[^/]+/pods/[^/]+/eviction"),
    "pod delete": ("DELETE", "/api/v1/namespaces/[^/]+/pods/[^/]+"),
    "node delete": ("DELETE", "/api/v1/nodes/[^/]+"),
}
# The other one may never come: it saw what the first one did.
PATIENCE_SECONDS = 2


def meet(barrier):
    """Holds a request until another one of its kind has come, and lets both go at once."""
    def fault(exchange):
        try:
            barrier.wait(PATIENCE_SECONDS)
        except threading.BrokenBarrierError:
            pass
        exchange.pass_on(exchange.ask())
    return fault


def run(scenario, sandbox, start, count):
    """The end, and what was done, with so many operators."""
    begun = scenario(sandbox)
    audit = sandbox.audit()
    running = [start(*scenario.flags) for _ in range(count)]
    begun.begin()
    wait_until(begun.ended, 120, "the removal ends", seen=begun.removal.get)
    for operator in running:
        assert operator.alive()
        operator.kill()
    return outcome(begun, audit)


@pytest.mark.long
@pytest.mark.parametrize("scenario", SMALL_REMOVALS)
def test_two_that_act_at_once_end_as_one_does(cluster, sandbox, start_operator, operator_kubeconfig, scenario):
    end, done = run(scenario, sandbox, start_operator, 1)
    with FaultProxy(cluster) as proxy:
        for verb, path in MEETINGS.values():
            proxy.on(verb, path, meet(threading.Barrier(2)), times=None)
        kubeconfig = proxy.kubeconfig(operator_kubeconfig)
        both_end, both_done = run(scenario, sandbox, lambda *flags: start_operator(*flags, kubeconfig=kubeconfig), 2)
    assert both_end == end
    allowed = {what: (1 if what[0] in DONE_ONCE else 2) * max(done[what], AT_MOST.get(what, 0)) for what in both_done}
    more = {what: count for what, count in both_done.items() if what not in REPEATABLE and count > allowed[what]}
    assert more == {}
