"""A machine as a member of a cluster: its pods, how it leaves, and how it comes back."""

from nodes import is_ready
from objects import TOLERATES_EVERYTHING, naked_pod
from waiting import wait_until


HOST_PORT = 8080


def join(host):
    """Makes the machine a node, on which pods run and have left their rules in both backends of iptables."""
    cluster = host.cluster
    cluster.join(host.name)
    cluster.wait_ready(host.name)
    run_pod(host, "web", host_port=HOST_PORT)
    wait_until(lambda: all(chain in host.saved("iptables-nft") for chain in ("KUBE-SVC-", "CNI-HOSTPORT-DNAT")), 60,
               f"kube-proxy and the CNI plugins have made their chains on {host.name}",
               seen=lambda: host.saved("iptables-nft"))
    copy_rules_to_legacy(host)


def pod_on(host, name, **pod):
    """A pod that is bound to the host, whatever its Node says."""
    made = naked_pod(f"{name}-{host.name}", node=host.name, grace=1, tolerations=TOLERATES_EVERYTHING, **pod)
    made["metadata"]["namespace"] = "default"
    return made


def run_pod(host, name, **pod):
    """Waits until it runs; returns its address."""
    created = host.cluster.api.create(pod_on(host, name, **pod))

    def running():
        status = host.cluster.api.get("Pod", created["metadata"]["name"], "default")["status"]
        return status["phase"] == "Running" and status.get("podIP")

    return wait_until(running, 60, f"pod {name} runs on {host.name}", seen=lambda: describe_pod(host, name))


def describe_pod(host, name):
    return host.cluster.kubectl("describe", "pod", f"{name}-{host.name}")


def copy_rules_to_legacy(host):
    """As a machine has them on which iptables was switched to the other backend."""
    text = []
    for line in host.saved("iptables-nft").splitlines():
        if line.startswith(("*", "COMMIT", ":KUBE-", ":CNI-")) or line.startswith("-A") and any(
                f"{word} {owner}-" in line for word in ("-A", "-j") for owner in ("KUBE", "CNI")):
            text.append(line)
    host.run("iptables-legacy-restore", "--noflush", stdin="\n".join(text) + "\n")


def leave_cluster(host):
    """Deletes the Node and waits until Kubernetes has collected the pods that were on it."""
    api = host.cluster.api
    api.delete("Node", host.name)
    wait_until(lambda: not pods_on(host), 120, f"no pod is bound to {host.name} any more", seen=lambda: pods_on(host))


def pods_on(host):
    everywhere = host.cluster.api.request("GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{host.name}")
    return [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in everywhere["items"]]


def is_ready_again(host, old_uid):
    """Whether its kubelet has registered a Node that is not the old one, and that is Ready."""
    node = host.cluster.api.get("Node", host.name)
    return bool(node) and node["metadata"]["uid"] != old_uid and is_ready(host.cluster.api, host.name)


def hang_once_kubelet_is_stopped(host):
    """A cleaning that begins then stands still before its second step, while it waits for containerd."""
    host.cluster.write_on(host.name, "/etc/systemd/system/kubelet.service.d/hang.conf",
                          "[Service]\nExecStopPost=/usr/bin/systemctl kill --signal=STOP containerd.service\n")
    host.run("systemctl", "daemon-reload")


def thaw_containerd(host):
    host.run("systemctl", "kill", "--signal=CONT", "containerd")
