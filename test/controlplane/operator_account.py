"""Installs what the operator needs in a cluster, except itself: the tests run it as a process."""

import re
from pathlib import Path

from api import ApiError
from waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
# In the order they have to be applied in. Servers that do not serve an optional kind do without it.
INSTALLED = ("Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "ClusterRoleBinding",
             "Role", "RoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
OPTIONAL_SINCE_MINOR = {"ValidatingAdmissionPolicy": 30, "ValidatingAdmissionPolicyBinding": 30}
TOKEN_SECONDS = 24 * 3600


def install(cluster):
    """Applies CRD, ServiceAccount, RBAC and admission rules; returns a token of the ServiceAccount."""
    documents = _documents(cluster.minor)
    accounts = [text for text in documents if _field(text, "kind") == "ServiceAccount"]
    if len(accounts) != 1:
        raise RuntimeError(f"manifests/ has {len(accounts)} ServiceAccounts; the tests expect exactly one")
    # Servers before 1.25 do not know the validation rules in the CRD and drop them.
    validate = [] if cluster.minor >= 25 else ["--validate=false"]
    cluster.kubectl("apply", *validate, "-f", "-", stdin="\n---\n".join(documents))
    wait_until(lambda: _is_served(cluster.api), 30, "the API server serves noderemovals")
    return _token(cluster.api, _field(accounts[0], "name"), _field(accounts[0], "namespace"))


def _documents(minor):
    """The installed objects, as YAML. Not by kustomize: that of kubectl 1.20 reads no folder as a resource."""
    files = [REPOSITORY / "crd/noderemovals.yaml", *sorted((REPOSITORY / "manifests/base").glob("*.yaml"))]
    documents = [text for file in files for text in file.read_text(encoding="utf-8").split("\n---\n")
                 if _field(text, "kind") in INSTALLED
                 and minor >= OPTIONAL_SINCE_MINOR.get(_field(text, "kind"), 0)]
    return sorted(documents, key=lambda text: INSTALLED.index(_field(text, "kind")))


def _field(document, name):
    """The value of a field of the object or of its metadata."""
    found = re.search(rf"^(?:  )?{name}: (\S+)$", document, re.MULTILINE)
    return found.group(1) if found else None


def _is_served(api):
    try:
        return api.list("NodeRemoval") is not None
    except ApiError as error:
        if error.status == 404:
            return False
        raise


def _token(api, name, namespace):
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
               "spec": {"expirationSeconds": TOKEN_SECONDS}}
    answer = api.request("POST", api.path("ServiceAccount", namespace, name, "token"), request)
    return answer["status"]["token"]
