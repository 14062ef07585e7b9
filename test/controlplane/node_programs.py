"""What a real node runs: the command lines and configuration files of containerd, kubelet and kube-proxy."""

import json

from fabric import POD_NETWORK, pod_subnet

PAUSE_IMAGE = "test.invalid/pause:1"
CONTAINERD_SOCKET = "unix:///run/containerd/containerd.sock"


def containerd_config(networks="/etc/cni/net.d"):
    return f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{networks}"
"""


def containerd(folder):
    """`folder` holds the files of this node."""
    config = folder / "containerd.toml"
    config.write_text(containerd_config(folder / "cni"), encoding="utf-8")
    return ["containerd", f"--config={config}"]


def pod_network(subnet, *plugins):
    """A list of CNI plugins: a bridge with this subnet, then these."""
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True,
              "ipam": {"type": "host-local", "ranges": [[{"subnet": subnet}]], "routes": [{"dst": "0.0.0.0/0"}]}}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, *plugins]})


def write_pod_network(folder, number):
    networks = folder / "cni"
    networks.mkdir(exist_ok=True)
    (networks / "pods.conflist").write_text(pod_network(pod_subnet(number)), encoding="utf-8")


def kubelet_settings(ca, minor):
    """Its configuration file."""
    settings = {
        "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": str(ca)}},
        "authorization": {"mode": "Webhook"},
        # It sees what the whole machine has, which other nodes share.
        "cgroupDriver": "cgroupfs", "cgroupsPerQOS": False, "enforceNodeAllocatable": [], "failSwapOn": False,
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%",
                         "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100, "oomScoreAdj": 0,
        # As the simulated kubelets: a node that died is noticed in seconds.
        "nodeStatusUpdateFrequency": "2s", "nodeLeaseDurationSeconds": 4}
    if minor >= 27:
        settings["containerRuntimeEndpoint"] = CONTAINERD_SOCKET
    if minor >= 31:
        settings["failCgroupV1"] = False
    return settings


def kubelet(program, folder, name, address, kubeconfig, ca, taints, minor):
    settings = kubelet_settings(ca, minor)
    flags = [f"--kubeconfig={kubeconfig}", f"--hostname-override={name}", f"--node-ip={address}"]
    if minor < 27:
        flags += ["--container-runtime=remote", f"--container-runtime-endpoint={CONTAINERD_SOCKET}"]
    if taints:
        flags.append(f"--register-with-taints={','.join(taints)}")
    config = folder / "kubelet.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    return [program, f"--config={config}", *flags]


def kube_proxy(program, name, kubeconfig):
    # The limits of connections are the whole kernel's.
    return [program, f"--kubeconfig={kubeconfig}", f"--hostname-override={name}", "--proxy-mode=iptables",
            f"--cluster-cidr={POD_NETWORK}", "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0", "--oom-score-adj=0"]
