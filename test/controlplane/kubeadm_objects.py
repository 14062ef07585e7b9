"""What `kubeadm init` leaves in a cluster, by which `kubeadm join` finds its way, and kube-proxy as a DaemonSet."""

import json
import subprocess

from components import SERVICE_CLUSTER_IP_RANGE
from fabric import POD_NETWORK
from node_programs import CONTAINERD_SOCKET, PAUSE_IMAGE, kubelet_settings

TOKEN = "abcdef.0123456789abcdef"
BOOTSTRAPPERS = "system:bootstrappers:kubeadm:default-node-token"
CA_ON_NODE = "/etc/kubernetes/pki/ca.crt"
# Of this machine, for programs like iptables that kube-proxy calls.
SHARED_WITH_KUBE_PROXY = {"usr": "/usr", "lib": "/usr/lib", "lib64": "/usr/lib64", "sbin": "/usr/sbin",
                          "alternatives": "/etc/alternatives"}


def install(cluster, kubeadm):
    """`kubeadm init` brings a control plane of its own, so only those of its phases run here that find one."""
    config = cluster.folder / "kubeadm.yaml"
    config.write_text("---\n".join(json.dumps(document) + "\n" for document in _configuration(cluster)),
                      encoding="utf-8")
    for phase in (("upload-config", "kubeadm"), ("bootstrap-token",)):
        command = [kubeadm, "init", "phase", *phase, f"--config={config}", f"--kubeconfig={cluster.kubeconfig}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"kubeadm init phase {' '.join(phase)} failed: {done.stderr.strip()}")
    things = [*_kubelet_config(cluster.minor), *_kube_proxy(cluster)]
    cluster.kubectl("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))


def _configuration(cluster):
    version = "kubeadm.k8s.io/" + ("v1beta4" if cluster.minor >= 31 else "v1beta2")
    host, port = cluster.server.rpartition("/")[2].split(":")
    yield {"apiVersion": version, "kind": "ClusterConfiguration",
           "kubernetesVersion": cluster.api.request("GET", "/version")["gitVersion"],
           "controlPlaneEndpoint": f"{host}:{port}",
           "networking": {"serviceSubnet": SERVICE_CLUSTER_IP_RANGE, "podSubnet": POD_NETWORK}}
    yield {"apiVersion": version, "kind": "InitConfiguration", "bootstrapTokens": [{"token": TOKEN, "ttl": "24h0m0s"}],
           "localAPIEndpoint": {"advertiseAddress": host, "bindPort": int(port)},
           "nodeRegistration": {"name": "control-plane", "criSocket": CONTAINERD_SOCKET}}


def _kubelet_config(minor):
    name = "kubelet-config" + ("" if minor >= 24 else f"-1.{minor}")
    role = f"kubeadm:{name}"
    # kubeadm takes an empty list for the default.
    settings = {**kubelet_settings(CA_ON_NODE, minor), "rotateCertificates": True, "enforceNodeAllocatable": ["none"]}
    yield _object("ConfigMap", name, data={"kubelet": json.dumps(settings)})
    yield _object("Role", role, rules=[{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [name],
                                        "verbs": ["get"]}])
    yield _object("RoleBinding", role, roleRef=_role_ref("Role", role), subjects=[
        {"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}
        for group in ("system:nodes", BOOTSTRAPPERS)])


def _kube_proxy(cluster):
    """As kubeadm installs it, but with the programs of the host instead of an image, for which there is no registry."""
    programs = cluster.program("kube-proxy").parent
    yield _object("ServiceAccount", "kube-proxy")
    yield _object("ClusterRoleBinding", "kubeadm:node-proxier",
                  roleRef=_role_ref("ClusterRole", "system:node-proxier"),
                  subjects=[{"kind": "ServiceAccount", "name": "kube-proxy", "namespace": "kube-system"}])
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    kubeconfig = {
        "apiVersion": "v1", "kind": "Config", "current-context": "default",
        "clusters": [{"name": "default", "cluster": {
            "certificate-authority": f"{account}/ca.crt", "server": cluster.server}}],
        "users": [{"name": "default", "user": {"tokenFile": f"{account}/token"}}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}]}
    yield _object("ConfigMap", "kube-proxy", data={"kubeconfig.conf": json.dumps(kubeconfig)})
    volumes = {**SHARED_WITH_KUBE_PROXY, "programs": str(programs)}
    mounts = {name: f"/{name}" for name in volumes} | {"alternatives": "/etc/alternatives"}
    yield _object("DaemonSet", "kube-proxy", spec={
        "selector": {"matchLabels": {"k8s-app": "kube-proxy"}},
        "template": {"metadata": {"labels": {"k8s-app": "kube-proxy"}}, "spec": {
            "hostNetwork": True, "serviceAccountName": "kube-proxy", "priorityClassName": "system-node-critical",
            "terminationGracePeriodSeconds": 1, "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "kube-proxy", "image": PAUSE_IMAGE, "securityContext": {"privileged": True},
                "command": ["/programs/kube-proxy", "--kubeconfig=/config/kubeconfig.conf", "--proxy-mode=iptables",
                            "--hostname-override=$(NODE_NAME)", f"--cluster-cidr={POD_NETWORK}",
                            # The limits of connections are the whole kernel's.
                            "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
                            "--conntrack-tcp-timeout-close-wait=0", "--oom-score-adj=0"],
                "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                "volumeMounts": [{"name": "config", "mountPath": "/config"},
                                 {"name": "lock", "mountPath": "/run/xtables.lock"},
                                 *({"name": name, "mountPath": path, "readOnly": True}
                                   for name, path in mounts.items())]}],
            "volumes": [{"name": "config", "configMap": {"name": "kube-proxy"}},
                        {"name": "lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
                        *({"name": name, "hostPath": {"path": path}} for name, path in volumes.items())]}}})


VERSIONS = {"Role": "rbac.authorization.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding": "rbac.authorization.k8s.io/v1", "DaemonSet": "apps/v1"}


def _object(kind, name, **fields):
    place = {} if kind == "ClusterRoleBinding" else {"namespace": "kube-system"}
    return {"apiVersion": VERSIONS.get(kind, "v1"), "kind": kind, "metadata": {"name": name, **place}, **fields}


def _role_ref(kind, name):
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
