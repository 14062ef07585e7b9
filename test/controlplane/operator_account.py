"""Installs what the operator needs in a cluster, except the operator itself, which the tests run as a process."""

import re
from pathlib import Path

from api import ApiError
from waiting import wait_until

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
NOT_INSTALLED = {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"}
TOKEN_SECONDS = 24 * 3600


def install(cluster):
    """Applies manifests/ without the Deployment and what belongs to it; returns a token of the ServiceAccount."""
    documents = [text for text in cluster.kubectl("kustomize", str(MANIFESTS)).split("\n---\n")
                 if _field(text, "kind") not in NOT_INSTALLED]
    accounts = [text for text in documents if _field(text, "kind") == "ServiceAccount"]
    if len(accounts) != 1:
        raise RuntimeError(f"{MANIFESTS} has {len(accounts)} ServiceAccounts; the tests expect exactly one")
    # Servers before 1.25 do not know the validation rules in the CRD and drop them.
    validate = [] if cluster.minor >= 25 else ["--validate=false"]
    cluster.kubectl("apply", *validate, "-f", "-", stdin="\n---\n".join(documents))
    wait_until(lambda: _is_served(cluster.api), 30, "the API server serves noderemovals")
    return _token(cluster.api, _field(accounts[0], "name"), _field(accounts[0], "namespace"))


def _field(document, name):
    """A field of the object or of its metadata, in the form that kubectl kustomize prints."""
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
    return api.request("POST", api.path("ServiceAccount", namespace, name, "token"), request)["status"]["token"]
