"""The pod that hands a cleaning over to its machine, and the part of the operator in that: by hand of the tests."""

import json
import uuid

from waiting import wait_until

NAMESPACE = "hand-over"  # not that of the operator, which the chart makes
START = "noderemoval.dev/host-cleanup-start"
REPORT = "noderemoval.dev/host-cleanup-report"
CLAIM = "noderemoval.dev/claim"
CAPABILITIES = ("SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "DAC_OVERRIDE")


class HandOver:
    """Of the cleaning of one machine; `arguments` are those of the program."""

    def __init__(self, host, image, *arguments, timeout=300):
        self.host = host
        self.uid = str(uuid.uuid4())
        self.unit = f"noderemoval-host-cleanup-{self.uid}.service"
        self.folder = f"/var/lib/noderemoval/{self.uid}"
        self._api = host.cluster.api
        self._pod_name = f"host-cleanup-{self.uid}"
        self.node_uid = self.node()["metadata"]["uid"]
        self.annotate({CLAIM: json.dumps({"uid": self.uid})})
        self._api.create(self._pod(image, arguments, timeout))

    def node(self):
        return self._api.get("Node", self.host.name)

    def pod(self):
        return self._api.get("Pod", self._pod_name, NAMESPACE)

    def annotate(self, annotations):
        self._api.patch("Node", self.host.name, {"metadata": {"annotations": annotations}})

    def wait_said(self, timeout=60):
        """Waits until the pod has ended; returns its report."""
        def ended():
            for status in self.pod()["status"].get("containerStatuses", []):
                if "terminated" in status["state"]:
                    return status["state"]["terminated"]
            return None

        end = wait_until(ended, timeout, f"the pod that hands the cleaning of {self.host.name} over ends",
                         seen=lambda: self.pod()["status"])
        try:
            return json.loads(end["message"])
        except (KeyError, ValueError):
            raise AssertionError(f"the pod gave no report: {end}\n{self._pod_log()}") from None

    def wait_handed_over(self):
        report = self.wait_said()
        assert report["phase"] == "HandedOver", report
        return report

    def wait_pod_gone(self):
        """Waits until nothing of the pod runs on the machine."""
        own = self.host.shell("ctr --namespace=k8s.io containers list --quiet "
                              f"'labels.\"io.kubernetes.pod.name\"=={self._pod_name}'").split()
        wait_until(lambda: not self.host.containers().intersection(own), 60, f"{self._pod_name} has ended",
                   seen=self.pod)

    def start(self):
        self.annotate({START: self.uid})

    def report(self):
        """What the machine said of itself on its Node, or None."""
        text = (self.node() or {}).get("metadata", {}).get("annotations", {}).get(REPORT)
        return text and json.loads(text)

    def wait_report(self, timeout=120):
        return wait_until(self.report, timeout, f"{self.host.name} reports on its Node", seen=self.told)

    def result(self):
        """The report in the file on the machine, or None."""
        done = self.host.attempt("cat", f"{self.folder}/result.json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_result(self, *phases, timeout=120):
        """Waits for one of these phases in the file on the machine."""
        def reached():
            result = self.result()
            return result if result and result["phase"] in phases else None

        return wait_until(reached, timeout, f"{self.folder}/result.json on {self.host.name} says {' or '.join(phases)}",
                          seen=self.told)

    def wait_unit_gone(self, timeout=60):
        wait_until(lambda: self.host.unit(self.unit)[0] in ("inactive", "unknown"), timeout,
                   f"{self.unit} has ended on {self.host.name}", seen=self.told)

    def told(self):
        """For a human: all that is known."""
        log = self.host.attempt("cat", f"{self.folder}/cleanup.log").stdout
        return (f"result: {self.result()}\nkubelet: {self.host.unit('kubelet')}\nunit: {self.host.unit(self.unit)}\n"
                f"log:\n{log}\njournal:\n{self.host.cluster.journal(self.host.name, self.unit)}")

    def _pod_log(self):
        try:
            return self.host.cluster.kubectl("logs", "--namespace", NAMESPACE, self._pod_name)
        except RuntimeError as error:
            return str(error)

    def _pod(self, image, arguments, timeout):
        return {"kind": "Pod", "metadata": {"name": self._pod_name, "namespace": NAMESPACE,
                                            "labels": {"noderemoval.dev/removal-uid": self.uid}},
                "spec": {"nodeName": self.host.name, "hostPID": True, "hostNetwork": True, "restartPolicy": "Never",
                         "automountServiceAccountToken": False, "enableServiceLinks": False,
                         "terminationGracePeriodSeconds": 1, "tolerations": [{"operator": "Exists"}],
                         "containers": [{
                             "name": "host-cleanup", "image": image, "imagePullPolicy": "Never",
                             "args": ["host-cleanup", "--hand-over", f"--removal-uid={self.uid}",
                                      f"--node-name={self.host.name}", f"--node-uid={self.node_uid}",
                                      f"--timeout={timeout}", *arguments],
                             "securityContext": {"runAsUser": 0, "readOnlyRootFilesystem": True, "capabilities": {
                                 "drop": ["ALL"], "add": list(CAPABILITIES)}}}]}}


def results(report):
    """The result of each step by its name."""
    return {step["name"]: step["result"] for step in report["steps"]}


def create_namespace(cluster):
    cluster.api.create({"kind": "Namespace", "metadata": {
        "name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}})
    wait_until(lambda: cluster.api.get("ServiceAccount", "default", NAMESPACE), 30,
               f"namespace {NAMESPACE} gets its default ServiceAccount")
