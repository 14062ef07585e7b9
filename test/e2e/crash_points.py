"""Ends the operator exactly before or after one of its writes.

    with FaultProxy(cluster) as proxy:
        points = CrashPoints(proxy, {3: AFTER})
        operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
        ...
        points.wait_until(operator, ended, 90, "the removal ends")
"""

import collections
import threading

from operator_requests import succeeded
from oracle import OPERATOR
from request import READS
from waiting import wait_until

WRITE = "POST|PATCH|PUT|DELETE"
# Events come beside the others, at a time of their own: they would be another number in every run.
BUT_EVENTS = "(?!.*/events$).*"
# Before the API server hears of the write, or after it did it and before the operator hears of that.
BEFORE, AFTER = "before", "after"
KILL_TIMEOUT_SECONDS = 60


class CrashPoints:
    """`points` says for the number of a write, from 1 on, at which side of it the operator ends.

    Processes end with the thread that started them, so that not the proxy but `wait_until` kills and restarts.
    """

    def __init__(self, proxy, points):
        self._points = points
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._killed = threading.Event()
        self.writes = 0
        self.crashes = 0
        proxy.on(WRITE, BUT_EVENTS, self._pass_or_crash, times=None)

    def wait_until(self, operator, predicate, timeout, what, seen=None):
        """Like waiting.wait_until; starts the operator anew each time it got to one of the points."""
        def restart_then_ask():
            if self._due.is_set():
                self._restart(operator)
            return predicate()

        return wait_until(restart_then_ask, timeout, what, seen)

    def _restart(self, operator):
        operator.kill()
        with self._lock:
            self._due.clear()
            self._killed.set()
            self._killed = threading.Event()
            self.crashes += 1
        operator.start()

    def _pass_or_crash(self, exchange):
        with self._lock:
            doomed, killed = self._due.is_set(), self._killed
            self.writes += not doomed
            point = None if doomed else self._points.get(self.writes)
            if point == BEFORE:
                self._due.set()
        if point == AFTER:
            exchange.ask().read()
            self._due.set()
        elif not doomed and point is None:
            exchange.pass_on(exchange.ask())
            return
        killed.wait(KILL_TIMEOUT_SECONDS)
        exchange.reset()


def committed_writes(audit):
    """How often the operator changed something, by kind and verb: names differ from run to run."""
    counts = collections.Counter()
    for request in audit.requests(user=OPERATOR):
        if request["verb"] in READS or not succeeded(request):
            continue
        target = request["objectRef"]
        # The record of removed nodes is made by the first run, and changed by the others.
        verb = "write" if target["resource"] == "configmaps" else request["verb"]
        counts["/".join(filter(None, (target["resource"], target.get("subresource")))), verb] += 1
    return counts
