"""Reads and watches that are answered wrongly, late, in part or not at all."""

import threading

import faults
import pytest
from node_to_remove import NodeToRemove
from objects import naked_pod
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal
from waiting import wait_until

ONE_NODE = "/api/v1/nodes/[^/]+"
REMOVALS = "/apis/noderemoval.dev/v1alpha1/noderemovals"
NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"


def status(code, reason, **details):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
            "reason": reason, "message": "said by the proxy", "details": details}


TEXT = {"Content-Type": "text/plain; charset=utf-8"}
EXPIRED = status(410, "Expired")
WRONG = {
    "404 of a proxy": faults.reply(404, "404 page not found\n", TEXT),
    "404 that names nothing": faults.reply(404, status(404, "NotFound")),
    "404 of another object": faults.reply(404, status(404, "NotFound", name="another", kind="nodes")),
    "404 of another kind": faults.reply(404, status(404, "NotFound", name="another", kind="namespaces")),
    "page": faults.reply(200, "<html>Please log in</html>"),
    "redirect": faults.reply(302, "", {"Location": "https://127.0.0.1:9/", "Content-Type": "text/html"}),
    "another object": faults.reply(200, {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "another"}}),
    "nothing in a list": faults.reply(200, {"kind": "PodList", "apiVersion": "v1", "items": []}),
    "429 with Retry-After": faults.reply(429, "Too many requests", {**TEXT, "Retry-After": "1"}),
    "429 without": faults.reply(429, "Too many requests", TEXT),
    "503": faults.reply(503, "<html>no backend</html>"),
    "504": faults.reply(504, status(504, "Timeout", retryAfterSeconds=1)),
    "half": faults.truncate,
    "reset": faults.drop,
}


class Case(NodeToRemove):
    def assert_removed(self, removal, timeout=90):
        super().assert_removed(removal, timeout)
        assert {pod["spec"]["nodeName"] for pod in self.sandbox.pods("web")} == {self.spare}
        assert len([each for each in self.requests.evictions() if succeeded(each)]) == len(self.leaving)


def test_a_node_is_not_taken_for_gone_because_of_any_wrong_answer(
        sandbox, start_operator, operator_kubeconfig, proxy):
    _, *nodes = sandbox.add_nodes(1) + [bare_node(sandbox) for _ in WRONG]
    uids = {sandbox.get("Node", node)["metadata"]["uid"] for node in nodes}
    requests = OperatorRequests(sandbox)
    # Every other answer about a node is wrong, for each node in its own way.
    lies = {kind: proxy.on("GET", f"{NODES}/{node}", faults.every_other(answer), times=None)
            for node, (kind, answer) in zip(nodes, WRONG.items())}
    start_operator("--min-healthy=0", kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    removals = [Removal(sandbox, node, unreachable={"toleranceSeconds": 1}) for node in nodes]
    ends = {kind: removal.wait_end() for kind, removal in zip(WRONG, removals)}
    assert ends == {kind: ("True", "NodeRemoved") for kind in WRONG}
    assert [kind for kind, rule in lies.items() if rule.hits < 4] == []
    assert {uid_of(each) for each in requests.node_deletes() if succeeded(each)} == uids


def bare_node(sandbox):
    """A Node that nothing runs for; returns its name."""
    name = sandbox.name("bare")
    sandbox.create({"kind": "Node", "metadata": {"name": name}})
    return name


def test_a_removal_ends_the_same_when_every_other_read_is_answered_wrongly(
        sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    wrong = proxy.on("GET", "/api/.*|/apis/.*", faults.every_other(*WRONG.values()), times=None)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    case.assert_removed(case.remove(), timeout=120)
    assert wrong.hits >= len(WRONG)


WATCH_FAULTS = {
    "cut inside an event": [faults.cut_inside_event] * 2,
    "410 in the stream": [faults.error_event(EXPIRED)],
    "410 as its answer": [faults.reply(410, EXPIRED)],
    "an error event": [faults.error_event(status(500, "InternalError")), faults.error_event(status(504, "Timeout"))],
    "refusals": [faults.reply(429, "Too many requests", {**TEXT, "Retry-After": "1"}), faults.reply(503, "<html>")],
    "nonsense": [faults.reply(200, "<html>Please log in</html>"), faults.reply(302, "", {"Location": "/"})],
    "an end at once": [faults.end_at_once, faults.end_at_once],
}


@pytest.mark.parametrize("wrong", WATCH_FAULTS.values(), ids=WATCH_FAULTS.keys())
def test_a_removal_ends_the_same_when_its_watches_get(
        sandbox, start_operator, operator_kubeconfig, proxy, wrong):
    case = Case(sandbox)
    rules = [proxy.on("WATCH", path, faults.in_turn(*wrong), times=len(wrong)) for path in (REMOVALS, NODES, PODS)]
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    case.assert_removed(case.remove())
    # The removal may end before the last fault.
    assert all(rule.hits > 0 for rule in rules)


def test_a_removal_ends_the_same_when_watches_come_in_chunks_of_one_byte(
        sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    rule = proxy.on("WATCH", ".*", faults.rechunk, times=None)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    case.assert_removed(case.remove())
    assert rule.hits >= 3


def test_a_node_is_not_deleted_on_an_old_view_and_goes_once_the_events_come(
        sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    gate = threading.Event()
    gate.set()
    proxy.on("WATCH", PODS, faults.held_while_closed(gate), times=None)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    sandbox.create(naked_pod("single", node=case.jetson))
    removal = case.remove()
    removal.wait_blocked_by("single", "UnmanagedPod")
    gate.clear()
    sandbox.api.delete("Pod", "single", sandbox.namespace, grace=0)
    late = naked_pod("late", node=case.jetson)
    sandbox.create(late)
    wait_until(lambda: sandbox.get("Pod", "single") is None, 30, "the pod that blocked is gone")
    gate.set()
    removal.wait_blocked_by("late", "UnmanagedPod")
    assert case.requests.node_deletes() == []
    sandbox.api.delete("Pod", "late", sandbox.namespace, grace=0)
    case.assert_removed(removal)


def test_answers_that_are_late_or_come_drop_by_drop_only_cost_time(
        sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    slow = [proxy.on("GET", ONE_NODE, faults.delay(2)), proxy.on("GET", ONE_NODE, faults.drip(1000)),
            proxy.on("PATCH", ONE_NODE, faults.delay(2)), proxy.on("DELETE", ONE_NODE, faults.delay(2))]
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    case.assert_removed(case.remove())
    assert [rule.hits for rule in slow] == [1] * len(slow)


@pytest.mark.long
def test_a_request_that_is_never_answered_is_given_up_and_looked_at_again(
        sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    silent = [proxy.on("GET", ONE_NODE, faults.blackhole), proxy.on("PATCH", ONE_NODE, faults.blackhole)]
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    case.assert_removed(case.remove())
    assert [rule.hits for rule in silent] == [1] * len(silent)


def test_a_removal_ends_although_the_watch_of_its_node_never_says_that_it_is_gone(
        sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    gate = threading.Event()
    gate.set()
    proxy.on("WATCH", NODES, faults.held_while_closed(gate), times=None)

    def close_the_gate_first(exchange):
        gate.clear()
        exchange.pass_on(exchange.ask())

    proxy.on("DELETE", ONE_NODE, close_the_gate_first)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    removal = case.remove()
    case.assert_removed(removal, timeout=30)
    assert ("Warning", "DeleteRefused") not in removal.events()
    gate.set()


@pytest.mark.long
def test_a_watch_from_a_place_that_the_server_has_not_reached_is_begun_anew(
        sandbox, start_operator, operator_kubeconfig, proxy):
    """As after a restore of etcd: the server is silent, and says why only in the answer to a list."""
    case = Case(sandbox)

    def come_from_the_future(body):
        body["metadata"]["resourceVersion"] = "999999999"

    proxy.on("GET", REMOVALS, faults.rewrite(come_from_the_future))
    operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    wait_until(lambda: proxy.count("WATCH", REMOVALS) == 1, 30, "the watch is open", seen=operator.log_text)
    removal = case.remove()
    case.assert_removed(removal, timeout=150)


@pytest.mark.long
def test_a_watch_that_never_says_anything_is_given_up(sandbox, start_operator, operator_kubeconfig, proxy):
    case = Case(sandbox)
    silent = proxy.on("WATCH", REMOVALS, faults.silent)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    wait_until(lambda: silent.hits == 1, 30, "the watch is open")
    case.assert_removed(case.remove(), timeout=150)
