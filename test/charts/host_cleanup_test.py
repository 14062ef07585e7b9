"""What the operator gets to clean machines: the same from the chart as from manifests/overlays/host-cleanup."""

import json
import os
import re

import pytest
import yaml
from default_values_test import CHART_ONLY, CRD, KEEP, ONE_REPLICA
from helm import NAMESPACE, REPOSITORY
from objects import difference

ON = {"hostCleanup": {"enabled": True}}
HOST = "noderemoval-host"
DEPLOYMENT = f"Deployment {NAMESPACE}/noderemoval-controller"
ROLES = {f"{kind} {HOST}/noderemoval-controller" for kind in ("Role", "RoleBinding")}


def args(rendered):
    [container] = rendered[DEPLOYMENT]["spec"]["template"]["spec"]["containers"]
    return container["args"]


def test_the_objects_are_those_of_the_overlay(helm, kustomize):
    expected = kustomize("manifests/overlays/host-cleanup")
    del expected[f"Namespace {NAMESPACE}"]
    expected[CRD]["metadata"]["annotations"] = KEEP
    rendered = helm.render(ON | ONE_REPLICA | CHART_ONLY)
    assert rendered.keys() == expected.keys()
    for name, installed in rendered.items():
        assert difference(expected[name], installed) == {}, name


def test_the_kustomization_of_the_docs_adds_it_to_another_overlay_and_image(helm, kustomize, tmp_path):
    page = (REPOSITORY / "docs/host-cleanup.md").read_text(encoding="utf-8")
    kustomization = yaml.safe_load(re.search(r"^```yaml\n(.*?kind: Kustomization\n.*?)```", page, re.M | re.S).group(1))
    # kustomize takes no absolute paths.
    manifests = os.path.relpath(REPOSITORY / "manifests", tmp_path.resolve())
    for field in ("resources", "components"):
        kustomization[field] = [re.sub(r"https://.*//manifests/(.*)\?.*", rf"{manifests}/\1", each)
                                for each in kustomization[field]]
    (tmp_path / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
    built = kustomize(tmp_path)
    assert built[DEPLOYMENT]["spec"]["replicas"] == 2
    assert args(built) == args(helm.render(ON | {"image": {"repository": "registry.example/noderemoval"}}))


@pytest.mark.parametrize("source", ["chart", "overlay"])
def test_the_cleaning_runs_the_image_of_the_operator(helm, kustomize, source):
    rendered = (kustomize("manifests/overlays/host-cleanup") if source == "overlay" else
                helm.render(ON | {"image": {"repository": "registry.example/a", "tag": "1.2.3"}}))
    [container] = rendered[DEPLOYMENT]["spec"]["template"]["spec"]["containers"]
    assert f"--host-cleanup-image={container['image']}" in container["args"]


def test_its_namespace_lets_in_what_enters_a_machine(helm):
    labels = helm.render(ON)[f"Namespace {HOST}"]["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"privileged"}


def test_whoever_makes_the_roles_makes_these_as_well(helm):
    without = helm.render(ON | {"rbac": {"create": False}})
    assert not ROLES & without.keys()
    assert args(without) == args(helm.render(ON))


@pytest.mark.parametrize("values", [{}, {"hostCleanup": {"allowImages": ["a:1"], "namespace": "mine"}}])
def test_nothing_of_it_is_there_unless_it_is_switched_on(helm, values):
    rendered = helm.render(values)
    assert not any("host-cleanup" in each for each in args(rendered))
    assert not [name for name, each in rendered.items() if each["metadata"].get("namespace") in (HOST, "mine")
                or each["kind"] == "Namespace"]
