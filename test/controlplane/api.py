"""A small client of the Kubernetes API. It knows objects by kind; callers need not know API versions."""

import http.client
import json
import ssl
import time
import urllib.parse

# What the API server says in Retry-After.
RETRY_AFTER_SECONDS = 1

KINDS = {
    "ConfigMap": ("api/v1", "configmaps"),
    "Event": ("api/v1", "events"),
    "Namespace": ("api/v1", "namespaces"),
    "Node": ("api/v1", "nodes"),
    "PersistentVolume": ("api/v1", "persistentvolumes"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "Pod": ("api/v1", "pods"),
    "ReplicationController": ("api/v1", "replicationcontrollers"),
    "Secret": ("api/v1", "secrets"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "DaemonSet": ("apis/apps/v1", "daemonsets"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "ReplicaSet": ("apis/apps/v1", "replicasets"),
    "StatefulSet": ("apis/apps/v1", "statefulsets"),
    "Job": ("apis/batch/v1", "jobs"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    "NodeRemoval": ("apis/noderemoval.dev/v1alpha1", "noderemovals"),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets"),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "ValidatingAdmissionPolicy": ("apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": ("apis/admissionregistration.k8s.io/v1",
                                         "validatingadmissionpolicybindings"),
    "ValidatingWebhookConfiguration": ("apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "CSINode": ("apis/storage.k8s.io/v1", "csinodes"),
    "VolumeAttachment": ("apis/storage.k8s.io/v1", "volumeattachments"),
}
CLUSTER_SCOPED = {"Namespace", "Node", "PersistentVolume", "NodeRemoval", "CustomResourceDefinition",
                  "ClusterRoleBinding", "CSINode", "VolumeAttachment", "ValidatingAdmissionPolicy",
                  "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"}


class ApiError(Exception):
    """An answer other than 2xx."""

    def __init__(self, method, path, status, answer):
        self.status = status
        self.answer = answer
        self.reason = answer.get("reason", "") if isinstance(answer, dict) else ""
        message = answer.get("message", "") if isinstance(answer, dict) else answer
        super().__init__(f"{method} {path}: {status} {self.reason}: {message}")


class Api:
    """The API server at `server`, as the user that the certificate or the token names."""

    def __init__(self, server, ca=None, certificate=None, key=None, token=None):
        url = urllib.parse.urlsplit(server)
        self._address = (url.hostname, url.port)
        self._tls = ssl.create_default_context(cafile=ca) if url.scheme == "https" else None
        if certificate:
            self._tls.load_cert_chain(certificate, key)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._minor = None

    @property
    def minor(self):
        """The minor version of the server: 36 for Kubernetes 1.36."""
        if self._minor is None:
            self._minor = int(self.request("GET", "/version")["minor"].rstrip("+"))
        return self._minor

    def get(self, kind, name, namespace=None):
        """The object, or None when the server says that there is none."""
        try:
            return self.request("GET", self.path(kind, namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind, namespace=None, labels=None, fields=None):
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = urllib.parse.urlencode({key: value for key, value in selectors.items() if value})
        return self.request("GET", f"{self.path(kind, namespace)}?{query}").get("items") or []

    def create(self, thing):
        return self.request("POST", self.path(thing["kind"], _namespace(thing)), self._versioned(thing))

    def apply(self, thing):
        """Creates the object, or changes the named fields of the one that exists."""
        path = self.path(thing["kind"], _namespace(thing), thing["metadata"]["name"])
        return self.request("PATCH", path + "?fieldManager=test&force=true", self._versioned(thing),
                            content_type="application/apply-patch+yaml")

    def patch(self, kind, name, change, namespace=None, subresource=None):
        """A JSON merge patch."""
        path = self.path(kind, namespace, name, subresource)
        return self.request("PATCH", path, change, content_type="application/merge-patch+json")

    def delete(self, kind, name, namespace=None, grace=None):
        """Deletes the object; none being there is no error."""
        options = {} if grace is None else {"gracePeriodSeconds": grace}
        try:
            return self.request("DELETE", self.path(kind, namespace, name), options)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def delete_all(self, kind, namespace, grace=None):
        options = {} if grace is None else {"gracePeriodSeconds": grace}
        return self.request("DELETE", self.path(kind, namespace), options)

    def evict(self, pod, dry_run=False):
        """Asks for the eviction of this pod, which has to be the same instance still."""
        metadata = pod["metadata"]
        eviction = {
            "apiVersion": "policy/v1" if self.minor >= 22 else "policy/v1beta1", "kind": "Eviction",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "deleteOptions": {"preconditions": {"uid": metadata["uid"]}, **({"dryRun": ["All"]} if dry_run else {})}}
        path = self.path("Pod", metadata["namespace"], metadata["name"], "eviction")
        return self.request("POST", path, eviction)

    def path(self, kind, namespace=None, name=None, subresource=None):
        prefix, plural = KINDS[kind]
        if kind == "PodDisruptionBudget" and self.minor < 21:
            prefix = "apis/policy/v1beta1"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"/{prefix}{scope}/{plural}" + "".join(f"/{part}" for part in (name, subresource) if part)

    def request(self, method, path, body=None, content_type="application/json", timeout=30):
        """Sends one request and returns the answer, parsed if it is JSON.

        Like kubectl it repeats a read that the server puts off with 429, as it does after a restart while it
        fills its caches.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._send(method, path, body, content_type, timeout)
            except ApiError as error:
                if method != "GET" or error.status != 429 or time.monotonic() >= deadline:
                    raise
            time.sleep(RETRY_AFTER_SECONDS)

    def _send(self, method, path, body, content_type, timeout):
        if self._tls:
            connection = http.client.HTTPSConnection(*self._address, timeout=timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(*self._address, timeout=timeout)
        try:
            headers = {"Content-Type": content_type, "Accept": "application/json", **self._headers}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", errors="replace")
            is_json = response.headers.get_content_type() == "application/json"
            answer = json.loads(text) if is_json else text
            if response.status >= 300:
                raise ApiError(method, path, response.status, answer)
            return answer
        finally:
            connection.close()

    def _versioned(self, thing):
        group_version = self.path(thing["kind"]).split("/")[1:-1]
        return {"apiVersion": "/".join(group_version[1:]), **thing}


def _namespace(thing):
    return thing["metadata"].get("namespace")
