"""From the pod to the machine: what is handed over, when it begins, and what the cluster is told."""

import pytest
from pod import REMOVAL, STATE

CHAIN = ("Kubelet", "Pods", "Mounts", "KubeadmReset")


def by_name(report):
    return {step["name"]: step["result"] for step in report["steps"]}


def untouched(machine):
    """Nothing was stopped and erased."""
    return machine.exists("/etc/kubernetes/kubelet.conf") and machine.exists("/run/fake/pods/pod-a") and \
        machine.read("/run/fake/unit/active") == "active\n"


def test_what_is_handed_over_begins_when_the_operator_says_so_and_tells_the_cluster(machine, pod, api):
    code, report = pod.hand_over("--steps=KubeadmReset,Iptables", "--extra-path=/opt/cni")
    assert (code, report["phase"], report["uid"]) == (0, "HandedOver", REMOVAL), report
    assert by_name(report) == dict.fromkeys((*CHAIN, "Iptables", "ExtraPaths"), "Scheduled") | \
        dict.fromkeys(("CNI", "IPVS"), "Skipped")
    assert untouched(machine)
    assert machine.sh(f"stat -c %a /var/lib/noderemoval {STATE}").split() == ["700", "700"]
    api.set_node(start=REMOVAL)
    pod.wait_for_end()
    told = api.report()
    assert (told["uid"], told["phase"]) == (REMOVAL, "Succeeded"), machine.read("/run/fake/unit.log")
    assert by_name(told)["KubeadmReset"] == "Done" and by_name(told)["CNI"] == "Skipped"
    assert pod.result() == told
    assert not machine.exists("/etc/kubernetes/kubelet.conf") and not machine.exists("/run/fake/pods/pod-a")
    assert not machine.exists("/run/noderemoval"), "the copy of the credentials is left"
    assert machine.sh(f"ls {STATE}").split() == ["cleanup.log", "facts.json", "request.json", "result.json"]
    assert "PRIVATE KEY" not in machine.sh(f"cat {STATE}/*")


@pytest.mark.parametrize(("change", "why"), [
    ({"claim": None}, "cancelled"),
    ({"claim": "another"}, "cancelled"),
    ({"uid": "another", "start": REMOVAL}, "it is another one by now"),
])
def test_it_never_begins_when_the_removal_is_over_or_the_node_another_one(machine, pod, api, change, why):
    assert pod.hand_over()[0] == 0
    api.set_node(**change)
    pod.wait_for_end()
    result = pod.result()
    assert (result["phase"], result["reason"]) == ("Failed", "NotStarted") and why in result["message"]
    assert set(by_name(result).values()) == {"Skipped"}
    assert untouched(machine) and api.report() is None
    assert not machine.exists(f"{STATE}/program") and not machine.exists("/run/noderemoval")


def test_it_never_begins_when_the_node_is_gone(machine, pod, api):
    assert pod.hand_over()[0] == 0
    api.remove_node()
    pod.wait_for_end()
    assert "there is no Node worker-9 any more" in pod.result()["message"]
    assert untouched(machine)


def test_it_does_not_wait_for_the_start_for_ever(machine, pod, api):
    assert pod.hand_over(timeout=1)[1]["phase"] == "HandedOver"
    pod.wait_for_end()
    assert pod.result()["message"] == "the start did not come in time"
    assert untouched(machine) and api.report() is None


def test_the_start_of_another_removal_does_not_count(machine, pod, api):
    api.set_node(start="another")
    assert pod.hand_over(timeout=1)[1]["phase"] == "HandedOver"
    pod.wait_for_end()
    assert pod.result()["reason"] == "NotStarted" and untouched(machine)


def test_a_second_pod_starts_no_second_unit_and_hears_how_the_first_ended(machine, pod, api):
    assert pod.hand_over()[1]["phase"] == "HandedOver"
    assert pod.hand_over()[1]["phase"] == "HandedOver"
    api.set_node(start=REMOVAL)
    pod.wait_for_end()
    code, report = pod.hand_over()
    assert (code, report["phase"]) == (0, "Succeeded")
    assert len([call for call in machine.calls() if call.startswith("systemd-run")]) == 1


def test_a_dry_run_looks_at_the_machine_and_leaves_nothing_there(machine, pod, api):
    code, report = pod.hand_over("--dry-run")
    assert (code, report["phase"]) == (0, "Planned")
    assert by_name(report) == dict.fromkeys(CHAIN[:2] + CHAIN[3:], "Planned") | {
        "Mounts": "NothingToDo", "CNI": "NothingToDo", "Iptables": "NothingToDo", "IPVS": "NothingToDo",
        "ExtraPaths": "Skipped"}
    assert untouched(machine) and not machine.exists("/var/lib/noderemoval")
    assert api.report() is None


def test_a_dry_run_sees_rules_that_the_pod_itself_may_not_read(machine, pod, api, worker_rules):
    machine.load("iptables-nft", worker_rules)
    _, report = pod.hand_over("--dry-run", "--steps=Iptables")
    details = {step["name"]: step["detail"] for step in report["steps"]}
    assert details["Iptables"] == "would remove iptables-nft: 28 chains and 19 rules"


@pytest.mark.parametrize(("trouble", "reason", "words"), [
    ("rmdir /run/systemd/system", "UnsupportedHost", "systemd is not PID 1"),
    ("rm -r /run/fake/unit", "UnsupportedHost", "no kubelet.service"),
    ("rm /usr/local/sbin/kubeadm", "ToolMissing", "kubeadm is not installed"),
    ("rm /usr/local/sbin/crictl", "ToolMissing", "crictl is not installed"),
])
@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_machine_that_cannot_be_cleaned_is_refused_before_anything_changes(machine, pod, api, trouble, reason, words,
                                                                           dry_run):
    machine.sh(trouble)
    code, report = pod.hand_over(*dry_run)
    assert (code, report["phase"], report["reason"]) == (1, "Failed", reason)
    assert words in report["message"]
    assert not machine.exists("/var/lib/noderemoval") and api.report() is None


def test_a_failure_is_told_to_the_cluster_too(machine, pod, api):
    machine.write("/run/fake/unit/keeps_enabled")
    assert pod.hand_over()[0] == 0
    api.set_node(start=REMOVAL)
    pod.wait_for_end()
    told = api.report()
    assert (told["phase"], told["reason"]) == ("Failed", "KubeletRunning")
    assert by_name(told) == {"Kubelet": "Failed", "ExtraPaths": "Skipped"} | dict.fromkeys(
        ("Pods", "Mounts", "KubeadmReset", "CNI", "Iptables", "IPVS"), "Skipped")
    assert pod.hand_over() == (1, told), "a second pod hears the same"


def test_the_cluster_is_told_when_its_api_server_is_back(machine, pod, api):
    machine.write("/run/fake/hang")
    assert pod.hand_over()[0] == 0
    api.set_node(start=REMOVAL)
    machine.wait_for("grep -q stopp /run/fake/calls")
    api.stop()
    machine.remove("/run/fake/hang")
    machine.kill("sleep")
    machine.wait_for(f"grep -q 'cannot tell the cluster' {STATE}/cleanup.log")
    api.start()
    pod.wait_for_end()
    assert api.report()["phase"] == "Succeeded"


def test_a_node_of_that_name_with_another_uid_is_told_nothing(machine, pod, api):
    machine.write("/run/fake/hang")
    assert pod.hand_over()[0] == 0
    api.set_node(start=REMOVAL)
    machine.wait_for("grep -q stopp /run/fake/calls")
    api.set_node(uid="another")
    machine.remove("/run/fake/hang")
    machine.kill("sleep")
    pod.wait_for_end()
    assert pod.result()["phase"] == "Succeeded" and api.report() is None


def test_killed_after_the_reset_it_goes_on_with_the_credentials_it_had_copied(machine, pod, api):
    machine.write("/etc/cni/net.d/10-x.conf")
    assert pod.hand_over()[0] == 0
    # The interface hangs until it is killed: what comes before is done by then.
    machine.write("/usr/local/sbin/ip", "#!/bin/sh\n[ $1 != link ] || exec sleep 1000\n")
    machine.sh("chmod +x /usr/local/sbin/ip && /usr/sbin/ip link add cni0 type bridge")
    api.set_node(start=REMOVAL)
    machine.wait_for("grep -lx sleep /proc/[0-9]*/comm")
    machine.kill("ld-linux-x86-64")
    pod.wait_for_end()
    assert not machine.exists("/etc/kubernetes/kubelet.conf")
    machine.remove("/usr/local/sbin/ip")
    pod.hand_over()
    pod.wait_for_end()
    assert api.report()["phase"] == "Succeeded"
    assert "cni0" not in machine.sh("ip link") and not machine.exists("/run/noderemoval")


def test_killed_in_the_middle_a_new_unit_comes_to_the_same_end(machine, pod, api):
    machine.write("/run/fake/hang")
    assert pod.hand_over()[0] == 0
    api.set_node(start=REMOVAL)
    machine.wait_for("grep -q stopp /run/fake/calls")
    machine.kill("ld-linux-x86-64")
    pod.wait_for_end()
    assert pod.result()["phase"] == "Running"
    machine.remove("/run/fake/hang")
    pod.hand_over()
    pod.wait_for_end()
    assert api.report()["phase"] == "Succeeded"
    assert not machine.exists("/run/noderemoval")
