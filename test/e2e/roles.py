"""The rights in manifests/, and which of them a request took."""

from collections import namedtuple
from pathlib import Path

import yaml

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
BASE, HOST_CLEANUP = MANIFESTS / "base/rbac.yaml", MANIFESTS / "components/host-cleanup/rbac.yaml"
ACCOUNT = "noderemoval-controller"
ANYWHERE = "*"

# `namespace` is ANYWHERE for a right of a ClusterRole, `name` is None for one that holds for every name.
Right = namedtuple("Right", "verb group resource namespace name")


def of_the_operator(*files):
    """All that the bindings in these files, or else in the base, give its ServiceAccount."""
    texts = [file.read_text(encoding="utf-8") for file in files or [BASE]]
    documents = [each for text in texts for each in yaml.safe_load_all(text) if each]
    roles = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each["rules"]
             for each in documents if each["kind"] in {"Role", "ClusterRole"}}
    return {right for binding in documents
            if any(subject["name"] == ACCOUNT for subject in binding.get("subjects", []))
            for rule in roles[binding["roleRef"]["kind"], binding["metadata"].get("namespace"),
                              binding["roleRef"]["name"]]
            for right in _rights(rule, binding["metadata"].get("namespace", ANYWHERE))}


def _rights(rule, namespace):
    return {Right(verb, group, resource, namespace, name) for verb in rule["verbs"] for group in rule["apiGroups"]
            for resource in rule["resources"] for name in rule.get("resourceNames", [None])}


def taken_by(event, rights):
    """Those of the rights that allow what an event of the audit log asked for."""
    target = event["objectRef"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    return {right for right in rights
            if (right.verb, right.group, right.resource) == (event["verb"], target.get("apiGroup", ""), resource)
            and right.namespace in {ANYWHERE, target.get("namespace")}
            and right.name in {None, target.get("name")}}
