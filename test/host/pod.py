"""A pod that hands the cleaning of its machine over, and the API server that knows the Node.

The pod has a file system of its own with the program and its libraries, as in the image, and the rights that the
operator gives it.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

from certificates import Authority

PORT = 6443
NODE = "worker-9"
REMOVAL = "11111111-2222-3333-4444-555555555555"
NODE_UID = "99999999-8888-7777-6666-555555555555"
STATE = f"/var/lib/noderemoval/{REMOVAL}"
CAPABILITIES = "-all,+sys_admin,+sys_chroot,+sys_ptrace,+dac_override"


def write_root(program, root):
    """The program and what it loads, at the places where the image has them."""
    listing = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", listing):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(program, root / "usr/bin/noderemoval")
    for folder in ("proc", "dev"):
        (root / folder).mkdir()


class NodeApi:
    """Serves on the machine's loopback address. The kubelet's certificate is where kubeadm puts it."""

    def __init__(self, machine):
        self.machine = machine
        self.process = None

    def write_files(self, authority):
        self.machine.sh("mkdir -p /run/api /var/lib/kubelet/pki /etc/kubernetes")
        for name in ("ca.crt", "server.crt", "server.key"):
            file = authority.certificate("ca").parent / name
            self.machine.write(f"/run/api/{name}", file.read_text(encoding="ascii"))
        both = authority.certificate("kubelet").read_text(encoding="ascii") + \
            authority.key("kubelet").read_text(encoding="ascii")
        self.machine.write("/var/lib/kubelet/pki/kubelet-client-2026-11-30.pem", both)
        self.machine.sh("cd /var/lib/kubelet/pki && ln -s kubelet-client-2026-11-30.pem kubelet-client-current.pem")
        self.machine.write("/etc/kubernetes/pki/ca.crt", authority.certificate("ca").read_text(encoding="ascii"))
        self.machine.write("/etc/kubernetes/kubelet.conf", json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {"server": f"https://127.0.0.1:{PORT}",
                                                   "certificate-authority": "/etc/kubernetes/pki/ca.crt"}}],
            "users": [{"name": "x", "user": dict.fromkeys(("client-certificate", "client-key"),
                                                          "/var/lib/kubelet/pki/kubelet-client-current.pem")}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}))

    def start(self):
        script = Path(__file__).resolve().parent / "node_api.py"
        self.process = self.machine.start("/usr/bin/python3", script, "/run/api", PORT)
        self.machine.wait_for(f"exec 3<>/dev/tcp/127.0.0.1/{PORT}")

    def stop(self):
        self.machine.kill("python3")
        self.process.wait()

    def set_node(self, uid=NODE_UID, claim=REMOVAL, start=None):
        annotations = {"noderemoval.dev/claim": json.dumps({"uid": claim, "name": "x"})} if claim else {}
        if start:
            annotations["noderemoval.dev/host-cleanup-start"] = start
        # In one step: somebody may be reading.
        self.machine.write("/run/api/new.json", json.dumps({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": NODE, "uid": uid, "resourceVersion": "1", "annotations": annotations},
            "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.7"}]}}))
        self.machine.sh("mv /run/api/new.json /run/api/node.json")

    def remove_node(self):
        self.machine.remove("/run/api/node.json")

    def report(self):
        """What the machine said on its Node; None: nothing."""
        node = json.loads(self.machine.read("/run/api/node.json"))
        text = node["metadata"]["annotations"].get("noderemoval.dev/host-cleanup-report")
        return json.loads(text) if text else None


class Pod:
    """Hands over, as often as it is asked to."""

    def __init__(self, machine, root):
        self.machine = machine
        self.root = root

    def hand_over(self, *arguments, timeout=600):
        """Exit code and HostReport."""
        script = f"""
            set -e
            mount --bind {self.root} {self.root}
            mount -t proc proc {self.root}/proc && mount -t tmpfs tmpfs {self.root}/dev
            touch {self.root}/dev/termination-log
            mount -o remount,bind,ro {self.root}
            code=0
            setpriv --bounding-set {CAPABILITIES} --inh-caps {CAPABILITIES} chroot {self.root} /usr/bin/noderemoval \
                host-cleanup --hand-over --removal-uid={REMOVAL} --node-name={NODE} --node-uid={NODE_UID} \
                --timeout={timeout} {" ".join(arguments)} >/dev/null || code=$?
            cat {self.root}/dev/termination-log
            exit $code"""
        done = self.machine.run("unshare", "--mount", "--uts", "--ipc", "--cgroup", "bash", "-c", script, check=False)
        if not done.stdout:
            raise AssertionError(f"no termination message, exit code {done.returncode}: {done.stderr}")
        assert len(done.stdout) <= 4096
        return done.returncode, json.loads(done.stdout)

    def result(self):
        """The result file."""
        return json.loads(self.machine.read(f"{STATE}/result.json"))

    def wait_for_phase(self, phase):
        self.machine.wait_for(f"grep -q '\"phase\":\"{phase}\"' {STATE}/result.json")
        return self.result()

    def wait_for_end(self):
        self.machine.wait_for("! kill -0 $(cat /run/fake/started) 2>/dev/null || "
                              "grep -q '^State:.Z' /proc/$(cat /run/fake/started)/status")


def issue_certificates(folder):
    authority = Authority(folder)
    authority.create()
    authority.issue_server("server", ["IP:127.0.0.1"])
    authority.issue_client("kubelet", f"system:node:{NODE}", "system:nodes")
    return authority
