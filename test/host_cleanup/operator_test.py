"""The installed operator removes a Node and has its machine cleaned, which then joins again."""

import foreign
import pytest
import release
from membership import hang_once_kubelet_is_stopped, is_ready_again, pods_on, run_pod
from removal import Removal, traces_on
from sandbox import open_sandbox
from waiting import wait_until

HOME = "operator-home"
NO_IMAGE = "test.invalid/nowhere:1"


@pytest.fixture(scope="module")
def installed(cluster, tmp_path_factory):
    """The operator, installed with its chart, on a node of its own. It is gone after the tests of this file: it has its
    own opinion about what other tests do to Nodes."""
    cluster.add_node(HOME)
    operator = release.install(cluster, tmp_path_factory.mktemp("helm"), replicas=1,
                               hostCleanup={"enabled": True, "allowImages": [NO_IMAGE]})
    try:
        yield operator
    finally:
        operator.uninstall()
        cluster.remove_node(HOME)


@pytest.fixture
def sandbox(cluster, installed):
    """For the NodeRemovals of one test."""
    with open_sandbox(cluster) as opened:
        yield opened


@pytest.mark.main_flow
def test_a_removed_machine_is_clean_and_joins_again(host, sandbox, foreign_before):
    old_uid = sandbox.get("Node", host.name)["metadata"]["uid"]
    removal = Removal(sandbox, host.name, drain={"force": True}, hostCleanup={"enabled": True})
    wait_succeeded(removal)

    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("True", "Cleaned"), removal.status()
    assert sandbox.get("Node", host.name) is None
    assert host.leftovers() == {}
    assert foreign.seen_on(host) == foreign_before
    record = removal.get()

    wait_until(lambda: not pods_on(host), 120, f"no pod is bound to {host.name} any more", seen=lambda: pods_on(host))
    network = host.cluster.pod_subnet(host.name, network=1)
    host.run("systemctl", "enable", "kubelet")  # kubeadm only warns that nobody did
    host.cluster.join(host.name, network)
    wait_until(lambda: is_ready_again(host, old_uid), 60, f"{host.name} is Ready under another UID",
               seen=lambda: host.cluster.journal(host.name, "kubelet"))
    assert run_pod(host, "new").startswith(network.removesuffix("0/24"))
    assert removal.get() == record, "the finished NodeRemoval does not follow the machine"
    node = sandbox.get("Node", host.name)
    assert not traces_on(node)
    assert not node["spec"].get("unschedulable")


@pytest.mark.long
def test_a_dry_run_tells_what_would_be_cleaned_and_leaves_the_machine_alone(host, sandbox):
    removal = Removal(sandbox, host.name, drain={"force": True}, hostCleanup={"enabled": True, "dryRun": True})
    wait_succeeded(removal)

    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("False", "DryRun"), removal.status()
    assert "cni0" in cleaned["message"], cleaned
    assert host.unit("kubelet") == ("active", "enabled")
    assert host.has_link("cni0")
    assert host.exists("/etc/kubernetes/kubelet.conf")


def test_an_image_that_cannot_be_pulled_is_named_and_given_up_in_time(host, sandbox):
    removal = Removal(sandbox, host.name, drain={"force": True},
                      hostCleanup={"enabled": True, "image": NO_IMAGE, "timeoutSeconds": 15})
    assert removal.wait_end(timeout=120) == ("False", "HostCleanupFailed"), removal.status()
    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("False", "TimedOut"), cleaned
    assert NO_IMAGE in cleaned["message"] and "ImagePull" in cleaned["message"], cleaned
    assert sandbox.api.list("Pod", "noderemoval-host") == []
    node = sandbox.get("Node", host.name)
    assert not traces_on(node) and not node["spec"].get("unschedulable")
    assert host.unit("kubelet") == ("active", "enabled")


@pytest.mark.long
def test_a_machine_that_is_rebooted_in_the_middle_is_not_called_clean(host, sandbox):
    hang_once_kubelet_is_stopped(host)
    removal = Removal(sandbox, host.name, drain={"force": True}, hostCleanup={"enabled": True, "timeoutSeconds": 60})
    wait_until(lambda: host.unit("kubelet")[0] == "inactive", 120, f"the kubelet of {host.name} is stopped",
               seen=removal.status)
    host.cluster.reboot(host.name)
    status, reason = removal.wait_end(timeout=240)

    assert (status, reason) == ("False", "HostCleanupFailed"), removal.status()
    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("False", "NoReport"), cleaned
    assert host.unit("kubelet") == ("inactive", "disabled")
    assert sandbox.get("Node", host.name), "the Node stays"


def wait_succeeded(removal):
    # A pod that its kubelet confirms too late is collected from a deleted Node by Kubernetes after a minute.
    assert removal.wait_end(timeout=240)[0] == "True", removal.status()
