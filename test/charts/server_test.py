"""Real API servers take what the chart and the manifests say."""

import copy
import json

import pytest
import yaml
from golden_test import GOLDEN
from helm import NAMESPACE
from values_test import CHANGES, nested

RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
# Pods are refused whose ServiceAccount or class is not there.
ACCOUNTS = ("noderemoval-controller", "mine", "operator")
# Objects are refused whose namespace is not there.
OTHER_NAMESPACES = ("monitoring", "noderemoval-host", "mine", "hosts")
PRIORITY_CLASS = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "important"},
                  "value": 1000}


@pytest.fixture(scope="module")
def restricted(cluster):
    """The namespace of the operator, in which only restricted pods may run, where the server can see to that."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
    accounts = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}
                for name in ACCOUNTS]
    others = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in OTHER_NAMESPACES]
    run(cluster, "apply", [namespace, *others, PRIORITY_CLASS, *accounts])
    yield
    cluster.kubectl("delete", "namespace", NAMESPACE, *OTHER_NAMESPACES)
    cluster.kubectl("delete", "priorityclass", "important")


def run(cluster, verb, documents, *flags):
    if documents:
        cluster.kubectl(verb, *flags, "-f", "-", stdin=yaml.safe_dump_all(documents))


def try_out(cluster, documents):
    """The server checks them as if they were installed; fields that it does not know are refused."""
    # create asks the server once, apply twice, but create refuses what is there.
    kinds = {"Namespace": "apply", "ServiceAccount": "apply", "CustomResourceDefinition": "crd"}
    by_way = {way: [each for each in documents if kinds.get(each["kind"], "create") == way]
              for way in ("apply", "create", "crd")}
    strict = "--validate=strict" if cluster.minor >= 25 else "--validate=true"
    run(cluster, "apply", by_way["apply"], "--dry-run=server", strict)
    run(cluster, "create", by_way["create"], "--dry-run=server", strict)
    # Servers before 1.25 drop the validation rules in the CRD; README says so.
    run(cluster, "create", by_way["crd"], "--dry-run=server", strict if cluster.minor >= 25 else "--validate=false")


def pods_of(documents):
    """A pod of each Deployment: of a Deployment itself the server only warns that its pods are not restricted."""
    return [{"apiVersion": "v1", "kind": "Pod", "spec": each["spec"]["template"]["spec"],
             "metadata": {"name": f"pod-{number}", "namespace": NAMESPACE,
                          **each["spec"]["template"]["metadata"]}}
            for number, each in enumerate(documents) if each["kind"] == "Deployment"]


def looks_at_pods(cluster):
    """Whether the server knows restricted namespaces."""
    return cluster.minor >= 23


def test_every_object_that_values_lead_to_is_accepted(helm, cluster, restricted):
    version = cluster.api.request("GET", "/version")["gitVersion"]
    values = [nested(path, value) for path, value, _ in CHANGES]
    values += [yaml.safe_load(file.read_text(encoding="utf-8")) for file in GOLDEN.glob("*.values.yaml")]
    if cluster.minor < 30:  # the chart refuses them
        values = [{name: value for name, value in one.items() if name != "admission"} for one in values]
    rendered = [each for one in values for each in helm.render(one, "--kube-version", version).values()
                # Kinds of the Prometheus Operator, which these servers do not have.
                if not each["apiVersion"].startswith("monitoring.coreos.com/")]
    different = list({json.dumps(each, sort_keys=True): each for each in rendered}.values())

    pods = pods_of(different)
    assert len(pods) > 30
    try_out(cluster, different + (pods if looks_at_pods(cluster) else []))


@pytest.mark.parametrize("folder", ["manifests", "manifests/overlays/ha", "manifests/overlays/host-cleanup"])
def test_the_manifests_are_accepted(cluster, kustomize, restricted, folder):
    documents = [each for each in kustomize(folder).values()
                 # policy/v1 is of 1.21; the overlay says so.
                 if cluster.minor >= 21 or each["kind"] != "PodDisruptionBudget"]
    try_out(cluster, documents + (pods_of(documents) if looks_at_pods(cluster) else []))


def test_a_pod_that_is_not_restricted_is_refused(cluster, kustomize, restricted):
    if not looks_at_pods(cluster):
        return
    [pod] = copy.deepcopy(pods_of(list(kustomize("manifests").values())))
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    with pytest.raises(RuntimeError, match="runAsNonRoot"):
        try_out(cluster, [pod])
