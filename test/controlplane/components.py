"""The command lines of the programs of a control plane, for Kubernetes 1.20 to 1.36."""

import json
import platform

# etcd 3.4 wants to be told that one means it.
ETCD_ENVIRONMENT = {"ETCD_UNSUPPORTED_ARCH": "arm64"} if platform.machine() == "aarch64" else {}

LOOPBACK = "127.0.0.1"
SERVICE_CLUSTER_IP_RANGE = "10.96.0.0/16"
# The address of the Service kubernetes, by which pods reach the API server.
API_SERVICE_IP = "10.96.0.1"

# What the tests count and check is logged with its bodies. What kubelets and controllers do all the time is
# not logged: a lease renewal every second and node would drown it.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "userGroups": ["system:nodes"], "verbs": ["get", "list", "watch"]},
        {"level": "None", "userGroups": ["system:nodes"],
         "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "None", "verbs": ["get", "list", "watch"],
         "users": ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]},
        {"level": "RequestResponse", "resources": [
            {"group": "", "resources": ["nodes", "nodes/status", "pods", "pods/binding", "pods/eviction"]},
            {"group": "noderemoval.dev", "resources": ["noderemovals", "noderemovals/status"]},
            {"group": "coordination.k8s.io", "resources": ["leases"]},
            {"group": "storage.k8s.io", "resources": ["volumeattachments"]}]},
        {"level": "Metadata"},
    ],
}


def etcd(program, folder, client_port, peer_port, unsafe_no_fsync):
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    command = [
        program, "--name=test", f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=test={peer}"]
    return command + (["--unsafe-no-fsync"] if unsafe_no_fsync else [])


def kube_apiserver(program, folder, authority, address, port, etcd_port, minor):
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")
    command = [
        program, f"--advertise-address={address}", f"--bind-address={address}", f"--secure-port={port}",
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--tls-cert-file={authority.certificate('apiserver')}",
        f"--tls-private-key-file={authority.key('apiserver')}",
        f"--client-ca-file={authority.certificate('ca')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={authority.key('service-accounts')}",
        f"--service-account-key-file={authority.certificate('service-accounts')}",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={SERVICE_CLUSTER_IP_RANGE}",
        "--default-not-ready-toleration-seconds=5", "--default-unreachable-toleration-seconds=5",
        f"--audit-policy-file={policy}", f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-maxsize=10000",  # MB; else it begins a new file after 100, under those who read it
        "--allow-privileged=true", "--profiling=false"]
    if address == LOOPBACK:
        # Nothing reaches it by the Service kubernetes, whose endpoints must not be such an address.
        command.append("--endpoint-reconciler-type=none")
    else:
        # For kubectl logs and exec; nobody knows the names of the nodes.
        command += ["--kubelet-preferred-address-types=InternalIP",
                    f"--kubelet-client-certificate={authority.certificate('admin')}",
                    f"--kubelet-client-key={authority.key('admin')}"]
    return command + (["--insecure-port=0"] if minor < 24 else [])


def kube_controller_manager(program, authority, kubeconfig, minor, node_monitor_grace_seconds):
    command = [
        program, f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0",
        "--use-service-account-credentials=true", f"--root-ca-file={authority.certificate('ca')}",
        f"--service-account-private-key-file={authority.key('service-accounts')}",
        f"--node-monitor-grace-period={node_monitor_grace_seconds}s", "--node-monitor-period=1s",
        "--node-eviction-rate=100", "--kube-api-qps=500", "--kube-api-burst=1000"]
    return command + (["--port=0"] if minor < 24 else [])


def kube_scheduler(program, kubeconfig, minor):
    command = [program, f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]
    return command + (["--port=0"] if minor < 24 else [])


def hollow_kubelet(program, name, kubeconfig, taints, minor):
    command = [program, "--morph=kubelet", f"--name={name}", f"--kubeconfig={kubeconfig}",
               "--kubelet-read-only-port=0"]
    if taints:
        command.append(f"--register-with-taints={','.join(taints)}")
    # Before there was a choice it was the fake image service.
    return command + (["--use-host-image-service=false"] if minor >= 22 else [])
