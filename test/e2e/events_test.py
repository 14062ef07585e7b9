"""What kubectl tells of a removal by its Events."""

import re

import faults
from objects import deployment
from operator_requests import OperatorRequests, succeeded
from removal import Removal
from waiting import wait_until

CONTROLLER = "noderemoval.dev/controller"
GROUP = "/apis/events.k8s.io/v1/namespaces/default/events"
CORE = "/api/v1/namespaces/default/events"
FORBIDDEN = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
             "reason": "Forbidden", "message": "events is forbidden: exceeded quota"}
BROKEN = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 500,
          "reason": "InternalError", "message": "etcd has no leader"}
DROPPED = "noderemoval_events_dropped_total"
WITHOUT_PODS = ["Accepted", "Cordoned", "NodeDeleted", "NodeRemoved"]


def described(cluster, kind, name):
    """(type, reason, message) of the operator's Events as `kubectl describe` shows them."""
    _, _, table = cluster.kubectl("describe", kind, name).partition("\nEvents:")
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=4) for line in table.splitlines()]
    return [(row[0], row[1], row[4]) for row in rows if len(row) == 5 and row[3] == CONTROLLER]


def told(sandbox, uid):
    """The reasons of the operator's Events on this object, oldest first, each as often as it is there."""
    events = sandbox.api.list("Event", "default", fields=f"involvedObject.uid={uid}")
    return [event["reason"] for event in sorted(events, key=lambda event: event["metadata"]["name"])
            if event["metadata"]["name"].startswith("noderemoval.")]


def wait_told(sandbox, thing, reasons):
    uid = thing["metadata"]["uid"]
    wait_until(lambda: told(sandbox, uid) == reasons, 20, f"the Events are {reasons}",
               seen=lambda: told(sandbox, uid))


def test_a_plain_removal_is_told_step_by_step_with_six_requests(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    [pod] = sandbox.pods("web")
    node = sandbox.get("Node", jetson)
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    assert removal.wait_end() == ("True", "NodeRemoved")
    reasons = ["Accepted", "Cordoned", "Draining", "NodeDeleted", "NodeRemoved"]
    wait_told(sandbox, removal.get(), reasons)

    uid, cordoned = node["metadata"]["uid"], f"Node {jetson} takes no new pods; a cancel makes it schedulable again"
    lines = [("Normal", "Accepted", f"Bound to Node {jetson} with UID {uid}"),
             ("Normal", "Cordoned", cordoned),
             ("Normal", "Draining", f"1 pod told to leave: {sandbox.namespace}/{pod['metadata']['name']}"),
             ("Normal", "NodeDeleted", f"Node {jetson} is deleted (UID {uid})"),
             ("Normal", "NodeRemoved", f"Node {jetson} is removed and nothing of it is left in the cluster.")]
    assert described(cluster, "noderemoval", removal.name) == lines
    listed = cluster.kubectl("get", "events", "-n", "default")
    for kind, reason, message in lines:
        assert re.search(rf"{kind} +{reason} +noderemoval/{removal.name} +{re.escape(message)}", listed), listed
    assert re.search(rf"Cordoned +node/{jetson} +NodeRemoval {removal.name}: {cordoned}", listed), listed
    if cluster.minor >= 26:  # this kubectl has the command
        listed = cluster.kubectl("events", "--for", f"noderemoval/{removal.name}", "-n", "default")
        assert [line.split()[2] for line in listed.splitlines()[1:]] == reasons

    # One is on the Node. A server that takes only core/v1 refuses the first once.
    wait_until(lambda: len([each for each in requests.writes("events") if succeeded(each)]) == 6, 10,
               "six Events are written", seen=lambda: requests.writes("events"))
    assert len(requests.writes("events")) == (6 if cluster.minor >= 21 else 7)
    assert operator.metrics()[DROPPED] == 0


def test_what_blocks_and_a_cancel_are_told_on_the_node_and_once_also_after_a_restart(
        cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    created = removal.get()
    wait_told(sandbox, created, ["Accepted", "Cordoned", "DrainBlocked"])
    tried = len(requests.evictions())
    operator.restart()
    wait_until(lambda: len(requests.evictions()) > tried, 30, "the new process tries the eviction")
    removal.wait_observed()
    removal.cancel()
    removal.wait_gone()

    wait_told(sandbox, created, ["Accepted", "Cordoned", "DrainBlocked", "Cancelled"])
    wait_told(sandbox, sandbox.get("Node", jetson), ["Cordoned", "DrainBlocked", "Released"])
    name = f"{sandbox.namespace}/{pod['metadata']['name']}"
    on_node = [("Normal", "Cordoned", f"Node {jetson} takes no new pods; a cancel makes it schedulable again"),
               ("Warning", "DrainBlocked", f"PodDisruptionBudget blocks 1 pod, {name}: "),
               ("Normal", "Released", f"Cancelled: Node {jetson} takes new pods")]
    listed = cluster.kubectl("get", "events", "-n", "default")
    for kind, reason, message in on_node:
        line = rf"{kind} +{reason} +node/{jetson} +NodeRemoval {removal.name}: {re.escape(message)}"
        assert re.search(line, listed), listed
    if cluster.minor > 20:  # that kubectl describes a node with the Events of its kubelet only
        for line, (kind, reason, message) in zip(described(cluster, "node", jetson), on_node, strict=True):
            assert line[:2] == (kind, reason) and line[2].startswith(f"NodeRemoval {removal.name}: {message}")
    [event] = sandbox.api.list("Event", "default",
                               fields=f"involvedObject.uid={created['metadata']['uid']},reason=DrainBlocked")
    assert event["related"]["uid"] == pod["metadata"]["uid"]


def test_the_judgement_on_a_dead_node_is_told_with_its_evidence(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1))
    [pod] = sandbox.pods("web")
    start_operator("--overdue-margin=1")
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    node = sandbox.get("Node", jetson)
    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 2})
    assert removal.wait_end() == ("True", "NodeRemoved")

    wait_told(sandbox, removal.get(), ["Accepted", "Cordoned", "NodeNotReady", "DeadNode", "ClearingTerminatingPods",
                                       "PodForceDeleted", "NodeDeleted", "NodeRemoved"])
    wait_told(sandbox, node, ["Cordoned", "NodeNotReady", "DeadNode"])
    messages = {reason: message for _, reason, message in described(cluster, "noderemoval", removal.name)}
    [ready] = [each for each in node["status"]["conditions"] if each["type"] == "Ready"]
    assert messages["DeadNode"].startswith(
        f"Node {jetson} is judged dead: NotReady since {ready['lastTransitionTime']} (Ready is Unknown, "
        "NodeStatusUnknown: Kubelet stopped posting node status.), seen so since ")
    assert messages["PodForceDeleted"] == ("1 pod of the dead node removed without asking its kubelet: "
                                           f"{sandbox.namespace}/{pod['metadata']['name']}")


def test_a_server_that_refuses_events_costs_a_line_in_the_log(
        sandbox, start_operator, operator_kubeconfig, proxy):
    jetson, _ = sandbox.add_nodes(2)
    refusals = [faults.reply(403, FORBIDDEN), faults.reply(500, BROKEN)] * 3
    proxy.on("POST", f"{GROUP}|{CORE}", faults.in_turn(*refusals), times=None)
    operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    removal = Removal(sandbox, jetson)
    assert removal.wait_end() == ("True", "NodeRemoved")
    wait_until(lambda: operator.metrics()[DROPPED] == 5, 10, "all are counted", seen=operator.log_text)
    assert told(sandbox, removal.get()["metadata"]["uid"]) == []
    assert operator.log_text().count("event not written") == 1


def test_a_server_that_never_answers_to_an_event_holds_up_no_removal(
        sandbox, start_operator, operator_kubeconfig, proxy):
    jetson, _ = sandbox.add_nodes(2)
    rule = proxy.on("POST", f"{GROUP}|{CORE}", faults.blackhole, times=None)
    start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    assert Removal(sandbox, jetson).wait_end() == ("True", "NodeRemoved")
    assert rule.hits


def test_a_server_without_the_group_gets_events_of_the_core_api(sandbox, start_operator, operator_kubeconfig, proxy):
    jetson, _ = sandbox.add_nodes(2)
    rule = proxy.on("POST", GROUP, faults.reply(404, "404 page not found\n"), times=None)
    operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    removal = Removal(sandbox, jetson)
    assert removal.wait_end() == ("True", "NodeRemoved")
    wait_told(sandbox, removal.get(), WITHOUT_PODS)
    assert rule.hits == 1
    assert operator.metrics()[DROPPED] == 0
