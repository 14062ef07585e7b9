"""A control plane whose nodes are real: containerd, kubelet and kube-proxy, and pods that run and reach each other.

    with RealCluster("1.36") as cluster:
        cluster.load_image("noderemoval.tar")
        cluster.add_node("worker-1")

Each node is a machine of its own as far as the kernel can make one; see the script `machine`. Needs root.
"""

import os
import shutil
import subprocess
from pathlib import Path

import image
import node_programs
import temporary_folder
from controlplane import START_TIMEOUT_SECONDS, ControlPlane
from fabric import Fabric
from processes import program_name
from waiting import wait_until

HERE = Path(__file__).resolve().parent
MACHINE = HERE / "machine"
END_SECONDS = 10
AGENTS = ("containerd", "kubelet", "kube-proxy")
CGROUPS = Path("/sys/fs/cgroup")
# The node's number, which its addresses are made of, is kept with its process.
NUMBER = "NODE_NUMBER"


class RealCluster(ControlPlane):
    """As ControlPlane. Killing a node cuts its power; freezing it stops its kubelet and containerd for a while."""

    def stop(self):
        """Ends all machines with all that runs on them, then the rest, and removes the folder."""
        super().stop()
        remove_cgroups(self.folder.name)

    def load_image(self, tar):
        """Gives an image to all nodes, also to those that are added later."""
        kept = self.folder / "images" / Path(tar).name
        shutil.copyfile(tar, kept)
        for name in self.node_names():
            self._import(name, kept)

    def node_names(self):
        """Those whose machine runs."""
        return [name.partition("/")[2] for name, process in self._processes.items()
                if name.startswith("node/") and name.count("/") == 1 and process.alive()]

    def on_node(self, name, *command):
        """Runs a command on a node; returns what it prints."""
        machine = self._process(f"node/{name}").pid
        done = subprocess.run([MACHINE, "enter", str(machine), *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} failed on {name}: {done.stderr.strip()}")
        return done.stdout

    def containers_on(self, name):
        """The ids of the containers that really run on a node, those of the pods' sandboxes too."""
        listed = self.on_node(name, "ctr", "--namespace=k8s.io", "tasks", "list")
        return {line.split()[0] for line in listed.splitlines()[1:] if "RUNNING" in line}

    def kill_agents(self, name):
        """Kills kubelet, containerd and kube-proxy; the containers run on."""
        for agent in AGENTS:
            self.kill(f"node/{name}/{agent}")

    def kill_node(self, name):
        super().kill_node(name)
        remove_cgroups(f"{self.folder.name}.{name}")

    def freeze_node(self, name):
        for agent in AGENTS:
            self.freeze(f"node/{name}/{agent}")

    def thaw_node(self, name):
        for agent in AGENTS:
            self.thaw(f"node/{name}/{agent}")

    def restart_node(self, name):
        number = int(self._process(f"node/{name}").environment[NUMBER])
        self.kill_node(name)
        self._boot(name, number)

    def remove_node(self, name):
        self.kill_node(name)
        for process in (f"node/{name}", *(f"node/{name}/{agent}" for agent in AGENTS)):
            self._processes.pop(process, None)
        self.api.delete("Node", name)
        self._save()

    def _start_programs(self):
        if os.geteuid():
            raise RuntimeError("real nodes need namespaces and mounts: run this as root")
        remove_abandoned_cgroups()
        (self.folder / "images").mkdir()
        subprocess.run(["clang-19", "-static", "-Os", "-o", self._pause, HERE / "pause.c"], check=True)
        image.write(self.folder / "images/pause.tar", node_programs.PAUSE_IMAGE, {"/pause": self._pause}, "/pause")
        fabric = self._run("fabric", ["unshare", "--net", self._pause])
        wait_until(lambda: program_name(fabric.pid) == "pause", START_TIMEOUT_SECONDS, "a network namespace is made",
                   seen=fabric.log_tail)
        self._address = Fabric.create(fabric.pid).address
        super()._start_programs()
        self._client_kubeconfig("kube-proxy", "system:kube-proxy")

    @property
    def _pause(self):
        return self.folder / "pause"

    @property
    def _fabric(self):
        return Fabric.of(self.server.rpartition("/")[2], self._process("fabric").pid)

    def _free_number(self):
        taken = {process.environment.get(NUMBER) for process in self._processes.values()}
        return next(number for number in range(1, 200) if str(number) not in taken)

    def _start_node(self, name, taints):
        return self._boot(name, self._free_number(), taints)

    def _boot(self, name, number, taints=()):
        """Starts the machine of a node and what runs on it; returns the kubelet."""
        folder = self.folder / "nodes" / name
        folder.mkdir(parents=True, exist_ok=True)
        machine = self._run(f"node/{name}", [MACHINE, f"{self.folder.name}.{name}", name, self._pause],
                            {NUMBER: str(number)}, child="pause")
        if not machine.alive():
            raise RuntimeError(f"the machine of node {name} does not start:\n{machine.log_tail()}")
        self._fabric.connect(number, machine.pid)

        node_programs.write_pod_network(folder, number)
        self._run_on(name, "containerd", node_programs.containerd(folder))
        for tar in sorted((self.folder / "images").iterdir()):
            self._import(name, tar)
        self._run_on(name, "kube-proxy", node_programs.kube_proxy(
            self._programs["kube-proxy"], name, self.folder / "kube-proxy.kubeconfig"))
        return self._run_on(name, "kubelet", node_programs.kubelet(
            self._programs["kubelet"], folder, name, self._fabric.node_address(number), self._node_kubeconfig(name),
            self.ca, taints, self.minor))

    def _run_on(self, name, agent, command):
        machine = self._process(f"node/{name}").pid
        return self._run(f"node/{name}/{agent}", [MACHINE, "start", machine, *command], child=agent, parent=machine)

    def _import(self, name, tar):
        containerd = self._process(f"node/{name}/containerd")

        def imported():
            if not containerd.alive():
                raise AssertionError(f"containerd of node {name} ended:\n{containerd.log_tail()}")
            try:
                return self.on_node(name, "ctr", "--namespace=k8s.io", "images", "import", tar)
            except RuntimeError as error:
                if "containerd.sock" in str(error):
                    return None
                raise

        wait_until(imported, START_TIMEOUT_SECONDS, f"containerd of node {name} answers", seen=containerd.log_tail)


def remove_cgroups(prefix):
    """Removes what machines left whose names begin like this, followed by a dot or nothing."""
    for folder in _cgroups():
        if any(part == prefix or part.startswith(f"{prefix}.") for part in folder.parts):
            wait_until(lambda path=folder: _remove(path), END_SECONDS, f"the last process of {folder} is gone")


def remove_abandoned_cgroups():
    """Removes what killed test runs left, whose processes ended with them."""
    names = {part.partition(".")[0] for folder in _cgroups() for part in folder.parts
             if part.startswith(temporary_folder.PREFIX)}
    for name in names:
        if not (temporary_folder.temporary_base() / name).exists():
            remove_cgroups(name)


def _cgroups():
    """The deepest first."""
    return [Path(folder) for folder, _, _ in os.walk(CGROUPS, topdown=False)]


def _remove(folder):
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass
    return True
