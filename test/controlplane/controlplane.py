"""A real Kubernetes control plane on this machine: etcd, API server, controller manager, scheduler and
simulated kubelets. Every program is a process of its own that can be frozen, killed and started again.

    with ControlPlane("1.36") as control_plane:
        control_plane.add_node("worker-1")
        control_plane.kubectl("get", "nodes")

./cli.py does the same from a shell.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import binaries
import components
import kubeconfig
import nodes
import operator_account
import temporary_folder
from api import Api
from certificates import Authority
from processes import Process
from waiting import wait_until

# The simulated kubelets renew their lease every second; the rest is for busy machines.
NODE_MONITOR_GRACE_SECONDS = 5
START_TIMEOUT_SECONDS = 120
START_ATTEMPTS = 5
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


class PortTaken(Exception):
    """Another program took a port between choosing and using it."""


class ControlPlane:
    """Runs in a folder of its own, which is removed at the end.

    Its processes end with the thread that called `start` and `add_node`, also when that is killed, unless
    `outlives_us` is set, which needs a `folder`: then they run until `attach(folder).stop()`.
    """

    def __init__(self, kubernetes=None, *, folder=None, outlives_us=False,
                 node_monitor_grace_seconds=NODE_MONITOR_GRACE_SECONDS):
        self._kubernetes = kubernetes
        self._outlives_us = outlives_us
        self._grace = node_monitor_grace_seconds
        self._given_folder = Path(folder) if folder else None
        self.folder = self._given_folder
        self.minor = None
        self.server = None
        self._programs = {}
        self._processes = {}
        self._address = components.LOOPBACK

    @classmethod
    def attach(cls, folder):
        """The control plane that an earlier process started in `folder` with `outlives_us`."""
        state_file = Path(folder) / "state.json"
        if not state_file.exists():
            raise RuntimeError(f"no control plane runs in {folder}; start one first")
        state = json.loads(state_file.read_text(encoding="utf-8"))
        control_plane = cls(folder=folder, outlives_us=True)
        control_plane.minor = state["minor"]
        control_plane.server = state["server"]
        control_plane._programs = {name: Path(path) for name, path in state["programs"].items()}
        control_plane._processes = {each["name"]: Process.from_state(each) for each in state["processes"]}
        return control_plane

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._programs = binaries.find(self._kubernetes)
        self.minor = binaries.minor_version(self._programs["kube-apiserver"])
        for attempt in range(START_ATTEMPTS):
            self._make_folder()
            try:
                self._start_programs()
                return
            except PortTaken:
                self.stop()
                if attempt + 1 == START_ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise

    def stop(self):
        """Ends all processes and removes the folder."""
        for process in self._processes.values():
            process.kill()
        self._processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def kubeconfig(self):
        """The kubeconfig of an administrator."""
        return self.folder / "admin.kubeconfig"

    @property
    def kubectl_program(self):
        return self._programs["kubectl"]

    @property
    def ca(self):
        return self._authority.certificate("ca")

    @property
    def audit_log(self):
        return self.folder / "audit.log"

    @property
    def api(self):
        """The API as an administrator, who is called test-admin in the audit log."""
        return Api(self.server, self.ca, self._authority.certificate("admin"), self._authority.key("admin"))

    def kubectl(self, *arguments, stdin=None, kubeconfig=None):
        """Runs this version's kubectl, as an administrator or with `kubeconfig`; returns what it prints."""
        command = [self.kubectl_program, f"--kubeconfig={kubeconfig or self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)} failed: {done.stderr.strip()}\n{done.stdout}".strip())
        return done.stdout

    def operator_kubeconfig(self):
        """Installs what the operator needs, except the operator; returns its ServiceAccount's kubeconfig."""
        token = operator_account.install(self)
        return kubeconfig.write(self.folder / "operator.kubeconfig", self.server, self.ca, token=token)

    def issue_server(self, name, hosts):
        """A certificate of this control plane's authority for a server of a test; returns the files of it and its
        key. Hosts look like "IP:127.0.0.1"."""
        self._authority.issue_server(name, hosts)
        return self._authority.certificate(name), self._authority.key(name)

    def add_node(self, name, labels=None, taints=(), wait=True):
        """Starts a kubelet, which registers its node; returns the name.

        Taints look like "key=value:NoSchedule". `wait` waits for Ready. A node whose process was killed and
        whose Node was deleted joins again this way.
        """
        node = f"node/{name}"
        if node in self._processes and self._processes[node].alive():
            raise RuntimeError(f"the kubelet of node {name} runs already; use restart_node")
        kubelet = self._start_node(name, taints)
        if labels:
            wait_until(lambda: self.api.get("Node", name), START_TIMEOUT_SECONDS, f"node {name} registers",
                       seen=kubelet.log_tail)
            self.api.patch("Node", name, {"metadata": {"labels": labels}})
        if wait:
            self.wait_ready(name)
        return name

    def is_ready(self, name):
        return nodes.is_ready(self.api, name)

    def wait_ready(self, name, ready=True, timeout=START_TIMEOUT_SECONDS):
        """Waits until the Node is Ready, or with `ready=False` until it is not."""
        nodes.wait_ready(self.api, name, ready, timeout)

    def remove_node(self, name):
        """Ends the kubelet and deletes the Node, whichever of them still exists."""
        process = self._processes.pop(f"node/{name}", None)
        if process:
            process.kill()
            shutil.rmtree(process.environment["TMPDIR"], ignore_errors=True)
        self.api.delete("Node", name)
        self._save()

    def kill_node(self, name):
        self.kill(f"node/{name}")

    def freeze_node(self, name):
        self.freeze(f"node/{name}")

    def thaw_node(self, name):
        self.thaw(f"node/{name}")

    def restart_node(self, name):
        self.restart(f"node/{name}")

    def kill(self, name):
        """Kills etcd, kube-apiserver, kube-controller-manager, kube-scheduler or node/NAME at once."""
        self._process(name).kill()

    def freeze(self, name):
        self._process(name).freeze()

    def thaw(self, name):
        self._process(name).thaw()

    def restart(self, name):
        process = self._process(name)
        process.kill()
        process.start()
        self._save()

    def heal(self):
        """Thaws or restarts etcd, API server, controller manager and scheduler; leaves nodes alone."""
        for name, process in self._processes.items():
            if name.startswith("node/"):
                continue
            if process.alive():
                process.thaw()
            else:
                self.restart(name)
        self._wait_api_server()

    @property
    def etcd_port(self):
        urls = next(each for each in self._process("etcd").arguments if each.startswith("--advertise-client-urls="))
        return int(urls.rpartition(":")[2])

    def add_api_server(self, name, etcd_port):
        """Starts another API server, which reaches etcd at this port; returns its URL and its API as an administrator.
        It writes into the same audit log. `remove_api_server` ends it."""
        [port] = free_ports(1)
        server = f"https://{self._address}:{port}"
        self._run(name, components.kube_apiserver(
            self._programs["kube-apiserver"], self.folder, self._authority, self._address, port, etcd_port,
            self.minor))
        admin = Api(server, self.ca, self._authority.certificate("admin"), self._authority.key("admin"))
        self._wait_started(name, lambda: admin.request("GET", "/readyz"))
        return server, admin

    def remove_api_server(self, name):
        self._processes.pop(name).kill()
        self._save()

    @contextmanager
    def out_of_space(self):
        """etcd refuses every write, as when its quota is used up."""
        etcd = Api(f"http://127.0.0.1:{self.etcd_port}")
        alarm = {"memberID": "0", "alarm": "NOSPACE"}
        etcd.request("POST", "/v3/maintenance/alarm", {"action": "ACTIVATE", **alarm})
        try:
            yield
        finally:
            etcd.request("POST", "/v3/maintenance/alarm", {"action": "DEACTIVATE", **alarm})

    def compact(self):
        """Makes etcd forget all that was before now."""
        etcd = Api(f"http://127.0.0.1:{self.etcd_port}")
        now = etcd.request("POST", "/v3/kv/range", {"key": "AA=="})["header"]["revision"]
        etcd.request("POST", "/v3/kv/compaction", {"revision": now, "physical": True})

    def back_up_etcd(self):
        """Keeps what etcd holds now; it stands still for a moment."""
        self.kill("etcd")
        shutil.rmtree(self.folder / "etcd-backup", ignore_errors=True)
        shutil.copytree(self.folder / "etcd", self.folder / "etcd-backup")
        self.restart("etcd")
        self._wait_api_server()

    def restore_etcd(self):
        """Brings back what was kept: all revisions since then never were. Whoever watches is not told."""
        for program in COMPONENTS:
            self.kill(program)
        shutil.rmtree(self.folder / "etcd")
        shutil.copytree(self.folder / "etcd-backup", self.folder / "etcd")
        for program in COMPONENTS:
            self.restart(program)
        self._wait_api_server()

    def status(self):
        """For each process its pid (None when it does not run), resident bytes and log."""
        return {name: {"pid": process.pid if process.alive() else None,
                       "resident_bytes": process.resident_bytes() if process.alive() else 0,
                       "log": process.log}
                for name, process in self._processes.items()}

    @property
    def _authority(self):
        return Authority(self.folder / "pki")

    def _process(self, name):
        if name not in self._processes:
            raise RuntimeError(f"there is no process {name}; there are {', '.join(self._processes)}")
        return self._processes[name]

    def _make_folder(self):
        if self._given_folder is None:
            self.folder = temporary_folder.create(os.getpid())
        elif self._given_folder.exists():
            raise RuntimeError(f"{self._given_folder} exists: a control plane runs there or was left there; "
                               "stop it first")
        else:
            self.folder = self._given_folder
            self.folder.mkdir(mode=0o700)
        (self.folder / "logs").mkdir()

    def _start_programs(self):
        authority = self._authority
        authority.create()
        authority.issue_server("apiserver", [
            f"IP:{self._address}", f"IP:{components.API_SERVICE_IP}", "DNS:localhost", "DNS:kubernetes",
            "DNS:kubernetes.default", "DNS:kubernetes.default.svc"])
        client_port, peer_port, api_port = free_ports(3)
        self.server = f"https://{self._address}:{api_port}"

        self._client_kubeconfig("admin", "test-admin", "system:masters")

        etcd_help = subprocess.run([self._programs["etcd"], "--help"], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, check=False).stdout
        unsafe_no_fsync = "--unsafe-no-fsync" in etcd_help
        self._run("etcd", components.etcd(
            self._programs["etcd"], self.folder, client_port, peer_port, unsafe_no_fsync),
            components.ETCD_ENVIRONMENT)
        self._wait_started("etcd", lambda: Api(f"http://127.0.0.1:{client_port}").request("GET", "/health"))

        self._run("kube-apiserver", components.kube_apiserver(
            self._programs["kube-apiserver"], self.folder, authority, self._address, api_port, client_port,
            self.minor) + self._more_flags("kube-apiserver"))
        self._wait_api_server()

        self._run("kube-controller-manager", components.kube_controller_manager(
            self._programs["kube-controller-manager"], authority,
            self._client_kubeconfig("controller-manager", "system:kube-controller-manager"), self.minor,
            self._grace) + self._more_flags("kube-controller-manager"))
        self._run("kube-scheduler", components.kube_scheduler(
            self._programs["kube-scheduler"], self._client_kubeconfig("scheduler", "system:kube-scheduler"),
            self.minor))
        self._wait_started("kube-controller-manager",
                           lambda: self.api.get("ServiceAccount", "default", "default"))

    def _more_flags(self, program):
        """What a kind of cluster adds to the command line of the API server or the controller manager."""
        return []

    def _start_node(self, name, taints):
        # A short name, because the kubelet makes sockets in it.
        temporary = tempfile.mkdtemp(prefix="n", dir=self.folder)
        command = components.hollow_kubelet(
            self._programs["kubemark"], name, self._node_kubeconfig(name), taints, self.minor)
        return self._run(f"node/{name}", command, {"TMPDIR": temporary})

    def _node_kubeconfig(self, name):
        return self._client_kubeconfig(f"node-{name}", f"system:node:{name}", "system:nodes")

    def _client_kubeconfig(self, name, user, group=None):
        self._authority.issue_client(name, user, group)
        return kubeconfig.write(self.folder / f"{name}.kubeconfig", self.server, self.ca,
                                certificate=self._authority.certificate(name), key=self._authority.key(name))

    def _run(self, name, command, environment=None, **started):
        log = self.folder / "logs" / f"{name.replace('/', '-')}.log"
        self._processes[name] = Process(name, command, log, environment, self._outlives_us, **started)
        self._processes[name].start()
        self._save()
        return self._processes[name]

    def _wait_started(self, name, answers):
        process = self._processes[name]

        def started():
            if not process.alive():
                if "address already in use" in process.log_text():
                    raise PortTaken(f"{name}: {process.log_tail()}")
                raise RuntimeError(f"{name} ended while starting:\n{process.log_tail()}")
            return answers()

        wait_until(started, START_TIMEOUT_SECONDS, f"{name} answers", seen=process.log_tail)

    def _wait_api_server(self):
        self._wait_started("kube-apiserver", lambda: self.api.request("GET", "/readyz"))

    def _save(self):
        state = {"minor": self.minor, "server": self.server,
                 "programs": {name: str(path) for name, path in self._programs.items()},
                 "processes": [process.state() for process in self._processes.values()]}
        # Renamed into place, so that another call of the command line never reads half of it.
        unfinished = self.folder / "state.json.new"
        unfinished.write_text(json.dumps(state), encoding="utf-8")
        unfinished.rename(self.folder / "state.json")


def free_ports(count):
    """Ports that are free now; starting is repeated when another program is faster to take one."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
