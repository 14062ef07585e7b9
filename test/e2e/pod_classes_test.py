"""Pods that are not simply evicted: because the user wants it so, or because of what they are."""

import time

import pytest
from history import History
from objects import STAYS_ON_DEAD_NODES, TOLERATES_EVERYTHING, deployment, naked_pod, stateful_set, using_whole_grace
from operator_requests import OperatorRequests, answered, received, succeeded, uid_of
from removal import Removal
from unanswering_server import UnansweringServer
from waiting import wait_until

WEB = {"matchLabels": {"app": "web"}}
BATCH = {"matchExpressions": [{"key": "kind", "operator": "In", "values": ["batch", "report"]}]}


def test_only_selected_pods_are_drained_and_the_others_are_not_lost_with_the_node(sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"), deployment("other"))
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, drain={"podSelector": WEB})
    waiting = removal.wait_reason("PodsLeftOut")
    [other] = sandbox.pods("other", node=jetson)
    assert other["metadata"]["name"] in waiting["message"]
    assert removal.blockers()[other["metadata"]["name"]]["reason"] == "NotSelected"
    assert [pod["spec"]["nodeName"] for pod in sandbox.pods("web")] == [spare]
    assert requests.writes("pods/eviction", other["metadata"]["name"]) == requests.node_deletes() == []

    sandbox.api.delete("Pod", other["metadata"]["name"], sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert requests.pod_deletes() == []


def test_only_selected_pods_are_drained_for_maintenance(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"), deployment("other"))
    start_operator()
    removal = Removal(sandbox, jetson, drain={"podSelector": WEB}, deleteNode=False)
    assert removal.wait_end() == ("True", "Drained")
    assert [pod["metadata"]["labels"]["app"] for pod in sandbox.pods(node=jetson)] == ["other"]


def test_pods_that_are_to_finish_are_waited_for(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("report-1", node=jetson, labels={"kind": "report"}, restart_policy="Never"))
    sandbox.wait_running("report-1")
    sandbox.create_on(jetson, deployment("web"))
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, drain={"waitForCompletion": BATCH})
    removal.wait_blocked_by("report-1", "WaitForCompletion")
    wait_until(lambda: sandbox.pods("web", node=jetson) == [], 30, "the other pods leave", seen=removal.status)
    assert requests.writes("pods/eviction", "report-1") == requests.writes("pods") == []

    sandbox.api.delete("Pod", "report-1", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_a_pod_that_comes_back_onto_the_cordoned_node_is_named_and_not_evicted_for_ever(
        sandbox, start_operator):
    jetson = sandbox.add_node(labels={"pool": "edge"})
    sandbox.add_node()
    sandbox.create(deployment("agent", tolerations=TOLERATES_EVERYTHING, node_selector={"pool": "edge"}))
    sandbox.wait_ready("Deployment", "agent")
    [first] = sandbox.pods("agent")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    sandbox.wait_gone(first)
    blocked = wait_until(lambda: [each for each in removal.status().get("blockers", [])
                                  if each["reason"] == "ToleratesCordon"], 30,
                         "the pod that came back is named", seen=removal.status)
    [again] = [pod for pod in sandbox.pods("agent") if pod["metadata"]["uid"] == blocked[0]["uid"]]
    assert again["spec"]["nodeName"] == jetson
    assert "toleration" in blocked[0]["message"]

    sandbox.cluster.kubectl("scale", "deployment", "agent", "--replicas=0", "-n", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert again["metadata"]["uid"] not in {uid_of(each) for each in requests.evictions()}


def test_a_pod_that_its_template_binds_to_the_node_is_named_and_not_evicted_for_ever(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(deployment("agent", node=jetson))
    sandbox.wait_ready("Deployment", "agent")
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = Removal(sandbox, jetson)
    wait_until(lambda: "BypassesScheduler" in {each["reason"] for each in removal.blockers().values()}, 30,
               "the pod that came back is named", seen=removal.status)
    count = len(requests.evictions())
    sandbox.cluster.kubectl("scale", "deployment", "agent", "--replicas=0", "-n", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert len(requests.evictions()) == count


def test_workloads_leave_before_the_critical_pods_that_they_may_need(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    start_operator()
    with UnansweringServer() as server:
        sandbox.create_on(
            jetson, deployment("dns", priority_class="system-cluster-critical"),
            deployment("csi", priority_class="system-node-critical"),
            stateful_set("db", grace=2, pre_stop=using_whole_grace(server.port)))
        removal = Removal(sandbox, jetson)
        assert removal.wait_end() == ("True", "NodeRemoved")

    evictions = {each["objectRef"]["name"].split("-")[0]: each for each in requests.evictions()
                 if succeeded(each)}
    assert evictions.keys() == {"db", "dns", "csi"}
    assert answered(evictions["db"]) < received(evictions["dns"])
    assert answered(evictions["dns"]) < received(evictions["csi"])


@pytest.mark.parametrize("dead", [False, True])
def test_pods_that_are_started_past_the_scheduler_do_not_multiply(cluster, sandbox, start_operator, dead):
    jetson, _ = sandbox.add_nodes(2)
    with UnansweringServer() as server:
        agent = deployment("agent", grace=30, pre_stop=using_whole_grace(server.port), tolerations=STAYS_ON_DEAD_NODES)
        agent["spec"]["template"]["spec"]["nodeName"] = jetson
        sandbox.create(agent)
        sandbox.wait_ready("Deployment", "agent")
        if dead:
            cluster.kill_node(jetson)
            cluster.wait_ready(jetson, ready=False)
        start_operator()
        removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
        wait_until(lambda: {each["reason"] for each in removal.status().get("blockers", [])}
                   & {"BypassesScheduler", "StartedAgain"}, 30, "the pod that came back is named", seen=removal.status)
        time.sleep(3)  # in which there were some forty
        assert len(sandbox.pods("agent")) <= 3
        sandbox.cluster.kubectl("scale", "deployment", "agent", "--replicas=0", "-n", sandbox.namespace)


def test_the_pod_of_the_operator_itself_leaves_when_all_others_are_gone(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    with UnansweringServer() as server:
        sandbox.create_on(jetson, deployment("operator"), deployment("web"),
                          deployment("slow", grace=4, pre_stop=using_whole_grace(server.port)))
        [own], [slow] = sandbox.pods("operator"), sandbox.pods("slow")
        history = History(sandbox)
        requests = OperatorRequests(sandbox)
        start_operator(f"--own-pod={sandbox.namespace}/{own['metadata']['name']}")
        removal = Removal(sandbox, jetson)
        assert removal.wait_end() == ("True", "NodeRemoved")
    evictions = [request["objectRef"]["name"] for request in sorted(requests.evictions(), key=received)]
    assert evictions[-1] == own["metadata"]["name"] and len(evictions) == 3
    gone = history.revision("Pod", slow["metadata"]["name"], lambda event, _: event == "DELETED")
    told = history.revision("Pod", own["metadata"]["name"],
                            lambda _, pod: "deletionTimestamp" in pod["metadata"])
    assert gone < told


def test_without_eviction_pods_are_deleted_past_their_budget(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, drain={"disableEviction": True})
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert requests.evictions() == []
    [deletion] = requests.pod_deletes()
    assert uid_of(deletion) == pod["metadata"]["uid"]
    assert "gracePeriodSeconds" not in deletion["requestObject"], "the pod's own grace period applies"


def test_pods_are_deleted_past_their_budget_so_that_they_end_in_grace_before_the_time_limit(
        sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web", grace=3)
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, drain={"timeoutSeconds": 8, "onTimeout": "Delete"})
    removal.wait_reason("DrainBlocked")
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert requests.evictions() and not any(map(succeeded, requests.evictions()))
    [deletion] = requests.pod_deletes()
    assert uid_of(deletion) == pod["metadata"]["uid"]
    assert 2 <= deletion["requestObject"]["gracePeriodSeconds"] <= 3
