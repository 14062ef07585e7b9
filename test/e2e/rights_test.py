"""The rights of the operator: it has those that it needs, and waits when it loses them."""

import json
import ssl
import urllib.error
import urllib.request

import pytest
import roles
from certificates import Authority
from objects import deployment, naked_pod, pod_disruption_budget, replication_controller, stateful_set, volume_claim
from operator_requests import OperatorRequests
from oracle import OPERATOR
from removal import Removal
from replicas import FLAGS, NAMESPACE
from waiting import wait_until

BINDING = "noderemoval-controller"


@pytest.fixture
def without_rights(cluster):
    """Takes the rights away when it is called, and gives them back at the end or when that is called."""
    saved = json.loads(cluster.kubectl("get", "clusterrolebinding", BINDING, "-o", "json"))
    for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
        saved["metadata"].pop(field, None)

    def give_back():
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(saved))

    def take():
        cluster.kubectl("delete", "clusterrolebinding", BINDING)
        return give_back

    yield take
    give_back()


def test_a_removal_that_may_not_read_waits_with_backoff_and_goes_on_by_itself(
        sandbox, start_operator, without_rights):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")

    give_back = without_rights()
    wait_until(lambda: refusals(operator) >= 9, 60, "it was refused nine times", seen=operator.log_text)
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    give_back()
    assert removal.wait_end() == ("True", "NodeRemoved")
    # 5 ms, 10 ms, 20 ms ... at least: had they come at once, there would be hundreds.
    assert refusals(operator) < 40
    assert requests.node_deletes()


def test_the_operator_uses_every_right_that_it_has_and_needs_no_other(cluster, sandbox, start_operator, tmp_path):
    # What it makes once.
    sandbox.api.delete("Lease", "noderemoval-controller", NAMESPACE)
    sandbox.api.delete("ConfigMap", "noderemoval-removed-nodes", NAMESPACE)
    pool = {"pool": sandbox.namespace}
    jetson, dead = sandbox.add_node(labels=pool), sandbox.add_node()
    sandbox.add_node()
    # Of all that can own pods; they fit on no other node.
    sandbox.create(deployment("web", node_selector=pool))
    sandbox.create(stateful_set("db", node_selector=pool))
    sandbox.create(replication_controller("old", node_selector=pool))
    sandbox.create(pod_disruption_budget("web", minAvailable=1))
    wait_until(lambda: len(running(sandbox.pods(node=jetson))) == 3, 30, "three pods run", seen=sandbox.pods)
    sandbox.wait_counted("web", healthy=1)
    sandbox.create(volume_claim("own", "ReadWriteOnce"))
    sandbox.create(naked_pod("single", node=dead, claim="own", grace=1))
    sandbox.wait_running("single")
    audit = sandbox.audit()
    operator = start_operator("--leader-elect=true", *FLAGS, "--overdue-margin=2", *certificate(tmp_path))
    cluster.kill_node(dead)

    ready = Removal(sandbox, nodeSelector={"matchLabels": pool}, ttlSecondsAfterFinished=0,
                    migration={"timeoutSeconds": 10})
    child = f"{ready.name}-{jetson}"
    clearing = Removal(sandbox, dead, unreachable={"toleranceSeconds": 2}, drain={"force": True})
    wait_until(lambda: audit.requests(user=OPERATOR, resource="poddisruptionbudgets"), 60, "the budget is looked at",
               seen=ready.status)
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    wait_until(lambda: audit.requests(user=OPERATOR, resource="replicasets"), 60, "the removal waits for migration",
               seen=lambda: sandbox.get("NodeRemoval", child))
    # A ReplicaSet that wants no pods makes it look at the Deployment.
    sandbox.cluster.kubectl("scale", "deployment", "web", "--replicas=0", "-n", sandbox.namespace)
    read_metrics_as_a_stranger(cluster, sandbox, operator, tmp_path)
    # It looks at the claim to see whether it may clear the pod.
    clearing.wait_blocked_by("single", "NeedsFencing", timeout=60)
    clearing.change(unreachable={"fenced": True})
    assert clearing.wait_end() == ("True", "NodeRemoved")
    ready.wait_gone(90)
    # Servers of 1.20 log a watch when it ends.
    assert operator.terminate() == 0
    wait_until(lambda: audit.requests(user=OPERATOR, verb="watch", resource="noderemovals"), 30, "its watch has ended")

    rights, used = roles.of_the_operator(), set()
    # For servers without events.k8s.io; the unit tests of the recorder make one.
    rights.remove(roles.Right("create", "", "events", "default", None))
    for request in audit.requests(user=OPERATOR):
        if "objectRef" not in request:
            assert request["requestURI"] == "/version"  # which everybody may read
            continue
        taken = roles.taken_by(request, rights)
        assert taken and request["responseStatus"]["code"] != 403, f"it has no right to this: {request}"
        used |= taken
    assert not rights - used, "no request took these rights: " + ", ".join(map(str, sorted(rights - used, key=str)))


def running(pods):
    return [each for each in pods if each["status"]["phase"] == "Running"]


def certificate(folder):
    """The options to serve metrics over TLS."""
    authority = Authority(folder / "tls")
    authority.create()
    authority.issue_server("metrics", ["IP:127.0.0.1"])
    return (f"--metrics-tls-cert-file={authority.certificate('metrics')}",
            f"--metrics-tls-key-file={authority.key('metrics')}")


def read_metrics_as_a_stranger(cluster, sandbox, operator, folder):
    """The operator asks who it is, and whether it may."""
    path = cluster.api.path("ServiceAccount", sandbox.namespace, "default", "token")
    token = cluster.api.request("POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                                               "spec": {"expirationSeconds": 3600}})["status"]["token"]
    request = urllib.request.Request(f"https://{operator.address('metrics')}/metrics",
                                     headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=Authority(folder / "tls").certificate("ca"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=60, context=trust)


def refusals(operator):
    """Of reads before an eviction, and of writes of the status that was to say so."""
    return operator.log_text().count("pods are left alone") + operator.log_text().count("status not written")
