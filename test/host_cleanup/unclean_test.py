"""What cannot be cleaned: the program stops where going on would destroy something, and says why."""

import json

import pytest
from hand_over import HandOver, results
from waiting import wait_until

CLEAN = ("noderemoval", "host-cleanup", "--yes")
VOLUME = "/var/lib/kubelet/pods/old/volumes/data"


def test_a_busy_mount_keeps_its_files_and_kubeadm_reset_is_not_run(host):
    host.shell(f"mkdir -p /srv/data {VOLUME}; echo precious > /srv/data/file; mount --bind /srv/data {VOLUME}")
    host.shell(f"systemd-run --unit=holder --property=WorkingDirectory={VOLUME} sleep infinity")

    failed = host.attempt(*CLEAN)

    assert failed.returncode == 1, failed.stdout
    assert host.read("/srv/data/file") == "precious\n"
    found = results(by_hand_result(host))
    assert found["Mounts"] == "Failed"
    assert found["KubeadmReset"] == found["CNI"] == found["Iptables"] == "Skipped", found
    assert VOLUME in failed.stdout + failed.stderr, "the message names the mount"
    assert host.exists("/etc/kubernetes/kubelet.conf"), "kubeadm reset was not run"
    assert host.unit("kubelet") == ("inactive", "disabled")

    host.run("systemctl", "stop", "holder")
    again = host.attempt(*CLEAN)

    assert again.returncode == 0, again.stdout + again.stderr
    assert host.leftovers() == {}
    assert host.read("/srv/data/file") == "precious\n"


def test_a_kubelet_that_cannot_be_stopped_ends_the_cleaning_before_anything_is_erased(host):
    start_another_kubelet(host, "--port=10350", "--healthz-port=10351")
    wait_until(lambda: len(host.processes("kubelet")) == 2, 30, "another kubelet runs",
               seen=lambda: host.cluster.journal(host.name, "another-one"))
    before = host.state()

    failed = host.attempt(*CLEAN)

    assert failed.returncode == 1, failed.stdout
    found = results(by_hand_result(host))
    assert found.pop("Kubelet") == "Failed"
    assert set(found.values()) == {"Skipped"}
    after = host.state()
    assert {what for what in before if before[what] != after[what]} <= {"kubelet"}


def test_credentials_are_not_erased_under_a_kubelet_that_somebody_starts_again_and_again(host):
    # It ends each time, for the port is taken, and stays as soon as the other one is stopped.
    start_another_kubelet(host)

    failed = host.attempt(*CLEAN)

    assert failed.returncode == 1, failed.stdout
    assert json.loads(host.read("/var/lib/noderemoval/by-hand/result.json"))["reason"] == "KubeletRunning"
    assert host.exists("/etc/kubernetes/kubelet.conf")


@pytest.mark.parametrize("trouble", ("containerd stopped", "no crictl"))
def test_pods_that_cannot_be_removed_end_the_cleaning(host, image, trouble):
    cleaning = HandOver(host, image)
    cleaning.wait_handed_over()
    if trouble == "containerd stopped":
        host.run("systemctl", "stop", "containerd")
    else:
        host.run("rm", "/usr/bin/crictl")
    cleaning.start()
    report = cleaning.wait_report(timeout=180)

    assert report["phase"] == "Failed", report
    found = results(report)
    assert (found["Kubelet"], found["Pods"]) == ("Done", "Failed")
    assert found["KubeadmReset"] == found["CNI"] == found["Iptables"] == "Skipped", found
    assert host.exists("/etc/kubernetes/kubelet.conf")
    assert host.has_link("cni0"), "it is not taken from pods that run"


def test_a_machine_without_crictl_is_not_even_begun(shared_host, image):
    before = shared_host.state()
    shared_host.run("mv", "/usr/bin/crictl", "/root")
    try:
        cleaning = HandOver(shared_host, image)
        said = cleaning.wait_said()
    finally:
        shared_host.run("mv", "/root/crictl", "/usr/bin")

    assert (said["phase"], said["reason"]) == ("Failed", "ToolMissing")
    assert "crictl" in said["message"]
    cleaning.wait_pod_gone()
    assert shared_host.state() == before
    assert shared_host.unit(cleaning.unit)[0] == "inactive"


def test_a_machine_without_systemd_is_refused(shared_host):
    before = shared_host.state()

    failed = shared_host.attempt("unshare", "--mount", "sh", "-c",
                                 f"mount -t tmpfs tmpfs /run/systemd && exec {' '.join(CLEAN)}")

    assert failed.returncode == 1, failed.stdout
    assert "systemd" in failed.stdout + failed.stderr
    assert shared_host.state() == before


def by_hand_result(host):
    return json.loads(host.read("/var/lib/noderemoval/by-hand/result.json"))


def start_another_kubelet(host, *flags):
    """As somebody does it who does not know of the unit."""
    host.run("systemd-run", "--unit=another-one", "--property=Restart=always", "--property=StartLimitIntervalSec=0",
             "/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml", "--kubeconfig=/etc/kubernetes/kubelet.conf",
             *flags)
