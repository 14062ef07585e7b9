"""The chart as a release in a cluster, and the operator with the rights that the release gives it."""

import json

import kubeconfig
from api import ApiError
from helm import CHART, NAMESPACE, RELEASE, HelmError
from operator_process import Operator
from waiting import wait_until

ACCOUNT = "noderemoval-controller"
CRD = "noderemovals.noderemoval.dev"


class Release:
    """Its Deployment makes pods that only pretend to run; `start_operator` starts a real one beside them."""

    def __init__(self, helm, cluster, operator_program, folder):
        self._helm = helm
        self._program = operator_program
        self._folder = folder
        self._operators = []
        self._nodes = []
        self.cluster = cluster

    def install(self, *flags, chart=CHART, values=None):
        self.helm("install", RELEASE, chart, "--create-namespace", *flags, values=values or {})

    def upgrade(self, *flags, chart=CHART, values=None):
        self.helm("upgrade", RELEASE, chart, *flags, values=values or {})

    def uninstall(self):
        self.helm("uninstall", RELEASE)

    def helm(self, *arguments, values=None):
        # Servers before 1.25 do not know the validation rules in the CRD; README says so.
        skip = ["--disable-openapi-validation"] if values is not None and self.cluster.minor < 25 else []
        return self._helm.run(*arguments, "--namespace", NAMESPACE, "--kubeconfig", str(self.cluster.kubeconfig), *skip,
                              values=values)

    def kubectl(self, *arguments, stdin=None):
        # With a cache of its own: in that of another test kubectl 1.20 would look for kinds that were not there yet.
        return self.cluster.kubectl(f"--cache-dir={self._folder / 'kubectl-cache'}", *arguments, stdin=stdin)

    def start_operator(self, *flags):
        """With the token of the release's ServiceAccount."""
        wait_until(self._serves_removals, 30, "the API server serves noderemovals")
        api = self.cluster.api
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                   "spec": {"expirationSeconds": 3600}}
        token = api.request("POST", api.path("ServiceAccount", NAMESPACE, ACCOUNT, "token"), request)["status"]["token"]
        number = len(self._operators)
        file = kubeconfig.write(self._folder / f"operator-{number}.kubeconfig", self.cluster.server, self.cluster.ca,
                                token=token)
        operator = Operator(self._program, file, self._folder / f"operator-{number}.log", flags)
        self._operators.append(operator)
        operator.start()
        return operator

    def add_node(self, name, **options):
        self._nodes.append(name)
        return self.cluster.add_node(name, **options)

    def begin_removal(self, node):
        """Creates a NodeRemoval of this name that is held up by a pod, and waits until it is."""
        self.kubectl("run", node, "--image=test.invalid/none", "--restart=Never",
                             "--overrides=" + json.dumps({"spec": {"nodeName": node}}))
        self.create_removal(node)
        self.wait_reason(node, "DrainBlocked")

    def create_removal(self, node):
        self.cluster.api.create({"kind": "NodeRemoval", "metadata": {"name": node}, "spec": {"nodeName": node}})

    def removal(self, name):
        return self.cluster.api.get("NodeRemoval", name)

    def wait_reason(self, name, reason, timeout=60):
        def reached():
            conditions = self.removal(name).get("status", {}).get("conditions", [])
            return any(each["type"] == "Succeeded" and each["reason"] == reason for each in conditions)

        wait_until(reached, timeout, f"{name} has reason {reason}", seen=lambda: self.removal(name))

    def wait_gone(self, kind, name, timeout=60):
        wait_until(lambda: self.cluster.api.get(kind, name) is None, timeout, f"{kind} {name} is gone",
                   seen=lambda: self.cluster.api.get(kind, name))

    def stop_operators(self):
        for operator in self._operators:
            operator.kill()

    def clean_up(self):
        self.stop_operators()
        try:
            self.uninstall()
        except HelmError as error:
            if "not found" not in str(error):
                raise
        for namespace in (NAMESPACE, "default"):
            self.kubectl("delete", "pods", "--all", f"--namespace={namespace}", "--grace-period=0", "--force")
        for node in self._nodes:
            self.cluster.remove_node(node)
        if self.cluster.api.get("CustomResourceDefinition", CRD):
            for each in self.cluster.api.list("NodeRemoval"):
                self.cluster.api.patch("NodeRemoval", each["metadata"]["name"], {"metadata": {"finalizers": None}})
            self.kubectl("delete", "crd", CRD)
        self.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")

    def _serves_removals(self):
        try:
            return self.cluster.api.list("NodeRemoval") is not None
        except ApiError as error:
            if error.status == 404:
                return False
            raise
