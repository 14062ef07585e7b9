"""One machine, as an administrator sees it who is logged in there."""

import json
import re

BACKENDS = ("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy")
OF_KUBERNETES = re.compile(r"(KUBE|CNI)-")
CREDENTIALS = ("/etc/kubernetes/kubelet.conf", "/etc/kubernetes/bootstrap-kubelet.conf", "/var/lib/kubelet/pki")


class Host:
    """Its Node has the same name."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.foreign = None

    def run(self, *command, stdin=""):
        """Returns what the command prints."""
        return self.cluster.on_node(self.name, *command, stdin=stdin)

    def attempt(self, *command):
        """As `run`, but returns how it ended."""
        return self.cluster.try_on_node(self.name, *command)

    def shell(self, script):
        return self.run("sh", "-euc", script)

    def exists(self, path):
        return self.attempt("test", "-e", path).returncode == 0

    def read(self, path):
        return self.run("cat", path)

    def unit(self, name):
        """Whether it runs, and whether it starts with the machine: ("active", "enabled")."""
        return tuple(self.attempt("systemctl", f"is-{question}", name).stdout.strip()
                     for question in ("active", "enabled"))

    def processes(self, name):
        """The process ids of the programs of this name."""
        return self.attempt("pidof", name).stdout.split()

    def sandboxes(self):
        return self.run("ctr", "--namespace=k8s.io", "containers", "list", "--quiet",
                        'labels."io.cri-containerd.kind"==sandbox').split()

    def containers(self):
        """Those that run, of sandboxes too."""
        return self.cluster.containers_on(self.name)

    def has_link(self, name):
        return self.exists(f"/sys/class/net/{name}")

    def saved(self, backend):
        return self.run(f"{backend}-save")

    def rules(self, backend):
        """All rules, and all chains that somebody made, by the names of their tables."""
        tables, rules = {}, []
        for line in self.saved(backend).splitlines():
            if line.startswith("*"):
                rules = tables.setdefault(line[1:], [])
            elif line.startswith("-A") or re.match(r":\S+ - ", line):
                rules.append(re.sub(r" \[\d+:\d+\]$", "", line))
        return {table: rules for table, rules in tables.items() if rules}

    def chains_of_kubernetes(self, backend):
        return [rule for rules in self.rules(backend).values() for rule in rules if OF_KUBERNETES.match(rule[1:])]

    def mounts_of_kubelet(self):
        return [line.split()[1] for line in self.read("/proc/mounts").splitlines() if " /var/lib/kubelet/" in line]

    def leftovers(self):
        """What a cluster has left here that a new one must not find; nothing after a cleaning."""
        found = {"kubelet": self.unit("kubelet"), "processes": self.processes("kubelet"), "sandboxes": self.sandboxes(),
                 "containers": sorted(self.containers()),
                 "links": [link for link in ("cni0", "flannel.1") if self.has_link(link)],
                 "mounts": self.mounts_of_kubelet(), "files": [path for path in CREDENTIALS if self.exists(path)],
                 **{backend: self.chains_of_kubernetes(backend) for backend in BACKENDS}}
        if found["kubelet"] == ("inactive", "disabled"):
            del found["kubelet"]
        return {what: each for what, each in found.items() if each}

    def state(self):
        """All that a cleaning could change, to compare."""
        return {**{backend: self.rules(backend) for backend in BACKENDS},
                "links": sorted(link["ifname"] for link in json.loads(self.run("ip", "-json", "link"))),
                "kubelet": self.unit("kubelet"), "containers": sorted(self.containers()),
                "mounts": sorted(self.mounts_of_kubelet()),
                "files": self.shell("find /etc/kubernetes /etc/cni /var/lib/cni /var/lib/kubelet/pki -xdev | sort")}
