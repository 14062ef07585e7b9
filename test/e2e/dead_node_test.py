"""A node whose kubelet is dead: nothing can be evicted, and nobody knows what still runs on the machine."""

from datetime import datetime, timedelta

import pytest
from history import History, is_deleted, is_ready
from objects import deployment, naked_pod, stateful_set, volume_attachment, volume_claim
from operator_requests import OperatorRequests, answered, received, succeeded, uid_of
from removal import Removal
from waiting import wait_until

MARGIN = timedelta(seconds=2)
FLAGS = (f"--overdue-margin={MARGIN.seconds}",)
SOON = {"toleranceSeconds": 2}
FIRST_MINOR_WITH_OUT_OF_SERVICE = 26
OUR_MARK = {"key": "node.kubernetes.io/out-of-service", "value": "noderemoval", "effect": "NoExecute"}


def test_pods_of_a_dead_node_start_elsewhere_and_are_cleared_before_the_node_is_deleted(
        cluster, sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1))
    [lost] = sandbox.pods("web", node=jetson)
    requests, history = OperatorRequests(sandbox), History(sandbox)
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)

    removal = Removal(sandbox, jetson, unreachable=SOON)
    terminating = wait_terminating(sandbox, lost)
    sandbox.wait_gone(lost)
    [replacement] = sandbox.pods("web", node=spare)
    assert (history.revision("Pod", replacement["metadata"]["name"], is_ready)
            < history.revision("Pod", lost["metadata"]["name"], is_deleted))
    assert removal.wait_end() == ("True", "NodeRemoved")

    assert requests.evictions() == []
    [clearing] = [each for each in requests.pod_deletes() if is_forced(each)]
    assert uid_of(clearing) == lost["metadata"]["uid"]
    assert time_of(received(clearing)) >= time_of(terminating["metadata"]["deletionTimestamp"]) + MARGIN
    [deletion] = [each for each in requests.node_deletes() if succeeded(each)]
    assert answered(clearing) < received(deletion)
    assert requests.touched() == {("nodes", jetson), ("pods", lost["metadata"]["name"])}
    assert sandbox.get("Node", jetson) is None
    assert sandbox.pods(node=jetson) == []
    assert sandbox.api.get("Lease", jetson, "kube-node-lease") is None


def say_it_in_the_removal(_, removal):
    removal.change(unreachable={"fenced": True})


def taint_the_node(sandbox, removal):
    sandbox.cluster.kubectl("taint", "node", removal.node, "node.kubernetes.io/out-of-service=off:NoExecute")


@pytest.mark.parametrize("assert_that_it_is_off", [say_it_in_the_removal, taint_the_node])
def test_a_stateful_set_pod_is_only_cleared_once_somebody_asserts_that_the_machine_is_off(
        cluster, sandbox, start_operator, assert_that_it_is_off):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, stateful_set("db", grace=1), deployment("web", grace=1))
    old = sandbox.get("Pod", "db-0")
    [web] = sandbox.pods("web")
    requests = OperatorRequests(sandbox)
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)

    removal = Removal(sandbox, jetson, unreachable=SOON)
    blocker = removal.wait_blocked_by("db-0", "NeedsFencing")
    assert "fenced" in blocker["message"]
    # The other pod has had the same time to end, and is cleared.
    sandbox.wait_gone(web)
    waiting = removal.wait_reason("NeedsFencing")
    assert "db-0" in waiting["message"]
    assert requests.writes("pods", "db-0") == requests.evictions() == requests.node_deletes() == []
    assert sandbox.get("Pod", "db-0")["metadata"]["uid"] == old["metadata"]["uid"]

    assert_that_it_is_off(sandbox, removal)
    assert removal.wait_end() == ("True", "NodeRemoved")
    sandbox.wait_ready("StatefulSet", "db")
    [new] = sandbox.pods("db")
    assert new["spec"]["nodeName"] == spare
    assert all(uid_of(each) == old["metadata"]["uid"] for each in requests.pod_deletes("db-0"))
    assert requests.evictions() == []
    assert sandbox.get("Node", jetson) is None


def test_a_volume_that_several_nodes_may_use_needs_no_fencing(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    for name, mode in (("own", "ReadWriteOnce"), ("shared", "ReadWriteMany")):
        sandbox.create(volume_claim(name, mode))
        sandbox.create(naked_pod(f"with-{name}", node=jetson, claim=name, grace=1))
    requests = OperatorRequests(sandbox)
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)

    removal = Removal(sandbox, jetson, unreachable=SOON, drain={"force": True})
    removal.wait_blocked_by("with-own", "NeedsFencing")
    wait_until(lambda: sandbox.get("Pod", "with-shared") is None, 60, "the other pod is cleared",
               seen=removal.status)
    assert requests.pod_deletes("with-own") == []
    plan = {each["pod"].partition("/")[2]: each["action"] for each in removal.status()["plan"]}
    assert plan == {"with-own": "Blocked", "with-shared": "Delete"}

    removal.change(unreachable={"fenced": True})
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_a_machine_that_is_off_is_marked_out_of_service_until_it_comes_back(
        cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1, finalizers=["example.com/hold"]))
    [pod] = sandbox.pods("web")
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)

    removal = Removal(sandbox, jetson, unreachable={**SOON, "fenced": True})
    removal.wait_blocked_by(pod["metadata"]["name"], "Finalizer", timeout=60)
    marked = sandbox.api.minor >= FIRST_MINOR_WITH_OUT_OF_SERVICE
    assert out_of_service(sandbox, jetson) == ([OUR_MARK] if marked else [])

    cluster.restart_node(jetson)
    cluster.wait_ready(jetson)
    wait_until(lambda: out_of_service(sandbox, jetson) == [], 30, "the mark is taken back",
               seen=removal.status)
    sandbox.api.patch("Pod", pod["metadata"]["name"], {"metadata": {"finalizers": None}}, sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")


def suspend(sandbox, removal):
    removal.change(suspend=True)
    return "Suspended"


def uncordon(sandbox, removal):
    sandbox.uncordon(removal.node)
    return "Uncordoned"


def come_back(cluster, removal):
    cluster.restart_node(removal.node)
    cluster.wait_ready(removal.node)


def say_that_it_is_not_off(_, removal):
    removal.change(unreachable={"fenced": False})


@pytest.mark.parametrize("stop", [suspend, uncordon])
@pytest.mark.parametrize("no_longer", [come_back, say_that_it_is_not_off])
def test_the_mark_of_a_machine_that_is_off_is_taken_back_also_while_the_removal_stands_still(
        cluster, sandbox, start_operator, stop, no_longer):
    if sandbox.api.minor < FIRST_MINOR_WITH_OUT_OF_SERVICE:
        return
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1, finalizers=["example.com/hold"]))
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    removal = Removal(sandbox, jetson, unreachable={**SOON, "fenced": True})
    wait_until(lambda: out_of_service(sandbox, jetson) == [OUR_MARK], 60, "the node is marked", seen=removal.status)

    removal.wait_reason(stop(sandbox, removal))
    assert out_of_service(sandbox, jetson) == [OUR_MARK]
    no_longer(cluster, removal)
    wait_until(lambda: out_of_service(sandbox, jetson) == [], 30, "the mark is taken back", seen=removal.status)


def test_a_machine_that_is_off_is_marked_for_its_volumes_also_when_no_pod_is_on_it(
        cluster, sandbox, start_operator):
    if sandbox.api.minor < FIRST_MINOR_WITH_OUT_OF_SERVICE:
        return
    jetson, _ = sandbox.add_nodes(2)
    attachment = sandbox.name("attachment")
    sandbox.create(volume_attachment(attachment, jetson, "disk"))
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    removal = Removal(sandbox, jetson, unreachable={**SOON, "fenced": True})
    wait_until(lambda: out_of_service(sandbox, jetson) == [OUR_MARK], 30, "the node is marked", seen=removal.status)
    removal.wait_reason("WaitingForVolumes")
    sandbox.api.delete("VolumeAttachment", attachment)
    assert removal.wait_end() == ("True", "NodeRemoved")


def out_of_service(sandbox, node):
    return [taint for taint in sandbox.get("Node", node)["spec"].get("taints", [])
            if taint["key"] == OUR_MARK["key"]]


def wait_terminating(sandbox, pod):
    """Waits until the pod is told to end; returns it as it is then."""
    def terminating():
        found = sandbox.get("Pod", pod["metadata"]["name"])
        return found if "deletionTimestamp" in found["metadata"] else None

    return wait_until(terminating, 40, f"pod {pod['metadata']['name']} is told to end", seen=sandbox.pods)


def is_forced(request):
    return request["requestObject"].get("gracePeriodSeconds") == 0


def time_of(text):
    return datetime.fromisoformat(text)
