"""A cluster that runs already, reached by the current context of the user's kubeconfig. Only on request,
because the tests create and delete objects in it."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import kubeconfig
import nodes
import operator_account
import pytest
from api import Api
from processes import Process
from waiting import wait_until

NODES_VARIABLE = "NODEREMOVAL_TEST_NODES"


class ExistingCluster:
    """Has what the tests use of ControlPlane. What needs control of its processes skips the test."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="noderemoval-existing-"))
        self._free_nodes = os.environ.get(NODES_VARIABLE, "").replace(",", " ").split()
        if not shutil.which("kubectl"):
            raise RuntimeError("--existing-cluster needs kubectl; install it, or leave the option out")
        # The proxy knows every way to log in that a kubeconfig can name.
        log = self.folder / "kubectl-proxy.log"
        self._proxy = Process("kubectl-proxy", ["kubectl", "proxy", "--port=0"], log)
        self._proxy.start()
        address = wait_until(lambda: re.search(r"Starting to serve on (\S+)", self._proxy.log_text()), 30,
                             "kubectl proxy reaches the current context", seen=self._proxy.log_text)
        self.api = Api(f"http://{address.group(1)}")

    @property
    def minor(self):
        return self.api.minor

    @property
    def audit_log(self):
        return self._skip("reading the audit log")

    def stop(self):
        self._proxy.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kubectl(self, *arguments, stdin=None, kubeconfig=None):
        chosen = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
        done = subprocess.run(["kubectl", *chosen, *arguments], input=stdin, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)} failed: {done.stderr.strip()}\n{done.stdout}".strip())
        return done.stdout

    def operator_kubeconfig(self):
        token = operator_account.install(self)
        context = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        cluster = context["clusters"][0]["cluster"]
        ca = self.folder / "ca.crt"
        ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        return kubeconfig.write(self.folder / "operator.kubeconfig", cluster["server"], ca, token=token)

    def add_node(self, _name, labels=None, taints=(), wait=True):
        """Hands out one of the nodes that the user gave up for the tests."""
        if taints:
            self._skip("adding a node with taints")
        if not self._free_nodes:
            pytest.skip(f"no node left that this test may remove; name expendable nodes in ${NODES_VARIABLE}")
        name = self._free_nodes.pop(0)
        if labels:
            self.api.patch("Node", name, {"metadata": {"labels": labels}})
        return name

    def wait_ready(self, name, ready=True, timeout=60):
        nodes.wait_ready(self.api, name, ready, timeout)

    def remove_node(self, name):
        """Keeps the node for the next test, unless this one removed it."""
        if self.api.get("Node", name):
            self.api.patch("Node", name, {"spec": {"unschedulable": None}})
            self._free_nodes.append(name)

    def heal(self):
        """Nothing to do: tests can not harm its programs."""

    @staticmethod
    def _skip(what):
        pytest.skip(f"not available on an existing cluster: {what}")

    def _skip_process_control(self, *_, **__):
        self._skip("control of the processes of nodes and control plane")

    kill = freeze = thaw = restart = _skip_process_control
    kill_node = freeze_node = thaw_node = restart_node = _skip_process_control
