"""Nodes that die, or come back, while they are being removed."""

from objects import (STAYS_ON_DEAD_NODES, deployment, pod_disruption_budget, stateful_set,
                     using_whole_grace)
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal
from unanswering_server import UnansweringServer
from waiting import wait_until


def test_a_node_that_dies_in_the_middle_of_its_drain_is_removed_as_a_dead_one(
        cluster, sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    start_operator("--overdue-margin=2")
    with UnansweringServer() as server:
        sandbox.create_on(jetson, deployment("slow", grace=8, pre_stop=using_whole_grace(server.port)),
                          deployment("guarded", grace=1))
        sandbox.create(pod_disruption_budget("guarded", minAvailable=1))
        sandbox.wait_counted("guarded", healthy=1)
        [slow], [guarded] = sandbox.pods("slow"), sandbox.pods("guarded")

        removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
        wait_until(lambda: any(map(succeeded, requests.evictions(slow["metadata"]["name"]))), 30,
                   "the slow pod is told to end", seen=removal.status)
        removal.wait_blocked_by(guarded["metadata"]["name"], "PodDisruptionBudget")
        cluster.kill_node(jetson)
        cluster.wait_ready(jetson, ready=False)
        evictions = len(requests.evictions())

        assert removal.wait_end() == ("True", "NodeRemoved")
    assert len(requests.evictions()) == evictions
    assert {uid_of(each) for each in requests.pod_deletes()} == {
        pod["metadata"]["uid"] for pod in (slow, guarded)}
    assert removal.condition("Drained")["reason"] == "NodeNotReady"
    assert removal.condition("TerminatingPodsCleared")["status"] == "True"
    assert [pod["spec"]["nodeName"] for pod in sandbox.pods()] == [spare, spare]


def test_a_node_that_comes_back_from_the_dead_is_drained_after_all(cluster, sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, stateful_set("db", tolerations=STAYS_ON_DEAD_NODES))
    db = sandbox.get("Pod", "db-0")
    requests = OperatorRequests(sandbox)
    start_operator("--overdue-margin=2")
    cluster.freeze_node(jetson)
    cluster.wait_ready(jetson, ready=False)

    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
    removal.wait_blocked_by("db-0", "NeedsFencing")
    evidence = removal.status()["evidence"]
    assert evidence["ready"] != "True"
    cluster.thaw_node(jetson)

    assert removal.wait_end() == ("True", "NodeRemoved")
    assert [uid_of(each) for each in requests.evictions() if succeeded(each)] == [db["metadata"]["uid"]]
    assert requests.pod_deletes() == []
    assert "evidence" not in removal.status()
    assert removal.condition("Drained")["status"] == "True"
    assert removal.condition("TerminatingPodsCleared")["status"] is None
    sandbox.wait_ready("StatefulSet", "db")
    assert sandbox.get("Pod", "db-0")["spec"]["nodeName"] == spare
