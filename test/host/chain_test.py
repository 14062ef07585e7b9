"""Kubelet, pods, mounts and kubeadm reset: each only when the one before has succeeded."""

import pytest

CHAIN = ("Kubelet", "Pods", "Mounts", "KubeadmReset")
ALL = (*CHAIN, "CNI", "Iptables", "IPVS", "ExtraPaths")
NETWORK = ("CNI", "Iptables", "IPVS")


def add_mounts(machine):
    """As pods leave them: in each other, with a blank in the name, and one over another."""
    machine.sh("""
        mkdir -p "/var/lib/kubelet/pods/a/volumes/my volume" && cd /var/lib/kubelet/pods/a/volumes
        mount -t tmpfs tmpfs "my volume" && mkdir "my volume/inner" && mount -t tmpfs tmpfs "my volume/inner"
        mkdir data /var/lib/nfs && echo precious >/var/lib/nfs/file && mount --bind /var/lib/nfs data
        mkdir over && mount -t tmpfs tmpfs over && mkdir over/hidden && mount -t tmpfs tmpfs over/hidden
        mount -t tmpfs tmpfs over
    """)


def add_node(machine, *kubelet_flags):
    machine.add_kubelet(*kubelet_flags)
    machine.add_runtime("pod-a", "pod-b")
    add_mounts(machine)
    machine.add_kubeadm_files()


def kubelet_mounts(machine):
    return int(machine.sh("grep -c ' /var/lib/kubelet/' /proc/1/mountinfo || true"))


def state_of(machine):
    """All that a cleaning could change, but for what the fake tools write down."""
    return machine.sh("find /var/lib /run /etc/kubernetes /opt | sort | grep -v fake/calls; cat /proc/1/mountinfo; "
                      "nft list ruleset; ip link")


def test_a_node_is_cleaned_in_order_and_a_second_time_there_is_nothing_to_do(machine, worker_rules):
    add_node(machine)
    machine.load("iptables-nft", worker_rules)
    machine.sh("ip link add cni0 type bridge")
    machine.write("/opt/cni/bin/bridge")
    cleaning = machine.clean("--extra-path=/opt/cni", check=0)
    assert cleaning.steps == dict.fromkeys(ALL, "Done") | {"IPVS": "NothingToDo"}, cleaning.text
    changes = [call for call in machine.calls() if " show " not in call and " pods " not in call]
    assert changes[:2] == ["systemctl disable kubelet.service", "systemctl stop kubelet.service"]
    assert [call for call in machine.calls() if call.startswith("kubeadm")] == \
        ["kubeadm reset -f --cri-socket=unix:///run/containerd/containerd.sock"]
    assert kubelet_mounts(machine) == 0
    assert machine.read("/var/lib/nfs/file") == "precious\n"
    assert not machine.exists("/etc/kubernetes/kubelet.conf") and not machine.exists("/opt/cni")
    again = machine.clean("--extra-path=/opt/cni", check=0)
    assert again.steps == dict.fromkeys(ALL, "NothingToDo"), again.text


def test_a_dry_run_says_it_all_and_does_nothing(machine):
    add_node(machine)
    before = state_of(machine)
    cleaning = machine.clean("--dry-run", check=0)
    assert cleaning.steps == {"Kubelet": "Planned", "Pods": "Planned", "Mounts": "Planned", "KubeadmReset": "Planned",
                              "CNI": "NothingToDo", "Iptables": "NothingToDo", "IPVS": "NothingToDo",
                              "ExtraPaths": "Skipped"}
    assert "2 pods" in cleaning.details["Pods"]
    assert state_of(machine) == before
    looks = (" show ", " pods -q", "docker ps ")
    assert [call for call in machine.calls() if not any(look in call for look in looks)] == []


@pytest.mark.parametrize(("flag", "words"), [
    ("cannot_stop", "is active after systemctl stop"),
    ("keeps_enabled", "is enabled after systemctl disable"),
    ("process_stays", "named kubelet runs outside kubelet.service"),
    ("wanted_by", "would be started again by multi-user.target"),
])
def test_a_kubelet_that_is_not_off_for_good_ends_the_cleaning(machine, worker_rules, flag, words):
    add_node(machine)
    machine.load("iptables-nft", worker_rules)
    before = machine.rules("iptables-nft")
    machine.write(f"/run/fake/unit/{flag}", "multi-user.target\n")
    cleaning = machine.clean(check=1)
    assert words in cleaning.details["Kubelet"]
    assert cleaning.steps == {"Kubelet": "Failed"} | dict.fromkeys(ALL[1:], "Skipped")
    assert "KubeletRunning" in cleaning.errors
    assert [call for call in machine.calls() if not call.startswith("systemctl")] == []
    assert machine.rules("iptables-nft").count("KUBE-") == before.count("KUBE-")
    machine.remove(f"/run/fake/unit/{flag}")
    assert machine.clean(check=0).steps["KubeadmReset"] == "Done"


def test_a_machine_on_which_a_kubelet_is_started_in_the_meantime_is_not_called_clean(machine):
    add_node(machine)
    machine.write("/run/fake/kubelet_comes_back")
    cleaning = machine.clean(check=1)
    assert cleaning.steps["KubeadmReset"] == "Done", cleaning.text
    assert "KubeletRunning: it was stopped, and now process" in cleaning.errors


@pytest.mark.parametrize("trouble", ["runtime_is_down", "pods_stay"])
def test_pods_that_cannot_be_removed_end_the_cleaning(machine, trouble):
    add_node(machine)
    machine.write(f"/run/fake/{trouble}")
    cleaning = machine.clean(check=1)
    assert cleaning.steps == {"Kubelet": "Done", "Pods": "Failed"} | dict.fromkeys(ALL[2:], "Skipped"), cleaning.text
    assert "PodsLeft" in cleaning.errors
    assert machine.exists("/etc/kubernetes/kubelet.conf")
    machine.remove(f"/run/fake/{trouble}")
    assert machine.clean(check=0).steps["KubeadmReset"] == "Done"


@pytest.mark.parametrize("missing", ["crictl", "runtime"])
def test_containers_that_nobody_can_remove_end_the_cleaning(machine, missing):
    machine.add_kubelet()
    machine.add_kubeadm_files()
    machine.start("bash", "-c", "exec -a /usr/bin/containerd-shim-runc-v2 /usr/bin/python3 -c "
                                "'import time; time.sleep(99)' -namespace k8s.io -id 77")
    if missing == "crictl":
        machine.add_runtime()
        machine.remove("/usr/local/sbin/crictl")
    machine.wait_for("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -q 'namespace k8s.io'")
    cleaning = machine.clean(check=1)
    assert cleaning.steps["Pods"] == "Failed" and cleaning.steps["KubeadmReset"] == "Skipped", cleaning.text
    assert "1 container process" in cleaning.details["Pods"]


def test_containers_that_an_old_kubelet_has_started_with_docker_go_and_others_stay(machine):
    machine.write("/run/fake/docker/k8s_POD_web", "id1\n")
    machine.write("/run/fake/docker/k8s_web_web", "id2\n")
    machine.write("/run/fake/docker/my_k8s_tool", "id3\n")
    cleaning = machine.clean(check=0)
    assert cleaning.details["Pods"] == "2 containers in Docker removed, 0 left"
    assert machine.sh("ls /run/fake/docker").split() == ["my_k8s_tool"]
    assert machine.clean(check=0).steps["Pods"] == "NothingToDo"


def test_nothing_is_erased_through_a_mount_that_is_busy(machine):
    add_node(machine)
    machine.start("bash", "-c", "cd /var/lib/kubelet/pods/a/volumes/data && exec tail -f /dev/null")
    machine.wait_for("readlink /proc/[0-9]*/cwd | grep -q volumes/data")
    cleaning = machine.clean(check=1)
    assert cleaning.steps["Mounts"] == "Failed" and cleaning.steps["KubeadmReset"] == "Skipped", cleaning.text
    assert "1 left: /var/lib/kubelet/pods/a/volumes/data" in cleaning.details["Mounts"]
    assert "MountsBusy" in cleaning.errors
    assert machine.read("/var/lib/nfs/file") == "precious\n"
    assert machine.exists("/etc/kubernetes/kubelet.conf")
    assert not any(call.startswith("kubeadm") for call in machine.calls())
    machine.kill("tail")
    assert machine.clean(check=0).steps["KubeadmReset"] == "Done"
    assert machine.read("/var/lib/nfs/file") == "precious\n"


def test_the_folder_of_the_kubelet_may_be_a_mount_or_a_link(machine):
    machine.sh("mkdir -p /opt/kubelet && ln -s /opt/kubelet /var/lib/kubelet && mount -t tmpfs tmpfs /opt/kubelet")
    add_node(machine)
    cleaning = machine.clean(check=0)
    assert cleaning.details["Mounts"] == "6 unmounted, 0 left", cleaning.text
    assert machine.sh("mountpoint /opt/kubelet")


@pytest.mark.parametrize("folder", ["/etc/kubernetes/pki", "/var/lib/cni/networks", "/var/run/kubernetes/x"])
def test_kubeadm_reset_is_not_run_when_it_would_erase_another_mount(machine, folder):
    machine.add_kubeadm_files()
    machine.sh(f"mkdir -p {folder} && mount -t tmpfs tmpfs {folder} && echo precious >{folder}/file")
    cleaning = machine.clean(check=1)
    assert cleaning.steps["KubeadmReset"] == "Failed"
    assert "not run: it would erase what is mounted at" in cleaning.details["KubeadmReset"]
    assert machine.exists(f"{folder}/file")


@pytest.mark.parametrize("how", ["mkdir -p /var/lib/cni && mount --bind /srv/pv /var/lib/cni",
                                 "ln -s /srv/pv /var/lib/cni"])
def test_nothing_is_erased_where_the_folder_of_cni_leads_elsewhere(machine, how):
    machine.sh(f"mount -t tmpfs tmpfs /srv && mkdir /srv/pv && {how}")
    machine.write("/srv/pv/data", "precious\n")
    cleaning = machine.clean("--steps=CNI", check=1)
    assert "nothing was deleted in /var/lib/cni" in cleaning.details["CNI"] and "PathRefused" in cleaning.errors
    add_node(machine)
    assert "MountsBusy" in machine.clean("--steps=KubeadmReset", check=1).errors
    assert machine.read("/srv/pv/data") == "precious\n"


def test_a_certificate_that_the_kubelet_keeps_elsewhere_is_not_overlooked(machine):
    add_node(machine, "--cert-dir=/opt/pki")
    machine.write("/opt/pki/kubelet-client-current.pem", "key\n")
    cleaning = machine.clean(check=1)
    assert "/opt/pki/kubelet-client-current.pem is left" in cleaning.details["KubeadmReset"], cleaning.text
    machine.clean("--extra-path=/opt/pki", check=0)
    assert not machine.exists("/opt/pki")


def test_kubeadm_is_not_believed_when_credentials_are_left(machine):
    add_node(machine)
    machine.write("/run/fake/kubeadm_does_nothing")
    cleaning = machine.clean(check=1)
    assert cleaning.steps == {"Kubelet": "Done", "Pods": "Done", "Mounts": "Done", "KubeadmReset": "Failed"} | \
        dict.fromkeys(ALL[4:], "Skipped")
    for left in ("/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/pki", "/etc/kubernetes/pki", "is left after"):
        assert left in cleaning.details["KubeadmReset"]
    assert "CredentialsLeft" in cleaning.errors


def test_what_kubeadm_has_made_is_not_imitated_without_kubeadm(machine):
    add_node(machine)
    machine.remove("/usr/local/sbin/kubeadm")
    cleaning = machine.clean(check=1)
    assert "kubeadm is not installed, but there is /etc/kubernetes/kubelet.conf" in cleaning.details["KubeadmReset"]
    assert machine.exists("/etc/kubernetes/kubelet.conf")


def test_steps_that_were_not_asked_for_are_left_out(machine, worker_rules):
    add_node(machine)
    machine.load("iptables-nft", worker_rules)
    cleaning = machine.clean("--steps=Iptables", check=0)
    assert cleaning.steps == {"Kubelet": "Done", "Pods": "Done", "Mounts": "Done", "Iptables": "Done"} | \
        dict.fromkeys(("KubeadmReset", "CNI", "IPVS", "ExtraPaths"), "Skipped")
    assert machine.exists("/etc/kubernetes/kubelet.conf")


def test_the_result_file_and_the_log_say_what_was_done(machine):
    add_node(machine)
    machine.clean(check=0)
    log = machine.read("/var/lib/noderemoval/by-hand/cleanup.log")
    for words in ('command="systemctl stop kubelet.service"', 'command="umount', 'step="KubeadmReset" result="Done"'):
        assert words in log
    result = machine.read("/var/lib/noderemoval/by-hand/result.json")
    assert '"phase":"Succeeded"' in result and '{"name":"Kubelet","result":"Done"' in result
    modes = machine.sh("cd /var/lib/noderemoval && stat -c '%a %U' by-hand by-hand/*")
    assert modes.splitlines() == ["700 root", "600 root", "600 root"]


def test_killed_while_a_tool_runs_the_next_run_comes_to_the_same_end(machine):
    add_node(machine)
    machine.write("/run/fake/hang")
    first = machine.start(machine.program, "host-cleanup", "--yes")
    machine.wait_for("grep -q stopp /run/fake/calls")
    assert machine.clean().code == 75, "the first one runs"
    machine.kill("noderemoval")
    first.wait()
    machine.remove("/run/fake/hang")
    cleaning = machine.clean(check=0)
    assert cleaning.steps == {"Kubelet": "NothingToDo", "IPVS": "NothingToDo", "Iptables": "NothingToDo",
                              "CNI": "NothingToDo", "ExtraPaths": "Skipped"} | dict.fromkeys(CHAIN[1:], "Done")
    assert "sleep 1000" not in machine.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), "the tool ends with its caller"
