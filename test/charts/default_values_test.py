"""What is installed when no value is set."""

import json

import objects
import pytest
from helm import CHART, NAMESPACE, REPOSITORY, HelmError

CRD = "CustomResourceDefinition noderemovals.noderemoval.dev"
KEEP = {"helm.sh/resource-policy": "keep"}


# What the chart has and kustomize cannot fit to the server's version.
CHART_ONLY = {"flowSchema": {"enabled": False}}
ONE_REPLICA = {"replicas": 1, "affinity": {"podAntiAffinity": None}, "topologySpreadConstraints": []}


@pytest.mark.parametrize("folder, values, kubernetes", [
    ("manifests", ONE_REPLICA, "1.20.0"),
    ("manifests", ONE_REPLICA, "1.36.0"),
    ("manifests/overlays/ha", {}, "1.36.0"),
])
def test_the_objects_are_those_of_the_manifests(helm, kustomize, folder, values, kubernetes):
    expected = kustomize(folder)
    # Helm makes the namespace itself, with --create-namespace.
    del expected[f"Namespace {NAMESPACE}"]
    # manifests/ has nothing to say to Helm.
    expected[CRD]["metadata"]["annotations"] = KEEP

    rendered = helm.render(values | CHART_ONLY, "--kube-version", kubernetes)

    assert rendered.keys() == expected.keys()
    for name, installed in rendered.items():
        assert objects.difference(expected[name], installed) == {}, name


def test_the_namespace_of_the_manifests_is_restricted(kustomize):
    labels = kustomize("manifests")[f"Namespace {NAMESPACE}"]["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}


def test_kubernetes_older_than_1_20_is_refused(helm):
    with pytest.raises(HelmError, match="kubeVersion"):
        helm.render({}, "--kube-version", "1.19.16")


def test_the_chart_has_the_crd_of_the_repository():
    source, copied = REPOSITORY / "crd/noderemovals.yaml", CHART / "files/noderemovals.yaml"
    assert copied.read_bytes() == source.read_bytes(), \
        f"run: cp {source.relative_to(REPOSITORY)} {copied.relative_to(REPOSITORY)}"


def test_the_crd_keeps_its_comments(helm):
    source = (REPOSITORY / "crd/noderemovals.yaml").read_text(encoding="utf-8")
    assert source in helm.text({"crds": {"keep": False}})


def test_the_name_of_the_release_changes_nothing(helm):
    assert helm.render(release="other") == helm.render()


def test_the_namespace_of_the_release_is_where_the_operator_runs(helm):
    before, after = helm.render(), helm.render(namespace="other")

    expected = json.loads(json.dumps(before).replace(f'"{NAMESPACE}"', '"other"').replace(f" {NAMESPACE}/", " other/"))
    assert after == expected
