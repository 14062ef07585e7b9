"""A machine as a member of a cluster: its pods, how it leaves, and how it comes back."""

from nodes import is_ready
from objects import naked_pod
from waiting import wait_until


def run_pod(host, name, timeout=60, **pod):
    """Waits until it runs; returns its address."""
    api, name = host.cluster.api, f"{name}-{host.name}"
    api.create({**naked_pod(name, node=host.name, grace=1, tolerations=[{"operator": "Exists"}], **pod)} | {
        "metadata": {"name": name, "namespace": "default"}})

    def running():
        status = api.get("Pod", name, "default")["status"]
        return status["phase"] == "Running" and status.get("podIP")

    return wait_until(running, timeout, f"pod {name} runs", seen=lambda: host.cluster.kubectl("describe", "pod", name))


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
