"""A cluster whose nodes are machines with systemd that kubeadm joins to it.

    with KubeadmCluster("1.36") as cluster:
        cluster.add_node("worker-1")
        cluster.on_node("worker-1", "systemctl", "stop", "kubelet")
        cluster.reboot("worker-1")

Each is a machine of its own as far as the kernel can make one; see the script `machine`. Needs root.
"""

import functools
import hashlib
import shutil
import subprocess
from pathlib import Path

import kubeadm_objects
import node_programs
from binaries import built
from fabric import pod_subnet
from machine_disk import NETWORK, Disk
from processes import program_name
from real_cluster import HERE, MACHINE, NUMBER, START_TIMEOUT_SECONDS, RealCluster
from waiting import wait_until

# What this kernel and cgroup version 1 cannot pass, and what has nothing to do with the state of the machine.
IGNORED = ("SystemVerification", "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables", "Swap", "Mem", "NumCPU")
JOIN_SECONDS = "60"
SUBNETS = 50  # as many machines have different ones, and then again
PORT_MAPPING = {"type": "portmap", "capabilities": {"portMappings": True}}


class JoinFailed(Exception):
    """What `kubeadm join` said."""


class KubeadmCluster(RealCluster):
    """As RealCluster. Killing a node cuts its power; what it wrote is there when it is booted again."""

    def program(self, name):
        return self._programs[name]

    def add_machine(self, name, taints=()):
        """Boots a machine that belongs to no cluster yet; returns its first process. `remove_node` ends it."""
        number = self._free_number()
        programs = [self._programs["kubelet"], self._programs["kubectl"], *self._tools.values()]
        self._disk(name).install(name, programs, [f"--node-ip={self._fabric.node_address(number)}",
                                                  *([f"--register-with-taints={','.join(taints)}"] if taints else [])])
        machine = self._boot(name, number)
        for tar in sorted((self.folder / "images").iterdir()):
            self._import(name, tar)
        return machine

    def pod_subnet(self, name, network=0):
        """The first, second... that the pods of this machine may have."""
        return pod_subnet(self._number(name) + network * SUBNETS)

    def join(self, name, subnet=None):
        """Gives the running machine a network for its pods, and lets kubeadm join it. JoinFailed says why not."""
        subnet = subnet or self.pod_subnet(name)
        self._fabric.route(subnet, self._number(name))
        self.write_on(name, f"/{NETWORK}", node_programs.pod_network(subnet, PORT_MAPPING))
        done = self.try_on_node(
            name, "timeout", JOIN_SECONDS, "kubeadm", "join", self.server.rpartition("/")[2],
            f"--token={kubeadm_objects.TOKEN}", f"--discovery-token-ca-cert-hash={self._ca_hash()}",
            f"--node-name={name}", f"--cri-socket={self.cri_socket}",
            f"--ignore-preflight-errors={','.join(IGNORED)}")
        if done.returncode:
            raise JoinFailed(f"{done.stdout}\n{done.stderr}\n{self.journal(name, 'kubelet')}")

    def reboot(self, name):
        """As when its power fails and comes back."""
        self.restart_node(name)

    def write_on(self, name, path, text):
        """Writes a file on a node that runs."""
        self.on_node(name, "mkdir", "-p", str(Path(path).parent))
        self.on_node(name, "tee", path, stdin=text)

    def try_on_node(self, name, *command, stdin=""):
        """Runs a command on a node; returns how it ended and what it printed."""
        return self._enter(name, *command, input=stdin, capture_output=True)

    def on_node(self, name, *command, stdin=""):
        done = self.try_on_node(name, *command, stdin=stdin)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} failed on {name}: {done.stderr.strip()}")
        return done.stdout

    def copy_to(self, name, file, path):
        """Gives a program of this machine to a node that runs."""
        with open(file, "rb") as content:
            self._enter(name, "tee", path, stdin=content, stdout=subprocess.DEVNULL, check=True)
        self.on_node(name, "chmod", "755", path)

    def journal(self, name, unit, lines=30):
        return self.try_on_node(name, "journalctl", "--no-pager", "--output=cat", f"--unit={unit}",
                                f"--lines={lines}").stdout

    def kill_agents(self, name):
        self.on_node(name, "systemctl", "kill", "--signal=KILL", "kubelet", "containerd")

    def freeze_node(self, name):
        self.on_node(name, "systemctl", "kill", "--signal=STOP", "kubelet", "containerd")

    def thaw_node(self, name):
        self.on_node(name, "systemctl", "kill", "--signal=CONT", "kubelet", "containerd")

    def remove_node(self, name):
        """Ends the machine and deletes the Node, whichever of them still exists, and the disk."""
        super().remove_node(name)
        shutil.rmtree(self._disk(name).folder, ignore_errors=True)

    def start(self):
        super().start()
        try:
            kubeadm_objects.install(self, self._tools["kubeadm"])
        except BaseException:
            self.stop()
            raise

    @functools.cached_property
    def _tools(self):
        return {"kubeadm": built(HERE / "kubeadm/build", f"1.{self.minor}") / "kubeadm",
                "crictl": built(HERE / "crictl/build") / "crictl"}

    @property
    def cri_socket(self):
        """As this version's kubeadm wants it."""
        return node_programs.CONTAINERD_SOCKET.removeprefix("" if self.minor >= 24 else "unix://")

    def _more_flags(self, program):
        if program == "kube-apiserver":
            return ["--enable-bootstrap-token-auth"]
        return [f"--cluster-signing-cert-file={self.ca}", f"--cluster-signing-key-file={self._authority.key('ca')}",
                "--controllers=*,bootstrapsigner,tokencleaner"]

    def _disk(self, name):
        return Disk(self.folder / "disks" / name)

    def _number(self, name):
        return int(self._process(f"node/{name}").environment[NUMBER])

    def _start_node(self, name, taints):
        machine = self.add_machine(name, taints)
        self.join(name)
        return machine

    def _boot(self, name, number, taints=()):
        """Boots the machine of a node; returns its first process."""
        shared = sorted({program.parent for program in (*self._programs.values(), *self._tools.values())})
        command = [MACHINE, "boot", f"{self.folder.name}.{name}", name, self._disk(name).folder, *shared]
        machine = self._run(f"node/{name}", command, {NUMBER: str(number)}, child="machine")
        if not machine.alive():
            raise RuntimeError(f"the machine of node {name} does not start:\n{machine.log_tail()}")
        self._fabric.connect(number, machine.pid)
        wait_until(lambda: program_name(machine.pid) == "systemd" and self._is_booted(name), START_TIMEOUT_SECONDS,
                   f"systemd of node {name} has booted", seen=machine.log_tail)
        return machine

    def _is_booted(self, name):
        return self.try_on_node(name, "systemctl", "is-active", "containerd").stdout.strip() == "active"

    def _import(self, name, tar):
        with open(tar, "rb") as content:
            done = self._enter(name, "ctr", "--namespace=k8s.io", "images", "import", "-", stdin=content,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(f"{tar} is not imported on {name}: {done.stderr.strip()}")

    def _enter(self, name, *command, check=False, **options):
        machine = self._process(f"node/{name}").pid
        return subprocess.run([MACHINE, "look-into", str(machine), *command], text=True, check=check, **options)

    def _ca_hash(self):
        key = subprocess.run(["openssl", "x509", "-pubkey", "-noout", "-in", self.ca], capture_output=True, check=True)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key.stdout, capture_output=True,
                             check=True)
        return f"sha256:{hashlib.sha256(der.stdout).hexdigest()}"
