"""The control planes themselves: what the other tests rely on."""

import time

import pytest
from api import ApiError
from objects import daemon_set, deployment, naked_pod, pod_disruption_budget, stateful_set, using_whole_grace
from unanswering_server import UnansweringServer
from waiting import wait_until


def test_a_killed_kubelet_makes_its_node_not_ready_and_a_restart_brings_it_back(cluster, sandbox):
    node = sandbox.add_node()
    cluster.kill_node(node)
    cluster.wait_ready(node, ready=False, timeout=20)
    cluster.restart_node(node)
    cluster.wait_ready(node, timeout=20)


def test_a_frozen_kubelet_makes_its_node_not_ready_and_thawing_it_brings_it_back(cluster, sandbox):
    node = sandbox.add_node()
    cluster.freeze_node(node)
    cluster.wait_ready(node, ready=False, timeout=20)
    cluster.thaw_node(node)
    cluster.wait_ready(node, timeout=20)


def test_a_deployment_runs_on_the_hollow_nodes(sandbox):
    nodes = sandbox.add_nodes(2)
    sandbox.create(deployment("web", replicas=4))
    sandbox.wait_ready("Deployment", "web")
    assert {pod["spec"]["nodeName"] for pod in sandbox.pods("web")} <= set(nodes)


def test_a_daemon_set_runs_on_every_node_also_on_a_cordoned_one(sandbox):
    nodes = sandbox.add_nodes(2)
    sandbox.cordon(nodes[0])
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("DaemonSet", "agent")
    assert set(nodes) <= {pod["spec"]["nodeName"] for pod in sandbox.pods("agent")}


def test_a_stateful_set_gets_its_pods_one_after_the_other(sandbox):
    sandbox.add_node()
    sandbox.create(stateful_set("db", replicas=2))
    sandbox.wait_ready("StatefulSet", "db")
    assert {pod["metadata"]["name"] for pod in sandbox.pods("db")} == {"db-0", "db-1"}


def test_evicted_pods_go_away_and_are_replaced_elsewhere(sandbox):
    old, new = sandbox.add_nodes(2)
    sandbox.cordon(new)
    sandbox.create(deployment("web", replicas=2))
    sandbox.wait_ready("Deployment", "web")
    sandbox.uncordon(new)
    sandbox.cordon(old)

    evicted = sandbox.pods("web", node=old)
    for pod in evicted:
        sandbox.api.evict(pod)

    for pod in evicted:
        sandbox.wait_gone(pod)
    sandbox.wait_ready("Deployment", "web")
    assert [pod["spec"]["nodeName"] for pod in sandbox.pods("web")] == [new, new]


def test_a_disruption_budget_refuses_the_eviction_of_the_last_pod(sandbox):
    sandbox.add_node()
    sandbox.create(deployment("web"))
    sandbox.create(pod_disruption_budget("web", minAvailable=1))
    sandbox.wait_ready("Deployment", "web")
    sandbox.wait_counted("web", healthy=1)
    with pytest.raises(ApiError) as refusal:
        sandbox.api.evict(sandbox.pods("web")[0])
    assert refusal.value.status == 429


def test_a_pod_can_take_its_whole_grace_period_to_end(sandbox):
    sandbox.add_node()
    with UnansweringServer() as server:
        sandbox.create(naked_pod("slow", grace=4, pre_stop=using_whole_grace(server.port)))
        pod = sandbox.wait_running("slow")
        asked = time.monotonic()
        sandbox.api.evict(pod)
        sandbox.wait_gone(pod)
        assert time.monotonic() - asked >= 4


def test_pods_of_a_dead_node_stay_terminating_while_their_replacements_start(cluster, sandbox):
    dying, other = sandbox.add_nodes(2)
    sandbox.cordon(other)
    sandbox.create(deployment("web"))
    sandbox.wait_ready("Deployment", "web")
    sandbox.uncordon(other)

    cluster.kill_node(dying)

    wait_until(lambda: "deletionTimestamp" in sandbox.pods("web", node=dying)[0]["metadata"], 40,
               f"the pod on the dead node {dying} is told to end", seen=sandbox.pods)
    wait_until(lambda: sandbox.pods("web", node=other), 20, f"a replacement is bound to {other}",
               seen=sandbox.pods)
    sandbox.wait_ready("Deployment", "web")
    assert sandbox.pods("web", node=dying)


def test_a_node_joins_again_under_its_name_as_another_object(cluster, sandbox):
    node = sandbox.add_node()
    before = sandbox.get("Node", node)["metadata"]["uid"]
    cluster.kill_node(node)
    sandbox.api.delete("Node", node)
    cluster.add_node(node)
    assert sandbox.get("Node", node)["metadata"]["uid"] != before


def test_the_audit_log_tells_who_evicted_which_pod(sandbox):
    sandbox.add_node()
    sandbox.create(naked_pod("single"))
    pod = sandbox.wait_running("single")
    audit = sandbox.audit()
    sandbox.api.evict(pod)
    [request] = wait_until(lambda: audit.requests("test-admin", "create", "pods/eviction"), 10,
                           "the eviction is in the audit log")
    assert request["objectRef"]["name"] == "single"


def test_a_killed_control_plane_comes_back_with_everything_it_knew(cluster, sandbox):
    node = sandbox.add_node()
    uid = sandbox.get("Node", node)["metadata"]["uid"]
    for program in ("kube-apiserver", "etcd"):
        cluster.kill(program)
    cluster.restart("etcd")
    cluster.restart("kube-apiserver")
    found = wait_until(lambda: sandbox.get("Node", node), 60, "the API server answers again")
    assert found["metadata"]["uid"] == uid


@pytest.mark.parametrize("forbidden", [
    ("get", "secrets", "--all-namespaces"),
    ("delete", "--raw", "/api/v1/nodes"),
    ("delete", "--raw", "/apis/noderemoval.dev/v1alpha1/noderemovals"),
    ("get", "--raw", "/api/v1/namespaces/kube-system/serviceaccounts"),
], ids=lambda command: " ".join(command))
def test_the_operator_account_may_not_delete_collections_or_read_secrets(
        cluster, operator_kubeconfig, forbidden):
    with pytest.raises(RuntimeError, match=r"(?i)forbidden"):
        cluster.kubectl(*forbidden, kubeconfig=operator_kubeconfig)


def test_the_operator_account_may_list_nodes_and_removals(cluster, operator_kubeconfig):
    cluster.kubectl("get", "nodes", kubeconfig=operator_kubeconfig)
    cluster.kubectl("get", "noderemovals", kubeconfig=operator_kubeconfig)
