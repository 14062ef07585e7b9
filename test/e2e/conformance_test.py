"""The calls of the client, sent to the real API server: it must answer what test/fake/api_answers.json says.

When a server answers otherwise, look at what the difference means for the client first. Then
    NODEREMOVAL_TEST_RECORD=1 /usr/bin/python3 -m pytest test/e2e/conformance_test.py --kubernetes 1.36 --kubernetes 1.20
writes the answers down anew, and the unit tests of the client play them.
"""

import http.client
import json
import os
import re
import ssl
import time
import urllib.parse
from dataclasses import dataclass

import pytest
import recorded_answers
from objects import naked_pod, node_removal, pod_disruption_budget
from waiting import wait_until

RECORD = bool(os.environ.get("NODEREMOVAL_TEST_RECORD"))
MERGE = "application/merge-patch+json"
REMOVALS = "/apis/noderemoval.dev/v1alpha1/noderemovals"
NODES = "/api/v1/nodes"
ANOTHER_UID = "11111111-2222-4333-8444-555555555555"
FUTURE = "999999999"


@dataclass
class Answer:
    """As it came; `event` is the first one of a watch."""
    status: int
    content_type: str
    retry_after: str
    body: object
    event: object = None


class World:
    """The objects that the calls are about, and a way to send them as the operator."""

    def __init__(self, cluster, sandbox, kubeconfig):
        self._address = urllib.parse.urlsplit(cluster.server)
        self._tls = ssl.create_default_context(cafile=cluster.ca)
        self.token = re.search(r"token: (\S+)", kubeconfig.read_text(encoding="utf-8")).group(1)
        self.sandbox = sandbox
        self.minor = cluster.minor
        self.namespace = sandbox.namespace
        self.pods = f"/api/v1/namespaces/{self.namespace}/pods"
        self.config_maps = "/api/v1/namespaces/noderemoval-system/configmaps"
        # Bare objects: no kubelet writes to them or ends them.
        self.node = sandbox.create({"kind": "Node", "metadata": {"name": sandbox.name("node")}})
        self.removal = sandbox.create(node_removal(sandbox.name("removal"), "none-such"))
        self.free = self._running("free")
        self.guarded = self._running("guarded")
        self.twice = self._running("twice")
        for budget, app in (("guarded", "guarded"), ("first", "twice"), ("second", "twice")):
            sandbox.create(pod_disruption_budget(budget, app, minAvailable=1))
            sandbox.wait_counted(budget, healthy=1)
        self.names = {self.node["metadata"]["name"]: "n1", self.removal["metadata"]["name"]: "r1",
                      self.namespace: "default"}

    def _running(self, name):
        # After a restart of the API server it may take the controllers a moment to make a token for pods.
        wait_until(lambda: self.sandbox.create(naked_pod(name, node=self.node["metadata"]["name"])), 30,
                   f"pod {name} can be created")
        self.sandbox.api.patch("Pod", name, {"status": {"phase": "Running", "conditions": [
            {"type": "Ready", "status": "True"}]}}, self.namespace, "status")
        return self.sandbox.get("Pod", name)

    def send(self, method, path, body=None, content_type="application/json", token=None):
        """As the operator, unless another token is given."""
        connection = http.client.HTTPSConnection(self._address.hostname, self._address.port, timeout=30,
                                                 context=self._tls)
        try:
            headers = {"Accept": "application/json", "Content-Type": content_type,
                       "Authorization": f"Bearer {token or self.token}"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return self._read(connection.getresponse(), "watch=1" in path)
        finally:
            connection.close()

    @staticmethod
    def _read(response, is_watch):
        content_type = response.headers.get("Content-Type", "")
        answer = Answer(response.status, content_type, response.headers.get("Retry-After", ""), None)
        if is_watch and response.status == 200:
            first = response.readline()
            answer.event = json.loads(first) if first else None
            return answer
        text = response.read().decode()
        answer.body = json.loads(text) if content_type.startswith("application/json") else text
        return answer

    def node_path(self):
        return f"{NODES}/{self.node['metadata']['name']}"

    def removal_path(self):
        return f"{REMOVALS}/{self.removal['metadata']['name']}"

    def evict(self, pod, uid=None, dry_run=False, version=None):
        name = pod if isinstance(pod, str) else pod["metadata"]["name"]
        uid = uid or pod["metadata"]["uid"]
        version = version or ("policy/v1" if self.minor >= 22 else "policy/v1beta1")
        options = {"preconditions": {"uid": uid}, **({"dryRun": ["All"]} if dry_run else {})}
        body = {"apiVersion": version, "kind": "Eviction", "deleteOptions": options,
                "metadata": {"name": name, "namespace": self.namespace}}
        return self.send("POST", f"{self.pods}/{name}/eviction", body)

    def delete(self, path, **preconditions):
        return self.send("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions})

    def patch(self, path, **metadata):
        return self.send("PATCH", f"{path}?fieldValidation=Strict", {"metadata": {"labels": {"a": "b"}, **metadata}},
                         MERGE)

    def watch(self, version, **query):
        return self.send("GET", f"{self.pods}?" + urllib.parse.urlencode(
            {"watch": 1, "resourceVersion": version, "timeoutSeconds": 5, **query}))

    def forget(self, cluster):
        """Makes the servers forget a place in a list and in a watch, which `forgotten` holds."""
        self.forgotten = self.page().body["metadata"]
        self.sandbox.create(naked_pod("later", node=self.node["metadata"]["name"]))
        cluster.compact()
        cluster.restart("kube-apiserver")  # it forgets what it kept for itself
        wait_until(lambda: cluster.api.request("GET", "/readyz"), 60, "the API server is ready")

    def page(self, **query):
        return self.send("GET", f"{self.pods}?{urllib.parse.urlencode({'limit': 1, **query})}")


# name: (what the client does, what the answer means to it, the call). "Success" is an answer that it believes.
CALLS = {
    "get a node that is not there": ("get node", "NotFound", lambda w: w.send("GET", f"{NODES}/none-such")),
    "get of a kind that is not served":
        ("get node", "Unknown", lambda w: w.send("GET", "/api/v2/nodes/n1")),
    "get without a valid token": ("get node", "Unauthorized", lambda w: w.send("GET", w.node_path(), token="wrong")),
    "get what the operator may not":
        ("get node", "Forbidden", lambda w: w.send("GET", "/api/v1/namespaces/kube-system/secrets/n1")),
    "get a node": ("get node", "Success", lambda w: w.send("GET", w.node_path())),
    "list with a field selector that is not known":
        ("list", "Invalid", lambda w: w.send("GET", f"{NODES}?fieldSelector=spec.nodeNames%3Dn1")),
    "list of no resource version that ever was":
        ("list", "ServerError", lambda w: w.page(resourceVersion=FUTURE, resourceVersionMatch="NotOlderThan")),
    "list with a token that is none": ("list", "Invalid", lambda w: w.page(**{"continue": "nonsense"})),
    "list a first page": ("list", "Success", lambda w: w.page()),
    "list the rest of what was forgotten":
        ("list", "Gone", lambda w: w.page(**{"continue": w.forgotten["continue"]})),
    "watch from what was forgotten":
        ("watch", "Gone", lambda w: w.watch(w.forgotten["resourceVersion"])),
    "watch from what is no resource version": ("watch", "ServerError", lambda w: w.watch("abc")),
    "patch a node that is not there": ("patch node", "NotFound", lambda w: w.patch(f"{NODES}/none-such")),
    "patch a node of an older version":
        ("patch node", "Conflict", lambda w: w.patch(w.node_path(), resourceVersion="1")),
    "patch a node of another uid": ("patch node", "Invalid", lambda w: w.patch(w.node_path(), uid=ANOTHER_UID)),
    "patch a removal of an older version":
        ("patch removal", "Conflict", lambda w: w.patch(w.removal_path(), resourceVersion="1")),
    "patch a removal that is not there": ("patch removal", "NotFound", lambda w: w.patch(f"{REMOVALS}/none-such")),
    "create what is there": ("create", "Conflict", lambda w: w.send("POST", REMOVALS, {
        "apiVersion": "noderemoval.dev/v1alpha1", "kind": "NodeRemoval",
        "metadata": {"name": w.removal["metadata"]["name"]}, "spec": {"nodeName": "none-such"}})),
    "create what the operator may not": ("create", "Forbidden", lambda w: w.send("POST", NODES, {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "none-such"}})),
    "create what the rules of the CRD refuse": ("create", "Invalid", lambda w: w.send("POST", REMOVALS, {
        "apiVersion": "noderemoval.dev/v1alpha1", "kind": "NodeRemoval", "metadata": {"name": "r2"},
        "spec": {"nodeName": "none-such", "drain": {"timeoutSeconds": -5}}})),
    "try an eviction": ("evict", "Success", lambda w: w.evict(w.free, dry_run=True)),
    "evict a pod of another uid": ("evict", "Conflict", lambda w: w.evict(w.free, uid=ANOTHER_UID)),
    "evict a pod that is not there": ("evict", "NotFound", lambda w: w.evict("none-such", uid=ANOTHER_UID)),
    "evict a pod that a budget guards": ("evict", "TooManyRequests", lambda w: w.evict(w.guarded)),
    "evict a pod that two budgets guard": ("evict", "ServerError", lambda w: w.evict(w.twice)),
    "delete a node of another uid": ("delete node", "Conflict", lambda w: w.delete(w.node_path(), uid=ANOTHER_UID)),
    "delete a node of an older version": ("delete node", "Conflict", lambda w: w.delete(
        w.node_path(), uid=w.node["metadata"]["uid"], resourceVersion="1")),
    "delete a node that is not there":
        ("delete node", "NotFound", lambda w: w.delete(f"{NODES}/none-such", uid=ANOTHER_UID)),
    "delete all nodes": ("delete node", "Forbidden", lambda w: w.send("DELETE", NODES)),
    "delete a pod of another uid":
        ("delete pod", "Conflict", lambda w: w.delete(f"{w.pods}/free", uid=ANOTHER_UID)),
    "delete a pod": ("delete pod", "Success", lambda w: w.delete(f"{w.pods}/free", uid=w.free["metadata"]["uid"])),
}


@pytest.fixture
def world(cluster, sandbox, operator_kubeconfig):
    return World(cluster, sandbox, operator_kubeconfig)


def test_the_answers_of_the_server_are_those_that_the_client_was_tested_with(cluster, world):
    version = f"1.{cluster.minor}"
    cases = recorded_answers.load()
    world.forget(cluster)
    answers = {name: recorded_answers.normalised(call(world), {**world.names, **NAMES.get(name, {})})
               for name, (_, _, call) in CALLS.items()}
    if RECORD:
        recorded_answers.write({name: {"name": name, "call": does, "means": means, "answers": {
            **cases.get(name, {}).get("answers", {}), version: answers[name]}}
            for name, (does, means, _) in CALLS.items()})
        return
    assert [(name, case["call"], case["means"]) for name, case in cases.items()] == [
        (name, does, means) for name, (does, means, _) in CALLS.items()]
    assert answers == {name: case["answers"][version] for name, case in cases.items()}


# The unit test asks for a pod of one name.
NAMES = {name: {pod: "web-1", "none-such": "web-1"} for name, pod in (
    ("try an eviction", "free"), ("evict a pod of another uid", "free"), ("evict a pod that is not there", "none-such"),
    ("evict a pod that a budget guards", "guarded"), ("evict a pod that two budgets guard", "twice"),
    ("delete a pod of another uid", "free"), ("delete a pod", "free"))}
NAMES |= {name: {"none-such": "n1"} for name in (
    "get a node that is not there", "patch a node that is not there", "delete a node that is not there")}
NAMES["patch a removal that is not there"] = {"none-such": "r1"}


def test_a_misspelt_precondition_is_ignored(world):
    """Why the body of a delete is made in one place and compared byte by byte in a unit test."""
    world.sandbox.create({"kind": "ConfigMap", "metadata": {"name": "one"}})
    path = world.sandbox.api.path("ConfigMap", world.namespace, "one")
    world.sandbox.api.request("DELETE", path, {"precondition": {"uid": ANOTHER_UID}})
    assert world.sandbox.get("ConfigMap", "one") is None


def test_a_dry_run_in_the_query_is_ignored_beside_a_body(world):
    world.sandbox.create({"kind": "ConfigMap", "metadata": {"name": "one"}})
    path = world.sandbox.api.path("ConfigMap", world.namespace, "one")
    world.sandbox.api.request("DELETE", path + "?dryRun=All", {"kind": "DeleteOptions", "apiVersion": "v1"})
    assert world.sandbox.get("ConfigMap", "one") is None


def test_a_misspelt_selector_selects_everything(world):
    everything = world.send("GET", f"{world.pods}?fieldSelectors=metadata.name%3Dfree")
    assert len(everything.body["items"]) == 3


def test_an_eviction_may_be_repeated_while_the_pod_ends(world):
    assert world.evict(world.free).status == 201
    assert world.evict(world.free).status == 201


def test_a_watch_ends_in_order_when_its_time_is_over(world):
    version = world.page().body["metadata"]["resourceVersion"]
    begun = time.monotonic()
    answer = world.watch(version, timeoutSeconds=2)
    assert (answer.status, answer.event) == (200, None)
    assert time.monotonic() - begun >= 1
