"""The operator as users install it: the chart of this repository, in a namespace that is restricted."""

import json
import os
import subprocess
from pathlib import Path

from binaries import built
from waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "noderemoval"
NAMESPACE = "noderemoval-system"
DEPLOYMENT = "noderemoval-controller"
REPLICAS = 2
APART = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": {"matchLabels": {"app.kubernetes.io/component": "controller"}}}}]}}
VALUES = {"replicas": REPLICAS, "affinity": APART, "options": {"overdueMargin": 2},
          "image": {"pullPolicy": "Never"}}


def install(cluster, home, **values):
    """Makes the namespace and installs the chart with these values beside VALUES; returns the Release."""
    helm = built(REPOSITORY / "test/charts/build-helm") / "helm"
    cluster.api.create({"kind": "Namespace", "metadata": {
        "name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    release = Release(cluster, helm, home)
    release.install(**values)
    return release


class Release:
    """The commands of Helm, and what they installed."""

    def __init__(self, cluster, helm, home):
        """`home` is a folder for Helm's own files, so that those of the user change nothing here."""
        self._cluster = cluster
        self._helm = helm
        self._environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig),
                             **{f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}}

    def install(self, **values):
        """As docs say, and waits until the Deployment is available."""
        self._run("install", NAME, REPOSITORY / "charts/node-removal", *self._flags(), "--values=-",
                  values={**VALUES, **values})

    def upgrade(self, **values):
        """Changes these values and waits until the new pods are ready."""
        self._run("upgrade", NAME, REPOSITORY / "charts/node-removal", *self._flags(), "--values=-",
                  values={**VALUES, **values})

    def uninstall(self):
        """Waits until the pods are gone too, for which Helm does not wait."""
        self._run("uninstall", NAME, f"--namespace={NAMESPACE}", "--wait", "--timeout=60s")
        wait_until(lambda: not self._all_pods(), 60, "the pods of the operator are gone", seen=self._all_pods)

    def pods(self):
        """Those that are not about to go."""
        return [pod for pod in self._all_pods() if "deletionTimestamp" not in pod["metadata"]]

    def wait_leader(self, timeout=40):
        """Waits until a pod that stays holds the Lease; returns it."""
        return wait_until(self._leader, timeout, "a pod of the operator holds the Lease", seen=self._leases)

    def logs(self):
        texts = [self._cluster.kubectl("logs", "--namespace", NAMESPACE, pod["metadata"]["name"], "--tail=100")
                 for pod in self.pods()]
        return "\n\n".join(texts)

    def _all_pods(self):
        return self._cluster.api.list("Pod", NAMESPACE, labels="app.kubernetes.io/component=controller")

    def _leader(self):
        holders = [lease["spec"].get("holderIdentity") or "" for lease in self._leases()]
        return next((pod for pod in self.pods()
                     if any(holder.startswith(f"{pod['metadata']['name']}_") for holder in holders)), None)

    def _leases(self):
        return self._cluster.api.list("Lease", NAMESPACE)

    def _flags(self):
        # What the API of servers before 1.25 says of itself, Helm cannot read.
        old = [] if self._cluster.minor >= 25 else ["--disable-openapi-validation"]
        return [f"--namespace={NAMESPACE}", "--wait", "--timeout=90s", *old]

    def _run(self, *arguments, values=None):
        done = subprocess.run([self._helm, *arguments], input=json.dumps(values), env=self._environment,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"helm {arguments[0]} failed: {done.stderr.strip()}")
