"""What one test may use of a cluster: a namespace and nodes of its own, which are removed at the end."""

import contextlib
import itertools
import secrets

from api import CLUSTER_SCOPED, ApiError
from audit import AuditLog
from objects import deployment, pod_disruption_budget
from waiting import wait_until


@contextlib.contextmanager
def open_sandbox(cluster):
    """A sandbox that is closed at the end, also when it could not be opened whole."""
    sandbox = Sandbox(cluster)
    try:
        sandbox.open()
        yield sandbox
    finally:
        sandbox.close()


class Sandbox:
    """Everything made through it is deleted by `close`, also what the test left half done."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.api = cluster.api
        self.namespace = f"test-{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)
        self._nodes = []
        self._clean_up = contextlib.ExitStack()

    def open(self):
        self.api.create({"kind": "Namespace", "metadata": {"name": self.namespace}})
        self._clean_up.callback(self._delete_namespace)
        self._clean_up.callback(self._delete_node_removals)
        # Pods can only be created once the namespace has its ServiceAccount.
        wait_until(lambda: self.api.get("ServiceAccount", "default", self.namespace), 30,
                   f"namespace {self.namespace} gets its default ServiceAccount")

    def close(self):
        # Registered last, so it runs first: the rest needs an API server that answers.
        self._clean_up.callback(self.cluster.heal)
        self._clean_up.close()

    def audit(self):
        """The requests that the API server gets from now on."""
        return AuditLog(self.cluster.audit_log)

    def name(self, prefix):
        """A name that no other test uses, for what lies outside the namespace."""
        return f"{prefix}-{self.namespace}-{next(self._numbers)}"

    def add_node(self, labels=None, taints=()):
        """A fresh Ready node; returns its name."""
        return self.add_nodes(1, labels, taints)[0]

    def add_nodes(self, count, labels=None, taints=()):
        names = []
        for _ in range(count):
            name = self.cluster.add_node(self.name("node"), labels, taints, wait=False)
            self._clean_up.callback(self.cluster.remove_node, name)
            names.append(name)
        for name in names:
            self.cluster.wait_ready(name)
        self._nodes += names
        return names

    def create(self, thing):
        """Creates the object; if it is of a namespaced kind, in the namespace of this test."""
        kind = thing["kind"]
        if kind not in CLUSTER_SCOPED:
            return self.api.create(self._placed(thing))
        self._clean_up.callback(self._delete_with_finalizers, kind, thing["metadata"]["name"])
        return self.api.create(thing)

    def create_on(self, node, *workloads):
        """Creates workloads whose pods all start on this node, and waits until they are ready there."""
        others = [each["metadata"]["name"] for each in self.api.list("Node")
                  if each["metadata"]["name"] != node and not each["spec"].get("unschedulable")]
        for other in others:
            self.cordon(other)
        for workload in workloads:
            self.create(workload)
        for workload in workloads:
            self._wait_ready_on(node, workload["kind"], workload["metadata"]["name"])
        for other in others:
            self.uncordon(other)

    def create_guarded_on(self, node, name, **pod):
        """Creates a Deployment of one pod on this node, and a budget that does not let the pod go; returns the pod."""
        self.create_on(node, deployment(name, **pod))
        self.create(pod_disruption_budget(name, minAvailable=1))
        self.wait_counted(name, healthy=1)
        [created] = self.pods(name)
        return created

    def get(self, kind, name):
        return self.api.get(kind, name, None if kind in CLUSTER_SCOPED else self.namespace)

    def pods(self, app=None, node=None):
        return self.api.list("Pod", self.namespace, labels=app and f"app={app}",
                             fields=node and f"spec.nodeName={node}")

    def cordon(self, node):
        self.api.patch("Node", node, {"spec": {"unschedulable": True}})

    def uncordon(self, node):
        self.api.patch("Node", node, {"spec": {"unschedulable": None}})

    def wait_condition(self, kind, name, condition, status="True", timeout=60):
        """Waits until the object has this condition, such as Succeeded of a NodeRemoval; returns it."""
        def found():
            conditions = (self.get(kind, name) or {}).get("status", {}).get("conditions", [])
            return next((each for each in conditions
                         if each["type"] == condition and each["status"] == status), None)

        return wait_until(found, timeout, f"{kind} {name} has {condition}={status}",
                          seen=lambda: (self.get(kind, name) or {}).get("status"))

    def wait_running(self, pod_name, timeout=30):
        """Waits until the pod runs; returns it."""
        return wait_until(lambda: self._running_pod(pod_name), timeout, f"pod {pod_name} runs",
                          seen=lambda: self.get("Pod", pod_name))

    def _wait_ready_on(self, node, kind, name):
        """A scheduler that has not seen yet that the others are cordoned may have put a pod there."""
        self.wait_ready(kind, name)
        while kind != "DaemonSet" and (strays := [pod for pod in self.pods(name) if pod["spec"]["nodeName"] != node]):
            for pod in strays:
                self.api.delete("Pod", pod["metadata"]["name"], self.namespace, grace=0)
                self.wait_gone(pod)
            self.wait_ready(kind, name)

    def wait_ready(self, kind, name, timeout=30):
        """Waits until all pods that a Deployment, StatefulSet or DaemonSet wants run and are ready."""
        # A simulated kubelet of 1.36 reports Ready before Running, and budgets do not protect pending pods.
        wait_until(lambda: _is_rolled_out(self.get(kind, name)) and all(map(_runs_or_ends, self.pods(name))),
                   timeout, f"{kind} {name} is ready",
                   seen=lambda: self.cluster.kubectl("get", "pods", "-o", "wide", "-n", self.namespace))

    def wait_counted(self, budget, healthy, timeout=30):
        """Waits until the PodDisruptionBudget knows of this many healthy pods."""
        def counted():
            return self.get("PodDisruptionBudget", budget).get("status", {}).get("currentHealthy") == healthy

        wait_until(counted, timeout, f"PodDisruptionBudget {budget} counts {healthy} healthy pods",
                   seen=lambda: self.get("PodDisruptionBudget", budget))

    def wait_gone(self, pod, timeout=60):
        """Waits until this instance of the pod is gone; another one of its name does not count."""
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]

        def gone():
            found = self.get("Pod", name)
            return found is None or found["metadata"]["uid"] != uid

        wait_until(gone, timeout, f"pod {name} is gone", seen=lambda: self.get("Pod", name))

    def _running_pod(self, name):
        pod = self.get("Pod", name)
        return pod if pod and pod["status"]["phase"] == "Running" else None

    def _placed(self, thing):
        return {**thing, "metadata": {**thing["metadata"], "namespace": self.namespace}}

    def _delete_namespace(self):
        self.api.delete("Namespace", self.namespace)
        for pod in self.pods():
            if pod["metadata"].get("finalizers"):
                self.api.patch("Pod", pod["metadata"]["name"], {"metadata": {"finalizers": None}},
                               self.namespace)
        self.api.delete_all("Pod", self.namespace, grace=0)

    def _delete_node_removals(self):
        if not self.api.get("CustomResourceDefinition", "noderemovals.noderemoval.dev"):
            return
        for removal in self.api.list("NodeRemoval"):
            if removal["spec"].get("nodeName") in self._nodes:
                self._delete_with_finalizers("NodeRemoval", removal["metadata"]["name"])

    def _delete_with_finalizers(self, kind, name):
        self.api.delete(kind, name)
        if not self.api.get(kind, name):
            return
        try:
            self.api.patch(kind, name, {"metadata": {"finalizers": None}})
        except ApiError as error:
            if error.status != 404:  # it went by itself in between
                raise


def _runs_or_ends(pod):
    return pod["status"]["phase"] == "Running" or "deletionTimestamp" in pod["metadata"]


def _is_rolled_out(workload):
    status = workload["status"] if workload else {}
    if not workload or status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return False
    if workload["kind"] == "DaemonSet":
        return status["numberReady"] == status["desiredNumberScheduled"] > 0
    return status.get("readyReplicas", 0) == workload["spec"]["replicas"] == status.get("updatedReplicas", 0)
