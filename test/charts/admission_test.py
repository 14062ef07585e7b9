"""The ValidatingAdmissionPolicies, which values can switch on."""

import os
import re
import textwrap

import pytest
from helm import REPOSITORY, HelmError

KIND = "ValidatingAdmissionPolicy"
API = f"admissionregistration.k8s.io/v1/{KIND}"
NEW = ("--kube-version", "1.30.0")
CONNECTED = ("--api-versions", "v1/Pod")  # Helm knows kinds only when it has asked an API server


def render(helm, *flags, namespace="noderemoval-system", **admission):
    return helm.render({"admission": {"enabled": True, **admission}}, *flags, namespace=namespace)


def messages(rendered, policy):
    rules = rendered[f"{KIND} noderemoval-{policy}"]["spec"]["validations"]
    return [rule.get("message") or rule["messageExpression"] for rule in rules]


@pytest.mark.parametrize("flags", [("--kube-version", "1.20.0"), ("--kube-version", "1.29.9"), (*NEW, *CONNECTED)])
def test_they_are_refused_where_the_api_server_does_not_have_them(helm, flags):
    with pytest.raises(HelmError, match=f"admission.enabled needs Kubernetes 1.30 or newer that serves {API}"):
        render(helm, *flags)


@pytest.mark.parametrize("flags", [("--kube-version", "v1.30.1-gke.100"), (*NEW, *CONNECTED, "--api-versions", API)])
def test_they_are_rendered_where_the_api_server_has_them(helm, flags):
    policies = [each for name, each in render(helm, *flags).items() if name.startswith(f"{KIND} ")]
    assert len(policies) == 8
    assert {each["spec"]["failurePolicy"] for each in policies} == {"Fail"}


def test_each_policy_is_bound(helm):
    rendered = render(helm, *NEW)
    bound = {each["spec"]["policyName"] for name, each in rendered.items() if name.startswith(f"{KIND}Binding ")}
    assert bound == {each["metadata"]["name"] for name, each in rendered.items() if name.startswith(f"{KIND} ")}


def test_they_name_the_account_of_the_namespace_of_the_release(helm):
    for name, each in render(helm, *NEW, namespace="other").items():
        if name.startswith(f"{KIND} "):
            [condition] = each["spec"]["matchConditions"]
            assert "'system:serviceaccount:other:noderemoval-controller'" in condition["expression"], name


def test_control_plane_nodes_can_be_permitted(helm):
    before, after = render(helm, *NEW), render(helm, *NEW, allowControlPlane=True)
    for policy in ("operator-deletes-nodes", "operator-changes-nodes", "users"):
        [taken] = [text for text in messages(before, policy) if text not in messages(after, policy)]
        assert "allowControlPlane" in taken
        assert len(messages(after, policy)) == len(messages(before, policy)) - 1


def test_the_patches_of_the_docs_permit_the_same_without_helm(helm):
    text = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
    patches = re.findall(r'name: noderemoval-(\S+)}\n.*"remove", "path": "/spec/validations/(\d+)"', text)
    before, after = render(helm, *NEW), render(helm, *NEW, allowControlPlane=True)
    assert len(patches) == 3
    for policy, index in patches:
        left = messages(before, policy)
        del left[int(index)]
        assert left == messages(after, policy)


def test_deletions_of_live_pods_can_be_forbidden(helm):
    before, after = render(helm, *NEW), render(helm, *NEW, onlyEvictions=True)
    [added] = [text for text in messages(after, "operator-deletes-pods")
               if text not in messages(before, "operator-deletes-pods")]
    assert "onlyEvictions" in added


def test_pods_that_clean_machines_run_only_images_that_are_allowed(helm):
    digest = "sha256:" + "0123456789abcdef" * 4
    values = {"image": {"repository": "registry.example:5000/a", "digest": digest},
              "hostCleanup": {"namespace": "hosts", "allowImages": ["b:1"]}, "admission": {"enabled": True}}
    rendered = helm.render(values, *NEW)
    policy = rendered[f"{KIND} noderemoval-operator-creates-pods"]
    rules = [rule["expression"] for rule in policy["spec"]["validations"]]
    [images] = [rule for rule in rules if ".?image." in rule]
    assert images.endswith(f' in ["registry.example:5000/a@{digest}","b:1"]')
    assert "request.namespace == 'hosts'" in rules
    [condition] = rendered[f"{KIND} noderemoval-host-pods"]["spec"]["matchConditions"]
    assert "request.namespace == 'hosts'" in condition["expression"]


def test_the_patch_of_the_docs_allows_another_image_without_helm(kustomize, tmp_path):
    text = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
    name = "noderemoval-operator-creates-pods"
    patch = re.search(rf"^    - target: .* {name}}}\n(?:      .*\n)+", text, re.M).group()
    overlay = os.path.relpath(REPOSITORY / "manifests/overlays/admission", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(
        f"resources: [{overlay}]\npatches:\n{textwrap.dedent(patch)}", encoding="utf-8")
    rules, before = (kustomize(folder)[f"{KIND} {name}"]["spec"]["validations"]
                     for folder in (tmp_path, "manifests/overlays/admission"))
    [(new, old)] = [pair for pair in zip(rules, before) if pair[0] != pair[1]]
    assert old["expression"].endswith('in ["noderemoval:0.1.0"]')
    assert new["expression"].endswith("in ['registry.example/noderemoval:0.1.0']")
    assert new["messageExpression"] == old["messageExpression"]
