"""Install, upgrade and uninstall with Helm on real control planes, also while nodes are being removed."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from helm import CHART, NAMESPACE, REPOSITORY, HelmError
from release import ACCOUNT, CRD
from waiting import wait_until

EARLIER = sorted((Path(__file__).resolve().parent / "earlier").glob("*.tgz"))
# Keeps away the pods of the release, which only pretend to run: they are not ready, and before 1.27 their budget holds
# such pods.
KEEP_AWAY = "test=mine:NoSchedule"
CONTROL_PLANE = {"node-role.kubernetes.io/control-plane": ""}


def test_two_replicas_are_on_different_nodes_one_of_them_a_control_plane_node(release):
    names = ["control-plane", "worker-1", "worker-2"]
    for name in names:
        release.add_node(name, labels=CONTROL_PLANE if name == "control-plane" else None)
    release.install()

    def nodes():
        pods = release.cluster.api.list("Pod", NAMESPACE)
        return sorted(each["spec"].get("nodeName", "") for each in pods)

    wait_until(lambda: len(nodes()) == 2 and all(nodes()), 60, "two pods are scheduled", seen=nodes)
    assert nodes()[0] == "control-plane" and nodes()[1].startswith("worker")


def test_the_lease_is_served_as_those_of_kubernetes_itself(release):
    release.install()
    operator = release.start_operator("--log-level=debug")
    schema = release.cluster.api.request(
        "GET", f"/apis/flowcontrol.apiserver.k8s.io/{flow_control(release.cluster.minor)}/flowschemas/{ACCOUNT}")

    def requests(of):
        return [line for line in operator.log_text().splitlines() if of in line and "flowSchema=" in line]

    uid = schema["metadata"]["uid"]
    wait_until(lambda: any(uid in line for line in requests("/leases/")), 30,
               "a request for the Lease is under the FlowSchema", seen=operator.log_text)
    assert schema["spec"]["priorityLevelConfiguration"]["name"] == "leader-election"
    assert not any(uid in line for line in requests("/noderemovals"))


def add_nodes(release):
    """The one that is to be removed, and another."""
    release.add_node("jetson", taints=[KEEP_AWAY])
    release.add_node("other")
    # Kubelets make their Leases in the background, on a slow machine after they are Ready.
    leases = {f"lease.coordination.k8s.io/{name}" for name in ("jetson", "other")}
    wait_until(lambda: leases <= set(release.kubectl("get", "leases", "--namespace=kube-node-lease",
                                                     "--output=name").split()), 60, "both nodes have their Lease")


def flow_control(minor):
    return "v1" if minor >= 29 else "v1beta1"


@pytest.mark.parametrize("chart", EARLIER, ids=lambda path: path.stem)
def test_an_upgrade_from_an_earlier_chart_keeps_a_removal_under_way_and_brings_the_crd(release, tmp_path, chart):
    old = with_an_older_crd(chart, tmp_path)
    add_nodes(release)
    release.install(chart=old, values={"options": {"workers": 4}})
    assert "dryRun" not in fields_of_the_spec(release)
    release.start_operator("--leader-elect=false")
    release.begin_removal("jetson")
    before = release.removal("jetson")

    # Values of a release know nothing of the values that are new.
    with pytest.raises(HelmError, match="missing propert"):
        release.upgrade("--reuse-values")
    release.upgrade("--reset-then-reuse-values")

    deployment = release.cluster.api.get("Deployment", ACCOUNT, NAMESPACE)["spec"]
    assert deployment["replicas"] == 2
    assert "--workers=4" in deployment["template"]["spec"]["containers"][0]["args"]
    assert "dryRun" in fields_of_the_spec(release)
    after = release.removal("jetson")
    assert (after["metadata"]["uid"], after["status"]["nodeUID"]) == (
        before["metadata"]["uid"], before["status"]["nodeUID"])

    # docs/upgrade.md: back without the CRD.
    release.upgrade("--reset-then-reuse-values", "--set=crds.enabled=false", chart=old)
    assert release.cluster.api.get("Deployment", ACCOUNT, NAMESPACE)["spec"]["replicas"] == 1
    assert "dryRun" in fields_of_the_spec(release)
    release.cluster.api.delete("Pod", "jetson", "default", grace=0)
    release.wait_reason("jetson", "NodeRemoved", timeout=120)


def with_an_older_crd(package, folder):
    """The chart without a field that came later."""
    shutil.unpack_archive(package, folder)
    chart = folder / "node-removal"
    file = chart / "files/noderemovals.yaml"
    text = file.read_text(encoding="utf-8")
    older, dropped = re.subn(r"^ {16}dryRun:\n(?: {17,}.*\n)+", "", text, flags=re.MULTILINE)
    assert dropped == 1
    file.write_text(older, encoding="utf-8")
    return chart


def fields_of_the_spec(release):
    [version] = release.cluster.api.get("CustomResourceDefinition", CRD)["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def test_host_cleanup_can_be_switched_on_and_off(release):
    host = "noderemoval-host"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "host-cleanup", "namespace": host},
           "spec": {"hostPID": True, "hostNetwork": True, "automountServiceAccountToken": False, "containers": [
               {"name": "main", "image": "test.invalid/none", "securityContext": {"runAsUser": 0, "capabilities": {
                   "add": ["SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "DAC_OVERRIDE"]}}}]}}

    def create_pod():
        """Why the operator's account may not; empty when it may. Nothing is stored."""
        try:
            account = f"--as=system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
            release.kubectl("create", account, "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
        except RuntimeError as error:
            return str(error)
        return ""

    release.install()
    assert "cannot create resource" in create_pod()
    release.upgrade("--set=hostCleanup.enabled=true")
    wait_until(lambda: create_pod() == "", 30, "it may create pods that enter a machine", seen=create_pod)
    release.upgrade("--set=hostCleanup.enabled=false")
    release.wait_gone("Namespace", host)
    assert "cannot create resource" in create_pod()


def test_an_uninstall_leaves_the_crd_the_removals_and_what_the_operator_remembers(release):
    add_nodes(release)
    before = everything(release)
    release.install()
    release.start_operator()
    release.create_removal("jetson")
    release.wait_reason("jetson", "NodeRemoved", timeout=120)

    release.stop_operators()
    release.uninstall()

    left = {f"Namespace {NAMESPACE}", f"CustomResourceDefinition {CRD}", "APIService v1alpha1.noderemoval.dev",
            "NodeRemoval jetson", f"ConfigMap {NAMESPACE}/noderemoval-removed-nodes", f"Lease {NAMESPACE}/{ACCOUNT}"}
    wait_until(lambda: everything(release) - before == left, 60, "the rest is gone",
               seen=lambda: sorted(everything(release) - before))


def everything(release):
    """Kind, namespace and name of all that users can list, but Events and what Kubernetes makes in each namespace."""
    kubectl = release.kubectl
    kinds = kubectl("api-resources", "--verbs=list", "--output=name").split()
    kinds = [kind for kind in kinds if not kind.startswith(("events", "componentstatuses"))]
    template = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}'
    names = kubectl("get", ",".join(kinds), "--all-namespaces", "--output=jsonpath=" + template).splitlines()
    own = re.compile(r"ServiceAccount .*/default|ConfigMap .*/kube-root-ca\.crt|Secret .*/default-token-.*")
    return {name.replace(" /", " ") for name in names if not own.fullmatch(name)}


def leave_a_removal_behind(release):
    """Uninstalls while the removal of jetson is under way."""
    add_nodes(release)
    release.install()
    release.start_operator("--leader-elect=false")
    release.begin_removal("jetson")
    release.stop_operators()
    release.uninstall()


def test_a_removal_that_was_under_way_at_the_uninstall_is_ended_by_the_next_install(release):
    leave_a_removal_behind(release)
    release.kubectl("delete", "nrm", "jetson", "--wait=false")
    assert release.removal("jetson")["metadata"]["finalizers"]
    assert release.cluster.api.get("Node", "jetson")["spec"]["unschedulable"]

    release.install()
    release.start_operator("--leader-elect=false")
    release.wait_gone("NodeRemoval", "jetson")
    assert is_untouched(release, "jetson")


def test_a_removal_that_was_under_way_at_the_uninstall_is_ended_by_the_documented_commands(release):
    leave_a_removal_behind(release)

    for command in commands("uninstall.md", "Without the operator"):
        release.kubectl(*command)
    release.wait_gone("NodeRemoval", "jetson")
    assert is_untouched(release, "jetson")


def test_to_delete_the_crd_first_cancels_what_is_under_way_and_then_nothing_is_left(release, kustomize):
    add_nodes(release)
    before = everything(release)
    manifests = yaml.safe_dump_all(kustomize("manifests").values())
    release.kubectl("apply", "--validate=false", "-f", "-", stdin=manifests)
    release.start_operator()
    release.begin_removal("jetson")

    release.kubectl("delete", "crd", CRD, "--timeout=60s")
    assert is_untouched(release, "jetson")
    release.stop_operators()
    release.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifests)
    release.kubectl("delete", "pod", "jetson", "--grace-period=0", "--force")
    wait_until(lambda: everything(release) == before, 60, "all is as it was",
               seen=lambda: sorted(everything(release) ^ before))


def is_untouched(release, node):
    found = release.cluster.api.get("Node", node)
    return (not found["spec"].get("unschedulable") and [each["key"] for each in found["spec"]["taints"]] == ["test"]
            and not any("noderemoval.dev" in key for key in found["metadata"].get("annotations", {})))


def commands(page, heading):
    """The arguments of each kubectl command in the first block below this heading."""
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    block = re.search(rf"^#+ {heading}\n.*?```console\n(.*?)```", text, re.MULTILINE | re.DOTALL)[1]
    found = [shlex.split(line, comments=True) for line in block.splitlines() if line.startswith("$ kubectl ")]
    assert found
    return [line[2:] for line in found]


def test_a_crd_that_kubectl_installed_is_taken_over(release):
    release.kubectl("apply", "--validate=false", "-f", str(REPOSITORY / "crd/noderemovals.yaml"))
    with pytest.raises(HelmError, match="invalid ownership metadata"):
        release.install()
    for command in commands("upgrade.md", "A CRD that kubectl installed"):
        release.kubectl(*command)
    release.install()
    assert release.cluster.api.get("CustomResourceDefinition", CRD)["metadata"]["annotations"][
        "helm.sh/resource-policy"] == "keep"


def test_the_notes_warn_of_one_replica_and_say_what_to_look_at_before_an_uninstall(release):
    def notes(**values):
        return release.helm("install", "noderemoval", CHART, "--dry-run=server", values=values).partition("NOTES:")[2]

    assert "WARNING" in notes(replicas=1) and "WARNING" not in notes()
    before_an_uninstall = (REPOSITORY / "docs/uninstall.md").read_text(encoding="utf-8")
    [command] = re.findall(r"kubectl get nrm -o jsonpath=.*", notes())
    assert command in before_an_uninstall
