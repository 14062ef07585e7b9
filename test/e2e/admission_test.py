"""The admission policies: what the operator does passes them, and what it must not do is stopped. So are users who
write NodeRemovals for nodes that they may not delete."""

import json
import subprocess

import faulty_operator
import pytest
from admission_policies import (
    FIRST_MINOR, HOST_NAMESPACE, KIND, REMOVAL_UID, Account, Policies, claimed, cleanup_pod, refusal)
from dead_node_test import OUR_MARK
from many_nodes_test import Group
from node_to_remove import NodeToRemove
from objects import deployment, naked_pod, node_removal, stateful_set
from operator_account import REPOSITORY
from operator_requests import OperatorRequests, succeeded
from removal import CLAIM, PROTECT, REMOVING, Removal, traces_on
from waiting import wait_until

START = "noderemoval.dev/host-cleanup-start"
REPORT = "noderemoval.dev/host-cleanup-report"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
MARK = {"key": REMOVING, "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def account(cluster, operator_kubeconfig):
    if cluster.minor < FIRST_MINOR:
        pytest.skip(f"Kubernetes has had {KIND} since 1.{FIRST_MINOR}")
    assert cluster.audit_log  # skips on an existing cluster: this is no place for policies that hold for everybody
    return Account(cluster, operator_kubeconfig)


@pytest.fixture(scope="module")
def policies(cluster, account):
    installed = Policies(cluster, account)
    try:
        installed.install()
        yield installed
    finally:
        installed.remove()


@pytest.fixture(scope="module")
def faulty(request, account):
    return faulty_operator.build(request.config.getoption("--operator"))


@pytest.fixture
def start_faulty(start_operator, operators, faulty, oracle):
    """Starts an operator with this fault. The audit of all tests finds what it sends as well, which is no news here."""
    def start(fault):
        return start_operator(program=faulty, through=faulty_operator.with_fault(fault))

    yield start
    for operator in operators:
        operator.kill()
    oracle.violations()


# The first test, because the policies stay until the last one is over.
def test_without_the_policies_a_node_is_deleted_without_its_uid(sandbox, account, start_faulty):
    assert sandbox.api.list(KIND) == []
    jetson, _ = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    start_faulty("Node without UID")
    assert Removal(sandbox, jetson).wait_end() == ("True", "NodeRemoved")
    [deletion] = filter(succeeded, requests.node_deletes())
    assert "uid" not in deletion["requestObject"]["preconditions"]


def test_the_server_finds_nothing_wrong_with_the_expressions(policies):
    assert policies.warnings() == {f"noderemoval-{name}": None for name in (
        "operator-deletes-nodes", "operator-changes-nodes", "operator-deletes-pods", "operator-evicts-pods",
        "operator-creates-pods", "host-pods", "operator-writes-removals", "users")}


# What the operator does, with all policies on.


def test_a_ready_node_is_removed_and_its_removal_expires(sandbox, policies, start_operator):
    scene = NodeToRemove(sandbox, grace=1)
    start_operator()
    removal = Removal(sandbox, scene.jetson, ttlSecondsAfterFinished=1)
    removal.wait_gone(60)
    assert sandbox.get("Node", scene.jetson) is None
    assert_nothing_was_refused(scene.requests)


def test_a_dead_node_is_marked_cleared_and_removed(cluster, sandbox, policies, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1), stateful_set("db", grace=1), deployment("hasty", grace=0))
    requests = OperatorRequests(sandbox)
    start_operator("--overdue-margin=1")
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1})
    removal.wait_blocked_by("db-0", "NeedsFencing")
    removal.change(unreachable={"fenced": True})
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert any(OUR_MARK in each["requestObject"]["spec"]["taints"] for each in requests.node_patches())
    assert any(each["requestObject"].get("gracePeriodSeconds") == 0 for each in requests.pod_deletes())
    assert_nothing_was_refused(requests)


def test_a_cancelled_removal_gives_the_node_back(sandbox, policies, start_operator):
    [jetson] = sandbox.add_nodes(1, taints=["example.com/before=1:PreferNoSchedule"])
    sandbox.add_node()
    sandbox.create(naked_pod("single", node=jetson))
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by("single", "UnmanagedPod")
    removal.cancel()
    removal.wait_gone()
    node = sandbox.get("Node", jetson)
    assert not node["spec"].get("unschedulable") and traces_on(node) == []
    assert "example.com/before" in {taint["key"] for taint in node["spec"]["taints"]}
    assert_nothing_was_refused(requests)


def test_the_nodes_of_a_selector_are_steered_and_removed(sandbox, policies, start_operator):
    group = Group(sandbox, 2)
    first, second = sorted(group.nodes)
    sandbox.create(naked_pod("single", node=first))
    sandbox.create_on(second, deployment("web", grace=1))
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = group.remove(drain={"disableEviction": True})
    wait_until(lambda: first in group.children(removal), 30, "the first node has its removal", seen=removal.status)
    removal.change(suspend=True, unreachable={"fenced": True})
    wait_until(lambda: group.children(removal)[first]["spec"]["suspend"], 30, "it is suspended", seen=removal.status)
    assert group.children(removal)[first]["spec"]["unreachable"]["fenced"]
    removal.change(suspend=False)
    sandbox.api.delete("Pod", "single", sandbox.namespace, grace=0)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert group.left() == []
    assert requests.pod_deletes()
    assert_nothing_was_refused(requests)


def assert_nothing_was_refused(requests):
    assert [each for each in requests.writes() if each["responseStatus"]["code"] == 403] == []


# Operators that do what they must not.


@pytest.mark.parametrize("fault, words", [
    ("Node without UID", "the operator deletes a Node only by its UID"),
    ("no cordon", "the operator deletes a Node only after it was cordoned"),
    ("labels", "the operator changes no labels, finalizers and owners of a Node"),
    ("finalizers", "the operator changes no labels, finalizers and owners of a Node"),
    ("taints", "the operator changes no taints of others")])
def test_a_fault_that_concerns_the_node_is_stopped_and_said(sandbox, policies, start_faulty, fault, words):
    [jetson] = sandbox.add_nodes(1, labels={"pool": "edge"}, taints=["example.com/gpu=1:PreferNoSchedule"])
    sandbox.add_node()
    if fault == "finalizers":
        sandbox.api.patch("Node", jetson, {"metadata": {"finalizers": ["example.com/hold"]}})
    before = sandbox.get("Node", jetson)
    requests = OperatorRequests(sandbox)
    start_faulty(fault)
    removal = Removal(sandbox, jetson)
    wait_until(lambda: words in removal.condition("Succeeded")["message"], 30, "the removal says why it waits",
               seen=removal.status)

    refused = [each for each in requests.writes("nodes", jetson) if not succeeded(each)]
    assert refused and {each["responseStatus"]["code"] for each in refused} == {403}
    after = sandbox.get("Node", jetson)
    assert identity(after) == identity(before)
    sandbox.api.patch("Node", jetson, {"metadata": {"finalizers": None}})


def identity(node):
    """What stays as it is until the Node is deleted."""
    metadata = node["metadata"]
    taints = [each for each in node["spec"].get("taints", []) if each["key"].startswith("example.com/")]
    return metadata["uid"], metadata["labels"], metadata.get("finalizers"), metadata.get("deletionTimestamp"), taints


@pytest.mark.parametrize("fault, words", [
    ("grace 0", "the operator takes the grace period from no pod"),
    ("pod without UID", "the operator evicts a pod only by its UID")])
def test_a_fault_that_concerns_pods_is_stopped_and_said(sandbox, policies, start_faulty, fault, words):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    [pod] = sandbox.pods("web")
    start_faulty(fault)
    removal = Removal(sandbox, jetson)
    blocker = removal.wait_blocked_by(pod["metadata"]["name"], "EvictionRefused")
    assert words in blocker["message"]
    after = sandbox.get("Pod", pod["metadata"]["name"])
    assert after["metadata"]["uid"] == pod["metadata"]["uid"] and "deletionTimestamp" not in after["metadata"]


# The same account used by hand: each rule by itself. REFUSED is with whose words, ALLOWED is what the operator needs.


def add_node(sandbox, merged=None):
    """A Node without a kubelet."""
    name = sandbox.name("object")
    sandbox.create({"kind": "Node", "metadata": {"name": name}})
    return sandbox.api.patch("Node", name, merged or {})


def test_which_nodes_may_be_deleted(sandbox, policies, account):
    ready_for_it = add_node(sandbox, claimed())
    assert account.delete(ready_for_it) is None
    assert "only by its UID" in account.delete(ready_for_it, uid=False)
    assert "only after it was cordoned" in account.delete(add_node(sandbox, claimed(cordoned=False)))
    assert "its claim" in account.delete(add_node(sandbox, {"spec": {"unschedulable": True}}))
    assert PROTECT in account.delete(add_node(sandbox, claimed(annotations={PROTECT: ""})))
    for label in (CONTROL_PLANE, "node-role.kubernetes.io/master"):
        node = add_node(sandbox, claimed())
        sandbox.api.patch("Node", node["metadata"]["name"], {"metadata": {"labels": {label: ""}}})
        assert "control plane" in account.delete(node)


def test_what_of_a_node_may_be_changed(sandbox, policies, account):
    name = sandbox.add_node(labels={"a": "b"})
    sandbox.api.patch("Node", name, {"metadata": {"annotations": {"a": "b", PROTECT: ""}}})
    node = wait_taints(sandbox, name, [])
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "gone", "uid": "gone"}

    assert account.patch(node, claimed()) is None
    for metadata in ({"labels": {"a": None}}, {"labels": {CONTROL_PLANE: ""}}, {"finalizers": ["a/b"]},
                     {"ownerReferences": [owner]}):
        assert "no labels, finalizers and owners" in account.patch(node, {"metadata": metadata}), metadata
    for annotations in ({"a": None}, {"a": "c"}, {"c": "d"}, {PROTECT: None}):
        assert "no annotation" in account.patch(node, {"metadata": {"annotations": annotations}}), annotations
    without_kubelet = add_node(sandbox)  # a kubelet sets providerID, which never changes then
    for spec in ({"providerID": "cloud://another"}, {"podCIDR": "10.9.0.0/24", "podCIDRs": ["10.9.0.0/24"]}):
        assert "only unschedulable and taints" in account.patch(without_kubelet, {"spec": spec}), spec
    for taint, words in (({"key": "a", "effect": "NoSchedule"}, "no taints of others"),
                         ({**OUR_MARK, "value": "off"}, "no taints of others"),
                         ({**MARK, "effect": "NoExecute"}, "only with the effect NoSchedule"),
                         (OUR_MARK, "no Ready Node")):
        assert words in account.patch(node, {"spec": {"taints": [taint]}}), taint
    assert "only together with its claim" in account.patch(node, {"spec": {"unschedulable": True}})


def test_of_which_node_the_machine_may_be_cleaned(sandbox, policies, account):
    def claimed_for(uid, **how):
        return claimed(annotations={CLAIM: json.dumps({"removal": "r", "uid": uid}, separators=(",", ":"))}, **how)

    def start(node, uid="u", **more):
        return account.patch(node, {"metadata": {"annotations": {START: uid, **more}}})

    node = add_node(sandbox, claimed_for("u"))
    assert start(node) is None
    for uid in ("v", "r", "u\"", "u\",\"wasUnschedulable"):
        assert "claimed for the same removal" in start(node, uid), uid
    for other in (claimed(), claimed_for("u", cordoned=False), {"spec": {"unschedulable": True}}):
        assert "cordoned and claimed" in start(add_node(sandbox, other)), other
    # The operator does not do all of it at once.
    at_once = claimed_for("u")["metadata"]["annotations"] | {START: "u"}
    assert "cordoned and claimed" in account.patch(
        add_node(sandbox), {"metadata": {"annotations": at_once}, "spec": {"unschedulable": True}})
    assert PROTECT in start(sandbox.api.patch("Node", node["metadata"]["name"],
                                              {"metadata": {"annotations": {PROTECT: ""}}}))
    for label in (CONTROL_PLANE, "node-role.kubernetes.io/master"):
        node = add_node(sandbox, claimed_for("u"))
        node = sandbox.api.patch("Node", node["metadata"]["name"], {"metadata": {"labels": {label: ""}}})
        assert "control plane" in start(node), label


def test_what_was_started_on_a_machine_may_be_called_back_and_its_report_is_its_own(sandbox, policies, account):
    started = add_node(sandbox, claimed(annotations={START: "u", REPORT: "{}"}))
    # The Node is given back. Not its taints: Kubernetes puts some of its own on it, at a time of its own.
    assert account.patch(started, {"metadata": {"annotations": {START: None, CLAIM: None}},
                                   "spec": {"unschedulable": None}}) is None
    forged = {"metadata": {"annotations": {REPORT: "{\"phase\":\"Succeeded\"}"}}}
    assert "no annotation" in account.patch(started, forged)
    # A report from before the start is nobody's.
    assert account.patch(started, {"metadata": {"annotations": {REPORT: None}}}) is None


def with_spec(**fields):
    pod = cleanup_pod("u")
    pod["spec"].update(fields)
    return pod


def with_metadata(**fields):
    pod = cleanup_pod("u")
    pod["metadata"].update(fields)
    return pod


def with_container(**fields):
    pod = cleanup_pod("u")
    pod["spec"]["containers"][0].update(fields)
    return pod


HAND_OVER = cleanup_pod("u")["spec"]["containers"][0]["args"]
PROBE = {"exec": {"command": ["true"]}}


@pytest.mark.parametrize("pod, words", [
    (with_metadata(ownerReferences=[]), "only for the NodeRemoval that owns it"),
    (with_metadata(name="host-cleanup-v"), "only for the NodeRemoval that owns it"),
    (with_metadata(labels={}), "only for the NodeRemoval that owns it"),
    (with_metadata(labels={REMOVAL_UID: "v"}), "only for the NodeRemoval that owns it"),
    (with_spec(nodeName="another"), "only on the one node that it names"),
    (with_spec(nodeName=None), "only on the one node that it names"),
    (with_container(image="test.invalid/none"), "no pod with the image test.invalid/none"),
    (with_container(command=["/proc/1/root/bin/sh"]), "only to run host-cleanup --hand-over"),
    (with_container(args=["host-cleanup", "--yes", *HAND_OVER[2:]]), "only to run host-cleanup --hand-over"),
    (with_container(args=["--node-name=nobody"]), "only to run host-cleanup --hand-over"),
    *((with_container(args=[*HAND_OVER, more]), "only to run host-cleanup --hand-over")
      for more in ("--yes", "--run=/var/lib/noderemoval/u", "--node-name", "host-cleanup=")),
    (with_container(args=[arg.replace("uid=u", "uid=v") for arg in HAND_OVER]), "for the same removal"),
    (with_container(env=[{"name": "LD_PRELOAD", "value": "/proc/1/root/a.so"}]), "without variables"),
    (with_container(envFrom=[{"configMapRef": {"name": "a"}}]), "without variables"),
    (with_container(lifecycle={"postStart": PROBE}), "without variables, probes and hooks"),
    (with_spec(containers=[*cleanup_pod("u")["spec"]["containers"], {"name": "b", "image": "b"}]), "one container"),
    (with_spec(initContainers=[{"name": "b", "image": "b"}]), "with one container"),
    (with_spec(volumes=[{"name": "a", "hostPath": {"path": "/"}}]), "no pod with a volume"),
    (with_spec(automountServiceAccountToken=True), "a token of a ServiceAccount"),
    (with_container(securityContext={"privileged": True}), "no privileged pod"),
    (with_container(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}), "none with other capabilities"),
    *((with_container(**{f"{kind}Probe": PROBE}), "without variables, probes and hooks")
      for kind in ("liveness", "readiness", "startup"))])
def test_no_other_pod_than_the_one_that_hands_over_is_created(policies, account, pod, words):
    assert words in account.create(pod)


def test_the_pod_that_hands_over_is_created_in_its_own_namespace_only(cluster, sandbox, policies, account):
    assert account.create(cleanup_pod("u")) is None
    asked = ["--steps=CNI,IPVS", "--cni-interfaces=", "--extra-path=/opt/a", "--extra-path=/opt/b", "--flush-all",
             "--dry-run"]
    assert account.create(with_container(args=[*HAND_OVER, *asked])) is None
    # A right that it does not have.
    cluster.kubectl("create", "rolebinding", "operator", "--clusterrole=edit", f"--namespace={sandbox.namespace}",
                    "--serviceaccount=noderemoval-system:noderemoval-controller")
    elsewhere = cleanup_pod("u", namespace=sandbox.namespace)
    wait_until(lambda: account.may_create(elsewhere), 30, "it has the right")
    assert f"only in the namespace {HOST_NAMESPACE}" in account.create(elsewhere)


@pytest.fixture
def hand_over(sandbox, policies, account):
    """The pod that hands over, on a node of its own."""
    removal = sandbox.create(node_removal(sandbox.name("cleaned"), "nobody", suspend=True))
    metadata = removal["metadata"]
    pod = account.store(cleanup_pod(metadata["uid"], node=sandbox.add_node(), removal=metadata["name"]))
    yield pod
    sandbox.api.delete("Pod", pod["metadata"]["name"], HOST_NAMESPACE, grace=0)


def test_nobody_but_the_operator_gets_into_the_pods_that_hand_over(cluster, sandbox, hand_over):
    name = hand_over["metadata"]["name"]
    words = f"only the operator creates and enters pods in the namespace {HOST_NAMESPACE}"

    def patch(change, *flags):
        return refusal(cluster, "patch", "pod", name, f"--namespace={HOST_NAMESPACE}", f"--patch={json.dumps(change)}",
                       *flags)

    assert patch({"metadata": {"labels": {"a": "b"}}}) is None
    image = {"name": "host-cleanup", "image": "test.invalid/none"}
    assert words in patch({"spec": {"containers": [image]}})
    debugger = {"spec": {"ephemeralContainers": [image | {"name": "b"}]}}
    assert words in patch(debugger, "--subresource=ephemeralcontainers")
    assert words in refusal(cluster, "create", "-f", "-", thing=cleanup_pod("u"))
    assert refusal(cluster, "create", "-f", "-", thing=cleanup_pod("u", namespace=sandbox.namespace)) is None
    for command in (["exec", name, "--", "true"], ["attach", name], ["port-forward", name, "0:80"]):
        with pytest.raises(RuntimeError, match=words):
            cluster.kubectl(*command[:2], f"--namespace={HOST_NAMESPACE}", *command[2:])


def test_how_a_node_may_be_given_back(sandbox, policies, account):
    name = sandbox.add_node()
    wait_taints(sandbox, name, [])
    sandbox.cordon(name)
    node = wait_taints(sandbox, name, ["node.kubernetes.io/unschedulable"])
    uncordon = {"spec": {"unschedulable": None}}
    assert "uncordons only a Node with its claim" in account.patch(node, uncordon)
    for change in (claimed()["metadata"], {"annotations": {CLAIM: None}}):
        sandbox.api.patch("Node", name, {"metadata": change, "spec": {"taints": [*node["spec"]["taints"], MARK]}})
        assert account.patch(node, uncordon) is None
        assert account.patch(node, {"metadata": {"annotations": {CLAIM: None}},
                                    "spec": {"unschedulable": None, "taints": node["spec"]["taints"]}}) is None
    assert "no taints of others" in account.patch(node, {"spec": {"unschedulable": None, "taints": None}})


def wait_taints(sandbox, name, keys):
    """Until Kubernetes has done what it does to a new or cordoned node; returns that."""
    def settled():
        node = sandbox.get("Node", name)
        return node if [taint["key"] for taint in node["spec"].get("taints", [])] == keys else None

    return wait_until(settled, 30, f"node {name} has the taints {keys}", seen=lambda: sandbox.get("Node", name)["spec"])


def test_a_node_that_is_not_ready_may_be_said_to_be_out_of_service(cluster, sandbox, policies, account):
    name = sandbox.add_node()
    cluster.kill_node(name)
    cluster.wait_ready(name, ready=False)

    def marked():
        node = sandbox.get("Node", name)
        return account.patch(node, {"spec": {"taints": [*node["spec"].get("taints", []), OUR_MARK]}}) is None

    wait_until(marked, 10, "it may be marked, unless Kubernetes sets another taint just now")


def test_how_pods_may_leave(sandbox, policies, account):
    node = sandbox.add_node()
    live, hasty, ended = (sandbox.create(naked_pod(name, node=node, **how)) for name, how in (
        ("live", {"finalizers": ["example.com/hold"]}), ("hasty", {"grace": 0}), ("ended", {})))
    sandbox.api.patch("Pod", "ended", {"status": {"phase": "Failed"}}, sandbox.namespace, "status")

    assert account.evict(live) is None
    assert "only by its UID" in account.evict(live, uid=False)
    assert "without a grace period" in account.evict(live, gracePeriodSeconds=0)
    # The server makes grace 0 of the last two.
    for pod in (live, hasty, ended):
        assert account.delete(pod) is None, pod["metadata"]["name"]
        assert "only by its UID" in account.delete(pod, uid=False)
    assert "grace period from no pod" in account.delete(live, gracePeriodSeconds=0)
    sandbox.api.delete("Pod", "live", sandbox.namespace)
    assert account.delete(live, gracePeriodSeconds=0) is None


def test_what_of_removals_the_operator_may_write(sandbox, policies, account):
    group = sandbox.create(node_removal(sandbox.name("group"), nodeSelector={"matchLabels": {"a": "b"}}))
    child = child_of(group, sandbox.name("child"))
    assert account.create(child) is None
    assert "only for another one that owns it" in account.create(node_removal("orphan", "nobody", nodeUID="x"))
    del child["spec"]["nodeUID"]
    assert "for one node with its UID" in account.create(child)

    child = sandbox.create(child_of(group, sandbox.name("child")))
    for spec in ({"suspend": True}, {"unreachable": {"fenced": True}}):
        assert account.patch(child, {"spec": spec}) is None, spec
        assert "changes the spec of no NodeRemoval" in account.patch(group, {"spec": spec}), spec
    assert "changes the spec of no NodeRemoval" in account.patch(child, {"spec": {"ttlSecondsAfterFinished": 0}})
    for metadata in ({"finalizers": ["noderemoval.dev/removal"]},
                     {"annotations": {"noderemoval.dev/suspended-by-parent": "true"}}):
        assert account.patch(child, {"metadata": metadata}) is None, metadata
    for metadata in ({"finalizers": ["a/b"]}, {"labels": {"a": "b"}}, {"ownerReferences": None}):
        assert "no labels, owners and foreign finalizers" in account.patch(child, {"metadata": metadata}), metadata
    assert "no annotation" in account.patch(child, {"metadata": {"annotations": {"a": "b"}}})


def test_which_removals_the_operator_may_delete(sandbox, policies, account):
    def ended(**spec):
        name = sandbox.create(node_removal(sandbox.name("ended"), "nobody", **spec))["metadata"]["name"]
        return sandbox.api.patch("NodeRemoval", name, {"status": {"completionTime": "2020-01-01T00:00:00Z"}},
                                 subresource="status")

    expired = ended(ttlSecondsAfterFinished=0)
    assert account.delete(expired) is None
    under_way = sandbox.create(node_removal(sandbox.name("under-way"), "nobody", ttlSecondsAfterFinished=0))
    for refused in (account.delete(expired, uid=False), account.delete(ended()), account.delete(under_way)):
        assert "only one that has ended and has a TTL" in refused


def child_of(group, name):
    made = node_removal(name, "nobody", nodeUID="x")
    made["metadata"]["ownerReferences"] = [{
        "apiVersion": "noderemoval.dev/v1alpha1", "kind": "NodeRemoval", "controller": True,
        "name": group["metadata"]["name"], "uid": group["metadata"]["uid"]}]
    return made


# Users.


@pytest.fixture
def users(cluster, sandbox):
    """Two who may write NodeRemovals: `tenant`, and `owner`, who may delete the one node as well."""
    for user in ("tenant", "owner"):
        cluster.kubectl("create", "clusterrolebinding", f"{sandbox.namespace}-{user}",
                        "--clusterrole=noderemoval-editor", f"--user={user}")
    cluster.kubectl("create", "clusterrole", sandbox.namespace, "--verb=delete", "--resource=nodes",
                    "--resource-name=own")
    cluster.kubectl("create", "clusterrolebinding", sandbox.namespace, f"--clusterrole={sandbox.namespace}",
                    "--user=owner")
    yield
    bindings = [f"clusterrolebinding/{sandbox.namespace}{suffix}" for suffix in ("", "-tenant", "-owner")]
    cluster.kubectl("delete", f"clusterrole/{sandbox.namespace}", *bindings)


def test_who_may_not_delete_a_node_may_not_remove_it_either(cluster, sandbox, policies, users):
    def create(user, node=None, **spec):
        return refusal(cluster, "create", "-f", "-", user=user, thing=node_removal("new", node, **spec))

    selector = {"matchLabels": {"a": "b"}}
    # The rights that they were given a moment ago.
    wait_until(lambda: create("owner", "own") is None, 30, "the owner may", seen=lambda: create("owner", "own"))
    assert "tenant may not delete node own, and so may not create" in create("tenant", "own")
    assert "owner may not delete node another" in create("owner", "another")
    assert "owner may not delete all nodes, which a nodeSelector needs" in create("owner", nodeSelector=selector)
    for allowed in ({"node": "own"}, {"node": "another"}, {"nodeSelector": selector}):
        assert create(None, **allowed) is None, allowed
    assert "spec.allowControlPlane is not permitted" in create(None, "own", allowControlPlane=True)


def test_who_may_not_delete_a_node_may_only_stop_its_removal(cluster, sandbox, policies, users):
    removal = Removal(sandbox, "own", suspend=True)

    def change(user, **change):
        return refusal(cluster, "patch", "noderemoval", removal.name, "--type=merge", f"--patch={json.dumps(change)}",
                       user=user)

    steering = ({"spec": {"suspend": False}}, {"spec": {"unreachable": {"fenced": True}}},
                {"metadata": {"annotations": {"noderemoval.dev/suspended-by-parent": "true"}}})
    for each in steering:
        wait_until(lambda: change("owner", **each) is None, 30, f"the owner may set {each}")
        assert "tenant may not delete node own" in change("tenant", **each), each
    assert change("tenant", metadata={"labels": {"a": "b"}}) is None
    assert refusal(cluster, "delete", "noderemoval", removal.name, user="tenant") is None


# The last test, because it leaves other rules than the others expect.
def test_the_chart_can_forbid_to_delete_live_pods(cluster, sandbox, policies, account, hand_over):
    node = sandbox.add_node()
    pod = sandbox.create(naked_pod("live", node=node, finalizers=["example.com/hold"]))
    assert account.delete(pod) is None
    cluster.kubectl("apply", "-f", "-", stdin=render_chart("admission.enabled=true", "admission.onlyEvictions=true"))
    wait_until(lambda: "onlyEvictions" in (account.delete(pod) or ""), 30, "a live pod may not be deleted")
    assert account.evict(pod) is None
    assert account.delete(hand_over) is None
    sandbox.api.delete("Pod", "live", sandbox.namespace)
    assert account.delete(pod, gracePeriodSeconds=0) is None
    assert set(policies.warnings().values()) == {None}


def render_chart(*values):
    folder = subprocess.run([REPOSITORY / "test/charts/build-helm"], stdout=subprocess.PIPE, text=True, check=True)
    return subprocess.run(
        [f"{folder.stdout.strip()}/helm", "template", "noderemoval", REPOSITORY / "charts/node-removal",
         "--namespace=noderemoval-system", "--kube-version=1.30.0", "--show-only=templates/admission_operator.yaml",
         *(f"--set={value}" for value in values)], stdout=subprocess.PIPE, text=True, check=True).stdout
