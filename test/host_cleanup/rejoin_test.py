"""A machine is cleaned, leaves its cluster, and joins again: with another network for its pods."""

import foreign
import pytest
from hand_over import HandOver, results
from kubeadm_cluster import JoinFailed
from membership import describe_pod, is_ready_again, leave_cluster, pod_on, run_pod
from waiting import wait_until


@pytest.mark.main_flow
def test_a_machine_cleans_itself_keeps_what_is_foreign_and_reports_on_its_node(host, image, foreign_before):
    cleaning = HandOver(host, image, "--extra-path=/opt/extra")
    host.shell("mkdir /opt/extra && touch /opt/extra/file")
    said = cleaning.wait_handed_over()
    assert results(said)["KubeadmReset"] == "Scheduled"
    assert host.unit("kubelet") == ("active", "enabled"), "nothing may change before the start"

    cleaning.start()
    report = cleaning.wait_report()

    assert report["uid"] == cleaning.uid
    assert report["phase"] == "Succeeded", cleaning.told()
    assert host.leftovers() == {}
    assert foreign.seen_on(host) == foreign_before
    assert not host.exists("/opt/extra")
    done = results(report)
    for step in ("Kubelet", "Pods", "KubeadmReset", "CNI", "Iptables", "ExtraPaths"):
        assert done[step] == "Done", report
    cleaning.wait_unit_gone()
    assert cleaning.result()["steps"] == report["steps"]
    assert host.read(f"{cleaning.folder}/cleanup.log")
    assert not host.exists(f"{cleaning.folder}/program"), "the copied program is removed"
    assert not host.shell("ls /run/noderemoval 2>/dev/null || true"), "the copied credentials are removed"


@pytest.mark.long
def test_a_machine_that_was_cleaned_by_hand_joins_again_with_another_pod_network(host):
    old_uid = host.cluster.api.get("Node", host.name)["metadata"]["uid"]
    host.run("noderemoval", "host-cleanup", "--yes")
    leave_cluster(host)
    network = host.cluster.pod_subnet(host.name, network=1)
    host.run("systemctl", "enable", "kubelet")  # kubeadm only warns that nobody did
    host.cluster.join(host.name, network)
    wait_until(lambda: is_ready_again(host, old_uid), 60, f"{host.name} is Ready under another UID",
               seen=lambda: host.cluster.journal(host.name, "kubelet"))
    assert run_pod(host, "new").startswith(network.removesuffix("0/24"))

    # Its kubelet starts with the machine again.
    host.cluster.reboot(host.name)
    assert host.unit("kubelet") == ("active", "enabled")


def test_a_machine_that_was_not_cleaned_cannot_join_again(host):
    host.cluster.api.delete("Node", host.name)

    with pytest.raises(JoinFailed) as refused:
        host.cluster.join(host.name)

    assert "FileAvailable--etc-kubernetes-kubelet.conf" in str(refused.value)
    assert "Port-10250" in str(refused.value)


def test_after_kubeadm_reset_alone_the_old_bridge_lets_no_pod_have_an_address(host):
    host.run("kubeadm", "reset", "--force", f"--cri-socket={host.cluster.cri_socket}")
    host.cluster.api.delete("Node", host.name)
    host.cluster.join(host.name, host.cluster.pod_subnet(host.name, network=1))
    host.cluster.wait_ready(host.name)
    host.cluster.api.create(pod_on(host, "new"))

    wait_until(lambda: '"cni0" already has an IP address different from' in describe_pod(host, "new"), 30,
               "the new pod gets no address", seen=lambda: describe_pod(host, "new"))
